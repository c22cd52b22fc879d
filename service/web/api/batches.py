"""Batches: one call shares a document with up to ten thousand people, and tells what came of each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from service.access import Scope
from service.batch_rows import Person, number_of
from service.batches import MAX_ROWS, Checked, Progress
from service.errors import Problem
from service.records import BatchRow, NdaMode
from service.terms import MAX_DOWNLOADS, Terms
from service.web.api.callers import Call
from service.web.api.cuts import SECTIONS_OF_A_SHARE, Sections, cut_id_of
from service.web.api.routing import Routes
from service.web.api.shapes import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    Answer,
    BatchId,
    DocumentId,
    Form,
    Line,
    Listed,
    Mail,
    Moment,
    Optional,
    Page,
    RecipientId,
    ShareId,
    VersionId,
    paged,
    whole,
)
from service.web.api.shares import DEFAULT_LIFE, LinkLife, Purpose
from service.web.problems import MEANINGS

routes = Routes("batches", "Many shares that are asked for at once, and what came of each row.")

Number = Annotated[int, Field(ge=0, lt=MAX_ROWS, description="A row's place in its list, from 0.")]


class BatchPath(Form):
    """The address of a batch."""

    batch_id: BatchId


class BatchesQuery(Page):
    """A page of batches."""

    after: Optional[BatchId] = None


class RowsQuery(Page):
    """A page of a batch's rows."""

    after: Optional[Annotated[Number, BeforeValidator(whole)]] = None


class NewRow(Form):
    """A person to be shared with."""

    mail: Mail
    name: Line
    company: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    purpose: Purpose | None = Field(default=None, description="Default: the batch's.")


class NewBatch(Form):
    """Shares to be made, all under the same policy."""

    document: DocumentId
    rows: Annotated[list[NewRow], Field(min_length=1, max_length=MAX_ROWS)]
    purpose: Purpose
    expires_at: Moment | None = Field(
        default=None, description="Within 366 days. Default: 30 days from when a share is made."
    )
    download_limit: Annotated[int, Field(ge=1, le=MAX_DOWNLOADS)] | None = None
    version: VersionId | None = Field(
        default=None, description="Pins the shares; else they follow the newest version."
    )
    sections: Sections | None = Field(default=None, description=SECTIONS_OF_A_SHARE)
    nda: NdaMode = NdaMode.REQUIRE
    view_only: bool = False
    mail_check: bool | None = Field(default=None, description="Default: the document's policy.")
    send: bool = Field(default=False, description="Mail each recipient their link, once the share is made.")
    skip_problems: bool = Field(
        default=False,
        description="Share with all that can be shared with, and answer the other rows with their problem. Else any "
        "such row refuses the whole batch.",
    )


class BatchAnswer(Answer):
    """A batch, and how far it is."""

    id: BatchId
    document: DocumentId
    state: Literal["working", "done"]
    size: int = Field(description="How many rows it has.")
    worked: int = Field(description="How many rows, from the first on, have their answer.")
    problems: int = Field(description="How many rows could not be shared with, as far as it is known.")
    created_at: Moment
    done_at: Moment | None


class ListedBatch(Answer):
    """A batch as lists show it."""

    id: BatchId
    document: DocumentId
    state: Literal["working", "done"]
    size: int
    created_at: Moment
    done_at: Moment | None


class BatchList(Listed[ListedBatch]):
    """Batches in order of their id."""


class RowAnswer(Answer):
    """What came of one row. What it asked for is not kept."""

    number: int = Field(description="Its place in the list, from 0.")
    state: Literal["waiting", "shared", "refused"]
    share: ShareId | None
    recipient: RecipientId | None = Field(description="Null of a recipient who was erased, too.")
    mail: str | None = Field(
        description="The recipient's address, so that a list can be told to be the batch's. Null without the scope "
        "`recipients:read`."
    )
    problem: str | None = Field(description="The type of the problem, as in `/problems/…`.")
    detail: str | None = Field(description="What the problem means, and what to do.")


class RowList(Listed[RowAnswer]):
    """Rows in their order."""


class NewBatchLinks(Form):
    """Links that are asked for: those of a page of rows."""

    after: Number | None = Field(
        default=None, description="Only of rows after this one; null: from the first on."
    )
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
    link_life: LinkLife = DEFAULT_LIFE


class RowLinkAnswer(Answer):
    """A link to one row's share, shown this once; or why there is none."""

    number: int
    share: ShareId
    url: str | None
    expires_at: Moment | None
    problem: str | None


class BatchLinksAnswer(Answer):
    """The links of a page of rows."""

    items: list[RowLinkAnswer]
    next: int | None = Field(description="Goes into `after` for the next page; null: there is none.")


def shown(progress: Progress) -> BatchAnswer:
    """A batch as the API shows it."""
    batch = progress.batch
    return BatchAnswer(
        id=batch.id,
        document=batch.document_id,
        state="done" if batch.done_at else "working",
        size=batch.size,
        worked=progress.worked,
        problems=progress.problems,
        created_at=batch.created_at,
        done_at=batch.done_at,
    )


def shown_row(row: BatchRow, mails: Mapping[str, str]) -> RowAnswer:
    """A row as the API shows it; `mails` has the addresses of recipients whose address it may show, by their id."""
    state: Literal["shared", "refused"] = "refused" if row.problem else "shared"
    recipient = row.recipient_id if row.done_at else None
    return RowAnswer(
        number=number_of(row),
        state=state if row.done_at else "waiting",
        share=row.share_id,
        recipient=recipient,
        mail=mails.get(recipient or ""),
        problem=row.problem,
        detail=MEANINGS[Problem(row.problem)].text if row.problem else None,
    )


def check(call: Call, body: NewBatch) -> Checked:
    """The list once it was checked as a whole."""
    terms = Terms(
        expires_at=body.expires_at,
        download_limit=body.download_limit,
        pinned_version_id=body.version,
        cut_id=cut_id_of(call, body),
        nda=body.nda,
        view_only=body.view_only,
        mail_check=body.mail_check,
    )
    return call.sealmark.batches.check(
        call.actor,
        document_id=body.document,
        people=[Person(row.mail, row.name, row.company, row.purpose) for row in body.rows],
        purpose=body.purpose,
        terms=terms,
        send=body.send,
        skip_problems=body.skip_problems,
    )


@routes.create(
    "/v1/batches",
    scope=Scope.SHARES_WRITE,
    answer=BatchAnswer,
    location="/v1/batches/{id}",
    links={name: {"batch_id": "#/id"} for name in ("batches_show", "batches_rows", "batches_link")},
    problems=(
        Problem.NOT_FOUND,
        Problem.NDA_REQUIRED,
        Problem.MAIL_NOT_CONFIGURED,
        Problem.WRONG_STATE,
    ),
    prepares=check,
)
def create(call: Call, body: NewBatch, prepared: Checked) -> BatchAnswer:
    """Share a document with many people. The list is checked as a whole first; the shares are made next."""
    batches = call.sealmark.batches
    batch = batches.take(call.actor, prepared)
    return shown(batches.get(batch.id))


@routes.get("/v1/batches", scope=Scope.SHARES_READ, answer=BatchList)
def list_all(call: Call, query: BatchesQuery) -> BatchList:
    """List batches."""
    found = call.sealmark.batches.list(after=query.after, limit=query.limit + 1)
    items, following = paged(found, query.limit, lambda last: last.id)
    listed = [
        ListedBatch(
            id=batch.id,
            document=batch.document_id,
            state="done" if batch.done_at else "working",
            size=batch.size,
            created_at=batch.created_at,
            done_at=batch.done_at,
        )
        for batch in items
    ]
    return BatchList(items=listed, next=following)


@routes.get("/v1/batches/<batch_id>", scope=Scope.SHARES_READ, answer=BatchAnswer)
def show(call: Call, path: BatchPath) -> BatchAnswer:
    """Show how far a batch is."""
    return shown(call.sealmark.batches.get(path.batch_id))


@routes.get("/v1/batches/<batch_id>/rows", scope=Scope.SHARES_READ, answer=RowList)
def rows(call: Call, path: BatchPath, query: RowsQuery) -> RowList:
    """List what came of each row."""
    found = call.sealmark.batches.rows(path.batch_id, after=query.after, limit=query.limit + 1)
    items, following = paged(found, query.limit, number_of)
    mails = call.sealmark.batches.mails(items) if call.may(Scope.RECIPIENTS_READ) else {}
    return RowList(items=[shown_row(row, mails) for row in items], next=following)


@routes.create("/v1/batches/<batch_id>/links", scope=Scope.SHARES_WRITE, answer=BatchLinksAnswer)
def link(call: Call, path: BatchPath, body: NewBatchLinks) -> BatchLinksAnswer:
    """Get a new link for each share of a page of rows; the ones before it work on."""
    life = timedelta(seconds=body.link_life)
    found = call.sealmark.batches.links(
        call.actor, path.batch_id, after=body.after, limit=body.limit, life=life
    )
    items = [
        RowLinkAnswer(
            number=one.number,
            share=one.share_id,
            url=one.link.url if one.link else None,
            expires_at=one.link.expires_at if one.link else None,
            problem=one.problem,
        )
        for one in found
    ]
    return BatchLinksAnswer(items=items, next=items[-1].number if len(items) == body.limit else None)
