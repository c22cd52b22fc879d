"""The log: filter, pages, exports, proofs, the newest checkpoint and what `crypto/logcheck.py` says of it all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast, get_args
from urllib.parse import urlencode

from flask import Response, request

from crypto.logcheck import check_export
from service.app import Sealmark
from service.audit import KINDS
from service.errors import DomainError, Problem
from service.exporting import Form
from service.log import LogFilter, LogPage
from service.web.console import fields
from service.web.console.gate import Visitor
from service.web.console.rendering import event, html
from service.web.console.sentences import say

MAX_CHECKED = 200_000
"""Entries that are checked on a page: some twenty seconds, for which somebody waits; more are exported."""

FILTERS = ("kind", "document", "share", "recipient", "from", "until")
"""The fields of the filter."""

MEDIA = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8; header=present",
    "ocsf": "application/vnd.sealmark.ocsf+ndjson",
}
"""The media type of each export, as the API names it."""


class Auditing:
    """The pages of the log. Each look is an entry with the staff actor, as each pull through the API is."""

    def __init__(self, sealmark: Sealmark) -> None:
        self._log = sealmark.log
        self._exports = sealmark.exports
        self._checkpoints = sealmark.checkpoints

    def log(self, visitor: Visitor) -> Response:
        """A page of entries, the filter, and the newest checkpoint."""
        given = {name: request.args.get(name, "").strip() for name in FILTERS}
        error: DomainError | None = None
        page = LogPage([], None, 0)
        try:
            page = self._page(visitor)
        except DomainError as found:
            if found.problem != Problem.INVALID:
                raise
            error = found
        chosen = {name: value for name, value in given.items() if value}
        following = {**chosen, "after": page.next_after, "size": page.size}
        return html(
            "log",
            422 if error else 200,
            given=given,
            kinds=sorted(KINDS),
            events=[event(logged) for logged in page.entries],
            size=page.size,
            error=error,
            where=str(error.fields.get("where", "")) if error else "",
            following=urlencode(following) if page.next_after is not None else "",
            exports=[(form, urlencode({**chosen, "form": form})) for form in MEDIA],
            checkpoint=self._checkpoints.published(),
        )

    def export(self, visitor: Visitor) -> Response:
        """All entries of the filter as a file; the same exports as the API's."""
        form = request.args.get("form", "")
        if form not in get_args(Form):
            raise DomainError(Problem.INVALID, f"An export is one of {', '.join(MEDIA)}.", where="form")
        stream = self._exports.export(visitor.actor, _filter(), cast(Form, form))
        answer = Response(stream, content_type=MEDIA[form])
        ending = "csv" if form == "csv" else "ndjson"
        answer.headers["Content-Disposition"] = f'attachment; filename="sealmark-log.{ending}"'
        return answer

    def proof(self, _: Visitor, entry_id: str) -> Response:
        """The proof of one entry, a c2sp.org/tlog-proof."""
        proof = self._exports.proof(fields.identifier(entry_id, "ent", "entry"))
        return Response(proof, content_type="text/plain; charset=utf-8")

    def check(self, visitor: Visitor) -> Response:
        """Export the whole log, as anybody would, and say what `logcheck` says of it."""
        size = self._log.size()
        if size > MAX_CHECKED:
            text = say("check.long.text", size=size, most=MAX_CHECKED)
            return html("check", title=say("check.long"), lines=[text], good=False)
        stream = self._exports.export(visitor.actor, LogFilter(), "ndjson")  # signs a checkpoint if need be
        report = check_export(_lines(stream), self._checkpoints.public_keys())
        good = not report.problems
        return html(
            "check", title=say("check.good" if good else "check.bad"), lines=list(report.lines()), good=good
        )

    def _page(self, visitor: Visitor) -> LogPage:
        return self._log.page(
            visitor.actor, _filter(), after=fields.place("after"), size=fields.place("size")
        )


def _filter() -> LogFilter:
    def given(name: str) -> str | None:
        return request.args.get(name, "").strip() or None

    chosen = LogFilter(
        since=fields.day("from"),
        until=fields.day("until", end=True),
        kind=given("kind"),
        document=given("document"),
        recipient=given("recipient"),
        share=given("share"),
    )
    chosen.where()
    return chosen


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of what comes in pieces, with their ends."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line + b"\n"
    if rest:
        yield rest
