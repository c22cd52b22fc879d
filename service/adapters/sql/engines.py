"""Connections to the two databases, and what each must promise: durable commits and bounded waits.

An `Engines` has four ways in: `reading` (one moment, changes nothing), `writing` (durable at its end), `asking` (one
statement, which is one moment by itself) and `counting` (seen by all at its end, and durable a little later).
"""

from __future__ import annotations

import math
import os
import sqlite3
import stat
import tempfile
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import ArgumentError, InvalidatePoolError

from service.ports import DatabaseUnavailable

THREADS = 16
"""Connections a process keeps at most: one for each thread of a web process, which never holds two."""

WAIT = 5.0
"""Seconds to wait for another writer, a locked row or a free connection. A write takes milliseconds, so this
is a queue of hundreds; who waits longer is told to come back rather than kept."""

STATEMENT_TIMEOUT = 10.0
"""Seconds that PostgreSQL works on one statement. The longest, a page of the log, takes well below one."""

IDLE_TIMEOUT = 60.0
"""Seconds after which PostgreSQL ends a transaction whose process hangs, so its locks do not stay."""

CONNECT_TIMEOUT = 3
"""Seconds to connect to PostgreSQL: libpq's least is 2, and a readiness check waits for it."""

UNANSWERED_TIMEOUT = 10.0
"""Seconds after which a silent peer counts as gone, while data is under way (Linux) or by keepalives."""

PING_AFTER = 1.0
"""Seconds without use after which a connection to PostgreSQL is tried before it is used again. One that is lost within
them fails one request, and all others of the process are made anew; trying each was a fifth of a grant's messages."""

FOLDER_MODE, FILE_MODE = 0o700, 0o600

LAST_USE = "last use"
"""Under this name a pooled connection carries when it was given back."""

DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}


@dataclass(frozen=True)
class Engines:
    """The ways into one database."""

    reading: Engine
    writing: Engine
    asking: Engine
    counting: Engine

    def dispose(self) -> None:
        """Close all connections that are not in use."""
        self.reading.dispose()
        self.writing.dispose()
        self.counting.dispose()


def open_engines(url: str, password: str | None = None, threads: int = THREADS) -> Engines:
    """The engines of `sqlite:///path` or `postgresql+psycopg://user@host/name`.

    Makes an absent SQLite file (mode 0600) and its folder (0700), or raises `DatabaseUnavailable`. PostgreSQL
    is not connected to yet. Any other URL is a `ValueError` that does not repeat it: it might hold a password.
    """
    parsed = parse(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, threads)
    return _postgresql(parsed if password is None else parsed.set(password=password), threads)


def parse(url: str) -> URL:
    """The URL with its driver made explicit. Raises `ValueError` for what is neither database."""
    wanted = "use sqlite:///path/to/file or postgresql+psycopg://user@host/name"
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError(f"the database's URL cannot be read: {wanted}") from None
    driver = DRIVERS.get(parsed.drivername.partition("+")[0])
    if driver is None or parsed.drivername not in (driver, driver.partition("+")[0]):
        raise ValueError(f"this is no database that is supported: {wanted}")
    if driver == DRIVERS["sqlite"] and parsed.database in (None, "", ":memory:"):
        raise ValueError("a database in memory is not durable: use sqlite:///path/to/file")
    return parsed.set(drivername=driver)


def _sqlite(url: URL, threads: int) -> Engines:
    _make_file(Path(str(url.database)))
    options: dict[str, Any] = {
        "hide_parameters": True,
        "connect_args": {"timeout": WAIT},  # the busy timeout
        "pool_timeout": WAIT,
        "max_overflow": 0,
    }
    reading = create_engine(url, pool_size=threads, **options)
    # One connection: the threads of a process queue for it in order, instead of polling for the file's lock.
    writing = create_engine(url, pool_size=1, **options)
    counting = create_engine(url, pool_size=1, **options)
    for engine, begin in ((reading, "BEGIN"), (writing, "BEGIN IMMEDIATE"), (counting, "BEGIN IMMEDIATE")):
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _beginner(begin))
    # In WAL mode a commit is then not synced; the next one of `writing` syncs it too.
    event.listen(counting, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = NORMAL"))
    event.listen(reading, "connect", lambda connection, _: connection.execute("PRAGMA query_only = ON"))
    engines = Engines(reading, writing, reading, counting)
    event.listen(writing, "handle_error", _reopener(engines))
    return engines


def _reopener(engines: Engines) -> Any:
    """Closes all connections of this process when SQLite says that it can only read.

    A file that could not be opened to be written (too many are open, say) is opened to be read only, and all
    connections of the process share that until the last of them is closed.
    """

    def reopen(context: ExceptionContext) -> None:
        said = getattr(context.original_exception, "sqlite_errorname", "")
        if said.startswith("SQLITE_READONLY"):
            if context.execution_context is not None:
                context.execution_context.cursor.close()  # a statement would keep its connection open beyond its end
            context.is_disconnect = True
            engines.dispose()

    return reopen


def _beginner(statement: str) -> Any:
    def begin(connection: Any) -> None:
        connection.exec_driver_sql(statement)

    return begin


def _make_file(path: Path) -> None:
    """Make the file if it is absent: whole, as an empty database in WAL mode that only this user reads.

    An existing file is never opened here: closing it would drop the locks that SQLite holds in this process.
    """
    try:
        if path.exists():
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                path.chmod(FILE_MODE)
            return
        if not path.parent.exists():
            path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
            made = Path(folder) / path.name
            made.touch(mode=FILE_MODE)
            with closing(sqlite3.connect(made)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
            with suppress(FileExistsError):  # another process was faster
                path.hardlink_to(made)
        _sync(path.parent)
    except OSError as error:
        raise DatabaseUnavailable(
            f"The database's file {path} cannot be made: {error.strerror}. Give this user its folder."
        ) from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _prepare_sqlite(connection: Any, _: Any) -> None:
    """What holds for each connection. The driver's own implicit BEGIN is off: the `begin` event says it."""
    connection.isolation_level = None
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # each commit is synced
    connection.execute("PRAGMA fullfsync = ON")  # macOS: through the drive's cache; nothing elsewhere
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # what was erased does not stay in free pages


def _postgresql(url: URL, threads: int) -> Engines:
    settings = {
        "statement_timeout": f"{STATEMENT_TIMEOUT * 1000:.0f}ms",
        "lock_timeout": f"{WAIT * 1000:.0f}ms",
        "idle_in_transaction_session_timeout": f"{IDLE_TIMEOUT * 1000:.0f}ms",
        "synchronous_commit": "on",  # whatever the server's default: a commit is durable
        "timezone": "UTC",
    }
    writing = create_engine(
        url,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_size=threads,
        max_overflow=0,
        pool_timeout=WAIT,
        pool_use_lifo=True,  # the last one used knows most statements, and the rest may rest
        connect_args={
            "application_name": "sealmark",
            "connect_timeout": CONNECT_TIMEOUT,
            "tcp_user_timeout": int(UNANSWERED_TIMEOUT * 1000),
            "keepalives_idle": int(UNANSWERED_TIMEOUT),
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        },
    )
    event.listen(writing, "checkin", _note_use)
    event.listen(writing, "checkout", _tryer(writing))
    reading = writing.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Engines(reading, writing, writing.execution_options(isolation_level="AUTOCOMMIT"), writing)


def _note_use(_: Any, entry: Any) -> None:
    entry.info[LAST_USE] = time.monotonic()


def _tryer(engine: Engine) -> Any:
    """Replaces a connection that was idle and is lost, and all others with it, before anybody meets it."""

    def try_it(connection: Any, entry: Any, _: Any) -> None:
        if time.monotonic() - entry.info.get(LAST_USE, math.inf) <= PING_AFTER:  # a new one is new
            return
        try:
            engine.dialect.do_ping(connection)
        except Exception as lost:
            raise InvalidatePoolError from lost

    return try_it
