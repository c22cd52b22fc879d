"""A document's stable address, `/r/<document id>`: mail check, then a fresh link by mail to whom it is shared with; all
others may ask for it. It can be printed, cited and kept for years, since it opens nothing by itself."""

from __future__ import annotations

from flask import Response, request

from service.app import Sealmark
from service.errors import DomainError, Problem
from service.mail import parse_address
from service.mailchecks import CodeRefused
from service.opening import Unauthentic
from service.records import AccessRequest, Document, RequestState, Session
from service.web.recipient import wording
from service.web.recipient.asking import Asking, RequestForm
from service.web.recipient.browser import Browsers
from service.web.recipient.checking import shown
from service.web.recipient.rendering import html, see_other
from service.web.requests import actor


class Stable:
    """The pages of the address. What is unknown or revoked is `Unauthentic`: one answer for all that is not there."""

    def __init__(self, sealmark: Sealmark, browsers: Browsers) -> None:
        self._checks = sealmark.mail_checks
        self._fresh_links = sealmark.fresh_links
        self._requests = sealmark.access_requests
        self._asking = Asking(sealmark.access_requests, sealmark.limits)
        self._browsers = browsers

    def show(
        self, document_id: str, *, status: int = 200, error: str = "", typed: str | None = None
    ) -> Response:
        """The form for the mail address, the field for its code, or what there is for who has shown it.

        `typed`: what was given for an address and is none; the form is shown again.
        """
        document = self._document(document_id)
        browser = self._browsers.of_request()
        # Another address is to be given than the one that waits for its code, or was shown.
        other = typed is not None or bool(request.args.get("other"))
        check = None if other else self._checks.waiting(document.id, browser)
        session = self._checks.session(document.id, browser)
        if session is not None and check is None and not other and not error:
            return self._shown_to(document, session)
        return html(
            "stable",
            status,
            path=f"/r/{document.id}",
            mail=check.mail if check else typed or "",
            step="code" if check else "mail",
            error=error,
            **shown(document),
        )

    def start(self, document_id: str) -> Response:
        """Mail a code to the address that was given, whosever it is: whether it is known is nobody's business."""
        browser = self._browsers.require_own_form()
        document = self._document(document_id)
        typed = request.form.get("mail", "")
        try:
            self._checks.begin(
                actor("stranger"),
                subject=document.id,
                recipient_id=None,
                mail=parse_address(typed.strip()).mail,
                browser=browser,
                language=wording.language(),
            )
        except DomainError as error:
            if error.problem not in {
                Problem.INVALID,
                Problem.UNMARKABLE_NAME,
            }:  # no copy could be marked with it
                raise
            return self.show(document_id, status=422, error="stable.mail.wrong", typed=typed)
        return see_other(f"/r/{document.id}")

    def enter(self, document_id: str) -> Response:
        """Take the code; who has a share is mailed its link at once."""
        browser = self._browsers.require_own_form()
        document = self._document(document_id)
        code = request.form.get("code", "")
        result = self._checks.enter(actor("stranger"), subject=document.id, browser=browser, code=code)
        if isinstance(result, CodeRefused):
            return self.show(document_id, status=422, error=f"check.{result}")
        return see_other(f"/r/{document.id}")

    def send(self, document_id: str) -> Response:
        """Mail a fresh link to who has shown that the address is theirs."""
        browser = self._browsers.require_own_form()
        document = self._document(document_id)
        session = self._checks.session(document.id, browser)
        if session is None or not self._fresh_links.send(session, document.id, wording.language()):
            return see_other(f"/r/{document.id}")
        return html("stable", 200, path="", mail=session.mail, step="sent", error="", **shown(document))

    def ask(self, document_id: str) -> Response:
        """Take a request for access; sent again, it is the same one."""
        browser = self._browsers.require_own_form()
        document = self._document(document_id)
        session = self._checks.session(document.id, browser)
        if session is None or self._fresh_links.shared(session, document.id):
            return see_other(f"/r/{document.id}")
        taken = self._asking.take(actor("recipient"), document.id, session)
        if isinstance(taken, RequestForm):
            return self._page(document, session, "ask", 422, taken)
        return self._page(document, session, _step(taken))

    def _shown_to(self, document: Document, session: Session) -> Response:
        if self._fresh_links.shared(session, document.id):
            return self._page(document, session, "send")
        waits = self._requests.waits(document.id, session.mail)
        return self._page(document, session, "pending" if waits else "ask")

    def _page(
        self,
        document: Document,
        session: Session,
        step: str,
        status: int = 200,
        form: RequestForm | None = None,
    ) -> Response:
        return html(
            "stable",
            status,
            path=f"/r/{document.id}",
            mail=session.mail,
            step=step,
            error="",
            form=form or RequestForm(),
            **shown(document),
        )

    def _document(self, document_id: str) -> Document:
        document = self._fresh_links.document(document_id)
        if document is None:
            raise Unauthentic
        return document


def _step(request: AccessRequest) -> str:
    return "approved" if request.state == RequestState.APPROVED else "pending"
