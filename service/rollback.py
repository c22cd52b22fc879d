"""Is this database older than what was signed? A restored backup lacks entries that the log has vouched for.

The row of a checkpoint is durable before the store has it. So the newest checkpoint of the store is a row of the
database, or the database has gone back; then nothing that needs an entry happens until `sealmark log recover`.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

from crypto.logcheck import CheckFailed, Checkpoint
from service.audit import Clock
from service.blobs import BlobMissing, BlobStore, StoreError
from service.ports import Database, DatabaseUnavailable
from service.records import LogCheckpoint

log = logging.getLogger("sealmark.rollback")

LATEST = "log/latest"
"""Where the store keeps the newest checkpoint."""

MAX_NOTE = 64 * 1024
"""Bytes of a checkpoint that are read: one of 100 signatures has about 20,000."""

LOOK_EVERY = timedelta(seconds=10)
"""How long a process may go on after its database went back: a restore takes longer, and the look is one small read."""


class DatabaseBehind(DatabaseUnavailable):
    """The database lacks what was signed, or that could not be found out yet. Nothing was written."""


class Rollback:
    """Compares the database with the store's newest checkpoint, at most every `LOOK_EVERY`. Safe in many threads."""

    def __init__(self, database: Database, store: BlobStore, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._lost: Checkpoint | None = None

    def refresh(self) -> None:
        """Look anew when the last look is old. One thread does; the others go on with what is known.

        A store that is away changes nothing that is known. Raises `DatabaseUnavailable`.
        """
        now = self._clock()
        if self._is_fresh(now) or not self._lock.acquire(blocking=self._looked_at is None):
            return
        try:
            if not self._is_fresh(now):
                self._tried_at = now
                self._lost, self._looked_at = self._look(), now
        except StoreError:
            log.warning("the store did not say what the log signed last", exc_info=True)
        finally:
            self._lock.release()

    def require(self) -> None:
        """Raise `DatabaseBehind` unless the database has all that was signed."""
        if self._looked_at is None:
            raise DatabaseBehind(
                "The store did not answer, so it is not known whether the database has all that the log signed. "
                "Try again when the store is there."
            )
        if self._lost is not None:
            raise DatabaseBehind(
                f"The database is older than the checkpoint of {self._lost.size} entries in the store: restore a newer "
                "backup, or run `sealmark log recover`."
            )

    def require_now(self) -> None:
        """The same, after a look now. Raises `StoreError` too."""
        self._lost, self._looked_at = self._look(), self._clock()
        self._tried_at = self._looked_at
        self.require()

    def lost(self) -> Checkpoint | None:
        """The store's newest checkpoint when the database lacks it, by a look now. Raises `StoreError`."""
        return self._look()

    def accept(self) -> None:
        """Take the database for whole until the next look: who recovers it calls this within the transaction."""
        self._lost, self._looked_at = None, self._clock()
        self._tried_at = self._looked_at

    def forget(self) -> None:
        """Know nothing, so that the next write looks."""
        self._looked_at = self._tried_at = None

    def _is_fresh(self, now: datetime) -> bool:
        return self._tried_at is not None and abs(now - self._tried_at) < LOOK_EVERY

    def _look(self) -> Checkpoint | None:
        latest = read_latest(self._store)
        if latest is None:
            return None
        with self._database.read() as records:
            found = records.find(LogCheckpoint, origin=latest.origin, size=latest.size, limit=1)
        return None if found and found[0].root == latest.root else latest


def read_latest(store: BlobStore) -> Checkpoint | None:
    """The store's newest checkpoint, if it has one; its signatures are not verified.

    Raises `StoreError`, and `DatabaseBehind` when it is none.
    """
    try:
        return Checkpoint.decode(b"".join(store.read(LATEST, 0, MAX_NOTE)).decode())
    except BlobMissing:
        return None
    except (CheckFailed, UnicodeDecodeError) as error:
        raise DatabaseBehind(f"{LATEST} in the store is no checkpoint: restore it from a copy.") from error
