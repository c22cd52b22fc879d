"""What an approver decides: requests for access, and agreements."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from flask import Response

from service.app import Sealmark
from service.records import NdaState, RequestState
from service.staff import Act, allowed
from service.web.console import fields
from service.web.console.gate import Visitor
from service.web.console.rendering import html, see_other

ENDING_DAYS = 60
"""How far ahead agreements are listed that end: time to have the next one signed."""

SHOWN = 50
"""Of a list on one page."""


class Deciding:
    """The pages of requests and agreements. Each act is the domain's, with the staff actor."""

    def __init__(self, sealmark: Sealmark) -> None:
        self._requests = sealmark.access_requests
        self._ndas = sealmark.ndas
        self._holdings = sealmark.holdings
        self._clock = sealmark.clock

    def requests(self, _: Visitor) -> Response:
        """Requests that wait, the first one first."""
        found = self._requests.list(
            state=RequestState.PENDING, after=fields.after("acc", "request"), limit=SHOWN + 1
        )
        shown = found[:SHOWN]
        return html(
            "requests",
            asked=shown,
            names=self._holdings.names(one.request.document_id for one in shown),
            following=shown[-1].request.id if len(found) > SHOWN else None,
        )

    def approve(self, visitor: Visitor, request_id: str) -> Response:
        """Approve a request with the policy of the form; the link is mailed."""
        found = fields.identifier(request_id, "acc", "request")
        policy = fields.policy(self._clock())
        if not fields.checked("nda"):
            policy = replace(policy, nda=None)
        self._requests.approve(visitor.actor, found, policy)
        return see_other("/console/requests")

    def deny(self, visitor: Visitor, request_id: str) -> Response:
        """Deny a request; who asked is told."""
        self._requests.deny(visitor.actor, fields.identifier(request_id, "acc", "request"))
        return see_other("/console/requests")

    def ndas(self, visitor: Visitor) -> Response:
        """Agreements to approve, and those that end soon."""
        waiting = self._ndas.list(
            state=NdaState.PENDING, after=fields.after("nda", "agreement"), limit=SHOWN + 1
        )
        shown = waiting[:SHOWN]
        return html(
            "ndas",
            waiting=self._holdings.agreements(shown),
            following=shown[-1].id if len(waiting) > SHOWN else None,
            ending=self._holdings.agreements(self._ndas.ending(timedelta(days=ENDING_DAYS))),
            days=ENDING_DAYS,
            may_decide=Act.DECIDE in allowed(visitor.session),
        )

    def approve_nda(self, visitor: Visitor, nda_id: str) -> Response:
        """Put an agreement in force."""
        self._ndas.approve(visitor.actor, fields.identifier(nda_id, "nda", "agreement"))
        return see_other("/console/ndas")

    def revoke_nda(self, visitor: Visitor, nda_id: str) -> Response:
        """End an agreement, and with it the shares that no other covers."""
        fields.confirmed()
        self._ndas.revoke(visitor.actor, fields.identifier(nda_id, "nda", "agreement"))
        return see_other("/console/ndas")
