"""BlobStore: where sealed objects rest. The promise, its errors and its values; the stores are in `adapters`.

Only ciphertext and public sidecars pass through here; a store is trusted to keep bytes, not secrets.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

MAX_KEY_LENGTH = 512
"""Characters of a key. S3 allows 1,024 bytes, but a folder adds its own path (PATH_MAX of macOS: 1,024)."""

MAX_KEY_SEGMENT = 200
"""Characters between two slashes. File systems stop at 255; the rest is room for suffixes of theirs."""

MAX_PIECE = 256 * 1024
"""Bytes of one piece of a read: what one reader holds in memory, and large enough for few calls."""

_SEGMENT = r"[a-z0-9_-](?:\.?[a-z0-9_-])*"
_KEY = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")
_PREFIX = re.compile(rf"(?:{_SEGMENT}/)*(?:{_SEGMENT}\.?)?")


class StoreError(Exception):
    """The store could not do what it was asked; the message says what to do. Root of the errors here."""


class InvalidBlobKey(StoreError):
    """The key, or the prefix of a list, is outside the closed alphabet. Nothing was asked of the store."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"{key[:MAX_KEY_LENGTH]!r} is no key of an object: use lower-case letters, digits, '_' and '-', "
            f"single dots inside a name and single slashes between names, at most {MAX_KEY_LENGTH} "
            f"characters, {MAX_KEY_SEGMENT} a name"
        )
        self.key = key


class BlobMissing(StoreError):
    """The store answered, and it has no object of this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the store has no object {key!r}")
        self.key = key


class StoreUnavailable(StoreError):
    """The store did not do its work: not reachable, refusing, full, broken off. Asking later may help."""


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """One object as a list shows it. `size` in bytes; `modified` in UTC by the store's own clock."""

    key: str
    size: int
    modified: datetime


class BlobStore(Protocol):
    """Whole objects under keys. Safe to use from many threads.

    Each method may raise `InvalidBlobKey`, and `StoreUnavailable` within the adapter's named time limits. A
    key is never also the folder of another key (`a` beside `a/b`): some stores refuse that with `StoreError`.
    """

    def put(self, key: str, chunks: Iterable[bytes]) -> int:
        """Store the chunks, in order, as the object; return its size in bytes.

        Afterwards the whole object is there, durably, and replaces an older one. If `chunks` raises, its
        exception comes through and nothing has changed. After any other error either nothing has changed or
        the whole object is there (the answer was lost); never a part of it. Memory does not grow with it.
        """
        ...

    def read(self, key: str, start: int = 0, stop: int | None = None) -> Generator[bytes, None, None]:
        """The bytes from `start` up to, not including, `stop` (None: the end), in pieces of 1 to `MAX_PIECE`.

        What lies beyond the end is left out, so a range can be empty. All pieces come from one state of the
        object. Raises `BlobMissing` at the call, not at the first piece. Whoever stops early calls `close()`
        (`contextlib.closing`), which frees the connection or file. Fails rather than end early.
        """
        ...

    def size(self, key: str) -> int:
        """Bytes of the object. Raises `BlobMissing`."""
        ...

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        """The objects whose key begins with `prefix` (any beginning of a key; empty: all), in order of key.

        Objects put or deleted meanwhile may or may not be among them; all others are, once.
        """
        ...

    def delete(self, key: str) -> None:
        """Afterwards there is no object of this key. One that was absent is fine."""
        ...


def check_key(key: str) -> None:
    """Raise `InvalidBlobKey` unless `key` is one. Because no name begins with a dot, a key is never `..` or a
    temporary file of the folder store."""
    _check(_KEY, key)


def check_prefix(prefix: str) -> None:
    """Raise `InvalidBlobKey` unless `prefix` is empty or the beginning of some key."""
    _check(_PREFIX, prefix)


def check_range(start: int, stop: int | None) -> None:
    """Raise `ValueError` unless 0 <= start <= stop: other ranges are a mistake of the caller."""
    if start < 0 or (stop is not None and stop < start):
        raise ValueError(f"no range of bytes: start {start}, stop {stop}")


def _check(pattern: re.Pattern[str], key: str) -> None:
    fits = len(key) <= MAX_KEY_LENGTH and all(len(name) <= MAX_KEY_SEGMENT for name in key.split("/"))
    if not fits or pattern.fullmatch(key) is None:
        raise InvalidBlobKey(key)
