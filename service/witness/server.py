"""The witness as a process: gunicorn with threads around its application."""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.util import close_graceful  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from crypto.logcheck import NoteKey
from service.hardening import PRIVATE_UMASK
from service.listening import require_free
from service.standalone.errors import FileRefused
from service.witness.application import Application, Witness
from service.witness.keyfile import load_witness_key
from service.witness.state import State, hold

THREADS = 8
"""Requests at a time: a log sends one a second at most, and each takes as long as the disk needs to sync."""

SILENT_SECONDS = 60
"""After how many seconds without a heartbeat the web process is taken for hung, and made anew."""

GRACE_SECONDS = 10
"""How long running requests may go on after SIGTERM."""

KEEP_ALIVE_SECONDS = 75
"""Longer than a busy log's pause between two checkpoints, 60 seconds. An idle connection holds no thread."""

REQUEST_SECONDS = 10.0
"""How long all of a request may take to come, however its bytes do: a log sends some KB at once. Without an end, as
many clients as there are threads could keep everybody else out."""

log = logging.getLogger("sealmark.witness")


def utc_now() -> datetime:
    """The witness's clock: aware UTC."""
    return datetime.now(UTC)


def run(key_file: Path, name: str | None, logs: Sequence[NoteKey], folder: Path, listen: str) -> None:
    """Serve until SIGTERM. Ends this process. `name`: what the key must be called, if anything.

    Raises, before anything is bound: `FileRefused` for a key of another name; `FileUnusable` when the key cannot be
    read, another witness runs with it or with this state, or the state is another's or cannot be written;
    `CannotListen`.
    """
    os.umask(PRIVATE_UMASK)
    _log_to_standard_error()
    key = load_witness_key(key_file)
    if name is not None and name != key.name:
        raise FileRefused(f"the key is of {key.name}, not of {name}: a key signs under one name only")
    state = State(folder, key.public)
    # Both are held until this process and those that it makes have ended.
    hold(key_file, f"the key {key_file}")
    state.take()
    for origin in {log_key.name for log_key in logs}:
        with state.of(origin) as remembered:
            log.info("knows this log", extra={"origin": origin, "size": remembered.held.size})
    require_free(listen, "Free it, or name another.")
    Server(Application(Witness(key, logs, state, utc_now)), listen).run()


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, set up by this module alone."""

    def __init__(self, application: Application, listen: str) -> None:
        self._application = application
        self._listen = listen
        super().__init__()

    def load_config(self) -> None:
        """What gunicorn asks for; nothing comes from its own variables or files."""
        for name, value in {
            "bind": self._listen,
            "workers": 1,
            "threads": THREADS,
            "worker_class": "service.witness.server.WebProcess",
            "loglevel": "warning",
            "accesslog": None,
            "timeout": SILENT_SECONDS,
            "graceful_timeout": GRACE_SECONDS,
            "keepalive": KEEP_ALIVE_SECONDS,
            "forwarded_allow_ips": "",
            "umask": PRIVATE_UMASK,
            "proc_name": "sealmark-witness",
            "preload_app": False,
            "control_socket_disable": True,
            "when_ready": lambda _: log.info("serving", extra={"listen": self._listen}),
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The application of the web process."""
        return self._application


class WebProcess(ThreadWorker):  # type: ignore[misc]
    """The web process, which gives each request `REQUEST_SECONDS`, and waits for no client where it accepts others."""

    def handle(self, conn: Any) -> Any:
        """Handle one request of a connection, and close it here if it is not kept: gunicorn would do so, and wait for
        the client to close too, in the thread that accepts."""
        if not isinstance(conn.sock, _Bounded):
            conn.sock = _Bounded(fileno=conn.sock.detach())
        kept = super().handle(conn)
        if not kept:
            close_graceful(conn.sock)
        return kept


class _Bounded(socket.socket):
    """A connection that counts as broken when a request is not there in time."""

    _end = 0.0

    def setblocking(self, flag: bool) -> None:
        """Blocking: gunicorn begins to read a request. Does nothing once the connection is closed."""
        if self.fileno() >= 0:
            super().setblocking(flag)
        self._end = time.monotonic() + REQUEST_SECONDS

    def recv(self, size: int, flags: int = 0) -> bytes:
        """As it is, but raises `ConnectionResetError` where it would wait beyond the request's time."""
        asked = self.gettimeout()
        if asked is not None:
            return super().recv(size, flags)
        self.settimeout(max(self._end - time.monotonic(), 0.001))
        try:
            return super().recv(size, flags)
        except TimeoutError:
            raise ConnectionResetError(errno.ECONNRESET, "the request took too long to come") from None
        finally:
            self.settimeout(None)


class _Lines(logging.Formatter):
    """One line an event: time, level, event, what it adds. No request is in it, only what the log signed."""

    def format(self, record: logging.LogRecord) -> str:
        added = {
            name: record.__dict__[name]
            for name in ("origin", "size", "status", "listen")
            if name in record.__dict__
        }
        text = " ".join([record.getMessage(), *(f"{name}={value}" for name, value in added.items())])
        if record.exc_info and record.exc_info[1] is not None:
            text = f"{text}: {record.exc_info[1]}"
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"{at} {record.levelname.lower()} {text}"


def _log_to_standard_error() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    log.setLevel(logging.INFO)
