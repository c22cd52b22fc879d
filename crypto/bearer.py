"""What is kept for a bearer: sealed under the token that they bring each time, so that without it nothing opens.

The token is one of ours, with the 256 bits of its signature; it is kept nowhere.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.errors import AnswerBroken
from crypto.lengths import KEY_SIZE, NONCE_SIZE, TAG_SIZE, check_length

_LABEL = b"sealmark kept for its bearer v1\x00"


def seal_for_bearer(token: str, context: bytes, data: bytes, *, nonce: bytes) -> bytes:
    """The data, sealed for who brings this token. `nonce` is 12 random bytes. Raises `WrongLength`."""
    check_length("the nonce of what is kept for a bearer", nonce, NONCE_SIZE)
    return nonce + _cipher(token).encrypt(nonce, data, context)


def open_as_bearer(token: str, context: bytes, sealed: bytes) -> bytes:
    """The data again. Raises `AnswerBroken` under any other token or context."""
    if len(sealed) < NONCE_SIZE + TAG_SIZE:
        raise AnswerBroken("what was kept for a bearer is cut off: make it anew")
    try:
        return _cipher(token).decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], context)
    except InvalidTag as error:
        raise AnswerBroken("what was kept for a bearer does not open: make it anew") from error


def _cipher(token: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), KEY_SIZE, salt=None, info=_LABEL).derive(token.encode()))
