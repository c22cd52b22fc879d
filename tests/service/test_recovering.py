"""A drill: the database is backed up, lives on, is lost, and the backup is restored. Nothing is hidden by that."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from crypto import notes
from crypto.logcheck import Checkpoint, check_export
from service.errors import DomainError
from service.log import LogFilter
from service.ports import DatabaseUnavailable
from service.records import LogCheckpoint
from service.rollback import LATEST, LOOK_EVERY, DatabaseBehind
from service.sweeping import ORPHAN_AGE
from service.web.application import create_app
from tests.servers.postgresql import PostgresqlServer, programs
from tests.service.acting import a_document
from tests.service.test_checkpoints import settled, with_parts
from tests.service.test_log import put
from tests.service_fixture import OPERATOR, Service, service_in


def database_file(service: Service) -> Path:
    return Path(service.sealmark.settings.database.removeprefix("sqlite:///"))


class SqliteSite:
    """Backs up and restores as a site with SQLite does: by its own online backup."""

    environ: Mapping[str, str] = {}

    def __init__(self, folder: Path) -> None:
        self._backup = folder / "backup.db"

    def back_up(self, service: Service) -> None:
        file = database_file(service)
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(self._backup)) as copy:
            source.backup(copy)

    def restore(self, service: Service) -> None:
        service.sealmark.database.dispose()
        for leftover in ("-wal", "-shm"):
            Path(f"{database_file(service)}{leftover}").unlink(missing_ok=True)
        shutil.copyfile(self._backup, database_file(service))


class PostgresqlSite:
    """Backs up and restores by pg_dump and pg_restore, as a site with PostgreSQL does."""

    def __init__(self, folder: Path, server: PostgresqlServer) -> None:
        secret = folder / "password"
        secret.write_text(server.password)
        url = server.fresh_database().replace(f":{server.password}@", "@")
        self.environ = {"SEALMARK_DATABASE": url, "SEALMARK_DATABASE_PASSWORD_FILE": str(secret)}
        self._backup = str(folder / "backup.dump")
        self._address = url.replace("postgresql+psycopg:", "postgresql:")
        self._password = server.password

    def back_up(self, service: Service) -> None:
        self._run("pg_dump", "--format=custom", f"--file={self._backup}", self._address)

    def restore(self, service: Service) -> None:
        service.sealmark.database.dispose()
        self._run("pg_restore", "--clean", "--if-exists", f"--dbname={self._address}", self._backup)

    def _run(self, program: str, *arguments: str) -> None:
        environ = {"PGPASSWORD": self._password, "PATH": os.defpath}
        subprocess.run([programs() / program, *arguments], check=True, env=environ, timeout=60)


class Drill:
    """A service whose database was restored from a backup, with what somebody held of it before."""

    def __init__(self, service: Service, site: SqliteSite | PostgresqlSite) -> None:
        self.service = service
        settled(service, 3)
        self.kept = self._checkpoint()
        put(service, 1)  # waits for its place in the log, and so it does in the backup
        site.back_up(service)
        self.at_backup = len(service.entries())
        self.old_keys = service.sealmark.checkpoints.public_keys()
        service.clock.advance(seconds=2)
        self.lost_document = a_document(service, name="Made after the backup")
        settled(service, 4)
        self.lost = self._checkpoint()
        site.restore(service)
        service.clock.advance(seconds=LOOK_EVERY.total_seconds())

    def _checkpoint(self) -> Checkpoint:
        self.service.entries()
        return Checkpoint.decode(self.service.sealmark.checkpoints.cover().note)

    def export(self) -> list[bytes]:
        self.service.entries()
        stream = self.service.sealmark.exports.export(OPERATOR, LogFilter(), "ndjson")
        return b"".join(stream).splitlines(keepends=True)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def drill(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Drill]:
    site: SqliteSite | PostgresqlSite = SqliteSite(tmp_path)
    if request.param == "postgresql":
        site = PostgresqlSite(tmp_path, request.getfixturevalue("postgresql_server"))
    with service_in(tmp_path, environ=site.environ) as service:
        yield Drill(service, site)


def test_whatever_needs_an_entry_fails_and_leaves_nothing(drill: Drill) -> None:
    sealmark = drill.service.sealmark
    with pytest.raises(DatabaseBehind, match="sealmark log recover"):
        a_document(drill.service)
    with pytest.raises(DatabaseUnavailable):
        sealmark.exports.export(OPERATOR, LogFilter(), "ndjson")
    with pytest.raises(DatabaseBehind):
        sealmark.checkpoints.cover()
    assert sealmark.documents.list(limit=10, after=None) == []
    assert len(drill.service.entries()) == drill.at_backup


def test_over_http_it_is_503_and_not_ready_and_the_old_checkpoint_stays_in_the_store(drill: Drill) -> None:
    service = drill.service
    client = create_app(service.sealmark).test_client()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["parts"]["log"]) == (503, "failed")  # type: ignore[index]
    service.sealmark.checkpoints.run_once()
    assert Checkpoint.decode(b"".join(service.sealmark.store.read(LATEST)).decode()) == drill.lost


def test_a_row_that_the_backup_had_not_stored_yet_does_not_cover_the_traces(drill: Drill) -> None:
    sealmark = drill.service.sealmark
    with sealmark.database.engines.writing.begin() as connection:
        connection.execute(text("UPDATE log_checkpoints SET stored_at = NULL"))
    with pytest.raises(DatabaseBehind):
        sealmark.checkpoints.run_once()
    assert Checkpoint.decode(b"".join(sealmark.store.read(LATEST)).decode()) == drill.lost


def test_a_witness_that_signs_an_old_checkpoint_does_not_cover_the_traces(drill: Drill) -> None:
    class Witness:
        def cosign(self, checkpoint: LogCheckpoint, proof: Callable[[int], list[bytes]]) -> str:
            return checkpoint.note + notes.cosign(drill.kept.text, "witness.example/w", bytes(32), 7)

    with pytest.raises(DatabaseBehind):
        with_parts(drill.service, cosigner=Witness()).run_once()
    assert Checkpoint.decode(b"".join(drill.service.sealmark.store.read(LATEST)).decode()) == drill.lost


def test_objects_whose_rows_were_lost_are_not_swept(drill: Drill) -> None:
    drill.service.clock.now += 400 * ORPHAN_AGE
    with pytest.raises(DatabaseBehind):
        drill.service.sealmark.sweeping.trash_orphans()


def test_recovered_it_goes_on_under_a_new_origin_whose_first_entry_quotes_what_was_lost(drill: Drill) -> None:
    sealmark = drill.service.sealmark
    origin = sealmark.checkpoints.recover(OPERATOR)
    (entry,) = drill.service.entries("log.recovered")
    assert entry["index"] == drill.at_backup
    assert drill.lost.origin in entry["details"]
    assert str(drill.lost.size) in entry["details"]
    assert origin != drill.lost.origin
    a_document(drill.service)
    assert create_app(sealmark).test_client().get("/readyz").json["parts"]["log"] == "ok"  # type: ignore[index]
    with pytest.raises(DomainError, match="nothing is lost"):
        sealmark.checkpoints.recover(OPERATOR)


def test_while_others_still_write_it_is_not_recovered(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has not looked since the database went back."""
    sealmark = drill.service.sealmark
    move = sealmark.sequencer.run_once

    def overtaken() -> bool:
        if move():
            return True
        sealmark.rollback.accept()
        put(drill.service, 1)
        return False

    monkeypatch.setattr(sealmark.sequencer, "run_once", overtaken)
    with pytest.raises(DomainError, match="stop the other processes first"):
        sealmark.checkpoints.recover(OPERATOR)
    monkeypatch.undo()
    with pytest.raises(DatabaseBehind):
        a_document(drill.service)
    assert drill.service.entries("log.recovered") == []
    sealmark.checkpoints.recover(OPERATOR)
    a_document(drill.service)


def test_who_checks_sees_the_loss_and_all_that_was_signed_before_the_backup_still_holds(drill: Drill) -> None:
    drill.service.sealmark.checkpoints.recover(OPERATOR)
    a_document(drill.service)
    lines = drill.export()
    report = check_export(lines, drill.old_keys, [drill.kept])
    assert report.problems == []
    lost = drill.lost.size - drill.at_backup
    assert any(
        f"the last {lost:,} signed entries of {drill.lost.origin} are lost" in note for note in report.notes
    )
    (problem,) = check_export(lines, drill.old_keys, [drill.lost]).problems
    assert (
        f"entries {drill.at_backup} to {drill.lost.size - 1} of the checkpoint you hold are lost" in problem
    )


def test_a_database_that_is_whole_again_needs_no_recovery(drill: Drill, tmp_path: Path) -> None:
    """The right backup turns up: once it is in place, all goes on."""
    sealmark = drill.service.sealmark
    with pytest.raises(DatabaseBehind):
        a_document(drill.service)
    sealmark.store.put(LATEST, [b"".join(sealmark.store.read(_blob(drill)))])  # the database has this one
    drill.service.clock.advance(seconds=LOOK_EVERY.total_seconds())
    a_document(drill.service)


def _blob(drill: Drill) -> str:
    blobs = [blob.key for blob in drill.service.sealmark.store.list("log/checkpoints/")]
    return next(key for key in blobs if key.endswith(f"{drill.kept.size:016d}"))
