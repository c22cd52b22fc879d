"""base64url without padding (RFC 4648 section 5), with one spelling for each value."""

from __future__ import annotations

import base64
import binascii


def encode(data: bytes) -> str:
    """The text of `data`: letters, digits, `-` and `_` only."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes whose `encode` is exactly `text`. Raises `ValueError` where there are none.

    Encoding again is what refuses padding, foreign characters and set trailing bits, which decoders skip.
    """
    try:
        data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (UnicodeEncodeError, binascii.Error) as error:
        raise ValueError("not base64url") from error
    if encode(data) != text:
        raise ValueError("not canonical base64url")
    return data
