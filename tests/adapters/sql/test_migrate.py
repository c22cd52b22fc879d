"""Migrations make exactly the schema of `tables.py`, once, whole or not at all."""

from __future__ import annotations

import ast
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from service.adapters.sql import migrate as migrations
from service.adapters.sql.database import SqlDatabase
from service.adapters.sql.migrate import (
    MIGRATIONS,
    WrongSchema,
    current_revision,
    head_revision,
    migrate,
    require_current,
)
from service.adapters.sql.tables import documents, metadata
from service.ports import DatabaseUnavailable
from service.records import Document
from tests.adapters.sql.samples import document
from tests.servers.postgresql import PostgresqlServer

LATER = '''"""A later one."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    op.create_table("later", sa.Column("id", sa.Text(), primary_key=True))
    {then}
'''


def schema(database: SqlDatabase) -> dict[str, Any]:
    """All that the database can say of its tables, but the revision's."""
    with database.engines.reading.connect() as connection:
        seen = inspect(connection)
        asked = (
            seen.get_columns,
            seen.get_pk_constraint,
            seen.get_foreign_keys,
            seen.get_unique_constraints,
            seen.get_check_constraints,
            seen.get_indexes,
        )
        return {
            f"{name} {ask.__name__}": json.dumps(ask(name), default=str, sort_keys=True)
            for name in seen.get_table_names()
            if name != "alembic_version"
            for ask in asked
        }


class MigrationPromises:
    """What holds on both databases. A subclass gives the fixture `urls`: two empty databases."""

    @pytest.fixture
    def urls(self) -> list[str]:
        raise NotImplementedError("given by the subclass")

    @pytest.fixture
    def database(self, urls: list[str]) -> Iterator[SqlDatabase]:
        database = SqlDatabase(urls[0])
        yield database
        database.dispose()

    @pytest.fixture
    def later(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        """A copy of the migrations to which a test can add one."""
        folder = tmp_path / "100% later"
        shutil.copytree(MIGRATIONS, folder)
        monkeypatch.setattr(migrations, "MIGRATIONS", folder)
        return folder / "versions" / "9999_later.py"

    def test_alembic_finds_no_difference(self, database: SqlDatabase, urls: list[str]) -> None:
        migrate(urls[0])

        with database.engines.reading.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, metadata) == []

    def test_not_even_a_check_or_an_order_of_sorting_differs(
        self, database: SqlDatabase, urls: list[str]
    ) -> None:
        migrate(urls[0])
        drawn = SqlDatabase(urls[1])
        metadata.create_all(drawn.engines.writing)

        assert schema(database) == schema(drawn)
        drawn.dispose()

    def test_migrating_again_changes_nothing(self, database: SqlDatabase, urls: list[str]) -> None:
        migrate(urls[0])
        before = schema(database)

        assert migrate(urls[0]) == head_revision()
        assert schema(database) == before

    def test_of_many_that_migrate_at_once_all_succeed(self, database: SqlDatabase, urls: list[str]) -> None:
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(migrate, urls[:1] * 4)) == [head_revision()] * 4

        require_current(database)

    def test_serving_without_a_schema_is_refused_with_what_to_do(self, database: SqlDatabase) -> None:
        with pytest.raises(WrongSchema, match="sealmark migrate") as caught:
            require_current(database)

        assert (caught.value.found, caught.value.expected) == (None, head_revision())

    def test_serving_an_older_schema_is_refused_with_what_to_do(
        self, database: SqlDatabase, urls: list[str], later: Path
    ) -> None:
        found = migrate(urls[0])
        later.write_text(LATER.format(revision="9999", before=found, then=""))

        with pytest.raises(WrongSchema, match="sealmark migrate"):
            require_current(database)
        assert migrate(urls[0]) == current_revision(database) == "9999"
        require_current(database)

    def test_serving_a_newer_schema_is_refused_with_what_to_do(
        self, database: SqlDatabase, urls: list[str], later: Path
    ) -> None:
        later.write_text(LATER.format(revision="9999", before=head_revision(), then=""))
        migrate(urls[0])
        later.unlink()

        with pytest.raises(WrongSchema, match="newer program"):
            require_current(database)

    def test_a_database_of_the_first_schema_keeps_what_is_in_it(
        self, database: SqlDatabase, urls: list[str], later: Path
    ) -> None:
        newer = [script for script in later.parent.glob("*.py") if not script.name.startswith("0001")]
        set_aside = {script: script.read_bytes() for script in newer}
        for script in newer:
            script.unlink()
        assert migrate(urls[0]) == "0001"
        made = asdict(document())
        first = {name: made[name] for name in made if name in FIRST_DOCUMENT}
        with database.engines.writing.begin() as connection:
            connection.execute(documents.insert().values(first))
        for script, content in set_aside.items():
            script.write_bytes(content)

        assert migrate(urls[0]) == head_revision() != "0001"
        with database.read() as records:
            assert records.find(Document) == [document()]

    def test_a_migration_that_fails_leaves_nothing_behind(
        self, database: SqlDatabase, urls: list[str], later: Path
    ) -> None:
        found = migrate(urls[0])
        before = schema(database)
        later.write_text(LATER.format(revision="9999", before=found, then="raise ZeroDivisionError"))

        with pytest.raises(ZeroDivisionError):
            migrate(urls[0])
        assert current_revision(database) == found
        assert schema(database) == before


FIRST_DOCUMENT = {"id", "name", "kind", "classification", "owner_mail", "created_at", "revoked_at"}


class TestSqlite(MigrationPromises):
    @pytest.fixture
    def urls(self, tmp_path: Path) -> list[str]:
        return [f"sqlite:///{tmp_path}/{name}.sqlite" for name in ("first", "second")]


@pytest.mark.postgresql
class TestPostgresql(MigrationPromises):
    @pytest.fixture
    def urls(self, postgresql_server: PostgresqlServer) -> list[str]:
        return [postgresql_server.fresh_database() for _ in range(2)]


@pytest.mark.parametrize("script", sorted(MIGRATIONS.glob("versions/*.py")), ids=lambda path: path.stem)
def test_a_migration_is_frozen_and_takes_nothing_from_the_program(script: Path) -> None:
    imported = {
        name
        for node in ast.walk(ast.parse(script.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "."]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert {name.partition(".")[0] for name in imported} <= {"__future__", "alembic", "sqlalchemy"}


def test_a_database_that_is_away_cannot_be_migrated(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(DatabaseUnavailable):
        migrate(f"sqlite:///{tmp_path}/folder")


def test_migrations_run_only_under_the_lock_that_migrate_takes() -> None:
    with pytest.raises(RuntimeError, match="sealmark migrate"):
        command.upgrade(migrations._config(), "head")


def test_a_package_without_migrations_is_damaged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    for script in (tmp_path / "migrations" / "versions").glob("*.py"):
        script.unlink()
    monkeypatch.setattr(migrations, "MIGRATIONS", tmp_path / "migrations")

    with pytest.raises(RuntimeError, match="install it again"):
        head_revision()
