"""Identifiers: a prefix that tells the kind, and 128 random bits in 26 Crockford base32 characters."""

from __future__ import annotations

import re

from crypto.errors import IdentifierInvalid
from crypto.lengths import check_length

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford base32, lower case: no i, l, o, u, so that nobody misreads one from paper."""

RANDOM_BYTES = 16
"""128 bits: nobody guesses one, and no two are ever equal."""

MAX_PREFIX = 8
"""Characters; longer ones would make the identifier hard to read on a page's footer."""

LETTERS = 26
"""Base32 characters for 128 bits: 130, of which the two highest are zero."""

_PREFIX = rf"[a-z][a-z0-9]{{1,{MAX_PREFIX - 1}}}"
_IDENTIFIER = re.compile(rf"({_PREFIX})_([0-7][{ALPHABET}]{{{LETTERS - 1}}})")
_VALUE = {letter: value for value, letter in enumerate(ALPHABET)}


def new_id(prefix: str, random16: bytes) -> str:
    """`<prefix>_` and the 26 characters of 16 random bytes. Raises `IdentifierInvalid`, `WrongLength`."""
    check_length("the random part of an identifier", random16, RANDOM_BYTES)
    if re.fullmatch(_PREFIX, prefix) is None:
        raise IdentifierInvalid(
            f"{prefix!r} is no prefix: use 2 to {MAX_PREFIX} lower-case letters or digits"
        )
    number = int.from_bytes(random16, "big")
    letters = (ALPHABET[number >> shift & 31] for shift in range(5 * (LETTERS - 1), -1, -5))
    return f"{prefix}_{''.join(letters)}"


def parse_id(text: str, prefix: str | None = None) -> tuple[str, bytes]:
    """The prefix and the 16 bytes of which `new_id` makes exactly `text`.

    Raises `IdentifierInvalid`, also when `prefix` is given and another stands there. The message does not
    repeat the text, which can come from a stranger.
    """
    match = _IDENTIFIER.fullmatch(text)
    if match is None or (prefix is not None and match[1] != prefix):
        kind = f"beginning with {prefix}_" if prefix is not None else "of any kind"
        raise IdentifierInvalid(f"this is no identifier {kind}: copy it whole and unchanged")
    number = 0
    for letter in match[2]:
        number = number << 5 | _VALUE[letter]
    return match[1], number.to_bytes(RANDOM_BYTES, "big")
