"""A service whose processes are killed while clients download: who runs, who dies, and what the clients received."""

from __future__ import annotations

import http.client
import os
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from random import Random
from threading import Event, Thread

from crypto import identifiers, tokens
from service.app import Sealmark
from service.records import Copy, Link, Share
from tests.attacks.running import Client, Installation, answers
from tests.servers.process import START_SECONDS
from tests.shared_folder import PROJECT

WEB, WORKER = "web", "worker"

CLIENT_SECONDS = 10.0
"""A client waits so long for an answer: who dies closes its connections at once."""

EXPECTED = frozenset({200, 206, 303, 503})
"""What a client may be answered: what it asked for, or that nothing is served now."""


class Processes:
    """The web processes below their master, and the worker: started, killed by their numbers, started again."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._log = installation.folder / "output-killed"

    def start(self) -> None:
        """Start what does not run, and wait until the service answers."""
        for name, words in ((WEB, ("serve",)), (WORKER, ("worker",))):
            running = self._running.get(name)
            if running is None or running.poll() is not None:
                self._running[name] = self._started(*words)
        end = time.monotonic() + START_SECONDS
        while not answers(self._installation.port):
            assert time.monotonic() < end, self._log.read_text()[-2000:]
            time.sleep(0.02)

    def web_children(self) -> list[int]:
        """The web processes that serve now."""
        master = self._running[WEB].pid
        try:
            return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]
        except FileNotFoundError:
            return []

    def kill(self, what: str, random: Random) -> None:
        """SIGKILL, and for all but a web process wait until it is gone: its parent starts that anew."""
        children = self.web_children()
        if what == "web process" and children:
            _kill(random.choice(children))
        if what in ("master", "all"):
            for pid in (self._running[WEB].pid, *children):
                _kill(pid)
            self._running[WEB].wait()
            while any(Path(f"/proc/{pid}").exists() for pid in children):
                time.sleep(0.005)
        if what in ("worker", "all"):
            _kill(self._running[WORKER].pid)
            self._running[WORKER].wait()

    def stop(self) -> None:
        """End all that we started."""
        for name in (WORKER, WEB):
            if name in self._running:
                with suppress(ProcessLookupError):
                    os.killpg(self._running[name].pid, signal.SIGKILL)
                self._running[name].wait()

    def _started(self, *words: str) -> subprocess.Popen[bytes]:
        plain = {"PATH": os.defpath, "HOME": str(self._installation.folder), "LC_ALL": "C.UTF-8"}
        listen = f"127.0.0.1:{self._installation.port}"
        with self._log.open("ab") as output:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "service", *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**plain, **self._installation.environment, "SEALMARK_LISTEN": listen},
                cwd=PROJECT,
                start_new_session=True,
            )


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@dataclass(frozen=True)
class Received:
    """What one GET of a delivery brought, though it may have broken off: `size` bytes of the copy from `first`."""

    token: str
    first: int
    size: int


@dataclass
class Heard:
    """What all clients were told. Appended to only, by many threads."""

    granted: list[str] = field(default_factory=list)
    """The token of each delivery that was answered."""

    received: list[Received] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)

    def unexpected(self) -> set[int]:
        """What no client may be told."""
        return set(self.statuses) - EXPECTED


@dataclass(frozen=True)
class Pace:
    """How a client reads: pieces of so many bytes, and how long it rests after each."""

    piece: int = 1 << 20
    rest: float = 0.0


@contextmanager
def downloading(client: Client, links: list[str], paces: list[Pace], random: Random) -> Iterator[Heard]:
    """Clients, one a pace, that ask and fetch over and over within the block, each link first asked by one of them."""
    heard, stop, turn = Heard(), Event(), count()
    threads = [
        Thread(target=_download, args=(client, links, pace, heard, stop, turn, Random(random.random())))
        for pace in paces
    ]
    for thread in threads:
        thread.start()
    try:
        yield heard
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _download(
    client: Client,
    links: list[str],
    pace: Pace,
    heard: Heard,
    stop: Event,
    turn: Iterator[int],
    random: Random,
) -> None:
    while not stop.is_set():
        link = links[next(turn) % len(links)]
        location = _until(stop, lambda link=link: _ask(client, link, heard))  # type: ignore[misc]
        for _ in range(random.choice((1, 1, 2))):
            if location and not stop.is_set():
                _fetch(client, location, pace, heard, stop, random)


def _until(stop: Event, ask: Callable[[], str]) -> str:
    """What `ask` gives at last: who lost an answer asks again, as a person does."""
    while not stop.is_set():
        if found := ask():
            return found
        stop.wait(0.05)
    return ""


def _ask(client: Client, link: str, heard: Heard) -> str:
    connection = _connection(client)
    with closing(connection):
        try:
            connection.request("POST", link, headers={"Host": client.host, "Content-Length": "0"})
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as broken:
            heard.broken[type(broken).__name__] += 1
            return ""
        heard.statuses[answer.status] += 1
        location = answer.getheader("Location") or ""
        if answer.status == 303:
            heard.granted.append(location.rsplit("/", 1)[1])
        return location


def _fetch(client: Client, location: str, pace: Pace, heard: Heard, stop: Event, random: Random) -> None:
    first = random.choice((0, 0, 100))
    connection, size, sending = _connection(client), 0, False
    with closing(connection):
        try:
            fields = {"Host": client.host, "Range": f"bytes={first}-"}
            connection.request("GET", location, headers=fields)
            answer = connection.getresponse()
            heard.statuses[answer.status] += 1
            sending = answer.status == 206
            while sending and not stop.is_set() and (piece := answer.read1(pace.piece)):
                size += len(piece)
                stop.wait(pace.rest)
        except (OSError, http.client.HTTPException) as broken:
            heard.broken[type(broken).__name__] += 1
    if sending:
        heard.received.append(Received(location.rsplit("/", 1)[1], first, size))


def _connection(client: Client) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", client.port, timeout=CLIENT_SECONDS)


def lend_many(sealmark: Sealmark, number: int) -> list[str]:
    """The links of so many shares, made after the one that is there, with a copy each: minting them takes too long."""
    with sealmark.database.read() as records:
        share, link, copy = records.find(Share)[0], records.find(Link)[0], records.find(Copy)[0]
    key = sealmark.keys.signing("link")
    expires = int(link.expires_at.timestamp())
    paths: list[str] = []
    rows: list[list[object]] = [[], [], []]
    for _ in range(number):
        share_id, link_id, copy_id = (
            identifiers.new_id(kind, secrets.token_bytes(16)) for kind in ("shr", "lnk", "cpy")
        )
        token = tokens.LinkToken(key.id, share_id, link_id, tokens.Action.OPEN, expires)
        paths.append(f"/s/{tokens.sign(token, key.secret)}")
        rows[0].append(replace(share, id=share_id, downloads_taken=0))
        rows[1].append(replace(link, hash=tokens.link_hash(link_id), share_id=share_id))
        rows[2].append(replace(copy, id=copy_id, share_id=share_id))
    with sealmark.database.write() as records:
        for kind in rows:
            records.add(*kind)
    return paths
