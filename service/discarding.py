"""Discarding: a sealed object that nothing refers to any more is deleted from the store for good, once.

The transaction that takes the last reference leaves a job; the object's row goes only after the object. So a crash in
between leaves nothing that only the sweeper's trash would know.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from crypto import identifiers
from service.audit import Clock, Random
from service.blobs import StoreError
from service.objects import SealedObjects
from service.ports import Database, Records
from service.records import Job, SealedObject

KIND = "discard"

RETRY = timedelta(minutes=5)
"""How long one that failed waits, so that it does not hold up the others."""


class Discarding:
    """Deletes what is owed."""

    def __init__(self, database: Database, objects: SealedObjects, clock: Clock) -> None:
        self._database = database
        self._objects = objects
        self._clock = clock

    def run_once(self) -> bool:
        """Delete one object that is owed, with its sidecar and its row; whether there was one. Raises `StoreError`."""
        with self._database.read() as records:
            jobs = records.find(
                Job, kind=KIND, done_at=None, run_after__le=self._clock(), order="run_after", limit=1
            )
            stored = records.get(SealedObject, jobs[0].subject) if jobs else None
        if not jobs:
            return False
        if stored is not None:
            try:
                self._objects.discard(stored)
            except StoreError:
                with self._database.write() as records:
                    records.change(jobs[0], run_after=self._clock() + RETRY)
                raise
        with self._database.write() as records:
            records.remove(SealedObject, id=jobs[0].subject)
            records.remove(Job, id=jobs[0].id)
        return True


def owe(records: Records, object_id: str, now: datetime, random: Random) -> None:
    """Let this object be deleted, in the transaction that takes the last reference to it."""
    records.add(Job(identifiers.new_id("job", random(16)), KIND, object_id, now, now))
