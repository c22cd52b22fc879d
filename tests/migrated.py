"""Databases that are migrated already, for tests whose subject is not the migration: made once, then copied.

Migrating costs a few hundred milliseconds, a copy a few; some thousand tests want one each.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from service.adapters.sql.migrate import migrate
from tests.servers.postgresql import PostgresqlServer


def migrated_sqlite(path: Path) -> str:
    """The URL of a new migrated database in this file, as `migrate` itself would leave it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(_sqlite(os.getpid()), path)
    path.chmod(0o600)
    return f"sqlite:///{path}"


def migrated_postgresql(server: PostgresqlServer, *, log_statements: bool = False) -> str:
    """The URL of a new migrated database of this server."""
    return server.fresh_database(log_statements, template=_postgresql(server))


@cache
def _sqlite(process: int) -> Path:
    path = Path(tempfile.mkdtemp(prefix=f"sealmark-migrated-{process}-")) / "sealmark.db"
    migrate(f"sqlite:///{path}")
    return path


@cache
def _postgresql(server: PostgresqlServer) -> str:
    url = server.fresh_database()
    migrate(url)
    return url.rsplit("/", 1)[1]
