"""Webhooks as Standard Webhooks 1.0.0 signs them, and a receiver's secret as it is kept.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from crypto import base64url
from crypto.context import context
from crypto.errors import WebhookSecretBroken
from crypto.lengths import KEY_SIZE, NONCE_SIZE, TAG_SIZE, check_key, check_length

PREFIX = "whsec_"

SECRET_SIZE = 32
"""Random bytes of a secret; the standard asks for 24 to 64."""

_LABEL = b"sealmark webhook secret v1\x00"


def new_secret(random: Callable[[int], bytes]) -> bytes:
    """A secret that nobody knows."""
    return random(SECRET_SIZE)


def show(secret: bytes) -> str:
    """The secret as its receiver is given it."""
    return PREFIX + b64encode(secret).decode()


def sign(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: `v1,` and HMAC-SHA-256 in base64. `timestamp` is in Unix seconds.

    Raises `ValueError` for an id with a full stop, which would let two messages have one signature.
    """
    if "." in message_id:
        raise ValueError("the id of a webhook holds no full stop")
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + b64encode(hmac.digest(secret, signed, "sha256")).decode()


def seal(service_key: bytes, receiver_id: str, secret: bytes, *, nonce: bytes) -> str:
    """The secret as it is stored, for this receiver only. `nonce` is 12 random bytes. Raises `WrongLength`."""
    check_length("the nonce of a webhook's secret", nonce, NONCE_SIZE)
    return base64url.encode(nonce + _cipher(service_key).encrypt(nonce, secret, _bound(receiver_id)))


def open_sealed(service_key: bytes, receiver_id: str, sealed: str) -> bytes:
    """The secret again. Raises `WebhookSecretBroken` under any other key or for another receiver, `WrongKeyLength`."""
    cipher = _cipher(service_key)
    broken = WebhookSecretBroken(
        "a webhook's secret does not open: remove the receiver and add it again, which gives it a new one"
    )
    try:
        data = base64url.decode(sealed)
    except ValueError as error:
        raise broken from error
    if len(data) < NONCE_SIZE + TAG_SIZE:
        raise broken
    try:
        return cipher.decrypt(data[:NONCE_SIZE], data[NONCE_SIZE:], _bound(receiver_id))
    except InvalidTag as error:
        raise broken from error


def _cipher(service_key: bytes) -> AESGCM:
    check_key("the service key", service_key)
    return AESGCM(HKDFExpand(SHA256(), KEY_SIZE, _LABEL).derive(service_key))


def _bound(receiver_id: str) -> bytes:
    return context("webhook-secret", "receiver", "", receiver_id)
