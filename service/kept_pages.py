"""Drawn pages that this process keeps for a while, so that a sitting does not draw each page anew.

They are in memory only, bounded, and sealed under the token that the reader brings with each request: what a sitting
left behind opens for nobody.
"""

from __future__ import annotations

import json
import struct
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from crypto.bearer import open_as_bearer, seal_for_bearer
from crypto.errors import AnswerBroken
from crypto.lengths import NONCE_SIZE
from service.audit import Random
from watermark.drawn import Drawn, DrawnPage, Picture

KEPT_BYTES = 64 * 1024 * 1024
"""Of one process, for all sittings: some 400 pages, which is more than a hundred readers have before them at once."""

_HEADER = struct.Struct(">I")
"""Length of the JSON before the picture."""


@dataclass(frozen=True)
class _Kept:
    sealed: bytes
    until: datetime


class KeptPages:
    """The pages of running sittings. Any number of threads may use it."""

    def __init__(self, random: Random, most: int = KEPT_BYTES) -> None:
        self._random = random
        self._most = most
        self._lock = threading.Lock()
        self._pages: OrderedDict[tuple[str, int], _Kept] = OrderedDict()
        self._size = 0

    def put(self, token: str, sitting: str, until: datetime, drawn: Drawn, now: datetime) -> None:
        """Keep these pages until then, or until there is no room; those that were used longest ago go first."""
        for page in drawn.pages:
            data = _encode(drawn.count, page)
            nonce = self._random(NONCE_SIZE)
            sealed = seal_for_bearer(token, _context(sitting, page.number), data, nonce=nonce)
            with self._lock:
                self._drop((sitting, page.number))
                self._pages[sitting, page.number] = _Kept(sealed, until)
                self._size += len(sealed)
        with self._lock:
            for key in [key for key, kept in self._pages.items() if kept.until <= now]:
                self._drop(key)
            while self._size > self._most:
                self._drop(next(iter(self._pages)))

    def get(self, token: str, sitting: str, number: int, now: datetime) -> Drawn | None:
        """The page, alone, if it is kept; with how many pages there are."""
        with self._lock:
            kept = self._pages.get((sitting, number))
            if kept is None or kept.until <= now:
                return None
            self._pages.move_to_end((sitting, number))
        try:
            return _decode(open_as_bearer(token, _context(sitting, number), kept.sealed))
        except AnswerBroken:
            return None

    def forget(self, sitting: str) -> None:
        """Keep nothing of this sitting any more."""
        with self._lock:
            for key in [key for key in self._pages if key[0] == sitting]:
                self._drop(key)

    def _drop(self, key: tuple[str, int]) -> None:
        dropped = self._pages.pop(key, None)
        if dropped is not None:
            self._size -= len(dropped.sealed)


def _context(sitting: str, number: int) -> bytes:
    return f"{sitting}:{number}".encode()


def _encode(count: int, page: DrawnPage) -> bytes:
    picture = page.picture
    header = {
        "count": count,
        "page": [page.number, page.text, page.whole, page.label],
        "picture": None if picture is None else [picture.form, picture.width, picture.height],
    }
    encoded = json.dumps(header).encode()
    return _HEADER.pack(len(encoded)) + encoded + (b"" if picture is None else picture.data)


def _decode(data: bytes) -> Drawn:
    stop = _HEADER.size + _HEADER.unpack_from(data)[0]
    header = json.loads(data[_HEADER.size : stop])
    number, text, whole, label = header["page"]
    picture = None
    if header["picture"] is not None:
        form, width, height = header["picture"]
        picture = Picture(form, width, height, data[stop:])
    return Drawn(header["count"], (DrawnPage(number, picture, text, whole, label),))
