"""The agreement on the page: `/s/<token>` shows it while it is asked for, `…/sign` takes the signature, `…/record`
gives the signer what they signed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from flask import Response, request

from service import languages
from service.app import Sealmark
from service.decision import Denial
from service.delivery import Page, Waiting
from service.errors import DomainError, Problem
from service.nda_markdown import as_html
from service.opening import Denied
from service.records import NdaText
from service.signing import TEXT_CHANGED
from service.web.recipient import wording
from service.web.recipient.browser import Browsers
from service.web.recipient.checking import shown
from service.web.recipient.rendering import denied, html, message, see_other, wrong_method
from service.web.recipient.waiting import waiting_for
from service.web.requests import actor

PDF = "application/pdf"

CONSENTS = ("agree", "electronic")
"""The two boxes, each with a sentence of its own."""

FIELDS = ("name", *CONSENTS)


@dataclass(frozen=True)
class _Typed:
    """What the form was sent with, and the fields in which something is wrong, in their order."""

    name: str = ""
    ticked: frozenset[str] = frozenset()
    wrong: tuple[str, ...] = ()
    changed: bool = False


class Agreements:
    """The pages of signing. All raise what `Deliveries.page`, `Signing` and `NdaFiles` raise, and `ForeignForm`."""

    def __init__(self, sealmark: Sealmark, browsers: Browsers) -> None:
        self._deliveries = sealmark.deliveries
        self._checks = sealmark.mail_checks
        self._texts = sealmark.nda_texts
        self._signing = sealmark.signing
        self._files = sealmark.nda_files
        self._organization = sealmark.settings.organization
        self._browsers = browsers

    def show(self, waiting: Waiting, token: str) -> Response:
        """The text, and the form with which it is signed."""
        return self._page(waiting, token, _Typed(), 200)

    def sign(self, token: str) -> Response:
        """Take the signature: then the page that waited for it, or this one again, saying what is missing."""
        browser = self._browsers.require_own_form()
        waiting = self._waiting(token, browser)
        if isinstance(waiting, Response):
            return waiting
        share = waiting.grant.share
        session = self._checks.shown(share, browser)
        text = self._texts.get(str(waiting.grant.text_id))
        language = request.form.get("language", "")
        if language in languages.LANGUAGES:  # the page's, whatever was chosen elsewhere since
            wording.speak(language)
        typed, sentences = _typed(), _sentences(text)
        if (request.form.get("text"), request.form.get("sentences")) != (text.id, _digest(sentences)):
            # They agreed to another text, or in other words: what was ticked does not count for these.
            return self._page(waiting, token, _Typed(name=typed.name, changed=True), 409)
        if typed.wrong:
            return self._page(waiting, token, typed, 422)
        if session is None:
            return see_other(f"/s/{token}")
        try:
            self._signing.sign(
                actor("recipient"),
                share_id=share.id,
                link_hash=waiting.link.hash,
                session=session,
                text_id=text.id,
                name=typed.name,
                consents=list(sentences.values()),
                language=wording.language(),
            )
        except DomainError as error:
            return self._not_signed(error, token, browser, typed)
        return see_other(f"/s/{token}")

    def record(self, token: str) -> Response:
        """The record of what the recipient signed last, once their mail was checked in this browser."""
        if request.method != "GET":
            return wrong_method("GET")
        browser = self._browsers.of_request()
        kept = self._files.pull_own(
            token, actor("recipient"), checked=lambda share: self._checks.checked(share, browser)
        )
        if isinstance(kept, Denied):
            return see_other(f"/s/{token}") if kept.reason == Denial.MAIL_CHECK else denied(kept)
        if kept is None:
            return message(404, "sign.record.none")
        answer = Response(kept.pieces, content_type=PDF)
        answer.content_length = kept.size
        answer.headers["Content-Disposition"] = f'attachment; filename="agreement-{kept.nda.id[-8:]}.pdf"'
        return answer

    def record_path(self, page: Page | Waiting, token: str) -> str:
        """Where this browser can have what was signed; empty where nothing was, or the mail was not checked here."""
        share = page.allowed.share if isinstance(page, Page) else page.grant.share
        browser = self._browsers.of_request()
        if browser is None or not self._checks.checked(share, browser):
            return ""
        return f"/s/{token}/record" if self._files.signed_last(share) else ""

    def _not_signed(self, error: DomainError, token: str, browser: str, typed: _Typed) -> Response:
        """The page again, as things are now; raises the error again where the page has no answer to it."""
        if error.problem == Problem.INVALID and error.fields["where"] == "name":
            typed = _Typed(typed.name, typed.ticked, ("name",))
            status = 422
        elif error.problem == Problem.WRONG_STATE and error.fields["reason"] == TEXT_CHANGED:
            typed = _Typed(name=typed.name, changed=True)
            status = 409
        elif error.problem == Problem.WRONG_STATE:
            return see_other(f"/s/{token}")
        else:
            raise error
        waiting = self._waiting(token, browser)
        return waiting if isinstance(waiting, Response) else self._page(waiting, token, typed, status)

    def _waiting(self, token: str, browser: str) -> Waiting | Response:
        return waiting_for(Denial.NDA_ASKED, self._deliveries, self._checks, token, browser)

    def _page(self, waiting: Waiting, token: str, typed: _Typed, status: int) -> Response:
        grant = waiting.grant
        text = self._texts.get(str(grant.text_id))
        sentences = _sentences(text)
        return html(
            "agreement",
            status,
            path=f"/s/{token}",
            text=text,
            text_html=as_html(text.markdown),
            holds=_holds(text),
            again=grant.nda_signed,
            record=self.record_path(waiting, token),
            typed=typed,
            fields=FIELDS,
            consents=sentences,
            sentences=_digest(sentences),
            **shown(grant.document),
        )


def _typed() -> _Typed:
    name = request.form.get("name", "")
    ticked = frozenset(consent for consent in CONSENTS if request.form.get(consent) == "yes")
    missing = {*(consent for consent in CONSENTS if consent not in ticked)}
    if not name.strip():
        missing.add("name")
    return _Typed(name, ticked, tuple(field for field in FIELDS if field in missing))


def _sentences(text: NdaText) -> dict[str, str]:
    """What is agreed to by each box, in the language of the page."""
    return {consent: wording.say(f"sign.{consent}", number=text.number) for consent in CONSENTS}


def _digest(sentences: dict[str, str]) -> str:
    """What the form carries, so that no sentence goes into the record but those that stood on its page."""
    return hashlib.sha256("\n".join(sentences.values()).encode()).hexdigest()


def _holds(text: NdaText) -> str:
    return wording.count("sign.holds", text.days) if text.days else wording.say("sign.holds.always")
