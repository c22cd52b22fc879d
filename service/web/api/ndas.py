"""Agreements: who is under NDA, since when, until when, and what was signed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from flask import Response
from pydantic import Field, model_validator

from service.access import Scope
from service.errors import Problem
from service.ndas import MAX_EVIDENCE, SOURCE
from service.records import Nda, NdaState
from service.web.api.callers import Call
from service.web.api.routing import Routes
from service.web.api.shapes import (
    Answer,
    Domain,
    Form,
    Line,
    Listed,
    Mail,
    Moment,
    NdaId,
    Optional,
    Page,
    RecipientId,
    TextId,
    paged,
)
from service.web.api.uploads import PDF, pdf_pieces

TIMESTAMP = "application/timestamp-reply"

routes = Routes("ndas", "Agreements that put a person, or all people of a company's mail domain, under NDA.")


class NdaPath(Form):
    """The address of an agreement."""

    nda_id: NdaId


class NdasQuery(Page):
    """A page of agreements; of one recipient or one company's domain, if named."""

    after: Optional[NdaId] = None
    recipient: Optional[RecipientId] = None
    domain: Optional[Domain] = None


class Person(Form):
    """A recipient: as they are known, or as they are to be."""

    mail: Mail
    name: Line
    company: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class NewNda(Form):
    """An agreement to be recorded, of a person or of a company."""

    recipient: Person | None = None
    domain: Domain | None = Field(default=None, description="The company's exact mail domain.")
    valid_from: Moment | None = Field(default=None, description="Default: now.")
    valid_until: Moment | None = None
    source: Annotated[
        str,
        Field(
            pattern=f"^{SOURCE.pattern}$",
            description="The system or office that holds it.",
            examples=["ironclad"],
        ),
    ]
    reference: Annotated[
        str,
        Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", description="Its number there."),
    ] = ""
    approved: bool = Field(default=False, description="In force at once; needs the scope ndas:approve too.")

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        if (self.recipient is None) == (self.domain is None):
            raise ValueError("an agreement covers either a person (recipient) or a company (domain)")
        return self


class NdaAnswer(Answer):
    """An agreement; `expired` follows from its dates."""

    id: NdaId
    recipient: RecipientId | None
    domain: str | None
    state: Literal["pending", "approved", "revoked", "expired"]
    valid_from: Moment
    valid_until: Moment | None
    source: str
    reference: str
    evidence: bool = Field(description="Whether the signed PDF is kept, sealed.")
    created_at: Moment
    approved_at: Moment | None
    revoked_at: Moment | None
    text: TextId | None = Field(description="Which text was signed, if it was signed on the page.")


class NdaList(Listed[NdaAnswer]):
    """Agreements in order of their id."""


def shown(nda: Nda, now: datetime) -> NdaAnswer:
    """An agreement as the API shows it at this moment."""
    over = nda.valid_until is not None and nda.valid_until <= now
    expired = over and nda.state != NdaState.REVOKED
    return NdaAnswer(
        id=nda.id,
        recipient=nda.recipient_id,
        domain=nda.domain,
        state="expired" if expired else nda.state.value,
        valid_from=nda.valid_from,
        valid_until=nda.valid_until,
        source=nda.source,
        reference=nda.reference,
        evidence=nda.evidence_id is not None,
        created_at=nda.created_at,
        approved_at=nda.approved_at,
        revoked_at=nda.revoked_at,
        text=nda.text_id,
    )


@routes.create(
    "/v1/ndas",
    scope=Scope.NDAS_WRITE,
    answer=NdaAnswer,
    location="/v1/ndas/{id}",
    links={
        name: {"nda_id": "#/id"}
        for name in ("ndas_show", "ndas_approve", "ndas_revoke", "ndas_attach_evidence")
    },
    problems=(Problem.RECIPIENT_CONFLICT, Problem.WRONG_STATE),
)
def create(call: Call, body: NewNda) -> NdaAnswer:
    """Record an agreement. With `approved` it is in force at once, which needs the scope ndas:approve too."""
    if body.approved:
        call.require(Scope.NDAS_APPROVE)
    person = body.recipient
    made = call.sealmark.ndas.add(
        call.actor,
        mail=person.mail if person else None,
        name=person.name if person else "",
        company=person.company if person else "",
        domain=body.domain,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
        source=body.source,
        reference=body.reference,
        approved=body.approved,
    )
    call.concerns(made.recipient_id)
    return shown(made, call.sealmark.clock())


@routes.get("/v1/ndas", scope=Scope.NDAS_READ, answer=NdaList)
def list_all(call: Call, query: NdasQuery) -> NdaList:
    """List agreements."""
    found = call.sealmark.ndas.list(
        recipient=query.recipient, domain=query.domain, after=query.after, limit=query.limit + 1
    )
    items, following = paged(found, query.limit, lambda last: last.id)
    now = call.sealmark.clock()
    return NdaList(items=[shown(item, now) for item in items], next=following)


@routes.get("/v1/ndas/<nda_id>", scope=Scope.NDAS_READ, answer=NdaAnswer)
def show(call: Call, path: NdaPath) -> NdaAnswer:
    """Show an agreement."""
    return shown(call.sealmark.ndas.get(path.nda_id), call.sealmark.clock())


@routes.change(
    "post",
    "/v1/ndas/<nda_id>/approve",
    scope=Scope.NDAS_APPROVE,
    answer=NdaAnswer,
    problems=(Problem.WRONG_STATE,),
)
def approve(call: Call, path: NdaPath) -> NdaAnswer:
    """Put a pending agreement in force."""
    return shown(call.sealmark.ndas.approve(call.actor, path.nda_id), call.sealmark.clock())


@routes.change("post", "/v1/ndas/<nda_id>/revoke", scope=Scope.NDAS_APPROVE, answer=NdaAnswer)
def revoke(call: Call, path: NdaPath) -> NdaAnswer:
    """End an agreement at once, and with it the shares that no other covers."""
    return shown(call.sealmark.ndas.revoke(call.actor, path.nda_id), call.sealmark.clock())


@routes.upload(
    "/v1/ndas/<nda_id>/evidence",
    scope=Scope.NDAS_WRITE,
    takes=PDF,
    answers={200: NdaAnswer},
    problems=(
        Problem.INVALID,
        Problem.MALFORMED,
        Problem.WRONG_STATE,
        Problem.TOO_LARGE,
        Problem.UNSUPPORTED_MEDIA_TYPE,
    ),
)
def attach_evidence(call: Call, path: NdaPath) -> NdaAnswer:
    """Keep the signed PDF, sealed. It is never replaced; the same file again changes nothing."""
    nda = call.sealmark.ndas.attach_evidence(call.actor, path.nda_id, pdf_pieces(MAX_EVIDENCE))
    return shown(nda, call.sealmark.clock())


@routes.get("/v1/ndas/<nda_id>/evidence", scope=Scope.NDAS_READ, answer={PDF: None})
def pull_evidence(call: Call, path: NdaPath) -> Response:
    """Pull the signed PDF, as it was attached or made at the signing on the page. The pull is an entry."""
    kept = call.sealmark.nda_files.pull(call.actor, path.nda_id)
    response = Response(kept.pieces, content_type=PDF)
    response.content_length = kept.size
    response.headers["Content-Disposition"] = f'attachment; filename="{kept.nda.id}.pdf"'
    return response


@routes.get("/v1/ndas/<nda_id>/timestamp", scope=Scope.NDAS_READ, answer={TIMESTAMP: None})
def timestamp(call: Call, path: NdaPath) -> Response:
    """The time stamp of the signed PDF (RFC 3161): `openssl ts -verify -in FILE -data PDF -CAfile ROOT` checks it."""
    response = Response(call.sealmark.nda_files.timestamp(path.nda_id), content_type=TIMESTAMP)
    response.headers["Content-Disposition"] = f'attachment; filename="{path.nda_id}.tsr"'
    return response
