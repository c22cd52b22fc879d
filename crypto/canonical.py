"""Canonical JSON (RFC 8785), restricted to objects, lists, strings and integers.

One value has one spelling, in every language, so its bytes can be hashed and signed.
"""

from __future__ import annotations

import json
from typing import TypeAlias

from crypto.errors import CanonicalError

Value: TypeAlias = "str | int | list[Value] | dict[str, Value]"

MAX_INTEGER = 2**53 - 1
"""Largest absolute value: beyond it JavaScript and others no longer tell integers apart."""

MAX_DEPTH = 16
"""Levels of lists and objects. Ours have two; a bound keeps a stranger's bytes off the stack."""


def encode(value: object) -> bytes:
    """The canonical bytes of a `Value`. Raises `CanonicalError` for anything else."""
    try:
        return json.dumps(_ordered(value, 0), ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError as error:
        raise CanonicalError("a string holds a lone surrogate, which UTF-8 cannot write") from error


def decode(data: bytes) -> Value:
    """The value whose `encode` is exactly `data`. Raises `CanonicalError` where there is none.

    Encoding again refuses names given twice, other orders, spaces, escapes and spellings of a number.
    """
    try:
        value: Value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise CanonicalError("these bytes are no JSON in UTF-8, or nest too deep") from error
    if encode(value) != data:
        raise CanonicalError("these bytes are JSON, but not in its canonical spelling (RFC 8785)")
    return value


def _ordered(value: object, depth: int) -> Value:
    """The same value, members in canonical order; everything in it was checked."""
    match value:
        case bool():
            raise CanonicalError("canonical JSON here has no true and false: use a word")
        case str():
            return value
        case int():
            if abs(value) > MAX_INTEGER:
                raise CanonicalError("an integer reaches 2^53: use a string")
            return value
        case list() | dict() if depth == MAX_DEPTH:
            raise CanonicalError(f"a value nests more than {MAX_DEPTH} levels deep")
        case list():
            return [_ordered(item, depth + 1) for item in value]
        case dict():
            return {name: _ordered(value[name], depth + 1) for name in sorted(value, key=_utf16)}
    raise CanonicalError(f"canonical JSON here has no {type(value).__name__}: use strings and integers")


def _utf16(name: object) -> bytes:
    if not isinstance(name, str):
        raise CanonicalError(f"the name of a member is a string, not {type(name).__name__}")
    return name.encode("utf-16-be")
