"""Packs of evidence: all of one share, recipient or company in one zip. Each pull is an entry."""

from __future__ import annotations

from typing import Self

from flask import Response
from pydantic import model_validator

from service.access import Scope
from service.errors import Problem
from service.web.api.callers import Call
from service.web.api.routing import Routes
from service.web.api.shapes import Domain, Form, Optional, RecipientId, ShareId

routes = Routes("evidence", "Packs of evidence, which an outsider can check.")

ZIP = "application/zip"


class EvidenceQuery(Form):
    """What the pack is about: one of these."""

    share: Optional[ShareId] = None
    recipient: Optional[RecipientId] = None
    company: Optional[Domain] = None

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        if [self.share, self.recipient, self.company].count(None) != 2:
            raise ValueError("name a share, a recipient or a company: one of them")
        return self


@routes.get(
    "/v1/evidence",
    scope=Scope.LOG_READ,
    answer={ZIP: None},
    problems=(Problem.NOT_FOUND, Problem.TOO_LARGE),
)
def pull(call: Call, query: EvidenceQuery) -> Response:
    """Pull all of one share, recipient or company as a zip that checks offline; needs the scope ndas:read too."""
    call.require(Scope.NDAS_READ)
    pack = call.sealmark.evidence.pull(
        call.actor, share=query.share, recipient=query.recipient, company=query.company
    )
    response = Response(pack.pieces, content_type=ZIP)
    response.content_length = pack.size
    response.headers["Content-Disposition"] = f'attachment; filename="{pack.name}"'
    return response
