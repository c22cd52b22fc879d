"""`sealmark demo`: a stranger's first minutes, on embedded parts and on the real ones; and nothing left afterwards."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pypdf
import pytest

from service import cli
from tests.servers import missing
from tests.servers.minio import MODULE
from tests.servers.postgresql import HOW
from tests.servers.process import find

pytestmark = pytest.mark.long

UNTIL = 150.0
"""Seconds until it must be ready: the promise is three minutes from a clean clone."""

OUTER = {name: value for name, value in os.environ.items() if name == "PATH" or name.startswith("COV")}
"""Next to nothing, as on a fresh machine; what coverage adds reaches the processes, so that they are measured."""

ANA = "Ana Silva"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users may enter, as PostgreSQL must when the tests run as root."""
    made = Path(tempfile.mkdtemp(prefix="sealmark-demo-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """The demo, ready, and what it says; killed with its group if the block did not end it."""
    with (folder / "said").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "demo", "--folder", str(folder / "data"), "--json", *arguments],
            env=OUTER,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            start_new_session=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "said").read_text()
        yield process, json.loads(line)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(60)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def left_in(folder: Path) -> list[str]:
    """The command lines of processes that still work with this folder."""
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            pid = int(command.parent.name)
            environ = (command.parent / "environ").read_bytes() if pid != os.getpid() else b""
            line = command.read_bytes()
            if str(folder / "data").encode() in line + environ:
                found.append(line.replace(b"\0", b" ").decode())
    return found


def run_in_shell(line: str) -> str:
    """What a command that was shown prints, for somebody who copies it."""
    return subprocess.run(["sh", "-c", line], env=OUTER, capture_output=True, text=True, check=True).stdout


def downloaded(link: str) -> bytes:
    """The copy that a recipient gets: the page, then its button, then where that leads."""
    with urlopen(link, timeout=30) as page:
        assert ANA in page.read().decode()
    with urlopen(Request(link, data=b"", method="POST"), timeout=60) as answer:  # follows the 303 by GET
        assert urlsplit(answer.url).path.startswith("/d/")
        return bytes(answer.read())


def public_file(url: str) -> bytes:
    """What a stranger finds on the trust page: the one document that is for everybody."""
    with urlopen(f"{url}/trust", timeout=30) as page:
        text = page.read().decode()
    assert "SOC 2 Type II report" in text
    assert "Unqualified opinion" in text
    path = re.search(r'href="(/trust/doc_[^"]+\.pdf)"', text)
    assert path is not None
    with urlopen(f"{url}{path[1]}", timeout=60) as answer:
        return bytes(answer.read())


def kinds_in(exported: str) -> list[str]:
    _, *entries, _ = exported.splitlines()  # without header and footer
    return [json.loads(json.loads(line)["leaf"])["kind"] for line in entries]


def test_the_way_from_start_to_log_twice_and_nothing_is_left(folder: Path) -> None:
    with demo(folder) as (process, first):
        copy = downloaded(first["link"])
        public = public_file(first["url"])
        assert left_in(folder) != []
        time.sleep(1)
        kinds = kinds_in(run_in_shell(first["log_command"]))
        listed = run_in_shell(first["cli_command"])
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert left_in(folder) == []

    with demo(folder) as (process, second):
        again = downloaded(second["link"])
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert left_in(folder) == []

    pages = pypdf.PdfReader(io.BytesIO(copy)).pages
    assert copy.startswith(b"%PDF")
    assert len(pages) >= 40
    assert all(ANA in page.extract_text() for page in pages)
    (page,) = pypdf.PdfReader(io.BytesIO(public)).pages
    assert "Public" in page.extract_text()
    assert ANA not in page.extract_text()
    wanted = {"share.created", "nda.approved", "download.granted", "download.ended", "public.downloaded"}
    assert wanted <= set(kinds)
    assert "download.granted" in listed
    assert first["link"] != second["link"]
    assert again == copy
    said = (folder / "said").read_text()
    assert "The sample report is there" in said
    assert "Making" not in said


def test_secrets_lie_apart_for_their_owner_alone_and_are_not_printed(folder: Path) -> None:
    with demo(folder, "--exit-after-ready") as (process, ready):
        rest = process.stdout.read() if process.stdout else ""
        assert process.wait(60) == 0

    keys = folder / "data" / "demo-key"
    data = folder / "data" / "demo"
    header = (keys / "log-reader.header").read_text().split()[-1]
    master = (keys / "master.key").read_text().split()[-1]
    printed = json.dumps(ready) + rest + (folder / "said").read_text()
    kept = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    token = ready["link"].rsplit("/", 1)[1]
    assert [secret for secret in (header, master) if secret in printed or secret.encode() in kept] == []
    assert token.encode() not in kept
    assert printed.count(token) == 1
    for path in (*keys.iterdir(), *data.glob("*.*"), data / "environment"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_for_people_it_says_each_step_and_ends_with_link_and_commands(folder: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "service", "demo", "--folder", str(folder / "data"), "--exit-after-ready"],
        env=OUTER,
        capture_output=True,
        text=True,
        timeout=UNTIL,
        check=True,
    )

    for step in (
        "Making a master key",
        "database to its schema",
        "Starting the service",
        "Compiling",
        "an NDA",
    ):
        assert step in ended.stderr
    for shown in ("http://127.0.0.1:", "/s/v1.", "/trust", "curl -sS -H @", "log list", "Ctrl-C ends it"):
        assert shown in ended.stdout


def test_a_mail_is_shown_where_the_demo_runs_and_its_link_opens(folder: Path) -> None:
    with demo(folder) as (_, ready):
        environment = ready["cli_command"].partition(";")[0].lstrip("(. ")
        program = f"{sys.executable} -m service"
        shares = json.loads(run_in_shell(f". {environment}; {program} shares list --json"))["items"]
        sent = run_in_shell(f". {environment}; {program} shares link {shares[0]['id']} --send --json")
        assert set(json.loads(sent)) == {"id", "message"}
        end = time.monotonic() + 30
        said = folder / "said"
        while "shares “" not in said.read_text() and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(0.2)
        mail = said.read_text()
        (link,) = set(re.findall(r"http://127\.0\.0\.1:[0-9]+/s/v1\.\S+", mail))
        copy = downloaded(link)

    assert "  | To: ana.silva@northmere.example" in mail
    assert copy.startswith(b"%PDF")
    kept = b"".join(path.read_bytes() for path in (folder / "data").rglob("*") if path.is_file())
    assert link.rsplit("/", 1)[1].encode() not in kept


def test_a_link_that_was_revoked_is_followed_by_a_new_share(folder: Path) -> None:
    with demo(folder) as (_, first):
        environment = first["cli_command"].partition(";")[0].lstrip("(. ")
        program = f"{sys.executable} -m service"
        shares = json.loads(run_in_shell(f". {environment}; {program} shares list --json"))["items"]
        run_in_shell(f". {environment}; {program} shares revoke {shares[0]['id']}")

    with demo(folder) as (_, second):
        assert downloaded(second["link"]).startswith(b"%PDF")


@pytest.mark.parametrize(
    ("option", "part", "how"),
    [
        ("--store", "minio", "go install github.com/minio/minio@"),
        ("--database", "postgresql", "apt install postgresql"),
    ],
)
def test_a_part_that_is_not_installed_is_one_line_how_to_get_it(
    folder: Path, option: str, part: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.demo.servers._find", lambda name: None)
    monkeypatch.setattr("service.demo.servers.PACKAGED", ())
    said: list[str] = []
    monkeypatch.setattr("service.cli.click.echo", lambda text, **_: said.append(text))
    monkeypatch.setattr("service.demo.command._say", lambda text: None)

    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    try:
        status = cli.run(["demo", "--folder", str(folder), option, part])
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)

    assert (status, len(said)) == (3, 1)
    assert how in said[0]


@pytest.mark.minio
@pytest.mark.postgresql
def test_on_the_real_parts_it_goes_the_same_way_twice(folder: Path) -> None:
    if find("minio") is None:
        missing("the MinIO server", f"go install {MODULE} (Go 1.26; three minutes on two cores)")
    if find("initdb") is None and not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        missing("the PostgreSQL server", HOW)
    parts = ("--store", "minio", "--database", "postgresql")
    copies = []

    for _ in range(2):
        with demo(folder, *parts) as (process, ready):
            copies.append(downloaded(ready["link"]))
            time.sleep(1)
            assert "download.ended" in kinds_in(run_in_shell(ready["log_command"]))
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        assert left_in(folder) == []

    assert copies[0] == copies[1]
    assert copies[0].startswith(b"%PDF")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_killed_outright_it_takes_its_service_with_it(folder: Path) -> None:
    with demo(folder) as (process, _):
        process.kill()
        process.wait()
        end = time.monotonic() + 60
        while left_in(folder) and time.monotonic() < end:
            time.sleep(0.1)

    assert left_in(folder) == []
