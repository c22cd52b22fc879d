"""Cuts: named sections of a version as a report of their own, to be shared instead of the whole."""

from __future__ import annotations

from typing import Annotated, Protocol

from flask import current_app
from pydantic import Field

from service.access import Scope
from service.cuts import MAX_CUTS, pages_of, titles_of
from service.errors import Problem, invalid
from service.facts import MAX_ITEMS, Facts
from service.records import Cut, CutState, Version
from service.web.api.callers import Call
from service.web.api.routing import Routes, as_response
from service.web.api.shapes import Answer, CutId, Form, Moment, VersionId
from service.web.api.uploads import Waiting, wanted_wait
from service.web.api.versions import WAITING, UploadHeader, VersionPath

routes = Routes("cuts", "Sections of a version, cut out as a report of their own.")

SETTLED = frozenset({CutState.READY, CutState.REFUSED})

Sections = Annotated[
    list[Annotated[int, Field(ge=0, lt=MAX_ITEMS)] | Annotated[str, Field(min_length=1, max_length=300)]],
    Field(
        min_length=1,
        max_length=MAX_ITEMS,
        description="Sections of the version's facts, each by its title, its kind (all of that kind), or its place "
        "from 0.",
        examples=[["auditors-opinion", "Tests & results"]],
    ),
]

SECTIONS_OF_A_SHARE = (
    "Lends only these sections of `version`, which must be named, as a file of their own. While that is compiled the "
    "answer is 409 `wrong-state` with `state: compiling`: ask again, or make the cut first."
)


class Covering(Protocol):
    """What is asked for in a call that lends: a document, or sections of a version."""

    document: str
    version: str | None
    sections: list[int | str] | None


class CutPath(VersionPath):
    """The address of a cut."""

    cut_id: CutId


class NewCut(Form):
    """The sections to be cut out."""

    sections: Sections


class CutAnswer(Answer):
    """A cut, and where it stands."""

    id: CutId
    version: VersionId
    sections: list[int] = Field(description="Places in the version's facts, from 0.")
    titles: list[str]
    source_pages: list[int] = Field(description="The pages of the whole report that it holds, from 1.")
    state: CutState
    reason: str | None = Field(description="Why it was refused: a closed code.")
    created_at: Moment
    settled_at: Moment | None = Field(description="When it became ready or refused.")


class CutList(Answer):
    """The cuts of a version, the oldest first."""

    items: list[CutAnswer] = Field(max_length=MAX_CUTS)


def shown(cut: Cut, version: Version) -> CutAnswer:
    """A cut as the API shows it."""
    facts = Facts.model_validate(version.facts)
    return CutAnswer(
        id=cut.id,
        version=cut.version_id,
        sections=cut.sections,
        titles=titles_of(facts, cut.sections),
        source_pages=pages_of(facts, cut.sections),
        state=cut.state,
        reason=cut.reason,
        created_at=cut.created_at,
        settled_at=cut.settled_at,
    )


@routes.ask(
    "/v1/documents/<document_id>/versions/<version_id>/cuts",
    scope=Scope.SHARES_WRITE,
    answers={200: CutAnswer, 202: CutAnswer},
    problems=(Problem.WRONG_STATE,),
)
def create(call: Call, path: VersionPath, header: UploadHeader, body: NewCut) -> object:
    """Cut sections out of a version: `202` while that runs, or `200` once it is settled.

    The same sections give the same cut, so the call may be repeated. `Prefer: wait=SECONDS` waits for the end. `200`
    says that it is settled: `ready`, or `refused` with a reason. Nothing of the other pages remains in a cut.
    """
    version = call.sealmark.documents.version(path.document_id, path.version_id)
    cuts = call.sealmark.cuts
    cut = cuts.ask(call.actor, version.id, body.sections)
    wait, waited = wanted_wait(), False
    if wait is not None:
        waiting: Waiting = current_app.extensions[WAITING]
        cut, waited = waiting.until(
            lambda: cuts.get(path.document_id, path.version_id, cut.id),
            lambda seen: seen.state in SETTLED,
            wait,
        )
    response = as_response(shown(cut, version), 200 if cut.state in SETTLED else 202)
    response.headers["Location"] = (
        f"/v1/documents/{path.document_id}/versions/{path.version_id}/cuts/{cut.id}"
    )
    if waited:
        response.headers["Preference-Applied"] = f"wait={wait}"
    return response


@routes.get(
    "/v1/documents/<document_id>/versions/<version_id>/cuts", scope=Scope.DOCUMENTS_READ, answer=CutList
)
def list_all(call: Call, path: VersionPath) -> CutList:
    """List the cuts of a version."""
    version = call.sealmark.documents.version(path.document_id, path.version_id)
    return CutList(
        items=[shown(cut, version) for cut in call.sealmark.cuts.of_version(path.document_id, version.id)]
    )


@routes.get(
    "/v1/documents/<document_id>/versions/<version_id>/cuts/<cut_id>",
    scope=Scope.DOCUMENTS_READ,
    answer=CutAnswer,
)
def show(call: Call, path: CutPath) -> CutAnswer:
    """Show a cut."""
    version = call.sealmark.documents.version(path.document_id, path.version_id)
    return shown(call.sealmark.cuts.get(path.document_id, path.version_id, path.cut_id), version)


def cut_id_of(call: Call, body: Covering) -> str | None:
    """The cut that shares are to cover, if sections are named. Raises `DomainError` as `Cuts.ready` does.

    Before the call's transaction: a cut that is begun here goes on although the call is refused.
    """
    if body.sections is None:
        return None
    if body.version is None:
        raise invalid("version", "A share of sections is pinned to the version that they are of: name it.")
    version = call.sealmark.documents.version(body.document, body.version)
    return call.sealmark.cuts.ready(call.actor, version.id, body.sections).id
