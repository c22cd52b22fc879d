"""Sending: the bytes of a granted delivery, accounted for from before the first to after the last."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from crypto import identifiers
from service.audit import Actor, Clock, Details, Outcome, Random, entry
from service.decision import Allowed, Denial
from service.granting import references
from service.ports import Database, Records
from service.records import Copy, Delivery, Send

BYTES_PER_DELIVERY = 5
"""A delivery sends at most this many times the file's size: browsers and scanners fetch ranges more than once."""

DECIDE_EVERY = timedelta(seconds=1)
"""How long a running download may outlive a revocation."""

PIECE = 32 * 1024
"""Bytes between two looks at the clock: few enough that a slow client, too, is decided over each second."""

MAX_SENDS = 1000
"""Sends of one delivery: readers that fetch a large report in ranges need hundreds; each is two entries of the log."""

TOUCH_EVERY = timedelta(seconds=5)
"""How often a running send says that it lives: one small write, no entry. With a stalled piece
(`web.recipient.stalls.STALL_SECONDS`) well within the silence that the worker takes for a crash."""


@dataclass(frozen=True)
class Sent:
    """What is sent to whom: all that the entries of one send refer to."""

    delivery: Delivery
    allowed: Allowed
    copy: Copy
    actor: Actor

    def references(self) -> dict[str, Any]:
        """For the entries; of the version that the copy is of: a newer one may be ready by now."""
        return {
            **references(self.allowed, self.delivery.link_hash),
            "version": self.copy.version_id,
            "copy": self.copy.id,
            "delivery": self.delivery.id,
        }


class Sends:
    """Opens sends within a delivery's account, keeps them alive and closes them."""

    def __init__(self, database: Database, clock: Clock, random: Random) -> None:
        self._database = database
        self._clock = clock
        self._random = random

    def reserve(self, what: Sent, first: int, stop: int) -> Send | Denial:
        """Take the bytes [first, stop) from the delivery's account; that sending begins is an entry then."""
        delivery, length, now = what.delivery, stop - first, self._clock()
        with self._database.write() as records:
            current = records.get(Delivery, delivery.id, lock=True)
            if current is None:
                return Denial.DELIVERY_OVER
            if len(records.find(Send, delivery_id=delivery.id, limit=MAX_SENDS)) >= MAX_SENDS:
                return Denial.TOO_MANY_SENDS
            if current.bytes_sent + length > BYTES_PER_DELIVERY * what.copy.length:
                return Denial.TOO_MANY_BYTES
            records.change(current, bytes_sent=current.bytes_sent + length)
            send_id = identifiers.new_id("snd", self._random(16))
            send = Send(id=send_id, delivery_id=delivery.id, begun_at=now, alive_at=now, reserved=length)
            records.add(send)
            details: Details = {"first": first, "last": stop - 1}
            made = entry(
                "download.begun", what.actor, now, self._random, details=details, **what.references()
            )
            records.add(made)
            return send

    def touch(self, send: Send, sent: int) -> bool:
        """Say that bytes still flow, so that the worker does not take the send for dead. False: it did."""
        with self._database.write() as records:
            changed = records.change(send, expect={"ended_at": None}, alive_at=self._clock(), sent=sent)
        return changed is not None

    def end(self, send: Send, what: Sent, sent: int, outcome: Outcome) -> None:
        """Close the send, unless the worker did."""
        now = self._clock()
        with self._database.write() as records:
            current = records.get(Send, send.id, lock=True)
            if current is None or current.ended_at:
                return
            close_send(records, current, sent, outcome, what.actor, now, self._random, what.references())


class Watch(Protocol):
    """What a running send asks again and again; `Deliveries` is it."""

    def now(self) -> datetime:
        """The service's clock."""

    def still_allowed(self, delivery: Delivery) -> Denial | None:
        """The decision as it is now; None: go on."""

    def touch(self, send: Send, sent: int) -> bool:
        """See `Sends.touch`."""

    def end(self, sending: Sending, sent: int, outcome: Outcome) -> None:
        """See `Sends.end`."""


class Sending:
    """The bytes of one send, decided over again each second while they flow. Iterate once; it ends itself."""

    def __init__(self, watch: Watch, pieces: Generator[bytes, None, None], send: Send, what: Sent) -> None:
        self._watch = watch
        self._pieces = pieces
        self.send = send
        self.what = what

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        outcome: Outcome = "broken-off"
        decided_at = touched_at = self._watch.now()
        try:
            with closing(self._pieces):
                for piece in in_pieces(self._pieces):
                    now = self._watch.now()
                    if abs(now - decided_at) >= DECIDE_EVERY:  # a clock that is set back decides, too
                        if self._watch.still_allowed(self.what.delivery):
                            outcome = "revoked"
                            return
                        decided_at = now
                    if abs(now - touched_at) >= TOUCH_EVERY:
                        if not self._watch.touch(self.send, sent):
                            return  # taken for dead and ended: what is sent now would be in no entry
                        touched_at = now
                    yield piece
                    sent += len(piece)
            outcome = "complete"
        finally:
            self._watch.end(self, sent, outcome)


def close_send(
    records: Records,
    send: Send,
    sent: int,
    outcome: Outcome,
    actor: Actor,
    now: datetime,
    random: Random,
    refers: dict[str, Any],
) -> None:
    """End an open send in the caller's transaction: its row, its delivery's account, its entry.

    Bytes that were reserved and not sent are given back, unless nobody knows how many left.
    """
    records.change(send, ended_at=now, sent=sent, outcome=outcome)
    delivery = records.get(Delivery, send.delivery_id, lock=True)
    if delivery is not None and outcome != "unknown":
        records.change(delivery, bytes_sent=delivery.bytes_sent - send.reserved + sent)
    details: Details = {"sent": sent}
    records.add(entry("download.ended", actor, now, random, outcome=outcome, details=details, **refers))


def in_pieces(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, at most `PIECE` at a time."""
    for piece in pieces:
        for at in range(0, len(piece), PIECE):
            yield piece[at : at + PIECE]
