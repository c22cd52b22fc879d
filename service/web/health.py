"""Is the process alive, and can it do its work? `/healthz` and `/readyz`, for whoever runs the containers.

They need no API key and answer to any host, so they say which part fails and nothing about it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from time import monotonic

from flask import Flask, Response, jsonify

from service.app import Sealmark
from service.masterkeys import MARKERS

log = logging.getLogger("sealmark.web.health")

MAX_LAG = 10.0
"""Seconds that an entry may wait for its place: the sequencer needs below one, so then no worker runs."""

KEPT_FOR = 1.0
"""Seconds that an answer of `/readyz` is kept: it writes a row, and anybody can ask for it."""

OK, FAILED = "ok", "failed"


class Readiness:
    """Looks at each part, at most once in `KEPT_FOR`."""

    def __init__(self, sealmark: Sealmark, seconds: Callable[[], float] = monotonic) -> None:
        self._parts: Mapping[str, Callable[[], object]] = {
            "database": sealmark.database.ping_write,
            "store": lambda: next(iter(sealmark.store.list(MARKERS))),
            "log": sealmark.rollback.require_now,
            "key": sealmark.master_keys.require_known,
            "sequencer": lambda: _require_pace(sealmark.sequencer.lag()),
        }
        self._seconds = seconds
        self._lock = threading.Lock()
        self._found: dict[str, str] = {}
        self._found_at = float("-inf")

    def parts(self) -> dict[str, str]:
        """Each part, and whether it is `ok` or `failed`."""
        with self._lock:
            if self._seconds() - self._found_at >= KEPT_FOR:
                self._found = {name: self._look(name, look) for name, look in self._parts.items()}
                self._found_at = self._seconds()
            return dict(self._found)

    @staticmethod
    def _look(name: str, look: Callable[[], object]) -> str:
        try:
            look()
        except Exception:
            log.warning("not ready", extra={"part": name}, exc_info=True)
            return FAILED
        return OK


def answer_probes(app: Flask, readiness: Readiness) -> None:
    """Serve both. 503 when a part fails, and the process takes no new work until it is mended."""

    @app.route("/healthz")
    def healthz() -> Response:
        return jsonify(status=OK)

    @app.route("/readyz")
    def readyz() -> tuple[Response, int]:
        parts = readiness.parts()
        ready = all(state == OK for state in parts.values())
        return jsonify(status=OK if ready else FAILED, parts=parts), 200 if ready else 503


def _require_pace(lag: float) -> None:
    if lag >= MAX_LAG:
        raise RuntimeError("entries wait in the inbox: run `sealmark worker`")
