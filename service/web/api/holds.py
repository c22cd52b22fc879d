"""Holds: what must not be erased, and why."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from service.access import Scope
from service.errors import Problem
from service.holds import MAX_REASON
from service.web.api.callers import Call
from service.web.api.routing import Routes
from service.web.api.shapes import (
    Answer,
    DocumentId,
    Domain,
    Form,
    HoldId,
    Listed,
    Moment,
    Optional,
    Page,
    RecipientId,
    paged,
)

routes = Routes("holds", "What must not be erased while a matter is open.")


class HoldPath(Form):
    """The address of a hold."""

    hold_id: HoldId


class HoldsQuery(Page):
    """A page of holds."""

    after: Optional[HoldId] = None
    standing: Optional[Annotated[Literal["true"], Field(description="Only those that are not released.")]] = (
        None
    )


class NewHold(Form):
    """A hold on a recipient, a company or a document."""

    recipient: RecipientId | None = None
    company: Domain | None = Field(default=None, description="The company's exact mail domain.")
    document: DocumentId | None = None
    reason: Annotated[str, Field(min_length=1, max_length=MAX_REASON, pattern=r"^[^\x00-\x1f\x7f]+$")]

    @model_validator(mode="after")
    def _on_one(self) -> Self:
        if sum(subject is not None for subject in (self.recipient, self.company, self.document)) != 1:
            raise ValueError("a hold is on one recipient, one company or one document")
        return self


class HoldAnswer(Answer):
    """A hold. One that is released keeps neither its reason nor a company's name: they are in the log."""

    id: HoldId
    kind: Literal["recipient", "company", "document"]
    subject: str
    reason: str
    placed_at: Moment
    released_at: Moment | None


class HoldList(Listed[HoldAnswer]):
    """Holds in order of their id."""


@routes.create(
    "/v1/holds",
    scope=Scope.HOLDS_WRITE,
    answer=HoldAnswer,
    links={"holds_release": {"hold_id": "#/id"}},
    problems=(Problem.NOT_FOUND, Problem.WRONG_STATE),
)
def place(call: Call, body: NewHold) -> HoldAnswer:
    """Forbid to erase a recipient, all people of a company, or all whom a document was shared with."""
    made = call.sealmark.holds.place(
        call.actor,
        recipient=body.recipient,
        company=body.company,
        document=body.document,
        reason=body.reason,
    )
    call.concerns(body.recipient)
    return HoldAnswer.model_validate(made)


@routes.get("/v1/holds", scope=Scope.HOLDS_WRITE, answer=HoldList)
def list_all(call: Call, query: HoldsQuery) -> HoldList:
    """List holds."""
    found = call.sealmark.holds.list(
        standing=query.standing is not None, after=query.after, limit=query.limit + 1
    )
    items, following = paged(found, query.limit, lambda last: last.id)
    return HoldList(items=[HoldAnswer.model_validate(item) for item in items], next=following)


@routes.change("post", "/v1/holds/<hold_id>/release", scope=Scope.HOLDS_WRITE, answer=HoldAnswer)
def release(call: Call, path: HoldPath) -> HoldAnswer:
    """End a hold."""
    return HoldAnswer.model_validate(call.sealmark.holds.release(call.actor, path.hold_id))
