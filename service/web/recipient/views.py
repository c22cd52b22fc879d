"""The routes that a recipient meets: `/s/<link token>` (page, asking), `/d/<delivery token>` (sending),
`/v/<delivery token>` (reading what is not to be downloaded), `/r/<document id>` (the address that lasts), `/trust`
(what there is), static files.

Thin: parse, call the domain, render. What is not authentic gets one and the same answer everywhere; what fails
before the first byte serves nothing.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import partial

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from crypto.errors import CryptoError, IdentifierInvalid
from crypto.identifiers import parse_id
from service import languages
from service.app import Sealmark
from service.blobs import StoreError
from service.decision import Allowed, Denial
from service.delivery import Waiting
from service.errors import DomainError, Problem
from service.limits import TooMany
from service.opening import Denied, Unauthentic
from service.ports import DatabaseUnavailable
from service.records import Copy, Share
from service.web.recipient import wording
from service.web.recipient.agreement import Agreements
from service.web.recipient.assets import KEPT_FOR, load_assets
from service.web.recipient.body import DownloadBody
from service.web.recipient.brand import color_rules, read_logo
from service.web.recipient.browser import MAX_FORM_BYTES, Browsers, ForeignForm
from service.web.recipient.checking import Checking
from service.web.recipient.files import as_file, conditions
from service.web.recipient.headers import protect
from service.web.recipient.ranges import Selection, select
from service.web.recipient.rendering import denied, html, limited, message, see_other, wrong_method
from service.web.recipient.stable import Stable
from service.web.recipient.stalls import end_stalls
from service.web.recipient.summary import summarize
from service.web.recipient.trust import Trust
from service.web.recipient.viewing import Reading
from service.web.requests import actor

LOG = logging.getLogger("sealmark.recipient")

ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
"""All are routed here, so that the wrong ones get a page of ours too."""

_READING = frozenset({"GET", "HEAD"})


LANGUAGE = "language"
"""The query parameter and the cookie that choose the language. It is no secret, and names nobody."""

LANGUAGE_SECONDS = 365 * 24 * 3600

FORMS = frozenset(
    f"recipient.{name}"
    for name in ("check", "code", "sign", "stable_check", "stable_code", "stable_link", "stable_ask")
)
"""Endpoints to which forms are sent, one step below the page that has them."""

IDS = {"document_id": "doc", "share_id": "shr"}
"""The parts of addresses that are ids, and how each begins."""

RETRY_AFTER = "5"
"""Seconds: a database that fails over is back in about that time, and a person waits that long."""

_MAIL = re.compile(r"[^\s@:/?&]+@[^\s@:/?&]+")

PASSING = frozenset({Problem.UNAVAILABLE, Problem.BUSY})
"""Problems that trying again may solve."""


def recipient_pages(sealmark: Sealmark) -> Blueprint:
    """All that recipients meet, as one blueprint at the root of the service."""
    pages = Blueprint("recipient", __name__, template_folder="templates")
    views = _Views(sealmark)
    route = partial(pages.add_url_rule, methods=ALL_METHODS, provide_automatic_options=False)
    route("/s/", "link_cut", views.cut, strict_slashes=False)
    route("/d/", "delivery_cut", views.cut, strict_slashes=False)
    route("/s/<path:token>", "link", views.link)
    route("/d/<path:token>", "delivery", views.delivery)
    route("/v/", "reading_cut", views.cut, strict_slashes=False)
    route("/v/<path:token>", "sitting", views.reading.begin)
    route("/v/<token>/<number>", "reading", views.reading.page)
    route("/v/<token>/<number>.<form>", "picture", views.reading.picture)
    route("/s/<token>/check", "check", posted(views.checking.start))
    route("/s/<token>/code", "code", posted(views.checking.enter))
    route("/s/<token>/sign", "sign", posted(views.agreements.sign))
    route("/s/<token>/record", "record", views.agreements.record)
    route("/s/<token>/with/<share_id>", "along", views.along)
    route("/r/<document_id>", "stable", views.standing)
    route("/r/<document_id>/check", "stable_check", posted(views.stable.start))
    route("/r/<document_id>/code", "stable_code", posted(views.stable.enter))
    route("/r/<document_id>/link", "stable_link", posted(views.stable.send))
    route("/r/<document_id>/ask", "stable_ask", posted(views.stable.ask))
    route("/trust", "trust", views.trust.show)
    route("/trust/<document_id>/<name>", "public", views.trust.file)
    route("/static/<digest>/<name>", "static", views.asset)
    pages.before_request(choose_language)
    pages.before_request(views.limit)
    pages.before_request(require_ids)
    pages.after_request(protect)
    pages.after_request(views.browsers.remember)
    pages.after_request(views.remember_language)
    pages.context_processor(views.context)
    for error in (DatabaseUnavailable, StoreError, CryptoError):
        pages.register_error_handler(error, views.unavailable)
    pages.register_error_handler(DomainError, views.refused)
    pages.register_error_handler(Unauthentic, views.unauthentic)
    pages.register_error_handler(ForeignForm, views.foreign)
    pages.register_error_handler(RequestEntityTooLarge, views.too_large)
    pages.register_error_handler(Exception, views.failed)
    return pages


def choose_language() -> None:
    """The language that was chosen here or before, else the one that the browser asks for."""
    for chosen in (request.args.get(LANGUAGE), request.cookies.get(LANGUAGE)):
        if chosen and chosen in languages.LANGUAGES:
            wording.speak(chosen)
            return
    wording.speak(languages.negotiate(request.headers.get("Accept-Language", "")))


def require_ids() -> None:
    """Raise `Unauthentic` for what stands in the address where an id belongs and can be none of ours."""
    given = request.view_args or {}
    for name, prefix in IDS.items():
        try:
            if name in given:
                parse_id(given[name], prefix)
        except IdentifierInvalid as error:
            raise Unauthentic from error


def here() -> str:
    """The page that this answer shows, relative to its address: a form that was not taken has an address of its own."""
    form = request.method == "POST" and request.endpoint in FORMS
    return request.path.rsplit("/", 1)[0] if form else ""


def posted(view: Callable[[str], Response]) -> Callable[..., Response]:
    """The view of an address to which a form is sent; its one argument comes from the path."""

    def served(**path: str) -> Response:
        return view(*path.values()) if request.method == "POST" else wrong_method("POST")

    return served


class _Views:
    """The views of one service."""

    def __init__(self, sealmark: Sealmark) -> None:
        self._deliveries = sealmark.deliveries
        self._settings = sealmark.settings
        self._logo = read_logo(self._settings.logo) if self._settings.logo else None
        rules = color_rules(self._settings.color) if self._settings.color else ""
        self._assets = load_assets(rules, self._logo.body if self._logo else None)
        self._limits = sealmark.limits
        self._checks = sealmark.mail_checks
        self.browsers = Browsers(
            self._settings.url, lambda: sealmark.keys.signing("service").secret, sealmark.random
        )
        self.checking = Checking(sealmark, self.browsers)
        self.stable = Stable(sealmark, self.browsers)
        self.agreements = Agreements(sealmark, self.browsers)
        self.trust = Trust(sealmark)
        self.reading = Reading(sealmark, self._checked)

    def context(self) -> dict[str, object]:
        """What every template may use."""
        contact = self._settings.contact
        return {
            "assets": self._assets,
            "contact": contact,
            "contact_href": _address(contact),
            "form_token": self.browsers.form_token,
            "direction": languages.direction(wording.language()),
            "here": here(),
            "language": wording.language(),
            "languages": languages.LANGUAGES,
            "logo": self._logo,
            "organization": self._settings.organization,
            "say": wording.say,
        }

    def limit(self) -> None:
        """Count this request for its client's address. Raises `TooMany`. What is the same for all costs nothing."""
        if request.endpoint != "recipient.static":
            self._limits.request_from(request.remote_addr)
        if request.method == "POST":
            request.max_content_length = request.max_form_memory_size = MAX_FORM_BYTES

    def remember_language(self, response: Response) -> Response:
        """Keep the language that was chosen on this page for the next ones."""
        chosen = request.args.get(LANGUAGE)
        if chosen and chosen in languages.LANGUAGES:
            response.set_cookie(
                LANGUAGE,
                chosen,
                max_age=LANGUAGE_SECONDS,
                secure=self._settings.url.startswith("https:"),
                httponly=True,
                samesite="Lax",
            )
        return response

    def link(self, token: str) -> Response:
        """The page of a link, which consumes nothing; or, by POST, a download that is granted."""
        if request.method == "POST":
            return self._ask(token)
        if request.method not in _READING:
            return wrong_method("GET, HEAD, POST")
        record = request.method == "GET"
        page = self._deliveries.page(token, actor("recipient"), record=record, checked=self._checked)
        if isinstance(page, Waiting):
            return self._wait(page, token)
        if isinstance(page, Denied):
            return denied(page)
        record_path = self.agreements.record_path(page, token)
        return html("report", 200, summary=summarize(page), path=f"/s/{token}", record=record_path)

    def along(self, token: str, share_id: str) -> Response:
        """A copy of what goes along with the report; who comes here otherwise finds it on the report's page."""
        if request.method == "POST":
            return self._ask(token, share_id)
        if request.method not in _READING:
            return wrong_method("GET, HEAD, POST")
        page = self._deliveries.page(token, actor("recipient"), record=False, checked=self._checked)
        return denied(page) if isinstance(page, Denied) else see_other(f"/s/{token}")

    def delivery(self, token: str) -> Response:
        """The bytes of a granted download, or the part that is asked for. HEAD, 304, 412 and 416 cost nothing."""
        if request.method not in _READING:
            return wrong_method("GET, HEAD")
        asker = actor("recipient")
        begun = self._deliveries.begin(token, asker)
        if isinstance(begun, Denied):
            return denied(begun)
        _, allowed, copy = begun
        etag = f'"{copy.sha256}"'
        chosen = select(conditions(), etag, copy.length)
        if chosen.status == 304:
            return Response(status=304, headers={"ETag": etag})
        if chosen.status == 412:
            return message(412, "changed", hint="open_again")
        if chosen.status == 416:
            answer = message(416, "range", hint="open_again")
            answer.headers["Content-Range"] = f"bytes */{copy.length}"
            return answer
        if request.method == "HEAD":
            return _download(Response(), allowed, copy, etag, chosen)
        sending = self._deliveries.send(token, asker, chosen.start, chosen.stop)
        if isinstance(sending, Denied):
            return denied(sending)
        end_stalls()
        body = DownloadBody(sending, chosen.stop - chosen.start)
        return _download(Response(body), allowed, copy, etag, chosen)

    def cut(self) -> Response:
        """A link of which nothing is left after the slash."""
        raise Unauthentic

    def asset(self, digest: str, name: str) -> Response:
        """The style sheet or the icon, under the address that its content gives it."""
        if request.method not in _READING:
            return wrong_method("GET, HEAD")
        found = self._assets.get(name)
        if found is None or found.digest != digest:
            raise Unauthentic
        return Response(found.body, content_type=found.content_type, headers={"Cache-Control": KEPT_FOR})

    def unavailable(self, error: Exception) -> Response:
        """A part that is needed does not answer: nothing is served."""
        LOG.error("nothing was served", exc_info=error)
        answer = message(503, "unavailable", numbered=True)
        answer.headers["Retry-After"] = RETRY_AFTER
        return answer

    def refused(self, error: DomainError) -> Response:
        """A problem that the domain names; recipients are told only whether to try again."""
        if isinstance(error, TooMany):
            return limited(error)
        if error.problem == Problem.MAIL_NOT_CONFIGURED:
            return message(503, "no_mail", hint="ask_sender")
        if error.problem in PASSING:
            return self.unavailable(error)
        if error.problem == Problem.MISDIRECTED:
            return message(421, "misdirected")
        return self.failed(error)

    def failed(self, error: Exception) -> Response:
        """A mistake of ours. The log gets the traceback, without the path, which holds the token."""
        LOG.error("a recipient's request failed", exc_info=error)
        return message(500, "failed", numbered=True)

    def unauthentic(self, _: Unauthentic) -> Response:
        """One and the same answer, to every method, for all that is not authentic."""
        return message(404, "not_found")

    def foreign(self, _: ForeignForm) -> Response:
        """A form of somebody else's page, or of a browser without its cookie."""
        return message(403, "foreign")

    def too_large(self, _: RequestEntityTooLarge) -> Response:
        """A form with more than any of ours can hold."""
        return message(413, "too_large")

    def standing(self, document_id: str) -> Response:
        """The page of a document's stable address."""
        if request.method not in _READING:
            return wrong_method("GET, HEAD")
        return self.stable.show(document_id)

    def _wait(self, waiting: Waiting, token: str) -> Response:
        """The page on which the recipient does what is missing."""
        if waiting.missing == Denial.MAIL_CHECK:
            return self.checking.show(waiting, f"/s/{token}")
        return self.agreements.show(waiting, token)

    def _checked(self, share: Share) -> bool:
        return self._checks.checked(share, self.browsers.of_request())

    def _ask(self, token: str, with_id: str | None = None) -> Response:
        self.browsers.refuse_foreign()
        granted = self._deliveries.ask(token, actor("recipient"), self._checked, with_id)
        if isinstance(granted, Denied):
            return denied(granted)
        return see_other(f"/v/{granted.token}" if granted.view_only else f"/d/{granted.token}")


def _download(answer: Response, allowed: Allowed, copy: Copy, etag: str, chosen: Selection) -> Response:
    name = allowed.document.name
    return as_file(answer, chosen, name=name, label=copy.id, etag=etag, length=copy.length)


def _address(contact: str | None) -> str:
    """Where the contact leads: a mail address or a web address; empty for anything else."""
    if not contact:
        return ""
    if contact.startswith(("https://", "mailto:")):
        return contact
    return f"mailto:{contact}" if _MAIL.fullmatch(contact) else ""
