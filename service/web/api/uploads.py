"""Raw bodies: read as a stream in pieces, never parsed, never on a disk; and waiting for what follows."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from service.errors import DomainError, Problem
from service.web.api.routing import require_type

PDF = "application/pdf"

PIECE = 64 * 1024
"""Bytes that an upload holds in memory at a time, a few times over while they are sealed."""

MAX_WAIT = 60
"""Seconds that a call may wait for a compiled version: below the minute after which proxies give up."""

LOOK_EVERY = 0.2
"""Seconds between two looks at a version that is waited for."""

_WAIT = re.compile(r"wait[ \t]*=[ \t]*\"?([0-9]{1,6})\"?", re.IGNORECASE)

T = TypeVar("T")


def pdf_pieces(limit: int) -> Iterator[bytes]:
    """The pieces of the request's body, as they arrive.

    Raises `DomainError`: unsupported-media-type at the call, too-large when it is iterated (by its
    `Content-Length`, before a byte is read), so that whoever takes the pieces can record the refusal. A body that
    breaks off raises while it is iterated, so half a file is never taken for one.
    """
    require_type(PDF)
    request.max_content_length = limit
    return _pieces(limit)


def raw_body(media_type: str, limit: int) -> bytes:
    """The whole body, of this type. Raises `DomainError` (unsupported-media-type, too-large)."""
    require_type(media_type)
    request.max_content_length = limit
    return b"".join(_pieces(limit))


def wanted_wait() -> int | None:
    """Seconds of `Prefer: wait=…` (RFC 7240), at most `MAX_WAIT`; None without it. What is malformed is no wish."""
    for line in request.headers.getlist("Prefer"):
        for preference in re.split("[,;]", line):
            found = _WAIT.fullmatch(preference.strip())
            if found:
                return min(int(found[1]), MAX_WAIT)
    return None


class Waiting:
    """Waits in the request's thread, in at most half of them, so that there are always some for other calls."""

    def __init__(self, threads: int, pause: Callable[[float], None], seconds: Callable[[], float]) -> None:
        self._places = threading.BoundedSemaphore(max(1, threads // 2))
        self._pause = pause
        self._seconds = seconds

    def until(self, look: Callable[[], T], done: Callable[[T], bool], wait: int) -> tuple[T, bool]:
        """What `look` sees last, and whether there was a place to wait in: at most so many seconds, or until `done`."""
        seen = look()
        if not self._places.acquire(blocking=False):
            return seen, False
        try:
            end = self._seconds() + wait
            while not done(seen) and self._seconds() < end:
                self._pause(LOOK_EVERY)
                seen = look()
            return seen, True
        finally:
            self._places.release()


def _pieces(limit: int) -> Iterator[bytes]:
    if request.content_length is not None and request.content_length > limit:
        raise _too_large(limit)
    while True:
        try:
            piece = request.stream.read(PIECE)
        except RequestEntityTooLarge as error:
            raise _too_large(limit) from error
        if not piece:
            return
        yield piece


def _too_large(limit: int) -> DomainError:
    return DomainError(Problem.TOO_LARGE, f"A file has at most {limit} bytes here.", limit=limit)
