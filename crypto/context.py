"""The context of a ciphertext: the one place where it belongs, bound in so that it opens nowhere else."""

from __future__ import annotations

from crypto.errors import ContextInvalid

FORMAT_VERSION = 1
"""Version of what `FORMAT.md` says about sealed objects and wrapped keys."""

MAX_FIELD = 255
"""Bytes of one field. Ours are words and identifiers; a longer one is a mistake."""


def context(role: str, owner_kind: str, owner_id: str, object_id: str) -> bytes:
    """The bytes that name one object. Two different lists of fields never give the same bytes.

    Only `owner_id` may be empty. Raises `ContextInvalid`.
    """
    if not (role and owner_kind and object_id):
        raise ContextInvalid("a context needs a role, a kind of owner and an object's id")
    fields = ("sealmark", str(FORMAT_VERSION), role, owner_kind, owner_id, object_id)
    return b"".join(_with_length(field) for field in fields)


def key_context(purpose: str, key_id: str, owner_id: str = "") -> bytes:
    """The context of a named key: `owner_id` is the one thing it serves, if any. Raises `ContextInvalid`."""
    return context(purpose, "key", owner_id, key_id)


def _with_length(field: str) -> bytes:
    try:
        data = field.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ContextInvalid("a field of a context holds a lone surrogate") from error
    if len(data) > MAX_FIELD:
        raise ContextInvalid(f"a field of a context has {len(data)} bytes; at most {MAX_FIELD} fit")
    return len(data).to_bytes(2, "big") + data
