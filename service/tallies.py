"""Tallies: what would flood a log that cannot be erased is counted, and summed up in one entry a minute.

Each process counts in memory, and hands its counts over to the database once a minute; the worker sums them up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from crypto import identifiers
from service.audit import Actor, Details, Random, entry, timestamp
from service.ports import Database, DatabaseUnavailable
from service.records import InboxEntry, Tally

HAND_OVER_EVERY = timedelta(minutes=1)

UNAUTHENTIC = "unauthentic"
"""Requests with a link that is not one of ours."""

LIMITED = "limited:"
"""Requests that a limit turned away; its name follows."""

PUBLIC = "public:"
"""Requests for a public document beyond its limit; its id follows."""

WORKER = Actor("worker")


class Tallies:
    """What this process counted since it last handed over."""

    def __init__(self, database: Database, random: Random) -> None:
        self._database = database
        self._random = random
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, datetime]] = {}  # by name: how often, since when
        self._timer: threading.Timer | None = None

    def count(self, name: str, now: datetime) -> None:
        """Count one; within a minute the counts are handed over. `name` is one of a bounded set: no stranger's."""
        with self._lock:
            count, since = self._counts.get(name, (0, now))
            self._counts[name] = (count + 1, since)
            if self._timer is not None:
                return
            self._timer = threading.Timer(HAND_OVER_EVERY.total_seconds(), self.hand_over)
            self._timer.daemon = True
            self._timer.start()

    def hand_over(self) -> None:
        """Store this process's counts for the summary entries; kept for the next time when that fails."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            counts, self._counts, self._timer = self._counts, {}, None
        if not counts:
            return
        tallies = [
            Tally(key=identifiers.new_id("tal", self._random(16)), name=name, count=count, since=since)
            for name, (count, since) in counts.items()
        ]
        try:
            with self._database.write() as records:
                records.add(*tallies)
        except DatabaseUnavailable:
            with self._lock:  # the next one that is counted starts the clock again
                for name, (count, since) in counts.items():
                    newer, _ = self._counts.get(name, (0, since))
                    self._counts[name] = (count + newer, since)


def sum_up(database: Database, now: datetime, random: Random) -> int:
    """One entry for all counts of each name; returns the sum of all. The worker's task, once a minute."""
    with database.write() as records:
        tallies = records.find(Tally, lock=True)
        for name in sorted({tally.name for tally in tallies}):
            of_name = [tally for tally in tallies if tally.name == name]
            total = sum(tally.count for tally in of_name)
            since = min(tally.since for tally in of_name)
            records.add(_SUMMARIES[name.partition(":")[0]](name, total, since, now, random))
        if tallies:
            records.remove(Tally, key__in=[tally.key for tally in tallies])
    return sum(tally.count for tally in tallies)


def _unauthentic(_: str, count: int, since: datetime, now: datetime, random: Random) -> InboxEntry:
    details: Details = {"count": count, "since": timestamp(since)}
    return entry("requests.unauthentic", WORKER, now, random, outcome="denied", details=details)


def _limited(name: str, count: int, since: datetime, now: datetime, random: Random) -> InboxEntry:
    details: Details = {"limit": name.removeprefix(LIMITED), "count": count, "since": timestamp(since)}
    return entry("requests.limited", WORKER, now, random, outcome="denied", details=details)


def _public(name: str, count: int, since: datetime, now: datetime, random: Random) -> InboxEntry:
    details: Details = {"count": count, "since": timestamp(since)}
    document = name.removeprefix(PUBLIC)
    return entry(
        "public.throttled", WORKER, now, random, outcome="denied", details=details, document=document
    )


_SUMMARIES: dict[str, Callable[[str, int, datetime, datetime, Random], InboxEntry]] = {
    UNAUTHENTIC: _unauthentic,
    LIMITED.removesuffix(":"): _limited,
    PUBLIC.removesuffix(":"): _public,
}
