"""The routes that a recipient meets: `/s/<link token>` (page, asking), `/d/<delivery token>` (sending), static files.

Thin: parse, call the domain, render. What is not authentic gets one and the same answer everywhere; what fails
before the first byte serves nothing.
"""

from __future__ import annotations

import logging
import re
from functools import partial

from flask import Blueprint, Response, g, render_template, request

from crypto.errors import CryptoError
from service.app import Sealmark
from service.blobs import StoreError
from service.decision import Allowed, Denial
from service.delivery import Waiting
from service.errors import DomainError, Problem
from service.opening import Denied, Unauthentic
from service.ports import DatabaseUnavailable
from service.records import Copy
from service.web.recipient import wording
from service.web.recipient.assets import KEPT_FOR, load_assets
from service.web.recipient.body import DownloadBody
from service.web.recipient.headers import attachment, protect
from service.web.recipient.ranges import Conditions, Selection, select
from service.web.recipient.stalls import end_stalls
from service.web.recipient.summary import summarize
from service.web.requests import actor

LOG = logging.getLogger("sealmark.recipient")

ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
"""All are routed here, so that the wrong ones get a page of ours too."""

_READING = frozenset({"GET", "HEAD"})

RETRY_AFTER = "5"
"""Seconds: a database that fails over is back in about that time, and a person waits that long."""

NOT_READY_RETRY_AFTER = "120"
"""Seconds: about as long as compiling a long report takes."""

_MAIL = re.compile(r"[^\s@:/?&]+@[^\s@:/?&]+")

STATUS = {
    Denial.NDA_ENDED: 403,
    Denial.MAIL_CHECK: 403,
    Denial.NDA_ASKED: 403,
    Denial.NOT_READY: 503,
}
"""The status of a denial where it is not 410 Gone."""

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
    route("/static/<digest>/<name>", "static", views.asset)
    pages.after_request(protect)
    pages.context_processor(views.context)
    for error in (DatabaseUnavailable, StoreError, CryptoError):
        pages.register_error_handler(error, views.unavailable)
    pages.register_error_handler(DomainError, views.refused)
    pages.register_error_handler(Unauthentic, views.unauthentic)
    pages.register_error_handler(Exception, views.failed)
    return pages


class _Views:
    """The views of one service."""

    def __init__(self, sealmark: Sealmark) -> None:
        self._deliveries = sealmark.deliveries
        self._settings = sealmark.settings
        self._assets = load_assets()

    def context(self) -> dict[str, object]:
        """What every template may use."""
        contact = self._settings.contact
        return {
            "assets": self._assets,
            "contact": contact,
            "contact_href": _address(contact),
            "language": wording.LANGUAGE,
            "organization": self._settings.organization,
            "say": wording.say,
        }

    def link(self, token: str) -> Response:
        """The page of a link, which consumes nothing; or, by POST, a download that is granted."""
        if request.method == "POST":
            return self._ask(token)
        if request.method not in _READING:
            return _wrong_method("GET, HEAD, POST")
        page = self._deliveries.page(token, actor("recipient"), record=request.method == "GET")
        if isinstance(page, Waiting):
            return _denied(Denied(page.missing))
        if isinstance(page, Denied):
            return _denied(page)
        return _html("report", 200, summary=summarize(page))

    def delivery(self, token: str) -> Response:
        """The bytes of a granted download, or the part that is asked for. HEAD, 304, 412 and 416 cost nothing."""
        if request.method not in _READING:
            return _wrong_method("GET, HEAD")
        asker = actor("recipient")
        begun = self._deliveries.begin(token, asker)
        if isinstance(begun, Denied):
            return _denied(begun)
        _, allowed, copy = begun
        etag = f'"{copy.sha256}"'
        chosen = select(_conditions(), etag, copy.length)
        if chosen.status == 304:
            return Response(status=304, headers={"ETag": etag})
        if chosen.status == 412:
            return _message(412, "changed", hint="open_again")
        if chosen.status == 416:
            answer = _message(416, "range", hint="open_again")
            answer.headers["Content-Range"] = f"bytes */{copy.length}"
            return answer
        if request.method == "HEAD":
            return _download(Response(), allowed, copy, etag, chosen)
        sending = self._deliveries.send(token, asker, chosen.start, chosen.stop)
        if isinstance(sending, Denied):
            return _denied(sending)
        end_stalls()
        body = DownloadBody(sending, chosen.stop - chosen.start)
        return _download(Response(body), allowed, copy, etag, chosen)

    def cut(self) -> Response:
        """A link of which nothing is left after the slash."""
        raise Unauthentic

    def asset(self, digest: str, name: str) -> Response:
        """The style sheet or the icon, under the address that its content gives it."""
        if request.method not in _READING:
            return _wrong_method("GET, HEAD")
        found = self._assets.get(name)
        if found is None or found.digest != digest:
            raise Unauthentic
        return Response(found.body, content_type=found.content_type, headers={"Cache-Control": KEPT_FOR})

    def unavailable(self, error: Exception) -> Response:
        """A part that is needed does not answer: nothing is served."""
        LOG.error("nothing was served", exc_info=error)
        answer = _message(503, "unavailable", numbered=True)
        answer.headers["Retry-After"] = RETRY_AFTER
        return answer

    def refused(self, error: DomainError) -> Response:
        """A problem that the domain names; recipients are told only whether to try again."""
        if error.problem in PASSING:
            return self.unavailable(error)
        if error.problem == Problem.MISDIRECTED:
            return _message(421, "misdirected")
        return self.failed(error)

    def failed(self, error: Exception) -> Response:
        """A mistake of ours. The log gets the traceback, without the path, which holds the token."""
        LOG.error("a recipient's request failed", exc_info=error)
        return _message(500, "failed", numbered=True)

    def unauthentic(self, _: Unauthentic) -> Response:
        """One and the same answer, to every method, for all that is not authentic."""
        return _message(404, "not_found")

    def _ask(self, token: str) -> Response:
        granted = self._deliveries.ask(token, actor("recipient"))
        if isinstance(granted, Denied):
            return _denied(granted)
        return Response(status=303, headers={"Location": f"/d/{granted.token}"})


def _conditions() -> Conditions:
    fields = request.headers
    return Conditions(
        range=fields.get("Range") if request.method == "GET" else None,  # RFC 9110 14.2: of GET only
        if_range=fields.get("If-Range"),
        if_match=fields.get("If-Match"),
        if_none_match=fields.get("If-None-Match"),
    )


def _download(answer: Response, allowed: Allowed, copy: Copy, etag: str, chosen: Selection) -> Response:
    """The header fields of a copy, or of a part of it, on this answer."""
    answer.status_code = chosen.status
    answer.headers["Content-Type"] = "application/pdf"
    answer.headers["Content-Length"] = str(chosen.stop - chosen.start)
    answer.headers["Content-Disposition"] = attachment(allowed.document.name, copy.id)
    answer.headers["Accept-Ranges"] = "bytes"
    answer.headers["ETag"] = etag
    if chosen.status == 206:
        answer.headers["Content-Range"] = f"bytes {chosen.start}-{chosen.stop - 1}/{copy.length}"
    return answer


def _denied(denied: Denied) -> Response:
    title, text, hint = wording.DENIALS[denied.reason]
    status = STATUS.get(denied.reason, 410)
    answer = _html("message", status, title=title, text=text, hint=wording.say(hint))
    if status == 503:
        answer.headers["Retry-After"] = NOT_READY_RETRY_AFTER
    return answer


def _message(status: int, sentence: str, *, hint: str = "", numbered: bool = False) -> Response:
    """A page with one message. `numbered`: with the request's id, by which the log is found."""
    return _html(
        "message",
        status,
        title=wording.say(sentence),
        text=wording.say(f"{sentence}.text"),
        hint=wording.say(hint) if hint else "",
        request_id=g.request_id if numbered else "",
    )


def _wrong_method(allowed: str) -> Response:
    answer = _message(405, "method")
    answer.headers["Allow"] = allowed
    return answer


def _html(template: str, status: int, **values: object) -> Response:
    text = render_template(f"recipient/{template}.html", **values)
    return Response(text, status=status, content_type="text/html; charset=utf-8")


def _address(contact: str | None) -> str:
    """Where the contact leads: a mail address or a web address; empty for anything else."""
    if not contact:
        return ""
    if contact.startswith(("https://", "mailto:")):
        return contact
    return f"mailto:{contact}" if _MAIL.fullmatch(contact) else ""
