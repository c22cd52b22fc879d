"""Calls of the append path that fail: the answer is 503, or the entry is whole; and the sync comes before the reply."""

from __future__ import annotations

import http.client
import itertools
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import pytest

from crypto import tokens
from service.app import Sealmark
from tests.attacks.cutting import way_to
from tests.attacks.injecting import Call, read_calls, traced
from tests.attacks.killing import Processes, lend_many
from tests.attacks.running import Client, Installation, ask, download, install, lend
from tests.attacks.wholeness import require_whole
from tests.servers.postgresql import PostgresqlServer, postgresql_server
from tests.watermark.builders import report

pytestmark = [pytest.mark.strace, pytest.mark.slow]

MOST = 200
"""Calls of one kind that one request makes at most; more means that the count does not end."""

NOTICED_WITHIN = 2
"""Requests that may be answered with 503 after a fault is over, before what it broke is made anew."""

SQLITE_FAULTS = [
    ("pwrite64", "EIO"),
    ("pwrite64", "ENOSPC"),
    ("fdatasync", "EIO"),
    ("fsync", "EIO"),
    ("openat", "EIO"),
    ("openat", "ENOSPC"),
    ("write", "ENOSPC"),
    ("pread64", "EIO"),
    ("ftruncate", "ENOSPC"),
]
"""Not those that lock: a process that cannot give a lock back keeps others out until it ends, which is 503 too."""

POSTGRESQL_FAULTS = [
    ("recvfrom", "ECONNRESET"),
    ("recvfrom", "ETIMEDOUT"),
    ("connect", "ECONNREFUSED"),
    ("socket", "EMFILE"),
]


@dataclass(frozen=True)
class Attacked:
    """A service of one web process, and the domain over the same database to look with."""

    installation: Installation
    processes: Processes
    sealmark: Sealmark
    links: Iterator[str]
    granted: list[str] = field(default_factory=list)
    """The deliveries that were answered in spite of a fault."""

    @property
    def client(self) -> Client:
        return Client(self.installation.port, self.installation.host)

    def pid(self) -> int:
        """The web process; there is one when it has answered."""
        (pid,) = self.processes.web_children()
        return pid

    def start_anew(self) -> None:
        """The web process is killed, and another answers."""
        before = self.pid()
        self.processes.kill("master", Random(0))
        self.processes.start()
        assert self.pid() != before


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Attacked]:
    with _attacked(install(tmp_path)) as attacked:
        yield attacked


@pytest.fixture
def on_postgresql(tmp_path: Path, postgresql_server: PostgresqlServer) -> Iterator[Attacked]:
    with _attacked(install(tmp_path, database=postgresql_server.fresh_database())) as attacked:
        yield attacked


@contextmanager
def _attacked(installation: Installation, *, look_at: str = "") -> Iterator[Attacked]:
    """`look_at`: the URL by which the tests look at the database, where it is not the service's."""
    direct = {"SEALMARK_DATABASE": re.sub(r":[^:@/]+@", "@", look_at)} if look_at else {}
    looking = replace(installation, environment={**installation.environment, **direct})
    processes = Processes(installation)
    try:
        processes.start()
        client = Client(installation.port, installation.host, installation.api_key())
        download(client, lend(client, report()).link)
        processes.kill("worker", Random(0))  # so that none but the web process writes
        with looking.opened() as sealmark:
            attacked = Attacked(installation, processes, sealmark, iter(lend_many(sealmark, 1000)))
            yield attacked
            attacked.start_anew()
            entries = {leaf["delivery"] for leaf in require_whole(sealmark).of("download.granted")}
            assert entries.issuperset(attacked.granted), "what was granted is gone after a kill"
    finally:
        processes.stop()


@pytest.mark.parametrize(("call", "error"), SQLITE_FAULTS)
def test_a_failing_call_on_the_files_of_sqlite_is_503_or_a_whole_entry(
    call: str, error: str, on_sqlite: Attacked
) -> None:
    database = on_sqlite.installation.folder / "data" / "sealmark.db"
    files = [database.with_name(database.name + end) for end in ("", "-wal", "-shm")]
    ways = [(_asking, False), (_sending, False)]
    if call in ("openat", "ftruncate"):  # which a process makes when it begins
        ways.insert(0, (_asking, True))
    hit = sum(_fail_each(on_sqlite, what, call, error, files, fresh=fresh) for what, fresh in ways)
    # SQLite in this mode has no write() of its own, and syncs data only: then no call of the name is there to fail.
    assert hit or call in ("write", "fsync", "ftruncate")


@pytest.mark.postgresql
@pytest.mark.parametrize(("call", "error"), POSTGRESQL_FAULTS)
def test_a_failing_call_on_the_socket_to_postgresql_is_503_or_a_whole_entry(
    call: str, error: str, on_postgresql: Attacked
) -> None:
    ways = [(_asking, call in ("connect", "socket")), (_asking, False), (_sending, False)]
    assert sum(_fail_each(on_postgresql, what, call, error, [], fresh=fresh) for what, fresh in ways)


@pytest.mark.postgresql
@pytest.mark.parametrize("direction", ["there", "back"])
@pytest.mark.parametrize("kind", ["asking", "sending"])
def test_a_connection_to_postgresql_that_is_lost_is_503_or_a_whole_entry(
    direction: str, kind: str, tmp_path: Path, postgresql_server: PostgresqlServer
) -> None:
    """At each message: the question that never arrives, and the answer that is lost, that of a commit among them."""
    database = postgresql_server.fresh_database()
    with way_to(postgresql_server.port) as way:
        url = database.replace(f":{postgresql_server.port}/", f":{way.port}/")
        with _attacked(install(tmp_path, database=url), look_at=database) as attacked:
            for number in itertools.count(1):
                request = {"asking": _asking, "sending": _sending}[kind](attacked)
                entries = len(require_whole(attacked.sealmark).leaves)
                way.cut_at(direction, number)
                answered = request()
                was_cut = way.was_cut
                way.cut_at("nowhere", 0)
                made = len(require_whole(attacked.sealmark).leaves) - entries
                assert was_cut or answered != 503, "503 without a reason"
                assert made >= (answered != 503)
                if not was_cut:
                    break
            assert number > 5, "hardly a message was lost"


def _fail_each(
    attacked: Attacked,
    what: Callable[..., Callable[[], int]],
    call: str,
    error: str,
    files: list[Path],
    *,
    fresh: bool,
) -> int:
    """Make the first such call of one request fail, then the second, and so on; returns how many there were.

    `fresh`: of a process that has served nothing yet, so that it opens what it needs.
    """
    for number in itertools.count(1):
        assert number < MOST, "the calls of one request do not end"
        if fresh:
            attacked.start_anew()
        request = what(attacked)
        output = attacked.installation.folder / f"faults-{time.monotonic_ns()}"
        inject = f"{call}:error={error}:when={number}"
        with traced(output, [attacked.pid()], [call], paths=files, inject=inject):
            try:
                request()
            except (OSError, http.client.HTTPException):
                # The client's own socket: nothing of ours was said.
                assert any(c.injected and _is_of_client(c, attacked) for c in read_calls(output)), (
                    output.read_text()
                )
        require_whole(attacked.sealmark)
        if not any(c.injected for c in read_calls(output)):
            return number - 1
    raise AssertionError


def _is_of_client(call: Call, attacked: Attacked) -> bool:
    return f":{attacked.installation.port}->" in call.line


def _asking(attacked: Attacked) -> Callable[[], int]:
    """Ask for a download: 503, or the entry of the grant."""
    link = next(attacked.links)

    def request() -> int:
        answer = attacked.client.call("POST", link)
        assert answer.status in (303, 503), answer
        if answer.status == 303:
            delivery = _delivery(attacked, answer.headers["location"])
            attacked.granted.append(delivery)
            log = require_whole(attacked.sealmark)
            assert delivery in {leaf["delivery"] for leaf in log.of("download.granted")}
        return answer.status

    return request


def _sending(attacked: Attacked) -> Callable[[], int]:
    """Fetch a delivery: 503, or the entry that sending began."""
    location = _asked(attacked)

    def request() -> int:
        with closing(attacked.client.connect()) as connection:
            connection.request("GET", location, headers={"Host": attacked.installation.host})
            answer = connection.getresponse()
            assert answer.status in (200, 503), answer.status
            if answer.status == 200:
                log = require_whole(attacked.sealmark)
                begun = {leaf["delivery"] for leaf in log.of("download.begun")}
                assert _delivery(attacked, location) in begun
                answer.read()
            return answer.status

    return request


def _asked(attacked: Attacked) -> str:
    """A delivery that is granted with no fault: at once, or when what a fault left behind has been noticed."""
    link = next(attacked.links)
    for _ in range(NOTICED_WITHIN):
        if attacked.client.call("POST", link).status != 503:
            break
    return ask(attacked.client, link)


def _delivery(attacked: Attacked, location: str) -> str:
    key = attacked.sealmark.keys.verifying("link")
    now = int(attacked.sealmark.clock().timestamp())
    return tokens.verify(location.rsplit("/", 1)[1], key, now).link_id


def test_sqlite_has_synced_before_anything_is_answered(on_sqlite: Attacked, tmp_path: Path) -> None:
    location = ask(on_sqlite.client, next(on_sqlite.links))  # connections are open from here on
    for path, said in ((next(on_sqlite.links), "HTTP/1.1 303"), (location, "HTTP/1.1 200")):
        output = tmp_path / f"order-{said[-3:]}"
        with traced(output, [on_sqlite.pid()], ["pwrite64", "fdatasync", "fsync", "sendto", "write"]):
            on_sqlite.client.call("POST" if said.endswith("303") else "GET", path)
        calls = read_calls(output)
        reply = _first(calls, lambda call, said=said: call.name == "sendto" and call.on(said))  # type: ignore[misc]
        written = [
            at for at, call in enumerate(calls[:reply]) if call.name == "pwrite64" and call.on("-wal>")
        ]
        synced = [
            at
            for at, call in enumerate(calls[:reply])
            if call.name in ("fdatasync", "fsync") and call.on("-wal>", "= 0")
        ]
        assert written, output.read_text()
        assert synced, output.read_text()
        assert max(synced) > max(written), "something was written after the last sync before the answer"


@pytest.mark.postgresql
def test_postgresql_has_synced_before_anything_is_answered(tmp_path: Path) -> None:
    with (
        postgresql_server(sync=True) as server,
        _attacked(install(tmp_path, database=server.fresh_database())) as attacked,
    ):
        location = ask(attacked.client, next(attacked.links))
        for path, said in ((next(attacked.links), "HTTP/1.1 303"), (location, "HTTP/1.1 200")):
            output = tmp_path / f"order-{said[-3:]}"
            backends = _backends(server)
            with traced(output, [attacked.pid(), *backends], ["fdatasync", "fsync", "sendto", "recvfrom"]):
                attacked.client.call("POST" if said.endswith("303") else "GET", path)
            calls = read_calls(output)
            reply = _first(calls, lambda call, said=said: call.name == "sendto" and call.on(said))  # type: ignore[misc]
            to_server = f"->127.0.0.1:{server.port}]"
            commit = max(
                at for at, c in enumerate(calls[:reply]) if c.name == "sendto" and c.on(to_server, "COMMIT")
            )
            synced = [
                at
                for at, c in enumerate(calls[:reply])
                if c.name in ("fdatasync", "fsync") and c.on("pg_wal", "= 0")
            ]
            told = [
                at for at, c in enumerate(calls[:reply]) if c.name == "recvfrom" and c.on(to_server, "COMMIT")
            ]
            assert synced, output.read_text()
            assert commit < max(synced) < max(told) < reply, output.read_text()


def _first(calls: list[Call], wanted: Callable[[Call], bool]) -> int:
    found = [at for at, call in enumerate(calls) if wanted(call)]
    assert found, "\n".join(call.line for call in calls)
    return found[0]


def _backends(server: PostgresqlServer) -> list[int]:
    """The processes of this cluster."""
    folder = str(server.log.parent)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if re.match(re.escape(folder), os.readlink(process / "cwd")):
                found.append(int(process.name))
        except OSError:
            continue
    return found
