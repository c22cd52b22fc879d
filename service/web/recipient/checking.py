"""The mail check of a link: `/s/<token>` shows it while it is missing; `…/check` mails a code, `…/code` takes it."""

from __future__ import annotations

from flask import Response, request

from service.app import Sealmark
from service.decision import Denial
from service.delivery import Waiting
from service.mailchecks import CodeRefused
from service.records import Document, Listing
from service.web.recipient import wording
from service.web.recipient.browser import Browsers
from service.web.recipient.rendering import html, see_other
from service.web.recipient.waiting import waiting_for
from service.web.requests import actor


def shown(document: Document) -> dict[str, str]:
    """What may be said of a document to whoever holds an address of it: what the trust page says."""
    if document.listing == Listing.HIDDEN:
        return {"document": wording.say("hidden"), "kind": ""}
    return {"document": document.name, "kind": wording.kind(document.kind)}


class Checking:
    """The forms of a link's mail check. All raise what `Deliveries.page` and `MailChecks` raise, and `ForeignForm`."""

    def __init__(self, sealmark: Sealmark, browsers: Browsers) -> None:
        self._deliveries = sealmark.deliveries
        self._checks = sealmark.mail_checks
        self._browsers = browsers

    def show(self, waiting: Waiting, path: str, *, status: int = 200, error: str = "") -> Response:
        """The page: a button that mails a code, or, once this browser has pressed it, the field to enter it."""
        check = self._checks.waiting(waiting.grant.share.id, self._browsers.of_request())
        return html(
            "check",
            status,
            waiting=check is not None,
            path=path,
            error=error,
            **shown(waiting.grant.document),
        )

    def start(self, token: str) -> Response:
        """Mail a code to the share's recipient, for this browser; then the page again."""
        browser = self._browsers.require_own_form()
        asker = actor("recipient")
        waiting = self._waiting(token, browser)
        if isinstance(waiting, Response):
            return waiting
        recipient = waiting.grant.recipient
        self._checks.begin(
            asker,
            subject=waiting.grant.share.id,
            recipient_id=recipient.id,
            mail=recipient.mail,
            browser=browser,
            language=wording.language(),
        )
        return see_other(f"/s/{token}")

    def enter(self, token: str) -> Response:
        """Take the code: then the page that waited for it, or this one again, saying why not."""
        browser = self._browsers.require_own_form()
        waiting = self._waiting(token, browser)
        if isinstance(waiting, Response):
            return waiting
        code = request.form.get("code", "")
        subject = waiting.grant.share.id
        result = self._checks.enter(actor("recipient"), subject=subject, browser=browser, code=code)
        if isinstance(result, CodeRefused):
            return self.show(waiting, f"/s/{token}", status=422, error=f"check.{result}")
        return see_other(f"/s/{token}")

    def _waiting(self, token: str, browser: str) -> Waiting | Response:
        return waiting_for(Denial.MAIL_CHECK, self._deliveries, self._checks, token, browser)
