"""A way to a server that is cut at a chosen message: what comes before it has arrived, what comes after never does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

PIECE = 65536


@dataclass
class Way:
    """Connections to `port` go on to the server, until the message for which `cut_at` is set."""

    port: int
    was_cut: bool = False
    _left: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cut_at(self, direction: str, number: int) -> None:
        """Cut both sides instead of passing on message `number` from now, counted from 1; `there` or `back`."""
        with self._lock:
            self._left, self.was_cut = {direction: number}, False

    def passes(self, direction: str) -> bool:
        """Count one message; whether it goes on."""
        with self._lock:
            if direction not in self._left:
                return True
            self._left[direction] -= 1
            if self._left[direction]:
                return True
            del self._left[direction]
            self.was_cut = True
            return False


@contextmanager
def way_to(server_port: int) -> Iterator[Way]:
    """A way to this port of loopback, open in the block."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        way = Way(listening.getsockname()[1])
        threading.Thread(target=_accept, args=(listening, way, server_port), daemon=True).start()
        yield way
        listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, way: Way, server_port: int) -> None:
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            server = socket.create_connection(("127.0.0.1", server_port))
            for pair, direction in (((client, server), "there"), ((server, client), "back")):
                threading.Thread(target=_pass, args=(*pair, way, direction), daemon=True).start()


def _pass(source: socket.socket, target: socket.socket, way: Way, direction: str) -> None:
    with suppress(OSError):
        while (piece := source.recv(PIECE)) and way.passes(direction):
            target.sendall(piece)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
