"""`serve` and `worker` as processes: they refuse to start in vain, and end without breaking downloads."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pikepdf
import pytest

from service.app import build
from service.audit import Actor
from service.facts import Facts
from service.records import Classification, Kind
from service.settings import load
from tests.cli.conftest import a_page
from tests.migrated import migrated_sqlite
from tests.servers.process import free_port

pytestmark = pytest.mark.long

OPERATOR = Actor("cli", name="tester")
UNTIL = 60.0
"""Seconds after which something that should have happened is taken not to."""

OUTER = {"PATH": os.defpath} | {name: value for name, value in os.environ.items() if name.startswith("COV")}
"""The environment but for our settings; what coverage adds reaches the processes, so that they are measured."""

LARGE = 24 * 1024 * 1024
"""Bytes of the large report: far more than the sockets between server and client hold."""


@dataclass(frozen=True)
class Installation:
    """Settings of a service that could start."""

    environ: dict[str, str]
    folder: Path

    @property
    def port(self) -> int:
        return int(self.environ["SEALMARK_LISTEN"].rpartition(":")[2])


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    port = free_port()
    environ = {
        "SEALMARK_URL": f"http://127.0.0.1:{port}",
        "SEALMARK_LISTEN": f"127.0.0.1:{port}",
        "SEALMARK_DATA": str(tmp_path / "data"),
        "SEALMARK_KEY": f"file:{tmp_path / 'keys' / 'master.key'}",
        "SEALMARK_PROCESSES": "2",
    }
    settings = load(environ)
    migrated_sqlite(Path(settings.database.removeprefix("sqlite:///")))
    with closing(build(settings)) as sealmark:
        sealmark.master_keys.init(OPERATOR)
    return Installation(environ, tmp_path)


@contextmanager
def process(
    installation: Installation, *arguments: str, environ: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """`sealmark …` in a group of its own; killed with the block if it still runs."""
    with (installation.folder / "log").open("a") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "service", *arguments],
            env={**OUTER, **installation.environ, **(environ or {})},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        yield started
    finally:
        if started.poll() is None:
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()
        assert started.stdout is not None
        started.stdout.close()


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + UNTIL
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def ready(installation: Installation) -> bool:
    try:
        with urlopen(f"{installation.environ['SEALMARK_URL']}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def body(url: str) -> str:
    """What is answered there; empty while nothing is."""
    try:
        with urlopen(url, timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def log_of(installation: Installation) -> str:
    return (installation.folder / "log").read_text()


def refusal(installation: Installation, *arguments: str, **environ: str) -> tuple[int, str]:
    """Status and the one line on standard error of a start that is refused."""
    ended = subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        env={**OUTER, **installation.environ, **environ},
        capture_output=True,
        text=True,
        timeout=UNTIL,
        check=False,
    )
    [line] = ended.stderr.splitlines()
    assert line.startswith("sealmark: ")
    return ended.returncode, line


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_missing_key_file_refuses_the_start(installation: Installation, command: str) -> None:
    (installation.folder / "keys" / "master.key").unlink()

    status, line = refusal(installation, command)

    assert (status, "cannot read the key file" in line) == (3, True)


def test_a_key_inside_the_data_folder_refuses_the_start(installation: Installation) -> None:
    inside = installation.folder / "data" / "master.key"
    (installation.folder / "keys" / "master.key").rename(inside)

    status, line = refusal(installation, "serve", SEALMARK_KEY=f"file:{inside}")

    assert (status, "inside the data folder" in line) == (2, True)


def test_a_key_inside_the_store_refuses_the_start(installation: Installation) -> None:
    store = installation.folder / "elsewhere"
    store.mkdir()
    (installation.folder / "keys" / "master.key").rename(store / "master.key")

    status, line = refusal(
        installation, "serve", SEALMARK_KEY=f"file:{store / 'master.key'}", SEALMARK_STORE=f"folder:{store}"
    )

    assert (status, "inside the store's folder" in line) == (2, True)


def test_a_key_that_the_store_does_not_know_refuses_the_start(installation: Installation) -> None:
    status, line = refusal(installation, "serve", SEALMARK_STORE=f"folder:{installation.folder / 'other'}")

    assert (status, "does not know the master key" in line) == (3, True)


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_another_schema_refuses_the_start(installation: Installation, command: str) -> None:
    status, line = refusal(
        installation, command, SEALMARK_DATABASE=f"sqlite:{installation.folder / 'new.db'}"
    )

    assert (status, "run `sealmark migrate`" in line) == (3, True)


@pytest.mark.parametrize("setting", ["SEALMARK_LISTEN", "SEALMARK_METRICS"])
def test_an_address_in_use_refuses_the_start(installation: Installation, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        status, line = refusal(installation, "serve", **{setting: address})

    assert (status, f"cannot listen on {address}" in line) == (3, True)


def test_it_serves_with_several_processes_one_worker_and_metrics_and_ends_on_sigterm(
    installation: Installation,
) -> None:
    metrics = f"127.0.0.1:{free_port()}"

    with process(installation, "serve", "--with-worker", environ={"SEALMARK_METRICS": metrics}) as served:
        wait_until(lambda: ready(installation))
        wait_until(lambda: "sealmark_request_seconds_count" in body(f"http://{metrics}/metrics"))
        shown = body(f"http://{metrics}/metrics")
        with closing(build(load(installation.environ))) as sealmark:
            wait_until(lambda: sealmark.sequencer.lag() == 0.0 and sealmark.log.size() > 0)
        served.send_signal(signal.SIGTERM)
        assert served.wait(UNTIL) == 0

    assert "sealmark_sequencer_lag_seconds" in shown
    events = [json.loads(line) for line in log_of(installation).splitlines()]
    assert {event["event"] for event in events} >= {"serving", "request"}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_neither_it_nor_its_processes_dump_core_or_make_files_for_others(installation: Installation) -> None:
    with process(installation, "serve") as served:
        wait_until(lambda: "serving" in log_of(installation))
        wait_until(lambda: len(children(served.pid)) == 2)
        for pid in (served.pid, *children(served.pid)):
            limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
            core = next(line for line in limits if line.startswith("Max core file size"))
            status = Path(f"/proc/{pid}/status").read_text()
            assert core.split()[4:6] == ["0", "0"]
            assert "Umask:\t0077" in status


def children(pid: int) -> list[int]:
    """Its processes, by the parent that each names (`children` below /proc may leave some out)."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            if f"\nPPid:\t{pid}\n" in status.read_text():
                found.append(int(status.parent.name))
    return found


def test_what_strangers_send_is_not_logged(installation: Installation) -> None:
    canary = "v1.canary" + secrets.token_hex(8)
    requests = [
        f"GET /s/{canary} HTTP/1.1\r\nHost: 127.0.0.1:{installation.port}\r\nConnection: close\r\n\r\n",
        f"GET /s/{canary} HTTP/9.9\r\n\r\n",
        f"/s/{canary}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\n{canary} : x\r\n\r\n",
        f"G{canary}[] / HTTP/1.1\r\n\r\n",
        f"GET /s/{canary}{'x' * 3000} HTTP/1.1\r\n\r\n",
    ]
    with process(installation, "serve", "--with-worker") as served:
        wait_until(lambda: ready(installation))
        for request in requests:
            with socket.create_connection(("127.0.0.1", installation.port), timeout=10) as connection:
                connection.sendall(request.encode())
                assert b" 4" in connection.recv(64) + b" 4"
        served.send_signal(signal.SIGTERM)
        served.wait(UNTIL)

    assert "a request that is not HTTP" in log_of(installation)
    assert canary not in log_of(installation)


def test_a_running_download_may_end_after_sigterm(installation: Installation) -> None:
    link, size = a_large_share(installation)

    with process(installation, "serve", "--with-worker") as served:
        wait_until(lambda: ready(installation))
        delivery = asked(link)
        connection = slow_connection(installation.port)
        connection.request("GET", delivery, headers={"Host": f"127.0.0.1:{installation.port}"})
        answer = connection.getresponse()
        digest, length = hashlib.sha256(answer.read(65536)), 65536
        served.send_signal(signal.SIGTERM)
        wait_until(lambda: not listens(installation.port))
        while piece := answer.read(65536):
            digest.update(piece)
            length += len(piece)
        connection.close()
        assert served.wait(UNTIL) == 0

    assert answer.status == 200
    assert length == int(answer.headers["Content-Length"]) > size
    assert answer.headers["ETag"].strip('"') == digest.hexdigest()


def test_the_worker_compiles_until_sigterm_and_ends_cleanly(installation: Installation) -> None:
    with closing(build(load(installation.environ))) as sealmark:
        document = a_document(sealmark)
        version = sealmark.documents.add_version(OPERATOR, document, Facts())
        sealmark.documents.upload(OPERATOR, document, version.id, [a_page("A report")])

        with process(installation, "worker") as worker:
            wait_until(lambda: sealmark.documents.version(document, version.id).state == "ready")
            wait_until(lambda: sealmark.sequencer.lag() == 0.0)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(UNTIL) == 0

    assert [json.loads(line)["event"] for line in log_of(installation).splitlines()] == [
        "worker runs",
        "worker stops",
    ]


def a_document(sealmark: object) -> str:
    made = sealmark.documents.create(  # type: ignore[attr-defined]
        OPERATOR,
        name="Report",
        kind=Kind.PENTEST,
        classification=Classification.PUBLIC,
        owner_mail="trust@lender.example",
    )
    return str(made.id)


def a_large_share(installation: Installation) -> tuple[str, int]:
    """A link to a report of `LARGE` bytes that nothing makes smaller, and that size."""
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(a_page("A large report"))) as pdf:
        pdf.pages[0].obj["/PieceInfo"] = pdf.make_stream(secrets.token_bytes(LARGE))
        pdf.save(buffer)
    with closing(build(load(installation.environ))) as sealmark:
        document = a_document(sealmark)
        version = sealmark.documents.add_version(OPERATOR, document, Facts())
        sealmark.documents.upload(OPERATOR, document, version.id, [buffer.getvalue()])
        while sealmark.compiling.run_once():
            pass
        assert sealmark.documents.version(document, version.id).state == "ready"
        _, _, link = sealmark.sharing.create(
            OPERATOR, document_id=document, mail="ana@acme.example", name="Ana", purpose="review"
        )
    return link.url, LARGE


def asked(link: str) -> str:
    """The path of the delivery that asking with this link gives."""
    parts = urlsplit(link)
    connection = http.client.HTTPConnection(parts.netloc, timeout=UNTIL)
    connection.request("POST", parts.path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 303
    return urlsplit(answer.headers["Location"]).path


def slow_connection(port: int) -> http.client.HTTPConnection:
    """A connection that takes little at a time, so that the server is far from done when we stop reading."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=UNTIL)
    connection.sock = socket.socket()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.sock.settimeout(UNTIL)
    connection.sock.connect(("127.0.0.1", port))
    return connection


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
