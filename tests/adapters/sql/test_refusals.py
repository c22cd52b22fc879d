"""No error, traceback or log line repeats a value of a row."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from service.adapters.sql.database import SqlDatabase
from service.adapters.sql.refusals import RecordRefused
from service.ports import Records, Taken
from service.records import Classification, Recipient
from tests.adapters.sql.samples import document, job, key, nda, recipient, share
from tests.migrated import migrated_postgresql, migrated_sqlite
from tests.servers.postgresql import PostgresqlServer

CANARY = "canary"

FAULTS: dict[str, tuple[type[Exception], Callable[[Records], Any]]] = {
    "taken key": (Taken, lambda records: records.add(recipient(id=CANARY))),
    "taken mail": (Taken, lambda records: records.add(recipient(2, mail=CANARY))),
    "taken in a batch": (Taken, lambda records: records.add(recipient(2), recipient(3, mail=CANARY))),
    "closed set": (ValueError, lambda records: records.add(document(kind=CANARY))),
    "check": (
        RecordRefused,
        lambda records: records.add(document(classification=Classification.PUBLIC, owner_mail=CANARY)),
    ),
    "absent": (RecordRefused, lambda records: records.add(replace(recipient(2, mail="x"), name=None))),
    "reference": (RecordRefused, lambda records: records.add(share(document_id=CANARY, purpose=CANARY))),
    "both": (RecordRefused, lambda records: records.add(nda(domain=CANARY))),
    "number": (ValueError, lambda records: records.add(job(attempts=CANARY))),
    "day": (ValueError, lambda records: records.find(Recipient, created_at=CANARY)),
    "text": (ValueError, lambda records: records.add(recipient(2, name=f"{CANARY}\0"))),
    "bytes": (ValueError, lambda records: records.get(Recipient, {CANARY})),
}


class RefusalPromises:
    """What holds on both databases. A subclass gives the fixture `url`: an empty, migrated database."""

    @pytest.fixture
    def url(self) -> str:
        raise NotImplementedError("given by the subclass")

    @pytest.fixture
    def database(self, url: str) -> Iterator[SqlDatabase]:
        database = SqlDatabase(url)
        with database.write() as records:
            records.add(recipient(id=CANARY, mail=CANARY))
        yield database
        database.dispose()

    @pytest.mark.parametrize("fault", FAULTS)
    def test_an_error_has_its_type_and_no_value(
        self, database: SqlDatabase, fault: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        expected, cause = FAULTS[fault]
        caplog.set_level(logging.DEBUG)

        with pytest.raises(expected) as caught, database.write() as records:
            cause(records)

        told = "".join(
            line
            for line in traceback.format_exception(caught.value)
            if "tests/adapters" not in line  # the test's own source
        )
        assert CANARY not in told
        assert CANARY not in caplog.text

    def test_no_log_line_holds_a_value_that_was_written_or_read(
        self, url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        database = SqlDatabase(url)  # its engines look at the level when they are made
        with database.write() as records:
            records.add(recipient(2, name=CANARY))
        with database.read() as records:
            assert records.get(Recipient, key("rcp", 2)) == recipient(2, name=CANARY)
        database.dispose()

        assert CANARY not in caplog.text

    def test_sqlalchemy_is_told_to_show_no_parameter(self, database: SqlDatabase) -> None:
        engines = database.engines

        assert [engine.hide_parameters for engine in (engines.reading, engines.writing, engines.asking)] == [
            True
        ] * 3


class TestSqlite(RefusalPromises):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return migrated_sqlite(tmp_path / "sealmark.sqlite")


@pytest.mark.postgresql
class TestPostgresql(RefusalPromises):
    @pytest.fixture
    def url(self, postgresql_server: PostgresqlServer) -> str:
        return migrated_postgresql(postgresql_server)
