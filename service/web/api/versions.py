"""Versions of a document: their facts, their file, and where it stands."""

from __future__ import annotations

from typing import Annotated

from flask import current_app
from pydantic import BaseModel, ConfigDict, Field

from service.access import Scope
from service.errors import Problem
from service.facts import Facts
from service.records import Version, VersionState
from service.web.api.callers import Call
from service.web.api.documents import DocumentPath
from service.web.api.routing import Routes, as_response
from service.web.api.shapes import Answer, DocumentId, Form, Listed, Moment, Optional, Page, VersionId, paged
from service.web.api.uploads import PDF, Waiting, pdf_pieces, wanted_wait
from watermark.removal import Removal, removed_of
from watermark.woven.capacity import capacity_of

routes = Routes("versions", "The files of a document, each with its facts.")

SETTLED = frozenset({VersionState.READY, VersionState.REFUSED})

WAITING = "sealmark-waiting"
"""Where the app keeps its `Waiting`."""


class VersionPath(DocumentPath):
    """The address of a version."""

    version_id: VersionId


class VersionsQuery(Page):
    """A page of versions."""

    after: Optional[Annotated[str, Field(pattern="^[1-9][0-9]{0,8}$")]] = None


class UploadHeader(BaseModel):
    """Header fields of an upload."""

    model_config = ConfigDict(extra="ignore")
    prefer: Annotated[
        Optional[str],
        Field(alias="Prefer", description="`wait=SECONDS`, at most 60: answer when the file is compiled."),
    ] = None


class NewVersion(Form):
    """A version to be made; its file follows."""

    facts: Facts = Field(default_factory=Facts)


class PageCapacityAnswer(Answer):
    """What one page carries of the woven mark."""

    number: int = Field(description="The page, from 1.")
    words: int | None = Field(
        description="Words of text on it; 0 on scans and outlines; null: compiled before weaving."
    )
    woven: int = Field(description="How many of them carry the mark, a bit each.")


class CapacityAnswer(Answer):
    """What a version carries of the woven mark, and how small a leak of it can be traced."""

    total: int = Field(description="Words that carry the mark, on all pages.")
    pages: list[PageCapacityAnswer]
    bare_pages: list[int] = Field(
        description="Pages, from 1, that carry none: they carry the visible mark only."
    )
    textless_pages: list[int] = Field(
        description="Those of the bare pages without any text: scans or outlines."
    )
    statement: str = Field(description="The same in words: how small a leak can be traced.")


class RemovedAnswer(Answer):
    """One kind of thing that was taken out of the file before it was marked."""

    code: Removal
    count: int
    meaning: str = Field(description="The code in words.")


class ListedVersion(Answer):
    """A version, and where its file stands."""

    id: VersionId
    document: DocumentId
    number: int
    state: VersionState
    facts: Facts
    size: int | None = Field(description="Bytes of the file.")
    sha256: str | None = Field(description="Of the file as it was uploaded.")
    pages: int | None
    reason: str | None = Field(description="Why the file was refused: a closed code.")
    message: str | None = Field(description="Why it was refused, and what to do.")
    created_at: Moment
    uploaded_at: Moment | None
    settled_at: Moment | None = Field(description="When it became ready or refused.")


class VersionAnswer(ListedVersion):
    """A version, where its file stands, and what its copies carry."""

    capacity: CapacityAnswer | None = Field(description="Of the woven mark; null until the version is ready.")
    removed: list[RemovedAnswer] | None = Field(
        description="What is in no copy, since it was removed from the file, such as the source's signatures; "
        "null until the version is ready."
    )


class VersionList(Listed[ListedVersion]):
    """Versions, the newest first."""


def shown(version: Version) -> VersionAnswer:
    """A version as the API shows it."""
    facts = version.capacity
    return VersionAnswer(
        **dict(listed(version)),
        capacity=None if facts is None else CapacityAnswer.model_validate(capacity_of(facts)),
        removed=None
        if facts is None
        else [RemovedAnswer.model_validate(one) for one in removed_of(facts.get("removed", {}))],
    )


def listed(version: Version) -> ListedVersion:
    """A version as lists show it: without what grows with its pages."""
    return ListedVersion(
        id=version.id,
        document=version.document_id,
        number=version.number,
        state=version.state,
        facts=Facts.model_validate(version.facts),
        size=version.size,
        sha256=version.sha256,
        pages=version.pages,
        reason=version.reason,
        message=version.message,
        created_at=version.created_at,
        uploaded_at=version.uploaded_at,
        settled_at=version.settled_at,
    )


@routes.create(
    "/v1/documents/<document_id>/versions",
    scope=Scope.DOCUMENTS_WRITE,
    answer=VersionAnswer,
    location="/v1/documents/{document}/versions/{id}",
    links={
        name: {"document_id": "#/document", "version_id": "#/id"}
        for name in ("versions_show", "versions_upload")
    },
    problems=(Problem.WRONG_STATE,),
)
def create(call: Call, path: DocumentPath, body: NewVersion) -> VersionAnswer:
    """Add a version with its facts. Its file is uploaded next."""
    return shown(call.sealmark.documents.add_version(call.actor, path.document_id, body.facts))


@routes.get("/v1/documents/<document_id>/versions", scope=Scope.DOCUMENTS_READ, answer=VersionList)
def list_all(call: Call, path: DocumentPath, query: VersionsQuery) -> VersionList:
    """List the versions of a document."""
    after = int(query.after) if query.after else None
    found = call.sealmark.documents.versions(path.document_id, after=after, limit=query.limit + 1)
    items, following = paged(found, query.limit, lambda last: last.number)
    return VersionList(items=[listed(item) for item in items], next=following)


@routes.get(
    "/v1/documents/<document_id>/versions/<version_id>", scope=Scope.DOCUMENTS_READ, answer=VersionAnswer
)
def show(call: Call, path: VersionPath) -> VersionAnswer:
    """Show a version."""
    return shown(call.sealmark.documents.version(path.document_id, path.version_id))


@routes.upload(
    "/v1/documents/<document_id>/versions/<version_id>/file",
    scope=Scope.DOCUMENTS_WRITE,
    takes=PDF,
    answers={200: VersionAnswer, 202: VersionAnswer},
    problems=(
        Problem.INVALID,
        Problem.MALFORMED,
        Problem.WRONG_STATE,
        Problem.FILE_REFUSED,
        Problem.TOO_LARGE,
        Problem.UNSUPPORTED_MEDIA_TYPE,
    ),
)
def upload(call: Call, path: VersionPath, header: UploadHeader) -> object:
    """Upload the file. It is compiled next: `202`, or with `Prefer: wait=SECONDS` `200` when that is done.

    `200` says that it is settled: `state` is `ready`, with what its copies carry, or `refused` with a reason. The same
    file again changes nothing, and answers with what the version is by then.
    """
    documents = call.sealmark.documents
    pieces = pdf_pieces(call.sealmark.settings.max_file_bytes)
    version = documents.upload(call.actor, path.document_id, path.version_id, pieces)
    wait, waited = wanted_wait(), False
    if wait is not None:
        waiting: Waiting = current_app.extensions[WAITING]
        version, waited = waiting.until(
            lambda: documents.version(path.document_id, path.version_id),
            lambda seen: seen.state in SETTLED,
            wait,
        )
    status = 200 if version.state in SETTLED else 202
    response = as_response(shown(version), status)
    response.headers["Location"] = f"/v1/documents/{path.document_id}/versions/{path.version_id}"
    if waited:
        response.headers["Preference-Applied"] = f"wait={wait}"
    return response
