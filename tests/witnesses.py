"""Logs that tell what they are told to tell, and real witnesses as processes."""

from __future__ import annotations

import http.client
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from crypto import merkle, notes
from crypto.logcheck import NoteKey, leaf_hash
from crypto.witness import WitnessKey, encode
from service.witness.keyfile import new_witness_key
from tests.servers.process import free_port, running

OUTER = {"PATH": os.defpath} | {name: value for name, value in os.environ.items() if name.startswith("COV")}
"""The environment but for our settings; what coverage adds reaches the processes, so that they are measured."""


class ALog:
    """A log of a name and a key, over leaves that only the test knows."""

    def __init__(
        self,
        entries: Sequence[bytes],
        *,
        origin: str = "reports.lender.example/log_1",
        secret: bytes = bytes([1]) * 32,
    ) -> None:
        self.origin = origin
        self.secret = secret
        self._nodes: dict[tuple[int, int], bytes] = {}
        nodes, self.size = merkle.append_nodes(0, [leaf_hash(entry) for entry in entries], self.read)
        self._nodes.update({(node.level, node.index): node.hash for node in nodes})

    @property
    def key(self) -> NoteKey:
        return notes.public_key(self.origin, self.secret)

    def read(self, level: int, index: int) -> bytes | None:
        return self._nodes.get((level, index))

    def root(self, size: int) -> bytes:
        return merkle.root(size, self.read)

    def text(self, size: int) -> str:
        return notes.checkpoint_text(self.origin, size, self.root(size))

    def note(self, size: int) -> str:
        return notes.note(self.text(size), notes.sign(self.text(size), self.origin, self.secret))

    def proof(self, old: int, size: int) -> list[bytes]:
        return merkle.consistency_proof(old, size, self.read) if 0 < old < size else []

    def request(self, old: int, size: int) -> bytes:
        return encode(old, self.proof(old, size), self.note(size))


def entries(count: int, *, fork_at: int | None = None) -> list[bytes]:
    """Entries of a log; from `fork_at` on they are others."""
    return [b"%d %s" % (n, b"b" if fork_at is not None and n >= fork_at else b"a") for n in range(count)]


@dataclass(frozen=True)
class Answered:
    """What came back over HTTP."""

    status: int
    kind: str
    body: bytes


def ask(
    port: int,
    body: bytes | Iterator[bytes],
    *,
    method: str = "POST",
    path: str = "/add-checkpoint",
    timeout: float = 30,
) -> Answered:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body, encode_chunked=not isinstance(body, bytes))
        answer = connection.getresponse()
        return Answered(answer.status, answer.headers["Content-Type"], answer.read())
    finally:
        connection.close()


@dataclass(frozen=True)
class RunningWitness:
    """A witness that answers, on loopback."""

    key: WitnessKey
    port: int
    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, body: bytes) -> Answered:
        return ask(self.port, body)


def command(folder: Path, port: int, *logs: NoteKey, state: str = "state") -> list[str]:
    """The command of a witness whose key and state lie in this folder."""
    named = [word for log in logs for word in ("--log", log.encode())]
    place = ["--key", str(folder / "witness.key"), "--state", str(folder / state)]
    return [sys.executable, "-m", "service", "witness", *place, *named, "--listen", f"127.0.0.1:{port}"]


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextmanager
def running_witness(
    folder: Path, *logs: NoteKey, name: str = "witness.auditor.example/w1", before: Sequence[str] = ()
) -> Iterator[RunningWitness]:
    """`sealmark witness` runs within the block, with the key and state of this folder, made where they are missing."""
    from service.witness.keyfile import load_witness_key

    path = folder / "witness.key"
    key = load_witness_key(path) if path.exists() else new_witness_key(path, name)
    port = free_port()
    with running(
        [*before, *command(folder, port, *logs)],
        log=folder / "witness.log",
        ready=lambda: listens(port),
        environment=OUTER,
        folder=Path.cwd(),
    ):
        yield RunningWitness(key, port, folder)
