"""The fixed lengths that more than one format uses, and the check for them. All in bytes."""

from __future__ import annotations

from crypto.errors import WrongKeyLength, WrongLength

KEY_SIZE = 32
"""Every symmetric key here: AES-256, and HMAC-SHA-256 at the size of its output."""

NONCE_SIZE = 12
"""AES-GCM with a nonce of 96 bits, the only size that is used as it is (SP 800-38D, section 7.1)."""

TAG_SIZE = 16
"""The full tag of AES-GCM; shorter ones make forging cheaper."""


def check_key(what: str, key: bytes) -> None:
    """Raise `WrongKeyLength` unless `key` has `KEY_SIZE` bytes."""
    if len(key) != KEY_SIZE:
        raise WrongKeyLength(what, str(KEY_SIZE), len(key))


def check_length(what: str, value: bytes, length: int) -> None:
    """Raise `WrongLength` unless `value` has `length` bytes."""
    if len(value) != length:
        raise WrongLength(what, str(length), len(value))
