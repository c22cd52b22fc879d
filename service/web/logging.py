"""Structured logs: one line of JSON an event, one event a request, and nothing in them that opens a report.

A line names the route's template instead of its path, so no link, token or query is ever logged. What other
libraries log is kept to its template: their arguments may hold an address, a path or a row. Of an exception the
type and the places in the code are logged, not its message.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, TextIO

from flask import Flask, Response, g, has_request_context, request

OURS = "sealmark"
"""Loggers below this name are ours: their messages hold no values but those that are safe."""

SILENCED = ("werkzeug", "gunicorn.access")
"""Loggers that would write a line with the path for each request."""

MAX_FRAMES = 30
"""Places of a traceback that are kept, the innermost ones: enough to see through the framework to our code."""

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}

log = logging.getLogger("sealmark.web.request")


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, event, request id, and what the event adds."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _event(record),
        }
        if has_request_context() and "request_id" in g:
            line["request"] = g.request_id
        if record.name.split(".")[0] == OURS:
            line |= {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = _shown(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send all logs of this process to `stream` (default: standard error) as `JsonLines`, and no path with them."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in SILENCED:
        silent = logging.getLogger(name)
        silent.handlers[:] = []
        silent.propagate = False
        silent.disabled = True


def log_requests(app: Flask, observe: Callable[[str, str, int, float], None]) -> None:
    """Log each request once its answer has gone; `observe(route, method, status, seconds)` is told the same."""

    @app.before_request
    def begin() -> None:
        g.started = perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        line: dict[str, Any] = {
            "request": g.get("request_id"),
            "method": request.method if request.url_rule else "",
            "route": route_template(),
            "status": response.status_code,
            "caller": g.get("caller"),
        }
        started: float = g.get("started", perf_counter())
        body = _Counted(response.response)
        response.response = body

        def ended() -> None:
            seconds = perf_counter() - started
            observe(line["route"], line["method"], line["status"], seconds)
            log.info("request", extra={**line, "seconds": round(seconds, 6), "bytes": body.sent})

        response.call_on_close(ended)
        return response


def route_template() -> str:
    """The route of this request as the code has it, such as `/s/<token>`; `none` when there is none."""
    return request.url_rule.rule if request.url_rule else "none"


class _Counted:
    """The body as it is, counted as it leaves."""

    def __init__(self, body: Iterable[bytes] | Iterable[str] | None) -> None:
        self._body: Iterable[Any] = body or ()
        self.sent = 0

    def __iter__(self) -> Iterator[Any]:
        for piece in self._body:
            self.sent += len(piece)
            yield piece

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            close()


def _event(record: logging.LogRecord) -> str:
    """Our messages as they are; of other libraries the template, with numbers only."""
    if record.name.split(".")[0] == OURS:
        return record.getMessage()
    arguments = record.args if isinstance(record.args, tuple) else ()
    safe = tuple(value if isinstance(value, int | float) else "…" for value in arguments)
    try:
        return str(record.msg) % safe if safe else str(record.msg)
    except (TypeError, ValueError):
        return str(record.msg)


def _shown(error: BaseException) -> dict[str, Any]:
    """The type of an exception and of its causes, and the places it passed; no message, no value."""
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    types: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(types) < MAX_FRAMES:
        types.append(f"{type(cause).__module__}.{type(cause).__qualname__}")
        cause = cause.__cause__ or cause.__context__
    return {"types": types, "places": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]}
