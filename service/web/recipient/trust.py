"""The trust page, `/trust`: what there is, and the public documents themselves, `/trust/<document id>/<name>.pdf`."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, request

from service.app import Sealmark
from service.facts import Facts
from service.limits import TooMany
from service.opening import Unauthentic
from service.public_files import PublicFile
from service.records import Classification
from service.trust import Listed
from service.web.recipient import wording
from service.web.recipient.body import DownloadBody
from service.web.recipient.files import as_file, conditions
from service.web.recipient.headers import plain_name
from service.web.recipient.ranges import Selection, select
from service.web.recipient.rendering import html, message, see_other, wrong_method
from service.web.recipient.stalls import end_stalls
from service.web.requests import actor

READING = frozenset({"GET", "HEAD"})

PUBLIC = "public"
"""What stands in the name of a public file, where a copy's has the end of its id."""


@dataclass(frozen=True)
class Row:
    """A fact and its value."""

    name: str
    value: str


@dataclass(frozen=True)
class Card:
    """One document as the page shows it; `size` is empty for what is not downloaded here."""

    name: str
    kind: str
    path: str
    size: str
    rows: tuple[Row, ...]


class Trust:
    """The trust page and its downloads. Raises what the domain raises, and `Unauthentic` for what is not public."""

    def __init__(self, sealmark: Sealmark) -> None:
        self._page = sealmark.trust_page
        self._files = sealmark.public_files
        self._call_url = sealmark.settings.call_url

    def show(self) -> Response:
        """The page."""
        if request.method not in READING:
            return wrong_method("GET, HEAD")
        listed = self._page.listed()
        return html(
            "trust",
            200,
            public=[_card(one) for one in listed if _is_public(one)],
            confidential=[_card(one) for one in listed if not _is_public(one)],
            call_url=self._call_url,
        )

    def file(self, document_id: str, name: str) -> Response:
        """The public file, or the part that is asked for. HEAD, 304, 412 and 416 send nothing, and are no entry."""
        if request.method not in READING:
            return wrong_method("GET, HEAD")
        file = self._files.find(document_id)
        if file is None:
            raise Unauthentic
        path = _path(file.document.id, file.document.name)
        if request.path != path:
            return see_other(path)  # it was called otherwise; nobody else says what our files are called
        etag = f'"{file.copy.sha256}"'
        chosen = select(conditions(), etag, file.copy.length)
        if chosen.status == 304:
            return Response(status=304, headers={"ETag": etag})
        if chosen.status == 412:
            return message(412, "changed")
        if chosen.status == 416:
            answer = message(416, "range")
            answer.headers["Content-Range"] = f"bytes */{file.copy.length}"
            return answer
        if request.method == "HEAD":
            return _download(Response(), file, etag, chosen)
        return self._sent(file, etag, chosen)

    def _sent(self, file: PublicFile, etag: str, chosen: Selection) -> Response:
        try:
            sending = self._files.send(file, actor("stranger"), chosen.start, chosen.stop)
        except TooMany as error:
            answer = message(429, "trust.throttled")
            answer.headers["Retry-After"] = str(error.seconds)
            return answer
        if sending is None:
            raise Unauthentic
        end_stalls()
        body = DownloadBody(sending, chosen.stop - chosen.start)
        return _download(Response(body), file, etag, chosen)


def _download(answer: Response, file: PublicFile, etag: str, chosen: Selection) -> Response:
    name, length = file.document.name, file.copy.length
    return as_file(answer, chosen, name=name, label=PUBLIC, etag=etag, length=length)


def _is_public(listed: Listed) -> bool:
    return listed.document.classification == Classification.PUBLIC


def _card(listed: Listed) -> Card:
    document = listed.document
    public = _is_public(listed)
    pages = wording.count("pages", listed.version.pages or 0)
    return Card(
        name=document.name,
        kind=wording.kind(document.kind),
        path=_path(document.id, document.name) if public else f"/r/{document.id}",
        size=wording.say("trust.size", size=wording.size(listed.size), pages=pages) if listed.size else "",
        rows=_rows(listed.facts) if listed.facts else (),
    )


def _rows(facts: Facts) -> tuple[Row, ...]:
    rows = []
    if facts.period_start and facts.period_end:
        start, end = wording.day(facts.period_start), wording.day(facts.period_end)
        rows.append(Row(wording.say("period"), wording.say("period.value", start=start, end=end)))
    if facts.as_of:
        rows.append(Row(wording.say("as_of"), wording.day(facts.as_of)))
    if facts.auditor:
        rows.append(Row(wording.say("auditor"), facts.auditor))
    if facts.opinion:
        rows.append(Row(wording.say("trust.opinion"), wording.opinion(facts.opinion)[0]))
    return tuple(rows)


def _path(document_id: str, name: str) -> str:
    return f"/trust/{document_id}/{plain_name(name)}.pdf"
