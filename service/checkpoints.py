"""Checkpoints: the log signs how far it has come, so that what others hold of it shows any later change.

In this order: the row, the store, then published. A process that dies in between leaves a row that the next round of
any process stores. What was signed once is never contradicted: before each signature the roots of the last checkpoint
and of now are computed anew from the stored nodes, and the store's newest checkpoint must be a row (`rollback`).
"""

from __future__ import annotations

import logging
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

from crypto import identifiers, merkle, notes
from crypto.errors import TreeBroken
from crypto.logcheck import NoteKey
from service.audit import Actor, Clock, Details, Random, entry
from service.blobs import BlobStore
from service.errors import DomainError, Problem
from service.keys import NamedKeys
from service.ports import Database, Records, Taken
from service.records import InboxEntry, LogCheckpoint, LoggedEntry, LogState, Throttle
from service.rollback import LATEST, Rollback
from service.sequencer import LOG, Sequencer, locked_state
from service.tree import from_nodes

log = logging.getLogger("sealmark.checkpoints")

SIGN_AFTER = timedelta(seconds=60)
"""How long an entry waits for a checkpoint over it, at most."""

SIGN_COUNT = 256
"""How many entries wait for one, at most."""

SIGN_EVERY = timedelta(seconds=1)
"""How soon one follows another, at least: each goes to the store, to witnesses and to a bucket that keeps it long."""

HEARTBEAT_AFTER = timedelta(hours=1)
"""After how much silence an entry says that the log lives."""

COSIGN_CLAIM = timedelta(hours=1)
"""How long nobody else asks witnesses for one checkpoint: longer than it is the newest."""

PREFIX = "log/checkpoints/"

WORKER = Actor("worker")


class LockedStore(Protocol):
    """A bucket whose objects nobody can delete or overwrite before their time; `service.adapters.lockedbucket`."""

    def put(self, key: str, content: bytes) -> None:
        """Keep the object. Raises `StoreError`, also where the bucket does not lock."""


class Cosigner(Protocol):
    """Witnesses, and others who are sent checkpoints; `service.witnessing`."""

    def cosign(self, checkpoint: LogCheckpoint, proof: Callable[[int], list[bytes]]) -> str:
        """The note with the signatures of those that gave one. `proof` is from an older size to this one."""


class Checkpoints:
    """Signs, stores and publishes checkpoints. Safe in any number of processes."""

    def __init__(
        self,
        database: Database,
        store: BlobStore,
        keys: NamedKeys,
        rollback: Rollback,
        sequencer: Sequencer,
        host: str,
        clock: Clock,
        random: Random,
        *,
        locked: LockedStore | None = None,
        cosigner: Cosigner | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`host` begins the name of each origin; `pause` waits for so many seconds."""
        self._database = database
        self._store = store
        self._keys = keys
        self._rollback = rollback
        self._sequencer = sequencer
        self._host = host
        self._clock = clock
        self._random = random
        self._locked = locked
        self._cosigner = cosigner
        self._pause = pause
        self._cosigned: str | None = None

    def run_once(self) -> None:
        """One round of the worker: a heartbeat, a checkpoint, its way out; each if it is due."""
        self._beat()
        self._publish_pending()
        if self._due():
            self._sign()
            self._publish_pending()
        self._cosign_newest()
        self._lock_pending()

    def cover(self) -> LogCheckpoint:
        """A published checkpoint over every entry that has its place now, signed if need be.

        It may wait up to `SIGN_EVERY`, and not for entries that come meanwhile. Raises `DatabaseUnavailable`,
        `StoreError`, `TreeBroken`, `DomainError`.
        """
        self._rollback.require_now()
        wanted: int | None = None
        while True:
            with self._database.read() as records:
                state, last = records.get(LogState, LOG), self._last(records)
                if state is not None:
                    _require_consistent(records, state, last)
            size = state.size if state else 0
            wanted = size if wanted is None else wanted
            if last is not None and last.size >= wanted:
                break
            wait = SIGN_EVERY - (self._clock() - last.signed_at) if last else timedelta(0)
            if wait > timedelta(0):
                self._pause(min(wait, SIGN_EVERY).total_seconds())
            with suppress(Taken):  # another process made the row of a new log at the same moment
                self._sign(spaced=False)
        self._publish_pending()
        with self._database.read() as records:
            return records.get(LogCheckpoint, last.id) or last

    def published(self) -> LogCheckpoint | None:
        """The newest one that the store has, too."""
        with self._database.read() as records:
            state = records.get(LogState, LOG)
            if state is None or state.origin is None:
                return None
            found = records.find(
                LogCheckpoint, origin=state.origin, stored_at__ne=None, order="-size", limit=1
            )
        return found[0] if found else None

    def public_keys(self) -> list[NoteKey]:
        """The keys that sign now, under the log's origin, the newest first. None before the first checkpoint."""
        with self._database.read() as records:
            state = records.get(LogState, LOG)
        if state is None or state.origin is None:
            return []
        signers = self._keys.log_signers(self._clock())
        return [notes.public_key(state.origin, key.secret) for key in reversed(signers)]

    def consistency(self, old: int, size: int) -> list[bytes]:
        """The proof that the first `old` entries begin the first `size` ones. Raises `ValueError`, `TreeBroken`."""
        with self._database.read() as records:
            return from_nodes(records, lambda read: merkle.consistency_proof(old, size, read))

    def recover(self, actor: Actor) -> str:
        """Go on with a database that went back, under a new origin whose first entry quotes what was lost.

        Returns the new origin. Raises `DomainError` (wrong-state) when nothing is lost.
        """
        lost = self._rollback.lost()
        if lost is None:
            raise DomainError(
                Problem.WRONG_STATE, "The database has all that the log signed: nothing is lost."
            )
        while self._sequencer.run_once():
            pass
        now = self._clock()
        origin = self._new_origin()
        try:
            with self._database.write() as records:
                state = locked_state(records)
                if records.find(InboxEntry, limit=1):
                    raise DomainError(
                        Problem.BUSY, "Entries came in meanwhile: stop the other processes first."
                    )
                self._rollback.accept()
                records.add(self._lost_row(lost.origin, lost.size, lost.root, now))
                details: Details = {
                    "origin": origin,
                    "lost_origin": lost.origin,
                    "lost_size": lost.size,
                    "lost_root": b64encode(lost.root).decode(),
                }
                records.add(entry("log.recovered", actor, now, self._random, details=details))
                records.change(state, origin=origin, began=state.size)
        except BaseException:
            self._rollback.forget()
            raise
        while self._sequencer.run_once():
            pass
        self.cover()
        return origin

    def _beat(self) -> None:
        """Append a heartbeat when the log was silent for long."""
        now = self._clock()
        with self._database.read() as records:
            state = records.get(LogState, LOG)
        if state is None or state.size == 0 or now - state.sequenced < HEARTBEAT_AFTER:
            return
        with self._database.write() as records:
            state = locked_state(records)
            if now - state.sequenced >= HEARTBEAT_AFTER and not records.find(InboxEntry, limit=1):
                records.add(entry("log.heartbeat", WORKER, now, self._random))

    def _due(self) -> bool:
        now = self._clock()
        with self._database.read() as records:
            state, last = records.get(LogState, LOG), self._last(records)
            covered = last.size if last else 0
            if state is None or state.size == covered or (last and now - last.signed_at < SIGN_EVERY):
                return False
            if state.size - covered >= SIGN_COUNT:
                return True
            waiting = records.find(LoggedEntry, index=covered, limit=1)
            return not waiting or now - waiting[0].sequenced >= SIGN_AFTER

    def _last(self, records: Records) -> LogCheckpoint | None:
        state = records.get(LogState, LOG)
        if state is None or state.origin is None:
            return None
        found = records.find(LogCheckpoint, origin=state.origin, order="-size", limit=1)
        return found[0] if found else None

    def _sign(self, *, spaced: bool = True) -> None:
        """A row for the log as it is now, unless the last one is younger than `SIGN_EVERY` and they are to be `spaced`.

        Raises `TreeBroken`, `DatabaseBehind` rather than contradict what was signed.
        """
        self._rollback.require_now()
        now = self._clock()
        with self._database.write() as records:
            state, last = locked_state(records), self._last(records)
            if last is not None and spaced and now - last.signed_at < SIGN_EVERY:
                return  # another process was faster
            _require_consistent(records, state, last)
            if last is not None and last.size == state.size:
                return
            origin = state.origin
            if origin is None:
                origin = self._new_origin()
                records.change(state, origin=origin)
            text = notes.checkpoint_text(origin, state.size, state.root)
            signers = self._keys.log_signers(last.signed_at if last else None)
            lines = [notes.sign(text, origin, key.secret) for key in signers]
            records.add(
                LogCheckpoint(
                    id=identifiers.new_id("chk", self._random(16)),
                    origin=origin,
                    size=state.size,
                    root=state.root,
                    note=notes.note(text, *lines),
                    signed_at=now,
                )
            )

    def _publish_pending(self) -> None:
        with self._database.read() as records:
            pending = records.find(LogCheckpoint, stored_at=None, order="size")
        for checkpoint in pending:
            self._store_note(checkpoint, checkpoint.note)
            with self._database.write() as records:
                records.change(checkpoint, stored_at=self._clock())

    def _store_note(self, checkpoint: LogCheckpoint, note: str) -> None:
        """Afterwards the store has the checkpoint, and as its newest that of the database, whoever else is at it.

        Raises `DatabaseBehind`: a restored backup must not overwrite what shows that it is old.
        """
        self._rollback.require_now()
        self._store.put(blob_key(checkpoint), [note.encode()])
        put: str | None = None
        while True:
            with self._database.read() as records:
                newest = self._last(records) or checkpoint
            if newest.id == put:
                return
            text = note if newest.id == checkpoint.id else newest.note
            self._store.put(LATEST, [text.encode()])
            put = newest.id

    def _cosign_newest(self) -> None:
        """Have the newest published checkpoint countersigned, by one process: who pulls the log never waits for it."""
        checkpoint = self.published()
        if self._cosigner is None or checkpoint is None or checkpoint.id == self._cosigned:
            return
        self._cosigned = checkpoint.id
        claim = Throttle(f"cosign:{checkpoint.id}", self._clock() + COSIGN_CLAIM)
        try:
            with self._database.write() as records:
                records.add(claim)
        except Taken:
            return  # another process asks; if it dies, the next checkpoint is countersigned
        note = self._cosigner.cosign(checkpoint, lambda old: self.consistency(old, checkpoint.size))
        if note != checkpoint.note:
            self._store_note(checkpoint, note)
            with self._database.write() as records:
                records.change(checkpoint, note=note)

    def _lock_pending(self) -> None:
        """Put what the store has into the locked bucket, too, with the signatures of witnesses."""
        if self._locked is None:
            return
        with self._database.read() as records:
            pending = records.find(
                LogCheckpoint, locked_at=None, stored_at__ne=None, order="size", limit=SIGN_COUNT
            )
        for checkpoint in pending:
            self._locked.put(blob_key(checkpoint), checkpoint.note.encode())
            with self._database.write() as records:
                records.change(checkpoint, locked_at=self._clock())

    def _lost_row(self, origin: str, size: int, root: bytes, now: datetime) -> LogCheckpoint:
        """The store's checkpoint as a row: it was signed, and from now on the database knows of it."""
        note = b"".join(self._store.read(LATEST)).decode()
        made = identifiers.new_id("chk", self._random(16))
        return LogCheckpoint(made, origin, size, root, note, signed_at=now, stored_at=now)

    def _new_origin(self) -> str:
        return f"{self._host}/{identifiers.new_id('log', self._random(16))}"


def blob_key(checkpoint: LogCheckpoint) -> str:
    """Where the store and the locked bucket keep it."""
    return f"{PREFIX}{checkpoint.origin.rsplit('/', 1)[1]}/{checkpoint.size:016d}"


def _require_consistent(records: Records, state: LogState, last: LogCheckpoint | None) -> None:
    for size, root in [(state.size, state.root), *([(last.size, last.root)] if last else [])]:
        if from_nodes(records, lambda read, size=size: merkle.root(size, read)) != root:  # type: ignore[misc]
            raise TreeBroken(
                f"the log's tree of {size} entries is not the one that it was: restore the database"
            )
    if last is not None and last.size > state.size:
        raise TreeBroken(f"the log signed {last.size} entries and has {state.size}: restore the database")
