"""An end in time for all that runs on a socket: a timeout of each call lets a peer that drips bytes go on for ever."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Deadline:
    """Ends what runs on a socket after so many seconds; closes it in any case. Raises `TimeoutError` then."""

    def __init__(self, connected: socket.socket, seconds: float) -> None:
        self._socket = connected
        self._passed = False
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        connected.settimeout(seconds)

    def guard(self, connected: socket.socket) -> None:
        """The same connection, as another object."""
        self._socket = connected

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._socket.close()
        if self._passed:
            raise TimeoutError

    def _end(self) -> None:
        self._passed = True
        with suppress(OSError):  # it may be closed already
            # That of a plain socket: TLS would first take its layer away under who reads.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
