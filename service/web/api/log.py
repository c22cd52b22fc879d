"""The access log: read page by page, or exported as a stream. Each pull is itself an entry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from flask import Response, request
from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from service.access import Scope
from service.app import Sealmark
from service.audit import KINDS
from service.errors import DomainError, Problem, invalid
from service.exporting import Form
from service.log import LogFilter
from service.log import shown as shown_entry
from service.web.api.callers import Call
from service.web.api.reading import JSON
from service.web.api.routing import Routes
from service.web.api.shapes import (
    Answer,
    DocumentId,
    EntryId,
    Listed,
    Moment,
    Optional,
    Page,
    RecipientId,
    ShareId,
)

routes = Routes("log", "The access log: who did what to which report, when and from where.")

NDJSON = "application/x-ndjson"
CSV = "text/csv"
OCSF = "application/vnd.sealmark.ocsf+ndjson"
TEXT = "text/plain"

FORMS: dict[str, Form] = {NDJSON: "ndjson", CSV: "csv", OCSF: "ocsf"}
"""The forms of an export by their media type."""

OUTCOMES = ("ok", "denied", "refused", "complete", "broken-off", "revoked", "unknown")
"""How what an entry records can end (`audit.entry`)."""


def _among(known: Iterable[str]) -> AfterValidator:
    def check(value: str) -> str:
        if value not in known:
            raise PydanticCustomError("one_of", "One of " + ", ".join(sorted(known)))
        return value

    return AfterValidator(check)


EntryKind = Annotated[str, _among(KINDS), Field(json_schema_extra={"enum": [*sorted(KINDS)]})]
Outcome = Annotated[str, _among(OUTCOMES), Field(json_schema_extra={"enum": [*OUTCOMES]})]
Place = Annotated[str, Field(pattern="^[0-9]{1,15}$")]


class LogQuery(Page):
    """Which entries. `since` and `until` bound the time at which an entry got its place: [since, until)."""

    since: Optional[Moment] = None
    until: Optional[Moment] = None
    kind: Optional[EntryKind] = None
    document: Optional[DocumentId] = None
    recipient: Optional[RecipientId] = None
    share: Optional[ShareId] = None
    outcome: Optional[Outcome] = None
    after: Annotated[Optional[Place], Field(description="`next` of the page before.")] = None
    size: Annotated[
        Optional[Place], Field(description="`size` of the first page, so that all see one log.")
    ] = None

    held: Annotated[
        Optional[Place],
        Field(
            description="Of an export: prove consistency with the checkpoint of so many entries, that you hold."
        ),
    ] = None

    def chosen(self) -> LogFilter:
        """The filter."""
        return LogFilter(
            since=self.since,
            until=self.until,
            kind=self.kind,
            document=self.document,
            recipient=self.recipient,
            share=self.share,
            outcome=self.outcome,
        )


class Revealed(Answer):
    """A personal value, and the salt with which its commitment in the leaf is opened."""

    value: str
    salt: str


class Erased(Answer):
    """In place of a personal value that was erased: the entry that says so."""

    erased: str


class EntryAnswer(Answer):
    """An entry: its place, the exact bytes of its leaf (canonical JSON), and its personal values."""

    index: int
    leaf: str
    revealed: dict[str, Revealed | Erased]


class EntryList(Listed[EntryAnswer]):
    """Entries in order of their place; `size` is how many the log had at the first page."""

    size: int


@routes.get(
    "/v1/log/entries",
    scope=Scope.LOG_READ,
    answer={JSON: EntryList, NDJSON: None, CSV: None, OCSF: None},
    problems=(Problem.NOT_ACCEPTABLE,),
)
def entries(call: Call, query: LogQuery) -> EntryList | Response:
    """Read the log: a page of JSON, or by `Accept` all of it as application/x-ndjson, text/csv, or OCSF for a SIEM."""
    wanted = request.accept_mimetypes.best_match([JSON, *FORMS]) if request.accept_mimetypes else JSON
    if wanted is None:
        raise DomainError(Problem.NOT_ACCEPTABLE, f"The log comes as {', '.join([JSON, *FORMS])}.")
    if wanted != JSON:
        return _export(call, query, wanted)
    if query.held is not None:
        raise invalid("held", f"Consistency is proven in an export: ask for {NDJSON}.")
    page = call.sealmark.log.page(
        call.actor,
        query.chosen(),
        after=int(query.after) if query.after else None,
        limit=query.limit,
        size=int(query.size) if query.size else None,
    )
    items = [EntryAnswer.model_validate(shown_entry(logged)) for logged in page.entries]
    following = None if page.next_after is None else str(page.next_after)
    return EntryList(items=items, next=following, size=page.size)


def _export(call: Call, query: LogQuery, wanted: str) -> Response:
    for name in ("after", "limit", "size"):
        if name in query.model_fields_set:
            raise invalid(name, "An export holds all entries of its filter: leave this out.")
    held = [int(query.held)] if query.held else []
    stream = call.sealmark.exports.export(call.actor, query.chosen(), FORMS[wanted], held)
    return Response(
        stream, content_type="text/csv; charset=utf-8; header=present" if wanted == CSV else wanted
    )


class OneEntry(BaseModel):
    """An entry by its id."""

    entry_id: EntryId


@routes.get("/v1/log/entries/<entry_id>/proof", scope=Scope.LOG_READ, answer={TEXT: None})
def proof(call: Call, path: OneEntry) -> Response:
    """Prove that an entry is in the log: c2sp.org/tlog-proof, under a checkpoint of now."""
    return _text(call.sealmark.exports.proof(path.entry_id))


@routes.public("/v1/log/checkpoint", answer={TEXT: None}, problems=(Problem.NOT_FOUND,))
def checkpoint(sealmark: Sealmark) -> Response:
    """What the log says of itself: a signed note (c2sp.org/tlog-checkpoint). Keep it; no key is needed to read it."""
    published = sealmark.checkpoints.published()
    if published is None:
        raise DomainError(
            Problem.NOT_FOUND, "Nothing has been signed yet: the first checkpoint comes within a minute."
        )
    return _text(published.note)


@routes.public("/v1/log/keys", answer={TEXT: None}, problems=(Problem.NOT_FOUND,))
def keys(sealmark: Sealmark) -> Response:
    """The public keys that sign the log now, one a line (c2sp.org/signed-note). Keep them, too."""
    found = sealmark.checkpoints.public_keys()
    if not found:
        raise DomainError(
            Problem.NOT_FOUND, "Nothing has been signed yet: the first checkpoint comes within a minute."
        )
    return _text("".join(key.encode() + "\n" for key in found))


def _text(body: str) -> Response:
    return Response(body, content_type="text/plain; charset=utf-8")
