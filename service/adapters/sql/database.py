"""`service.ports.Database` on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from service.adapters.sql import grants
from service.adapters.sql.engines import THREADS, open_engines
from service.adapters.sql.refusals import translated
from service.adapters.sql.tables import rate_windows
from service.adapters.sql.transaction import SqlRecords
from service.ports import EntryGuard, Grant, Window

_PING = text(
    "INSERT INTO readiness (name, count) VALUES ('write', 1) "
    "ON CONFLICT (name) DO UPDATE SET count = readiness.count + 1"
)


_NO_WAIT = text("SET LOCAL synchronous_commit = off")
"""PostgreSQL, for this transaction: committed and seen by all, without waiting for the disk."""


class _Open(threading.local):
    """The connection of the write that is open in this thread, if any: what begins within it is part of it."""

    connection: Connection | None = None


class SqlDatabase:
    """Records in SQLite or PostgreSQL, by URL. Safe to use from many threads; make it after a fork.

    Waits are bounded (`engines.WAIT` and its neighbours) and end in `DatabaseUnavailable`. When a call inside
    a block has raised, that block can only be left: nothing of it is kept.
    """

    def __init__(self, url: str, *, password: str | None = None, threads: int = THREADS) -> None:
        """See `engines.open_engines`; `threads` of this process may ask at once.

        `guard`, set when the parts are put together, is asked before an entry of the log is added.
        """
        self.engines = open_engines(url, password, threads)
        self.guard: EntryGuard | None = None
        self._open = _Open()

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engines.writing.dialect.name

    @contextmanager
    def read(self) -> Iterator[SqlRecords]:
        """See `Database.read`."""
        with translated():
            if self._open.connection is not None:
                yield SqlRecords(self._open.connection, writable=False)
            else:
                with self.engines.reading.begin() as connection:
                    yield SqlRecords(connection, writable=False)

    @contextmanager
    def write(self) -> Iterator[SqlRecords]:
        """See `Database.write`. SQLite has one writer at a time; PostgreSQL locks rows.

        A write within a write is a savepoint: left by an exception, it alone is undone.
        """
        with translated():
            if self._open.connection is not None:
                with self._open.connection.begin_nested():
                    yield from self._records(self._open.connection)
            else:
                if self.guard is not None:
                    self.guard.refresh()
                with self.engines.writing.begin() as connection:
                    self._open.connection = connection
                    try:
                        yield from self._records(connection)
                    finally:
                        self._open.connection = None

    def grant(self, share_id: str, link_hash: str | None, now: datetime) -> Grant | None:
        """See `Database.grant`. Within a write of this thread it sees that write."""
        return self.grants({share_id: link_hash}, now).get(share_id)

    def grants(self, asked: Mapping[str, str | None], now: datetime) -> dict[str, Grant]:
        """See `Database.grants`. Within a write of this thread it sees that write."""
        with translated():
            if self._open.connection is not None:
                return grants.load(self._open.connection, asked, now)
            with self.engines.asking.connect() as connection:
                return grants.load(connection, asked, now)

    def count(self, windows: Sequence[Window]) -> int | None:
        """See `Counters.count`. In a transaction of its own, so never within a write of this thread."""
        if self._open.connection is not None:
            raise RuntimeError("count before the write begins: SQLite has one writer")
        insert = sqlite_insert if self.dialect == "sqlite" else postgresql_insert
        statement = insert(rate_windows)
        counting = statement.on_conflict_do_update(
            index_elements=["key"], set_={"count": rate_windows.c.count + 1}
        ).returning(rate_windows.c.count)
        # In the order of the keys, so that no two transactions wait for each other.
        places = sorted(range(len(windows)), key=lambda place: windows[place].counted.key)
        with translated(), self.engines.counting.connect() as connection:
            if self.dialect != "sqlite":
                connection.execute(_NO_WAIT)
            for place in places:
                counted = connection.execute(counting, asdict(windows[place].counted)).scalar_one()
                if counted > windows[place].number:
                    connection.rollback()
                    return place
            connection.commit()
        return None

    def ping_write(self) -> None:
        """Write one row durably: the database is ready. Raises `DatabaseUnavailable`."""
        with translated(), self.engines.writing.begin() as connection:
            connection.execute(_PING)

    def dispose(self) -> None:
        """Close all connections."""
        self.engines.dispose()

    def _records(self, connection: Connection) -> Iterator[SqlRecords]:
        """The records of a block that may commit only when no call in it has failed."""
        records = SqlRecords(connection, writable=True, guard=self.guard)
        yield records
        records.close()
