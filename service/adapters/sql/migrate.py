"""Schema changes: explicit, one at a time, whole or not at all; and the check that the schema is ours."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from service.adapters.sql.database import SqlDatabase
from service.adapters.sql.refusals import translated

MIGRATIONS = Path(__file__).parent / "migrations"

LOCK = 0x5EA1_3A2C
"""The advisory lock that migrations of one PostgreSQL database take: any number that is only ours."""

LOCK_WAIT = "60s"
"""How long a migration waits for one that runs (several containers start at once), or for a busy table."""


class WrongSchema(Exception):
    """The database's schema is not the one that this program works with."""

    def __init__(self, found: str | None, expected: str) -> None:
        known = found is None or found in _revisions()
        super().__init__(
            f"The database has schema {found or 'none'}, this program needs {expected}: "
            + ("run `sealmark migrate`." if known else "it belongs to a newer program; run that one.")
        )
        self.found = found
        self.expected = expected


def migrate(url: str, password: str | None = None) -> str:
    """Bring the database to the newest schema; returns its revision.

    One transaction under a lock: all of it is done afterwards or nothing, and of several at once the first
    does the work. Raises `DatabaseUnavailable`.
    """
    database = SqlDatabase(url, password=password, threads=1)
    try:
        # On SQLite the transaction begins IMMEDIATE: it is the lock.
        with translated(), database.engines.writing.begin() as connection:
            if database.dialect == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'"))
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        database.dispose()
    return head_revision()


def current_revision(database: SqlDatabase) -> str | None:
    """The revision of the database's schema; None when it has none. Raises `DatabaseUnavailable`."""
    with translated(), database.engines.reading.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head_revision() -> str:
    """The revision of the schema that this program works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise RuntimeError(f"no migrations in {MIGRATIONS}: the package is damaged, install it again")
    return head


def require_current(database: SqlDatabase) -> None:
    """Raise `WrongSchema` unless the database has the schema that this program works with."""
    found, expected = current_revision(database), head_revision()
    if found != expected:
        raise WrongSchema(found, expected)


def _revisions() -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
