"""Denials: an entry for each authentic link that does not open, one a link and minute; a count for all else.

What is not authentic would let strangers flood a log that cannot be erased: it is counted in memory, and
each process hands its count over once a minute, for one summary entry.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from crypto import identifiers
from service.audit import Actor, Details, Random, entry, timestamp
from service.decision import Denial
from service.ports import Database, DatabaseUnavailable, Taken
from service.records import Recipient, Share, Tally, Throttle

ONCE_A = timedelta(minutes=1)
UNAUTHENTIC = "unauthentic"


class Denials:
    """Records denials, and counts what is not authentic."""

    def __init__(self, database: Database, random: Random) -> None:
        self._database = database
        self._random = random
        self._lock = threading.Lock()
        self._count = 0
        self._since: datetime | None = None
        self._timer: threading.Timer | None = None

    def record(self, reason: Denial, share: Share, link_hash: str, actor: Actor, now: datetime) -> None:
        """The entry of this denial, unless this link had one within the minute.

        Raises `DatabaseUnavailable`: an answer that says why needs its entry.
        """
        minute = int(now.timestamp()) // int(ONCE_A.total_seconds())
        try:
            with self._database.write() as records:
                records.add(Throttle(key=f"denied:{link_hash}:{minute}", until=now + ONCE_A))
                recipient = records.get(Recipient, share.recipient_id)
                if recipient is not None and recipient.erased_at:
                    # Nothing personal of theirs is taken in again.
                    actor = Actor(actor.type, request=actor.request)
                made = entry(
                    "download.denied",
                    actor,
                    now,
                    self._random,
                    outcome="denied",
                    reason=reason,
                    share=share.id,
                    link=link_hash,
                    document=share.document_id,
                    recipient=share.recipient_id,
                )
                records.add(made)
        except Taken:
            return

    def count_unauthentic(self, now: datetime) -> None:
        """Count one request that was not authentic; within a minute the count is handed over."""
        with self._lock:
            self._count += 1
            self._since = self._since or now
            if self._timer is not None:
                return
            self._timer = threading.Timer(ONCE_A.total_seconds(), self.hand_over)
            self._timer.daemon = True
            self._timer.start()

    def hand_over(self) -> None:
        """Store this process's count for the summary entry; kept for the next time when that fails."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            count, since = self._count, self._since
            self._count, self._since, self._timer = 0, None, None
        if not count or since is None:
            return
        key = identifiers.new_id("tal", self._random(16))
        try:
            with self._database.write() as records:
                records.add(Tally(key=key, name=UNAUTHENTIC, count=count, since=since))
        except DatabaseUnavailable:
            with self._lock:
                self._count += count
                self._since = since  # the next one that is counted starts the clock again


def sum_up(database: Database, now: datetime, random: Random) -> int:
    """One entry for all counts that were handed over; returns their sum. The worker's task, once a minute."""
    with database.write() as records:
        tallies = records.find(Tally, name=UNAUTHENTIC, lock=True)
        if not tallies:
            return 0
        total = sum(tally.count for tally in tallies)
        since = min(tally.since for tally in tallies)
        records.remove(Tally, key__in=[tally.key for tally in tallies])
        details: Details = {"count": total, "since": timestamp(since)}
        made = entry("requests.unauthentic", Actor("worker"), now, random, outcome="denied", details=details)
        records.add(made)
    return total
