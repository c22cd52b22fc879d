"""`service.ports.Database` on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, text

from service.adapters.sql import grants
from service.adapters.sql.engines import THREADS, open_engines
from service.adapters.sql.refusals import translated
from service.adapters.sql.transaction import SqlRecords
from service.ports import EntryGuard, Grant

_PING = text(
    "INSERT INTO readiness (name, count) VALUES ('write', 1) "
    "ON CONFLICT (name) DO UPDATE SET count = readiness.count + 1"
)


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
