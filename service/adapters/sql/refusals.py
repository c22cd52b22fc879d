"""Errors of drivers and SQLAlchemy, told in the words of the port.

No message and no cause holds a value of a row: a driver's own text does (PostgreSQL names the value that was
taken), so the cause is made anew from the parts that cannot.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import exc

from service.ports import DatabaseUnavailable, Held, Taken

UNIQUE = frozenset({"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID"})
"""The names by which SQLite says that a value is taken; PostgreSQL has one class for it."""

BUSY = frozenset({"SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_BUSY_TIMEOUT"})
"""The names by which SQLite says that another connection holds the file; PostgreSQL has `lock_not_available`."""


class RecordRefused(ValueError):
    """A record breaks a rule of the schema (a closed set, a reference, a size): a mistake of the program."""


class DriverError(Exception):
    """What the driver said, without any value: its class, its code and the name of a constraint."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn what SQLAlchemy raises inside into `Taken`, `DatabaseUnavailable` or `ValueError`."""
    try:
        yield
    except exc.DBAPIError as error:
        raise _translation(error) from _cause(error.orig)
    except exc.TimeoutError as error:
        raise DatabaseUnavailable(
            "All connections to the database were in use for too long; ask again, or allow more of them."
        ) from error
    except exc.PendingRollbackError as error:
        raise DatabaseUnavailable("The connection was lost within a transaction; begin it anew.") from error
    except exc.StatementError as error:
        if isinstance(error.orig, ValueError | TypeError):  # of our own types, before the database was asked
            raise ValueError(str(error.orig)) from None
        raise


def _translation(error: exc.DBAPIError) -> Exception:
    rule = _rule(error.orig)
    if isinstance(error, exc.IntegrityError):
        if isinstance(error.orig, psycopg.errors.UniqueViolation) or _sqlite_name(error.orig) in UNIQUE:
            return Taken(f"This is there already: {rule}.")
        return RecordRefused(f"The schema refuses this record: {rule}.")
    if isinstance(error.orig, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn) or (
        isinstance(error.orig, sqlite3.OperationalError)
        and str(error.orig).startswith(("no such table", "no such column"))
    ):
        return DatabaseUnavailable(
            "The database has another schema than this program: run `sealmark migrate`."
        )
    if isinstance(error, exc.DataError | exc.ProgrammingError):
        return RecordRefused("A value does not fit its column.")
    if isinstance(error.orig, psycopg.errors.LockNotAvailable) or _sqlite_name(error.orig) in BUSY:
        return Held("Another transaction held what was needed for too long; ask again.")
    return DatabaseUnavailable("The database did not do its work; see that it runs and has space.")


def _rule(driver: object) -> str:
    """The constraint (PostgreSQL) or its columns (SQLite); neither text ever holds a value."""
    if isinstance(driver, psycopg.Error):
        return driver.diag.constraint_name or type(driver).__name__
    return str(driver) if isinstance(driver, sqlite3.IntegrityError) else type(driver).__name__


def _sqlite_name(driver: object) -> str | None:
    return getattr(driver, "sqlite_errorname", None)


def _cause(driver: object) -> DriverError:
    said = type(driver).__name__
    if isinstance(driver, psycopg.Error):
        primary = driver.diag.message_primary or str(driver)
        code = f"{said} {driver.sqlstate or ''} {driver.diag.constraint_name or ''}"
        # The texts of the other classes quote what they could not accept.
        return DriverError(
            f"{code} {primary if isinstance(driver, psycopg.OperationalError) else ''}".strip()
        )
    return DriverError(f"{said} {_sqlite_name(driver) or ''} {driver}")
