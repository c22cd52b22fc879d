"""Kept answers: the answer to what makes or decides something, sealed so that only the same caller's retry opens it.

It takes the service key and the raw Idempotency-Key together; of the latter only a keyed hash is stored.
"""

from __future__ import annotations

import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from crypto.errors import AnswerBroken, IdempotencyKeyInvalid
from crypto.lengths import KEY_SIZE, NONCE_SIZE, TAG_SIZE, check_key, check_length

MAX_RAW_KEY = 255
"""Bytes of a raw Idempotency-Key: what callers send is a UUID or a number of theirs."""

_ANSWER_LABEL = b"sealmark kept answer v1\x00"
_HASH_LABEL = b"sealmark idempotency key v1\x00"


def seal_answer(
    service_key: bytes, idempotency_key: str, context: bytes, answer: bytes, *, nonce: bytes
) -> bytes:
    """The answer, sealed for this key and context. `nonce` is 12 random bytes.

    Raises `WrongKeyLength`, `WrongLength`, `IdempotencyKeyInvalid`.
    """
    check_length("the nonce of a kept answer", nonce, NONCE_SIZE)
    return nonce + _cipher(service_key, idempotency_key).encrypt(nonce, answer, context)


def open_answer(service_key: bytes, idempotency_key: str, context: bytes, sealed: bytes) -> bytes:
    """The answer again. Raises `AnswerBroken` under any other key or context, and as `seal_answer`."""
    cipher = _cipher(service_key, idempotency_key)
    if len(sealed) < NONCE_SIZE + TAG_SIZE:
        raise AnswerBroken("a kept answer is cut off: make the call again with a new Idempotency-Key")
    try:
        return cipher.decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], context)
    except InvalidTag as error:
        raise AnswerBroken(
            "a kept answer does not open: make the call again with a new Idempotency-Key"
        ) from error


def idempotency_hash(service_key: bytes, idempotency_key: str) -> str:
    """What is stored of a raw key, in hex. Raises `WrongKeyLength`, `IdempotencyKeyInvalid`.

    Keyed, because callers may choose keys that can be guessed: a dump alone confirms no guess.
    """
    check_key("the service key", service_key)
    return hmac.digest(service_key, _HASH_LABEL + _raw(idempotency_key), "sha256").hex()


def _cipher(service_key: bytes, idempotency_key: str) -> AESGCM:
    check_key("the service key", service_key)
    info = _ANSWER_LABEL + _raw(idempotency_key)
    return AESGCM(HKDFExpand(SHA256(), KEY_SIZE, info).derive(service_key))


def _raw(idempotency_key: str) -> bytes:
    try:
        raw = idempotency_key.encode("utf-8")
    except UnicodeEncodeError as error:
        raise IdempotencyKeyInvalid("an Idempotency-Key is text: send a UUID") from error
    if not 1 <= len(raw) <= MAX_RAW_KEY:
        raise IdempotencyKeyInvalid(f"an Idempotency-Key has 1 to {MAX_RAW_KEY} bytes: send a UUID")
    return raw
