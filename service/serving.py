"""Serving for real: gunicorn around the web application, and the worker as a process of its own.

Everything that would make a start useless is found before an address is bound. Database connections and clients of
the store are made after a process has forked, in each web process anew.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from service.adapters.keyfile import KeyFile
from service.app import Sealmark, build
from service.hardening import PRIVATE_UMASK, refuse_core_dumps
from service.listening import require_free
from service.ports import DatabaseUnavailable
from service.settings import FolderStore, SettingError, Settings
from service.web.recipient.brand import read_logo
from service.worker import Worker

log = logging.getLogger("sealmark.serving")

GRACE_SECONDS = 30
"""How long running downloads may go on after SIGTERM."""

SILENT_SECONDS = 60
"""After how many seconds without a heartbeat a web process is taken for hung. The heart is its main thread, which
accepts and waits; a request, however long, runs in another."""

KEEP_ALIVE_SECONDS = 75
"""Longer than proxies keep their idle connections (nginx: 60), so that it is never we who close under a request.
An idle connection holds no thread."""

MAX_REQUEST_LINE = 2048
"""Bytes: a link is below 300, the longest query of the API (a filter with a cursor) below 1,000."""

MAX_HEADERS = 60
MAX_HEADER_BYTES = 8190
"""Browsers send some twenty fields; the longest that we ask for is a User-Agent."""

MEND_LISTEN = "Free it, or set SEALMARK_LISTEN or SEALMARK_METRICS."

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""Where the measurements of several web processes add up; prometheus_client reads it when it is imported."""


def serve(settings: Settings, *, with_worker: bool = False) -> None:
    """Serve until SIGTERM, then let running downloads end for `GRACE_SECONDS`. Ends this process.

    Raises, before anything is bound: `SettingError`, `KeyFileUnusable`, `DomainError` (the store does not know the
    key), `WrongSchema`, `DatabaseUnavailable`, `StoreError`, `CannotListen`.
    """
    _begin(settings)
    require_free(settings.listen, MEND_LISTEN)
    if settings.metrics is None:
        WebServer(settings, with_worker).run()
        return
    require_free(settings.metrics, MEND_LISTEN)
    folder = tempfile.mkdtemp(prefix="sealmark-metrics-")
    os.environ[MULTIPROCESS] = folder
    owner = os.getpid()
    try:
        WebServer(settings, with_worker).run()
    finally:
        if os.getpid() == owner:  # web processes leave by this way too
            shutil.rmtree(folder, ignore_errors=True)


def run_worker(settings: Settings) -> None:
    """Run the worker's tasks until SIGTERM or SIGINT, then let those that run end. Raises what `serve` raises."""
    _begin(settings)
    stopped = _on_stop_signal()
    sealmark = build(settings)
    with closing(sealmark):
        worker = sealmark.worker()
        worker.start()
        log.info("worker runs")
        stopped()
        log.info("worker stops")
        worker.stop(GRACE_SECONDS)


def require_startable(settings: Settings) -> None:
    """Raise, with one clear line, unless key, store and database are there and belong together."""
    if isinstance(settings.store, FolderStore):
        store = settings.store.path.resolve()
        if settings.key_file.resolve().is_relative_to(store):
            raise SettingError(
                "KEY", "lies inside the store's folder, whose backup would hold key and locks: move it out"
            )
    if settings.logo is not None:
        read_logo(settings.logo)
    KeyFile(settings.key_file).keyring()
    with closing(build(settings)) as sealmark:
        sealmark.require_ready()


class WebServer(BaseApplication):  # type: ignore[misc]
    """gunicorn with threads, set up by our settings alone."""

    def __init__(self, settings: Settings, with_worker: bool) -> None:
        self._settings = settings
        self._with_worker = with_worker
        self._chief = False
        self._sealmark: Sealmark | None = None
        self._worker: Worker | None = None
        self._stop_metrics: Callable[[], None] | None = None
        super().__init__()

    def load_config(self) -> None:
        """What gunicorn asks for; nothing comes from its own variables or files."""
        shared_memory = Path("/dev/shm")  # noqa: S108  # for heartbeats without a disk, under a random name
        for name, value in {
            "bind": self._settings.listen,
            "workers": self._settings.processes,
            "threads": self._settings.threads,
            "worker_class": "service.serving.WebProcess",
            "logger_class": PathlessLogger,
            "loglevel": "warning",
            "accesslog": None,
            "timeout": SILENT_SECONDS,
            "graceful_timeout": GRACE_SECONDS,
            "keepalive": KEEP_ALIVE_SECONDS,
            "limit_request_line": MAX_REQUEST_LINE,
            "limit_request_fields": MAX_HEADERS,
            "limit_request_field_size": MAX_HEADER_BYTES,
            "forwarded_allow_ips": "",  # proxies are trusted by SEALMARK_TRUSTED_PROXIES alone
            "umask": PRIVATE_UMASK,
            "worker_tmp_dir": str(shared_memory) if os.access(shared_memory, os.W_OK) else None,
            "proc_name": "sealmark",
            "preload_app": False,
            "control_socket_disable": True,
            "when_ready": _when_ready,
            "pre_fork": self._pre_fork,
            "child_exit": _forget_measurements,
            "worker_exit": self._worker_exit,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The application of one web process; its chief runs the worker and the metrics, too."""
        from prometheus_client import CollectorRegistry

        from service.web.application import create_app

        self._sealmark = build(self._settings)
        registry = CollectorRegistry()
        app = create_app(self._sealmark, registry=registry)
        if self._chief and self._with_worker:
            self._worker = self._sealmark.worker()
            self._worker.start()
        if self._chief and self._settings.metrics is not None:
            self._stop_metrics = _start_metrics(registry, self._sealmark, self._settings.metrics)
        return app

    def stop_working(self) -> None:
        """Begin no new work beside requests. Safe in a signal handler of the main thread."""
        if self._worker is not None:
            self._worker.stop(0)

    def _pre_fork(self, server: Arbiter, process: WebProcess) -> None:
        """One web process is the chief; when it dies, the next that is started."""
        process.chief = not any(other.chief for other in server.WORKERS.values())
        self._chief = process.chief

    def _worker_exit(self, server: Arbiter, process: WebProcess) -> None:
        if self._stop_metrics is not None:
            self._stop_metrics()
        if self._worker is not None:
            self._worker.stop(GRACE_SECONDS)
        if self._sealmark is not None:
            self._sealmark.close()


class WebProcess(ThreadWorker):  # type: ignore[misc]
    """A web process that stops its worker's tasks when it begins to stop itself."""

    chief = False

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: no new work."""
        super().handle_exit(sig, frame)
        self.app.stop_working()

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept connections, or not; when stopping, refuse them, instead of letting them wait for our end."""
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                listener.close()


class PathlessLogger(Logger):  # type: ignore[misc]
    """gunicorn's own messages, through our logging and without what a stranger sent: it may hold a link."""

    def setup(self, cfg: Any) -> None:
        """Leave the writing to the root logger."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """As it is, unless it quotes a request."""
        if msg.startswith("Invalid request"):
            log.warning("a request that is not HTTP")
        else:
            super().warning(msg, *args, **kwargs)


def _begin(settings: Settings) -> None:
    from service.web.logging import configure

    os.umask(PRIVATE_UMASK)
    refuse_core_dumps()
    require_startable(settings)
    configure()


def _when_ready(server: Arbiter) -> None:
    # Settings are those of the environment, so there is nothing to reload: who hangs up wants us to end.
    signal.signal(signal.SIGHUP, lambda *_: server.SIG_QUEUE.put_nowait(signal.SIGTERM))
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    log.info("serving", extra={"listen": ", ".join(str(listener) for listener in server.LISTENERS)})


def _start_metrics(registry: Any, sealmark: Sealmark, address: str) -> Callable[[], None] | None:
    """Serve the metrics. Only the metrics are missing when that fails."""
    from service.web.metrics import LogTail, serve_metrics

    tail = LogTail(sealmark.database, sealmark.sequencer, sealmark.log.size)
    try:
        tail.begin()
        return serve_metrics(address, registry, tail)
    except (OSError, DatabaseUnavailable):
        log.error("no metrics", exc_info=True)
        return None


def _forget_measurements(server: Arbiter, process: WebProcess) -> None:
    if MULTIPROCESS in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(process.pid)  # type: ignore[no-untyped-call]


def _on_stop_signal() -> Callable[[], None]:
    """A function that returns once SIGTERM or SIGINT has come. A pipe, since a handler may take no locks."""
    come, send = os.pipe()
    os.set_blocking(send, False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: os.write(send, b"."))

    def wait() -> None:
        os.read(come, 1)

    return wait
