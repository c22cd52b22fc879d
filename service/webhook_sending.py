"""Sending events to their receivers: in order, one at a time a receiver, again and again for three days.

Each receiver has its own line. A sender claims the receiver for a while, sends the first event of its line, notes what
became of that and lets go; only then the next one's turn comes, whatever a replay puts back into the line meanwhile. A
process that dies in between leaves a claim that runs out, and the same event goes out again under the same id: a
receiver gets each event at least once, and knows by the id what it has. Receivers that are slow or away hold up nobody
else's line.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from crypto import webhooks
from crypto.errors import CryptoError
from service.audit import Actor, Clock, Details, Random, entry
from service.events import wanting
from service.keys import NamedKeys
from service.ports import Database, Records
from service.records import Event, Receiver
from service.webhooks import end

LOG = logging.getLogger("sealmark.webhooks")

WORKER = Actor("worker")

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
"""Between two tries, as Standard Webhooks proposes."""

TRIED_FOR = timedelta(days=3)
"""An event that was not taken for so long has failed: a weekend, and a day to mend it. The last try is at its end."""

JITTER = 0.1
"""A tenth more at most, so that what failed together does not come back together."""

CLAIM = timedelta(minutes=2)
"""How long a sender that died holds up its receiver: longer than the slowest try takes
(`adapters.webhook_http`: three connections, an exchange, and a name that is slow to resolve)."""

SENDERS = 4
"""Tries at once in one process: receivers that hang, three of them, hold up no other."""

MAX_RETRY_AFTER = timedelta(hours=24)
"""What a receiver may ask for by `Retry-After`: no more than the longest of our own waits."""

GONE = 410
"""The receiver wants nothing any more; Standard Webhooks asks to end it then."""

ERASED = "erased"
"""Why an event is not sent whose person was erased meanwhile."""


class NoAnswer(Exception):
    """There was no answer. The message is a word or a few for our logs and rows and holds no address."""


@dataclass(frozen=True)
class HookAnswer:
    """What a receiver answered."""

    status: int
    retry_after: int | None = None  # seconds, where it says so


class Hooks(Protocol):
    """Where webhooks go out."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> HookAnswer:
        """POST this over TLS to a public address; follows no redirect, ends within `CLAIM`. Raises `NoAnswer`."""


class WebhookSending:
    """Sends what waits. Any number of threads and processes may."""

    def __init__(
        self, database: Database, keys: NamedKeys, hooks: Hooks, clock: Clock, random: Random
    ) -> None:
        self._database = database
        self._keys = keys
        self._hooks = hooks
        self._clock = clock
        self._random = random

    def run_once(self) -> bool:
        """Try one event that is due; whether there was one. The worker's task."""
        claimed = self._claim()
        if claimed is None:
            return False
        receiver, event = claimed
        if not event.body:
            self._fail(receiver, event, reason=ERASED)
            return True
        try:
            answer = self._hooks.post(receiver.url, self._headers(receiver, event), event.body.encode())
        except NoAnswer as error:
            self._unsent(receiver, event, None, problem=str(error))
        except CryptoError:
            LOG.exception("a webhook cannot be signed", extra={"receiver": receiver.id})
            self._unsent(receiver, event, None, problem="not signed")
        else:
            self._answered(receiver, event, answer)
        return True

    def _claim(self) -> tuple[Receiver, Event] | None:
        """The first event of the line of a receiver at whom nobody is, if its time has come; of several receivers, who
        waits the longest."""
        now = self._clock()
        with self._database.read() as records:
            if not records.find(Event, sent_at=None, failed_at=None, limit=1):
                return None
            free = [one for one in wanting(records) if one.claimed_until is None or one.claimed_until <= now]
            lines = [(receiver, _first(records, receiver)) for receiver in free]
        due = [(receiver, first) for receiver, first in lines if first is not None and first.run_after <= now]
        for receiver, _ in sorted(due, key=lambda line: line[1].run_after):
            unchanged = {"claimed_until": receiver.claimed_until, "removed_at": None}
            with self._database.write() as records:
                held = records.change(receiver, expect=unchanged, claimed_until=now + CLAIM)
                first = (
                    _first(records, receiver) if held else None
                )  # anew: a replay may have put one before it
                event = None
                if first is not None and first.run_after <= now:
                    event = records.change(first, expect=_still(first), attempts=first.attempts + 1)
                if held is not None and event is None:
                    records.change(held, claimed_until=None)
            if held is not None and event is not None:
                return held, event
        return None

    def _headers(self, receiver: Receiver, event: Event) -> dict[str, str]:
        secret = webhooks.open_sealed(self._keys.signing("service").secret, receiver.id, receiver.secret)
        seconds = int(self._clock().timestamp())
        return {
            "Content-Type": "application/json",
            "User-Agent": "sealmark",
            "webhook-id": event.id,
            "webhook-timestamp": str(seconds),
            "webhook-signature": webhooks.sign(secret, event.id, seconds, event.body.encode()),
        }

    def _answered(self, receiver: Receiver, event: Event, answer: HookAnswer) -> None:
        if 200 <= answer.status < 300:
            with self._database.write() as records:
                _let_go(records, receiver, event, sent_at=self._clock(), status=answer.status, problem=None)
        elif answer.status == GONE:
            with self._database.write() as records:
                found = records.get(Receiver, receiver.id, lock=True)
                if found is not None and not found.removed_at:
                    end(records, WORKER, self._clock(), self._random, found, reason="gone")
        else:
            self._unsent(receiver, event, answer.status, retry_after=answer.retry_after)

    def _unsent(
        self,
        receiver: Receiver,
        event: Event,
        status: int | None,
        *,
        problem: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        """Note why, and when to try again; failed when its three days are over."""
        now = self._clock()
        what = {"receiver": event.receiver_id, "event_id": event.id, "status": status, "why": problem}
        LOG.warning("webhook not taken", extra=what)
        over = event.tried_from + TRIED_FOR
        if now >= over:
            self._fail(receiver, event, status=status, problem=problem)
            return
        wait = WAITS[min(event.attempts, len(WAITS)) - 1]
        wait *= 1 + JITTER * int.from_bytes(self._random(4)) / 2**32
        asked = min(timedelta(seconds=retry_after or 0), MAX_RETRY_AFTER)
        after = min(now + max(wait, asked), over)
        with self._database.write() as records:
            _let_go(records, receiver, event, run_after=after, status=status, problem=problem)

    def _fail(
        self,
        receiver: Receiver,
        event: Event,
        *,
        status: int | None = None,
        problem: str | None = None,
        reason: str | None = None,
    ) -> None:
        now = self._clock()
        with self._database.write() as records:
            failed = _let_go(
                records, receiver, event, failed_at=now, status=status, problem=problem or reason
            )
            if failed is None:
                return
            details: Details = {
                "receiver": event.receiver_id,
                "event": event.id,
                "attempts": event.attempts,
            }
            made = entry(
                "webhook.failed",
                WORKER,
                now,
                self._random,
                outcome="refused",
                reason=reason,
                details=details,
            )
            records.add(made)


def _first(records: Records, receiver: Receiver) -> Event | None:
    found = records.find(
        Event, receiver_id=receiver.id, sent_at=None, failed_at=None, order="position", limit=1
    )
    return found[0] if found else None


def _let_go(records: Records, receiver: Receiver, event: Event, **values: Any) -> Event | None:
    """End the claim, and note what became of the event.

    None, and nothing is noted: we were silent for so long that the claim ran out, or the event was put back by a replay
    during this try, and is to be sent again whatever became of it.
    """
    ours = {"claimed_until": receiver.claimed_until}
    if records.change(receiver, expect=ours, claimed_until=None) is None:
        return None
    return records.change(event, expect=_still(event), **values)


def _still(event: Event) -> dict[str, object]:
    """That it still waits, and no replay put it back: that makes `attempts` 0."""
    return {"attempts": event.attempts, "sent_at": None, "failed_at": None}
