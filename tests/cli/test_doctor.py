"""`doctor` finds what is broken and says what to mend; looking makes nothing."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service import doctor
from service.app import build
from service.blobs import StoreError
from service.records import InboxEntry
from service.settings import PREFIX, SETTINGS, load
from tests.cli.conftest import CommandLine
from tests.cli.test_commands import sequence
from tests.servers.smtp import smtp_server
from watermark.errors import RefusalReason, Refused, SandboxUnavailable, WatermarkError
from watermark.fonts import Fonts
from watermark.sandbox import network_filter_available

COMPILES = doctor._child


def checks(sealmark: CommandLine) -> tuple[int, dict[str, dict[str, Any]]]:
    result = sealmark("doctor", "--json")
    found = json.loads(result.out)["checks"]
    return result.status, {finding["check"]: finding for finding in found}


@pytest.fixture(autouse=True)
def quick_child(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling in a child takes seconds; one test does it."""
    if request.node.originalname != "test_the_child_compiles_without_a_network":
        monkeypatch.setattr("service.doctor._child", lambda: "not looked at")


@pytest.fixture(autouse=True)
def no_mail(bare: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a mail server, which is a warning; tests of mail name one."""
    monkeypatch.delenv("SEALMARK_SMTP")


def test_a_sound_installation_has_nothing_to_mend(sealmark: CommandLine) -> None:
    status, found = checks(sealmark)

    broken = {name for name, finding in found.items() if finding["state"] == "failed"}
    assert (status, broken) == (0, set())
    assert {
        "settings",
        "key file",
        "store",
        "schema",
        "database",
        "master key",
        "named keys",
        "clock",
    } <= found.keys()


@pytest.mark.skipif(not network_filter_available(), reason="this platform has no system call filter")
def test_the_child_compiles_without_a_network(bare: CommandLine) -> None:
    assert checks(bare)[1]["child process"]["state"] == "ok"


def test_a_child_that_cannot_be_confined_is_found(bare: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def unconfined() -> str:
        raise SandboxUnavailable("no filter here")

    monkeypatch.setattr("service.doctor._child", unconfined)

    found = checks(bare)[1]["child process"]
    assert (found["state"], found["detail"]) == ("failed", "no filter here")


def test_a_missing_font_is_a_warning_that_names_its_package(
    sealmark: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.doctor.system_fonts", lambda: Fonts(()))

    status, found = checks(sealmark)

    assert (status, found["font Arabic"]["state"]) == (0, "warning")
    assert "fonts-noto-core" in found["font Arabic"]["mend"]


def test_looking_leaves_nothing(sealmark: CommandLine) -> None:
    before = {path for path in sealmark.folder.rglob("*") if path.is_file()}

    checks(sealmark)

    after = {path for path in sealmark.folder.rglob("*") if path.is_file()}
    assert {path for path in after - before if not path.name.startswith("sealmark.db")} == set()


def test_a_new_place_is_not_made_by_looking(bare: CommandLine) -> None:
    status, found = checks(bare)

    assert status == 3
    assert "sealmark migrate" in found["store"]["mend"]
    assert not (bare.folder / "data").exists()


def test_missing_settings_are_named(bare: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEALMARK_URL")

    status, found = checks(bare)

    assert status == 3
    assert found["settings"]["detail"].startswith("SEALMARK_URL: is missing")


def test_a_lost_key_file_is_found(sealmark: CommandLine) -> None:
    (sealmark.folder / "keys" / "master.key").unlink()

    status, found = checks(sealmark)

    assert status == 3
    assert found["key file"]["state"] == found["master key"]["state"] == "failed"
    assert "restore" in found["key file"]["mend"]


def test_a_key_file_that_others_can_read_is_found(sealmark: CommandLine) -> None:
    (sealmark.folder / "keys" / "master.key").chmod(0o644)

    assert "chmod 600" in checks(sealmark)[1]["key file"]["detail"]


def test_an_older_schema_is_found(sealmark: CommandLine) -> None:
    with sqlite3.connect(sealmark.folder / "data" / "sealmark.db") as connection:
        connection.execute("DELETE FROM alembic_version")

    status, found = checks(sealmark)

    assert (status, found["schema"]["state"]) == (3, "failed")
    assert "database" not in found


def test_a_clock_behind_the_log_is_found(sealmark: CommandLine) -> None:
    sequence()
    service = build(load(sealmark.environ), clock=lambda: datetime(2020, 1, 1, tzinfo=UTC))

    with closing(service):
        assert doctor._clock(service).state == "failed"


def test_a_store_that_gives_back_other_bytes_is_found_and_keeps_no_probe(
    sealmark: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.adapters.folder.FolderStore.read", lambda *_: iter([b"other"]))

    status, found = checks(sealmark)

    assert (status, found["store"]["state"]) == (3, "failed")
    assert "other bytes" in found["store"]["detail"]
    assert not list((sealmark.folder / "data" / "store").rglob("obj_*"))


def test_a_store_whose_clock_is_apart_is_found(sealmark: CommandLine) -> None:
    ahead = datetime.now(UTC) + 2 * doctor.CLOCK_DRIFT
    service = build(load(sealmark.environ), clock=lambda: ahead)

    with closing(service), pytest.raises(StoreError, match="s apart"):
        doctor._store(service)


def test_a_store_and_a_database_that_cannot_be_opened_are_one_finding(
    sealmark: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALMARK_DATABASE", "postgresql+psycopg://sealmark@127.0.0.1/none")
    monkeypatch.setenv("SEALMARK_DATABASE_PASSWORD_FILE", str(sealmark.folder / "no-such-file"))

    status, found = checks(sealmark)

    assert (status, found["store and database"]["state"]) == (3, "failed")
    assert "DATABASE_PASSWORD_FILE" in found["store and database"]["detail"]


def test_an_address_for_this_machine_only_is_a_warning(
    sealmark: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALMARK_URL", "http://127.0.0.1:8080")

    found = checks(sealmark)[1]["settings"]

    assert (found["state"], "https" in found["mend"]) == ("warning", True)


def test_a_database_without_its_file_is_found(sealmark: CommandLine) -> None:
    for path in (sealmark.folder / "data").glob("sealmark.db*"):
        path.unlink()

    status, found = checks(sealmark)

    assert (status, found["database"]["state"]) == (3, "failed")
    assert "sealmark migrate" in found["database"]["mend"]


def test_entries_that_wait_for_a_worker_are_a_warning(sealmark: CommandLine) -> None:
    sequence()
    sealmark.json("documents", "add", "X", "--kind", "pentest", "--owner", "a@b.example")
    late = datetime.now(UTC) + timedelta(seconds=doctor.MAX_LAG + 60)
    service = build(load(sealmark.environ), clock=lambda: late)

    with closing(service):
        with service.database.read() as records:
            assert records.find(InboxEntry)
        found = doctor._worker(service)
    assert (found.state, "sealmark worker" in found.mend) == ("warning", True)


def test_a_child_without_a_filter_is_no_child_for_uploads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "network_filter_available", lambda: False)
    monkeypatch.setattr(doctor, "run_in_child", lambda *_, **__: None)

    with pytest.raises(WatermarkError, match="could reach the network"):
        COMPILES()


def test_a_child_that_refuses_a_sound_page_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Refused(RefusalReason.DAMAGED)

    monkeypatch.setattr(doctor, "run_in_child", refuse)

    with pytest.raises(WatermarkError, match="a sound page is refused"):
        COMPILES()


def test_each_setting_is_listed_with_its_meaning(bare: CommandLine) -> None:
    listed = bare.json("doctor", "--list")["settings"]

    assert {row["setting"]: row["meaning"] for row in listed} == {
        PREFIX + name: text for name, text in SETTINGS.items()
    }
    assert all(PREFIX + name in bare.ok("doctor", "--list") for name in SETTINGS)


def test_doctor_for_people_is_one_line_a_check(sealmark: CommandLine) -> None:
    lines = sealmark.ok("doctor").splitlines()

    assert all(line.split()[0] in {"ok", "warning", "mend:"} for line in lines)


def test_a_service_that_cannot_mail_is_a_warning(sealmark: CommandLine) -> None:
    status, found = checks(sealmark)

    assert (status, found["mail"]["state"]) == (0, "warning")
    assert "SEALMARK_SMTP" in found["mail"]["mend"]


def test_a_mail_server_is_spoken_with_and_sent_nothing(
    sealmark: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with smtp_server() as server:
        monkeypatch.setenv("SEALMARK_SMTP", f"smtp://127.0.0.1:{server.port}?tls=no")
        found = checks(sealmark)[1]["mail"]

    assert found["state"] == "ok"
    assert found["detail"].startswith(f"127.0.0.1:{server.port} answers")
    assert server.taken == []


def test_a_mail_server_that_is_away_or_has_no_tls_is_found(
    sealmark: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with smtp_server() as server:
        monkeypatch.setenv("SEALMARK_SMTP", f"smtp://127.0.0.1:{server.port}")
        status, found = checks(sealmark)
        assert (status, found["mail"]["detail"]) == (3, "the server offers no STARTTLS")

    status, found = checks(sealmark)
    assert (status, found["mail"]["detail"]) == (3, "not reached")
    assert "SEALMARK_SMTP" in found["mail"]["mend"]
