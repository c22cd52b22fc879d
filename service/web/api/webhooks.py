"""Webhooks: receivers of events, their delivery logs, and sending again. `docs/webhooks.md` is for receivers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from service.access import Scope
from service.errors import Problem
from service.events import EventKind
from service.records import Event, Receiver
from service.web.api.callers import Call
from service.web.api.routing import Routes
from service.web.api.shapes import Answer, EventId, Form, Listed, Moment, Optional, Page, ReceiverId, paged
from service.webhook_address import MAX_URL
from service.webhooks import EventState, state_of

routes = Routes("webhooks", "Where other systems are told what happens, as Standard Webhooks says.")


class ReceiverPath(Form):
    """The address of a receiver."""

    receiver_id: ReceiverId


class ReceiversQuery(Page):
    """A page of receivers."""

    after: Optional[ReceiverId] = None


class EventsQuery(Page):
    """A page of a delivery log, filtered."""

    after: Optional[EventId] = None
    state: Optional[Literal["waiting", "sent", "failed"]] = None


class NewReceiver(Form):
    """A receiver of events."""

    url: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_URL,
            pattern="^https://[!-~]+$",
            description="https, at a public address.",
            examples=["https://crm.lender.example/hooks/sealmark"],
        ),
    ]
    kinds: Annotated[list[EventKind], Field(min_length=1, max_length=len(EventKind))]
    personal: bool = Field(
        default=False, description="Whether its events hold the recipient's mail, name and company."
    )


class Replay(Form):
    """Which events are sent again."""

    since: Moment | None = Field(
        default=None,
        description="All that were made from then on, sent or not. Default: those that failed, and the one that waits "
        "for its next try.",
    )


class ReceiverAnswer(Answer):
    """A receiver."""

    id: ReceiverId
    url: str
    kinds: list[EventKind]
    personal: bool
    created_at: Moment
    removed_at: Moment | None


class NewReceiverAnswer(Answer):
    """A receiver, and the secret that its webhooks are signed under: shown this once."""

    id: ReceiverId
    receiver: ReceiverAnswer
    secret: str = Field(description="`whsec_` and base64: give it to the receiver.")


class ReceiverList(Listed[ReceiverAnswer]):
    """Receivers in order of their id."""


class EventAnswer(Answer):
    """An event, and what became of it."""

    id: EventId
    kind: EventKind
    state: EventState
    attempts: int
    status: int | None = Field(description="Of the last answer; null: there was none.")
    problem: str | None = Field(description="Why the last try had no answer, in a word or a few.")
    body: str = Field(description="As it is sent; empty once somebody whom it named was erased.")
    created_at: Moment
    run_after: Moment = Field(description="When it is tried next, where it waits.")
    sent_at: Moment | None
    failed_at: Moment | None


class EventList(Listed[EventAnswer]):
    """Events in the order in which they are sent."""


class ReplayAnswer(Answer):
    """How many events are sent again."""

    events: int


def shown(receiver: Receiver) -> ReceiverAnswer:
    """A receiver as the API shows it."""
    return ReceiverAnswer(
        id=receiver.id,
        url=receiver.url,
        kinds=[EventKind(kind) for kind in receiver.kinds],
        personal=receiver.personal,
        created_at=receiver.created_at,
        removed_at=receiver.removed_at,
    )


def _shown_event(event: Event) -> EventAnswer:
    return EventAnswer(
        id=event.id,
        kind=EventKind(event.kind),
        state=state_of(event),
        attempts=event.attempts,
        status=event.status,
        problem=event.problem,
        body=event.body,
        created_at=event.created_at,
        run_after=event.run_after,
        sent_at=event.sent_at,
        failed_at=event.failed_at,
    )


@routes.create(
    "/v1/webhooks",
    scope=Scope.WEBHOOKS_WRITE,
    answer=NewReceiverAnswer,
    location="/v1/webhooks/{id}",
    links={
        name: {"receiver_id": "#/id"}
        for name in ("webhooks_show", "webhooks_events", "webhooks_replay", "webhooks_remove")
    },
    problems=(Problem.WRONG_STATE,),
)
def create(call: Call, body: NewReceiver) -> NewReceiverAnswer:
    """Tell a receiver what happens from now on, and get the secret that it verifies it with."""
    receiver, secret = call.sealmark.webhooks.add(
        call.actor, url=body.url, kinds=body.kinds, personal=body.personal
    )
    return NewReceiverAnswer(id=receiver.id, receiver=shown(receiver), secret=secret)


@routes.get("/v1/webhooks", scope=Scope.WEBHOOKS_READ, answer=ReceiverList)
def list_all(call: Call, query: ReceiversQuery) -> ReceiverList:
    """List receivers."""
    found = call.sealmark.webhooks.list(after=query.after, limit=query.limit + 1)
    items, following = paged(found, query.limit, lambda last: last.id)
    return ReceiverList(items=[shown(item) for item in items], next=following)


@routes.get("/v1/webhooks/<receiver_id>", scope=Scope.WEBHOOKS_READ, answer=ReceiverAnswer)
def show(call: Call, path: ReceiverPath) -> ReceiverAnswer:
    """Show a receiver."""
    return shown(call.sealmark.webhooks.get(path.receiver_id))


@routes.change("post", "/v1/webhooks/<receiver_id>/remove", scope=Scope.WEBHOOKS_WRITE, answer=ReceiverAnswer)
def remove(call: Call, path: ReceiverPath) -> ReceiverAnswer:
    """Send a receiver nothing more. Its secret and its delivery log are gone."""
    return shown(call.sealmark.webhooks.remove(call.actor, path.receiver_id))


@routes.get("/v1/webhooks/<receiver_id>/events", scope=Scope.WEBHOOKS_READ, answer=EventList)
def events(call: Call, path: ReceiverPath, query: EventsQuery) -> EventList:
    """The delivery log of the last 30 days: what was sent, what waits, what failed."""
    found = call.sealmark.webhooks.events(
        path.receiver_id, state=query.state, after=query.after, limit=query.limit + 1
    )
    items, following = paged(found, query.limit, lambda last: last.id)
    return EventList(items=[_shown_event(item) for item in items], next=following)


@routes.change("post", "/v1/webhooks/<receiver_id>/replay", scope=Scope.WEBHOOKS_WRITE, answer=ReplayAnswer)
def replay(call: Call, path: ReceiverPath, body: Replay) -> ReplayAnswer:
    """Send events again, under their ids and in their order."""
    return ReplayAnswer(events=call.sealmark.webhooks.replay(call.actor, path.receiver_id, since=body.since))
