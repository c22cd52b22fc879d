"""Reminding owners that a report's period will soon be a year old: 60 days before, and 14.

From then on readers ask for something newer. It is about the newest version that is ready, so nobody is reminded where
a newer one is there already. A row stands for each reminder in the transaction of its message, so that any number of
workers remind once. Where no mail can be sent nothing is queued.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta

from service.audit import Clock, Random
from service.decision import has_ended
from service.outbox import Mail, queue
from service.ports import Database, Records, Taken
from service.records import Document, Kind, Throttle, Version, VersionState

DAYS_BEFORE = (14, 60)
"""Time to ask the auditor for a date and to write a bridge letter; and the last time to hurry. Who can be reminded only
within the last fortnight is reminded once."""

BATCH = 100
"""Documents of one read."""


def a_year_after(day: date) -> date:
    """The same day a year later; the last of February for the leap day."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


def newest_of(records: Records, document: Document, now: datetime) -> Version | None:
    """The version whose period its owner is reminded of, if the document is a report that is lent."""
    if document.kind == Kind.BRIDGE_LETTER or document.revoked_at or has_ended(document, now):
        return None
    found = records.find(Version, limit=1, document_id=document.id, state=VersionState.READY, order="-number")
    return found[0] if found and period_end(found[0]) else None


def period_end(version: Version) -> date | None:
    """The last day of the period that the version covers, where it covers one."""
    stated = version.facts.get("period_end")
    return date.fromisoformat(stated) if stated else None


class Reminding:
    """Queues reminders to owners."""

    def __init__(self, database: Database, clock: Clock, random: Random, *, can_mail: bool) -> None:
        self._database = database
        self._clock = clock
        self._random = random
        self._can_mail = can_mail

    def run_once(self) -> bool:
        """Queue what is due. The worker's task."""
        after: str | None = "" if self._can_mail else None
        while after is not None:
            now = self._clock()
            with self._database.read() as records:
                some = records.find(Document, order="id", limit=BATCH, id__gt=after, revoked_at=None)
                newest = [(document, newest_of(records, document, now)) for document in some]
            for document, version in newest:
                if version is not None:
                    self._remind(document, version, now)
            after = some[-1].id if len(some) == BATCH else None
        return False

    def _remind(self, document: Document, version: Version, now: datetime) -> None:
        ended = period_end(version)
        left = (a_year_after(ended) - now.astimezone(UTC).date()).days if ended else 0
        due = next((days for days in DAYS_BEFORE if 0 < left <= days), None)
        if ended is None or due is None:
            return
        key = f"period-ending:{version.id}:{due}"
        with self._database.read() as records:
            if records.get(Throttle, key) is not None:
                return
        # As long as it could be due.
        until = datetime.combine(a_year_after(ended) + timedelta(days=1), time(), UTC)
        with suppress(Taken), self._database.write() as records:
            records.add(Throttle(key, until))
            queue(
                records,
                self._random,
                now,
                kind=Mail.PERIOD_ENDING,
                about=version.id,
                mail=document.owner_mail,
            )
