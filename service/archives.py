"""Archives: the personal values of old entries, moved from the database to sealed objects.

Archives cover the log from its beginning without a gap, each a batch of entries. The leaves and the tree stay where
they are. An archive is lines of JSON, one for each entry that has values: its index, and what was revealed of it.
Never under Object Lock: erasing rewrites archives.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import takewhile

from crypto import identifiers, sealing
from crypto.sidecar import Sidecar
from service.audit import Actor, Clock, Details, Random, entry
from service.blobs import BlobMissing, BlobStore
from service.discarding import owe
from service.erased import KIND, Revealed, without_values
from service.holds import fence
from service.objects import PREFIX, SIDECAR, SealedObjects
from service.ports import Database, Records
from service.records import LogArchive, LoggedEntry, SealedObject

ROLE = "archive"
OWNER = "log-archive"
WORKER = Actor("worker")

BATCH = 500
"""Entries of one archive: some 150 KB, and a transaction of well below a second."""


class Archives:
    """Moves values to archives, reads them back, and takes one recipient's values out of them."""

    def __init__(
        self,
        database: Database,
        store: BlobStore,
        objects: SealedObjects,
        keep: timedelta | None,
        clock: Clock,
        random: Random,
    ) -> None:
        """Values stay in the database for `keep` after their entry got its place; None: for ever."""
        self._database = database
        self._store = store
        self._objects = objects
        self._keep = keep
        self._clock = clock
        self._random = random

    def run_once(self) -> bool:
        """Move the values of one batch of old entries; whether there may be more. Raises `StoreError`.

        Afterwards the values are in the archive or in the database, never in neither.
        """
        if self._keep is None:
            return False
        now = self._clock()
        with self._database.read() as records:
            first = _covered(records)
            found = records.find(LoggedEntry, order="index", limit=BATCH, index__ge=first)
        old = list(takewhile(lambda logged: logged.sequenced <= now - self._keep, found))  # type: ignore[operator]
        if not old:
            return False
        archive_id = identifiers.new_id("arc", self._random(16))
        stored, _ = self._objects.put(ROLE, OWNER, archive_id, _lines((e.index, e.revealed) for e in old))
        archive = LogArchive(archive_id, stored.id, first, old[-1].index + 1, now)
        if not self._move(archive, stored, old):
            self._objects.discard(stored)
            return True
        return len(old) == BATCH

    def revealed(
        self, first: int, stop: int, wanted: Collection[int] | None = None
    ) -> Iterator[tuple[int, Revealed]]:
        """Index and values of the archived entries in [first, stop) that have any, in order; as `LoggedEntry.revealed`.

        With `wanted`, only of these indices, and archives without one of them are not opened. Memory holds one archive
        at a time. An erased value is `{"erased": entry id}`. Raises `StoreError`, `CryptoError`.
        """
        at = first
        while at < stop:
            with self._database.read() as records:
                archive = _containing(records, at)
            if archive is None:
                return
            low, high, at = at, min(stop, archive.stop), archive.stop
            if wanted is None or any(low <= index < high for index in wanted):
                for index, values in self._read(archive.id).items():
                    if low <= index < high and (wanted is None or index in wanted):
                        yield index, values

    def filled(self, entries: list[LoggedEntry]) -> list[LoggedEntry]:
        """The same entries, in order of their index, with the values that were moved to archives.

        Raises `StoreError`, `CryptoError`.
        """
        bare = {logged.index for logged in entries if not logged.revealed}
        if not bare:
            return entries
        values = dict(self.revealed(min(bare), max(bare) + 1, bare))
        return [
            replace(logged, revealed=values[logged.index]) if logged.index in values else logged
            for logged in entries
        ]

    def erase(self, recipient_id: str, entry_id: str) -> int:
        """Take this recipient's values out of every archive; how many archives were rewritten.

        Each is a new object; the old one is owed to `Discarding` once the archive points to the new one.
        """
        rewritten = 0
        at = 0
        while True:
            with self._database.read() as records:
                found = records.find(
                    LoggedEntry, order="index", limit=1, index__ge=at, recipient=recipient_id
                )
                archive = _containing(records, found[0].index) if found else None
            if archive is None:
                return rewritten
            rewritten += self._rewrite(archive.id, recipient_id, entry_id)
            at = archive.stop

    def redundant(self, object_id: str) -> bool:
        """Whether an object of an archive that has no row is needed by nothing, so that it may be deleted for good.

        It is unless its archive's own object is missing, as in a database that was restored.
        """
        try:
            sidecar = self._sidecar(object_id)
        except BlobMissing:
            return True
        with self._database.read() as records:
            archive = records.get(LogArchive, sidecar.owner_id)
            stored = records.get(SealedObject, archive.object_id) if archive else None
        return archive is None or (stored is not None and self._there(stored.id))

    def _move(self, archive: LogArchive, stored: SealedObject, old: list[LoggedEntry]) -> bool:
        with self._database.write() as records:
            fence(records)
            current = records.find(
                LoggedEntry, order="index", lock=True, index__ge=archive.first, index__lt=archive.stop
            )
            unchanged = [e.revealed for e in current] == [e.revealed for e in old]
            if not unchanged or _covered(records) != archive.first:
                return False
            records.add(stored, archive)
            for logged in old:
                if logged.revealed:
                    records.change(logged, revealed={})
            details: Details = {"first": archive.first, "stop": archive.stop, "archive": archive.id}
            records.add(entry("log.archived", WORKER, archive.created_at, self._random, details=details))
        return True

    def _rewrite(self, archive_id: str, recipient_id: str, entry_id: str) -> bool:
        while True:
            with self._database.read() as records:
                archive = records.get(LogArchive, archive_id)
                if archive is None:
                    return False
                concerned = {
                    logged.index
                    for logged in records.find(
                        LoggedEntry, recipient=recipient_id, index__ge=archive.first, index__lt=archive.stop
                    )
                    if logged.kind != KIND
                }
            held = self._read(archive_id)
            left = {
                index: without_values(values, entry_id) if index in concerned else values
                for index, values in held.items()
            }
            if left == held:
                return False
            stored, _ = self._objects.put(ROLE, OWNER, archive_id, _lines(iter(left.items())))
            now = self._clock()
            with self._database.write() as records:
                changed = records.change(
                    archive, expect={"object_id": archive.object_id}, object_id=stored.id
                )
                if changed is not None:
                    records.add(stored)
                    owe(records, archive.object_id, now, self._random)
            if changed is not None:
                return True
            self._objects.discard(stored)  # somebody else rewrote it meanwhile: once more, from theirs

    def _read(self, archive_id: str) -> dict[int, Revealed]:
        while True:
            stored = self._stored(archive_id)
            try:
                content = b"".join(self._objects.open(stored).read())
            except BlobMissing:
                if not self._superseded(archive_id, stored):
                    raise
                continue
            lines = [json.loads(line) for line in content.splitlines()]
            return {line["index"]: line["revealed"] for line in lines}

    def _stored(self, archive_id: str) -> SealedObject:
        with self._database.read() as records:
            archive = records.get(LogArchive, archive_id)
            stored = records.get(SealedObject, archive.object_id) if archive else None
        if stored is None:
            raise BlobMissing(f"{PREFIX}{ROLE}")
        return stored

    def _superseded(self, archive_id: str, missing: SealedObject) -> bool:
        """Whether another object stands for the missing one: rewritten meanwhile, or before a backup was restored."""
        if self._stored(archive_id).id != missing.id:
            return True
        found = self._newest(archive_id)
        if found is None:
            return False
        with self._database.write() as records:
            archive = records.get(LogArchive, archive_id, lock=True)
            if archive is not None and archive.object_id == missing.id:
                records.add(found)
                records.change(archive, object_id=found.id)
                records.remove(SealedObject, id=missing.id)
        return True

    def _newest(self, archive_id: str) -> SealedObject | None:
        """What the store's sidecars say of the newest object of this archive."""
        blobs = [blob for blob in self._store.list(f"{PREFIX}{ROLE}/") if blob.key.endswith(SIDECAR)]
        for blob in sorted(blobs, key=lambda blob: blob.modified, reverse=True):
            object_id = blob.key.rsplit("/", 1)[-1].removesuffix(SIDECAR)
            sidecar = self._sidecar(object_id)
            if sidecar.owner_id == archive_id and self._there(object_id):
                size = sealing.plain_size(sidecar.sealed_size)
                place = (sidecar.role, sidecar.owner_kind, archive_id)
                return SealedObject(
                    object_id, *place, size, sidecar.wrapped_key, sidecar.master_id, blob.modified
                )
        return None

    def _sidecar(self, object_id: str) -> Sidecar:
        return Sidecar.decode(b"".join(self._store.read(f"{PREFIX}{ROLE}/{object_id}{SIDECAR}")))

    def _there(self, object_id: str) -> bool:
        try:
            return self._store.size(f"{PREFIX}{ROLE}/{object_id}") > 0
        except BlobMissing:
            return False


def _covered(records: Records) -> int:
    """The first index that no archive covers."""
    last = records.find(LogArchive, order="-first", limit=1)
    return last[0].stop if last else 0


def _containing(records: Records, index: int) -> LogArchive | None:
    found = records.find(LogArchive, order="-first", limit=1, first__le=index)
    return found[0] if found and index < found[0].stop else None


def _lines(revealed: Iterator[tuple[int, Revealed]]) -> Iterator[bytes]:
    for index, values in revealed:
        if values:
            yield json.dumps({"index": index, "revealed": values}).encode() + b"\n"
