"""The servers of the tests are real, reachable from this machine alone, and gone with the tests."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests.servers import MISSING, missing
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import NotStarted, find, running

DYING_SECONDS = 10.0
"""For a killed process to be gone: the system does it in its own time, and only our own child is waited for."""


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)


@pytest.mark.postgresql
def test_each_database_is_fresh(postgresql_server: PostgresqlServer) -> None:
    for url in (postgresql_server.fresh_database(), postgresql_server.fresh_database()):
        with connect(url) as connection:
            connection.execute("CREATE TABLE same_name (id int)")


@pytest.mark.postgresql
def test_statements_are_logged_with_their_parameters_where_asked_for_only(
    postgresql_server: PostgresqlServer,
) -> None:
    for log_statements in (True, False):
        with connect(postgresql_server.fresh_database(log_statements=log_statements)) as connection:
            connection.execute("SELECT %s::text", [f"canary-{log_statements}"])

    log = postgresql_server.log.read_text()

    assert "canary-True" in log
    assert "canary-False" not in log


@pytest.mark.postgresql
def test_the_server_refuses_a_wrong_password(postgresql_server: PostgresqlServer) -> None:
    url = postgresql_server.fresh_database().replace(postgresql_server.password, "wrong")

    with pytest.raises(psycopg.OperationalError, match="password"):
        connect(url)


def test_a_process_that_ends_at_once_is_said_with_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no such disk'); raise SystemExit(3)"]

    with (
        pytest.raises(NotStarted, match=r"exit status 3(.|\n)*no such disk"),
        running(command, log=tmp_path / "log", ready=lambda: False, environment={}, folder=tmp_path),
    ):
        pass


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="only on Linux")
def test_a_process_that_ignores_the_signal_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.servers.process.STOP_SECONDS", 0.2)
    pipe = tmp_path / "pipe"
    script = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "os.fork()\n"
        f"open({str(pipe)!r}, 'a').write('up\\n')\n"
        "time.sleep(600)\n"
    )
    command = [sys.executable, "-c", script]
    children: list[int] = []

    with running(
        command,
        log=tmp_path / "log",
        ready=lambda: pipe.exists() and pipe.read_text().count("up") == 2,
        environment={},
        folder=tmp_path,
        stop=signal.SIGTERM,
    ):
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if str(pipe) in (process / "cmdline").read_text():
                    children.append(int(process.name))
            except OSError:
                continue

    assert len(children) == 2
    end = time.monotonic() + DYING_SECONDS
    while any(alive(child) for child in children) and time.monotonic() < end:
        time.sleep(0.01)
    assert not any(alive(child) for child in children)


def alive(process: int) -> bool:
    """Whether it still runs; one that is dead and waits to be reaped does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


def test_a_program_is_found_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEALMARK_TEST_MINIO", str(tmp_path / "minio"))

    assert find("minio") == tmp_path / "minio"


def test_what_is_missing_skips_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match=MISSING + "the server. To have this test run: make it"):
        missing("the server", "make it")


def test_what_is_missing_in_ci_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="the server"):
        missing("the server", "make it")
