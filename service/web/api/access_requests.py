"""Requests for access: who asks for a document on its page, to be approved or denied."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from service.access import Scope
from service.access_requests import Asked, Policy
from service.errors import Problem
from service.records import NdaMode, RequestState
from service.terms import MAX_DOWNLOADS
from service.web.api.callers import Call
from service.web.api.routing import Routes
from service.web.api.shapes import (
    AccessId,
    Answer,
    DocumentId,
    Form,
    Listed,
    Moment,
    Optional,
    Page,
    RecipientId,
    RuleId,
    ShareId,
    VersionId,
    paged,
)

routes = Routes(
    "access-requests",
    "People whose mail address was checked and who ask for a document, and what was decided.",
)


class RequestPath(Form):
    """The address of a request."""

    request_id: AccessId


class RequestsQuery(Page):
    """A page of requests, filtered."""

    after: Optional[AccessId] = None
    state: Optional[RequestState] = None
    document: Optional[DocumentId] = None
    recipient: Optional[RecipientId] = None


class Approval(Form):
    """The policy of the share that approving makes; `{}` takes the defaults."""

    expires_at: Moment | None = Field(default=None, description="Within 366 days. Default: in 30 days.")
    download_limit: Annotated[int, Field(ge=1, le=MAX_DOWNLOADS)] | None = None
    version: VersionId | None = Field(
        default=None, description="Pins the share; else it follows the newest version."
    )
    nda: NdaMode | None = Field(
        default=None,
        description="What to do while no agreement is in force. Default: `ask` where there is a text to sign on the "
        "page, else `require`.",
    )
    view_only: bool = Field(default=False, description="The report may be read on the page, not downloaded.")
    mail_check: bool | None = Field(
        default=None,
        description="Whether the recipient must enter a code that is mailed to them. Default: the document's policy.",
    )


class AccessRequestAnswer(Answer):
    """A request, who asks, and what was decided."""

    id: AccessId
    document: DocumentId
    state: RequestState
    recipient: RecipientId
    mail: str = Field(description="The address that was checked.")
    name: str = Field(description="As it was typed; the mark says what the recipient's record says.")
    company: str = Field(description="As it was typed.")
    purpose: str
    created_at: Moment
    decided_at: Moment | None
    rule: RuleId | None = Field(description="The rule that approved it; null: a person or system decided.")
    share: ShareId | None = Field(description="The share that approving made.")


class AccessRequestList(Listed[AccessRequestAnswer]):
    """Requests in order of their id."""


def shown(asked: Asked) -> AccessRequestAnswer:
    """A request as the API shows it."""
    request = asked.request
    return AccessRequestAnswer(
        id=request.id,
        document=request.document_id,
        state=request.state,
        recipient=request.recipient_id,
        mail=asked.recipient.mail,
        name=request.name,
        company=request.company,
        purpose=request.purpose,
        created_at=request.created_at,
        decided_at=request.decided_at,
        rule=request.rule_id,
        share=request.share_id,
    )


@routes.get("/v1/access-requests", scope=Scope.REQUESTS_READ, answer=AccessRequestList)
def list_all(call: Call, query: RequestsQuery) -> AccessRequestList:
    """List requests; `state=pending` for those that wait."""
    found = call.sealmark.access_requests.list(
        state=query.state,
        document=query.document,
        recipient=query.recipient,
        after=query.after,
        limit=query.limit + 1,
    )
    items, following = paged(found, query.limit, lambda last: last.request.id)
    return AccessRequestList(items=[shown(item) for item in items], next=following)


@routes.get("/v1/access-requests/<request_id>", scope=Scope.REQUESTS_READ, answer=AccessRequestAnswer)
def show(call: Call, path: RequestPath) -> AccessRequestAnswer:
    """Show a request."""
    return shown(call.sealmark.access_requests.get(path.request_id))


@routes.decide(
    "/v1/access-requests/<request_id>/approve",
    scope=Scope.REQUESTS_DECIDE,
    answer=AccessRequestAnswer,
    problems=(Problem.WRONG_STATE, Problem.NDA_REQUIRED, Problem.MAIL_NOT_CONFIGURED),
)
def approve(call: Call, path: RequestPath, body: Approval) -> AccessRequestAnswer:
    """Approve a pending request: its share is made, and its link is mailed to who asked."""
    policy = Policy(
        expires_at=body.expires_at,
        download_limit=body.download_limit,
        pinned_version_id=body.version,
        nda=body.nda,
        view_only=body.view_only,
        mail_check=body.mail_check,
    )
    return _decided(call, call.sealmark.access_requests.approve(call.actor, path.request_id, policy))


@routes.decide(
    "/v1/access-requests/<request_id>/deny",
    scope=Scope.REQUESTS_DECIDE,
    answer=AccessRequestAnswer,
    problems=(Problem.WRONG_STATE, Problem.MAIL_NOT_CONFIGURED),
)
def deny(call: Call, path: RequestPath) -> AccessRequestAnswer:
    """Deny a pending request; who asked is told by mail."""
    return _decided(call, call.sealmark.access_requests.deny(call.actor, path.request_id))


def _decided(call: Call, asked: Asked) -> AccessRequestAnswer:
    call.concerns(asked.recipient.id)
    return shown(asked)
