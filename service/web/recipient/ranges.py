"""Which bytes of a copy a request wants: conditions and `Range`, by RFC 9110. Pure; knows no request and no file.

The ETag is strong, because a copy's bytes never change. Several ranges at once are answered with the whole file, as
RFC 9110 14.2 allows: no reader of PDFs needs them, and a multipart answer could not be resumed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_DIGITS = 18
"""Digits of a position in a file: beyond any file, and int() stays cheap."""

_RANGE = re.compile(rf"[Bb][Yy][Tt][Ee][Ss]=[ \t]*([0-9]{{0,{MAX_DIGITS}}})-([0-9]{{0,{MAX_DIGITS}}})[ \t]*")


@dataclass(frozen=True)
class Selection:
    """The answer's status (200, 206, 304, 412 or 416) and, for the first two, the bytes [start, stop) it carries."""

    status: int
    start: int = 0
    stop: int = 0


@dataclass(frozen=True)
class Conditions:
    """The header fields of a request that choose; None where the request has no such field."""

    range: str | None = None
    if_range: str | None = None
    if_match: str | None = None
    if_none_match: str | None = None


def select(asked: Conditions, etag: str, length: int) -> Selection:
    """What to answer for a file of `length` bytes whose strong ETag, with its quotes, is `etag`.

    In the order of RFC 9110 13.2.2; a date in `If-Range` never holds, as the file has an ETag and no date.
    """
    if asked.if_match is not None and not _named(asked.if_match, etag, weak=False):
        return Selection(412)
    if asked.if_none_match is not None and _named(asked.if_none_match, etag, weak=True):
        return Selection(304)
    whole = Selection(200, 0, length)
    if asked.range is None or (asked.if_range is not None and asked.if_range.strip() != etag):
        return whole
    found = _RANGE.fullmatch(asked.range.strip())
    if found is None or found.groups() == ("", ""):
        return whole  # several ranges, or a field that says nothing: ignored
    first, last = found.groups()
    if not first:
        size = min(int(last), length)
        return Selection(206, length - size, length) if size else Selection(416)
    if last and int(last) < int(first):
        return whole
    if int(first) >= length:
        return Selection(416)
    return Selection(206, int(first), min(int(last) + 1, length) if last else length)


def _named(field: str, etag: str, *, weak: bool) -> bool:
    """Whether `etag` is in this list of entity tags; with `weak`, a weak tag of the same value counts too."""
    tags = [tag.strip() for tag in field.split(",")]
    return "*" in tags or etag in tags or (weak and f"W/{etag}" in tags)
