"""Receivers of webhooks: where events go, which ones, and under which secret; and what became of each event.

Events are made in `events`, and sent in `webhook_sending`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from crypto import identifiers, webhooks
from crypto.lengths import NONCE_SIZE
from service.audit import Actor, Clock, Details, Random, entry
from service.errors import DomainError, Problem, invalid, not_found
from service.events import EventKind
from service.keys import NamedKeys
from service.ports import Database, Records
from service.records import Event, Receiver
from service.webhook_address import parse_url

MAX_RECEIVERS = 20
"""In force: each event is stored and sent once for each of them."""

REPLAY_BATCH = 500
"""Events that one transaction of a replay puts back, with one entry."""

MAX_REPLAY = 10_000
"""Events that one call puts back: a month of a busy lender, and done within seconds."""

KEPT_FOR = timedelta(days=30)
"""How long an event is kept once it was made: it can be replayed, and the delivery log shows it."""

EventState = Literal["waiting", "sent", "failed"]


class Webhooks:
    """Adds and removes receivers, shows their events, and sends them again."""

    def __init__(self, database: Database, keys: NamedKeys, clock: Clock, random: Random) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        self._random = random

    def add(
        self, actor: Actor, *, url: str, kinds: Iterable[EventKind], personal: bool = False
    ) -> tuple[Receiver, str]:
        """A receiver of what happens from now on, and its secret, which is shown this once.

        With `personal`, its events name the recipient (mail, name, company); else they hold identifiers only. Raises
        `DomainError` (invalid, wrong-state: there are too many).
        """
        now = self._clock()
        parse_url(url)
        chosen = sorted(set(kinds))
        if not chosen:
            raise invalid("kinds", "Name at least one kind of event: " + ", ".join(EventKind) + ".")
        secret = webhooks.new_secret(self._random)
        receiver_id = identifiers.new_id("whr", self._random(16))
        sealed = webhooks.seal(
            self._keys.signing("service").secret, receiver_id, secret, nonce=self._random(NONCE_SIZE)
        )
        receiver = Receiver(receiver_id, url, [str(kind) for kind in chosen], sealed, now, personal=personal)
        details = {"receiver": receiver_id, "kinds": " ".join(receiver.kinds)}
        with self._database.write() as records:
            if len(records.find(Receiver, removed_at=None, limit=MAX_RECEIVERS)) >= MAX_RECEIVERS:
                detail = f"There are {MAX_RECEIVERS} receivers, which is the most: remove one first."
                raise DomainError(Problem.WRONG_STATE, detail, limit=MAX_RECEIVERS)
            records.add(receiver)
            records.add(entry("webhook.created", actor, now, self._random, details=details))
        return receiver, webhooks.show(secret)

    def get(self, receiver_id: str) -> Receiver:
        """A receiver in force. Raises `DomainError` (not-found)."""
        with self._database.read() as records:
            return _in_force(records, receiver_id)

    def list(self, *, after: str | None = None, limit: int = 50) -> Sequence[Receiver]:
        """Receivers in force in order of their id, those after `after`."""
        where: dict[str, Any] = {"id__gt": after} if after else {}
        with self._database.read() as records:
            return records.find(Receiver, order="id", limit=limit, removed_at=None, **where)

    def remove(self, actor: Actor, receiver_id: str) -> Receiver:
        """Send it nothing more; its secret and its events are gone. Removing again changes nothing.

        Raises `DomainError` (not-found).
        """
        with self._database.write() as records:
            receiver = records.get(Receiver, receiver_id, lock=True)
            if receiver is None:
                raise not_found("receiver", receiver_id)
            if receiver.removed_at:
                return receiver
            return end(records, actor, self._clock(), self._random, receiver)

    def events(
        self,
        receiver_id: str,
        *,
        state: EventState | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Sequence[Event]:
        """The events of a receiver in the order in which they are sent, those after an event.

        Raises `DomainError` (not-found; invalid: the receiver has no such event).
        """
        where: dict[str, Any] = dict(_STATES[state]) if state else {}
        with self._database.read() as records:
            _in_force(records, receiver_id)
            if after is not None:
                found = records.find(Event, id=after, receiver_id=receiver_id)
                if not found:
                    raise invalid("after", "This receiver has no such event: it may be too old to be kept.")
                where["position__gt"] = found[0].position
            return records.find(Event, receiver_id=receiver_id, order="position", limit=limit, **where)

    def replay(self, actor: Actor, receiver_id: str, *, since: datetime | None = None) -> int:
        """Send again, now, under the ids they had and in their order; returns how many events.

        Without `since` those that failed, and the one that waits for its next try; with it all that were made from
        then on, sent or not. Events whose person was erased are not sent again. Raises `DomainError`: not-found,
        invalid (there are more than `MAX_REPLAY`; nothing is sent again then).
        """
        with self._database.read() as records:
            _in_force(records, receiver_id)
            chosen = _to_replay(records, receiver_id, since)
        if len(chosen) > MAX_REPLAY:
            detail = f"More than {MAX_REPLAY} events were made since then: name a later time."
            raise invalid("since", detail)
        for at in range(0, len(chosen), REPLAY_BATCH):
            self._put_back(actor, receiver_id, chosen[at : at + REPLAY_BATCH])
        return len(chosen)

    def _put_back(self, actor: Actor, receiver_id: str, batch: Sequence[Event]) -> None:
        now = self._clock()
        with self._database.write() as records:
            for event in batch:
                records.change(
                    event,
                    expect={"body__ne": "", "sent_at": event.sent_at},
                    tried_from=now,
                    run_after=now,
                    attempts=0,
                    sent_at=None,
                    failed_at=None,
                )
            details: Details = {"receiver": receiver_id, "events": len(batch)}
            records.add(entry("webhook.replayed", actor, now, self._random, details=details))


def end(
    records: Records,
    actor: Actor,
    now: datetime,
    random: Random,
    receiver: Receiver,
    *,
    reason: str | None = None,
) -> Receiver:
    """Remove a receiver in the caller's transaction, which holds its row: its secret, its events, and the entry."""
    removed = records.change(receiver, removed_at=now, secret="")
    records.remove(Event, receiver_id=receiver.id)
    details = {"receiver": receiver.id}
    records.add(entry("webhook.removed", actor, now, random, reason=reason, details=details))
    return removed or receiver


def state_of(event: Event) -> EventState:
    """Where an event stands."""
    if event.failed_at:
        return "failed"
    return "sent" if event.sent_at else "waiting"


_STATES: dict[EventState, dict[str, Any]] = {
    "waiting": {"sent_at": None, "failed_at": None},
    "sent": {"sent_at__ne": None},
    "failed": {"failed_at__ne": None},
}


def _to_replay(records: Records, receiver_id: str, since: datetime | None) -> Sequence[Event]:
    """At most one more than `MAX_REPLAY`."""
    of_theirs: dict[str, Any] = {"receiver_id": receiver_id, "body__ne": "", "order": "position"}
    if since is not None:
        return records.find(Event, limit=MAX_REPLAY + 1, created_at__ge=since, **of_theirs)
    failed = records.find(Event, limit=MAX_REPLAY + 1, **_STATES["failed"], **of_theirs)
    return [*failed, *records.find(Event, limit=1, **_STATES["waiting"], **of_theirs)]


def _in_force(records: Records, receiver_id: str) -> Receiver:
    found = records.get(Receiver, receiver_id)
    if found is None or found.removed_at:
        raise not_found("receiver", receiver_id)
    return found
