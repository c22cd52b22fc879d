"""Commitments: a personal field enters the log's leaf as one, and can be erased without breaking a proof."""

from __future__ import annotations

import hmac

from crypto.errors import CommitmentInvalid
from crypto.lengths import check_length

SALT_SIZE = 32
"""Random bytes for each field of each entry: without them the value is not found by guessing."""


def commit(name: str, value: str, salt: bytes) -> str:
    """HMAC-SHA-256 in hex over name and value, keyed by `salt`. Raises `WrongLength`, `CommitmentInvalid`."""
    check_length("the salt of a commitment", salt, SALT_SIZE)
    if not name or "\x00" in name:
        raise CommitmentInvalid("the name of a committed field is not empty and holds no zero byte")
    try:
        message = name.encode("utf-8") + b"\x00" + value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise CommitmentInvalid(
            "a committed field holds a lone surrogate, which UTF-8 cannot write"
        ) from error
    return hmac.digest(salt, message, "sha256").hex()


def check(commitment: str, name: str, value: str, salt: bytes) -> bool:
    """Whether `commitment` is the one of this name, value and salt, in constant time. Raises as `commit`."""
    return hmac.compare_digest(commit(name, value, salt).encode(), commitment.encode("utf-8", "replace"))
