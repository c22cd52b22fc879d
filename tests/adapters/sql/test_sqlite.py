"""What SQLite promises beyond the contract: its file, its commits, one writer with a bounded wait."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from service.adapters.sql import engines
from service.adapters.sql.database import SqlDatabase
from service.ports import DatabaseUnavailable, Held
from service.records import Document
from tests.adapters.sql.samples import document
from tests.migrated import migrated_sqlite

OPEN_EXCLUSIVELY = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0)
print(connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0])
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sealmark.sqlite"


@pytest.fixture
def database(path: Path) -> Iterator[SqlDatabase]:
    database = SqlDatabase(migrated_sqlite(path))
    yield database
    database.dispose()


def pragma(database: SqlDatabase, name: str) -> list[Any]:
    """The setting as each way in has it."""
    found = []
    for engine in (database.engines.reading, database.engines.writing):
        with engine.connect() as connection:
            found.append(connection.exec_driver_sql(f"PRAGMA {name}").scalar())
    return found


def test_only_its_user_reads_the_files(database: SqlDatabase, path: Path) -> None:
    with database.write() as records:
        records.add(document())
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}

    assert modes == {path.name: 0o600, f"{path.name}-wal": 0o600, f"{path.name}-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    path.parent.mkdir()
    path.touch(mode=0o644)

    SqlDatabase(f"sqlite:///{path}").dispose()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("secure_delete", 1),
        ("fullfsync", 1),
    ],
)
def test_each_connection_commits_durably_and_checks_references(
    database: SqlDatabase, name: str, value: object
) -> None:
    assert pragma(database, name) == [value, value]


def test_the_wait_for_another_writer_is_bounded_and_named(database: SqlDatabase) -> None:
    assert pragma(database, "busy_timeout") == [engines.WAIT * 1000] * 2


def test_a_database_of_another_journal_mode_is_brought_to_wal(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE one (id)")
    database = SqlDatabase(f"sqlite:///{path}")

    assert pragma(database, "journal_mode") == ["wal", "wal"]
    database.dispose()


def test_opening_it_again_drops_no_lock_of_this_process(database: SqlDatabase, path: Path) -> None:
    with database.read() as records:
        records.find(Document)
        SqlDatabase(f"sqlite:///{path}").dispose()
        other = subprocess.run(
            [sys.executable, "-c", OPEN_EXCLUSIVELY, str(path)], capture_output=True, text=True, check=False
        )

    assert "locked" in other.stderr


@pytest.mark.parametrize("inside", [True, False], ids=["same process", "another connection"])
def test_a_writer_that_waits_too_long_is_told(
    database: SqlDatabase, path: Path, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    monkeypatch.setattr(engines, "WAIT", 0.1)
    impatient = SqlDatabase(f"sqlite:///{path}")
    holder = impatient.engines.writing if inside else database.engines.writing

    with holder.begin(), pytest.raises(DatabaseUnavailable) as caught, impatient.write():
        pass
    assert isinstance(caught.value, Held) is not inside  # inside, what is in use is the one connection

    with impatient.write() as records:
        records.add(document())
    impatient.dispose()


def test_reading_goes_on_while_one_writes(database: SqlDatabase) -> None:
    with database.engines.writing.begin(), database.read() as records:
        assert records.find(Document) == []


def test_what_is_no_database_is_unavailable(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database, but long enough to look at" * 100)
    database = SqlDatabase(f"sqlite:///{path}")

    with pytest.raises(DatabaseUnavailable), database.read() as records:
        records.find(Document)
    with pytest.raises(DatabaseUnavailable):
        database.ping_write()
    database.dispose()


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DatabaseUnavailable, match="cannot be made"):
        SqlDatabase(f"sqlite:///{tmp_path}/file/data.sqlite")


def test_a_new_file_is_closed_to_others_at_once_and_alone_in_its_folder(path: Path) -> None:
    SqlDatabase(f"sqlite:///{path}").dispose()

    assert os.listdir(path.parent) == [path.name]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite+aiosqlite:///x",
        "mysql://user:canary@host/name",
        "postgresql+asyncpg://user:canary@host/name",
        "canary",
        "postgresql://user:canary@host:port/name",
        "",
    ],
)
def test_any_other_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///") as caught:
        SqlDatabase(url)

    assert "canary" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
