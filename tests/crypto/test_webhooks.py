"""Webhooks: signed as the standard's own example says, and a secret that opens for its receiver only."""

from __future__ import annotations

from base64 import b64decode

import pytest

from crypto import webhooks
from crypto.errors import WebhookSecretBroken, WrongKeyLength, WrongLength

KEY = bytes(range(32))
SECRET = bytes(range(64, 96))
SEALED = webhooks.seal(KEY, "whr_1", SECRET, nonce=bytes(12))


def test_the_standards_own_example_has_its_signature() -> None:
    # standard-webhooks/standard-webhooks, libraries/python/tests/test_webhooks.py, test_sign_function (33d368b)
    secret = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = webhooks.sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_is_signed_has_one_reading() -> None:
    with pytest.raises(ValueError, match="full stop"):
        webhooks.sign(SECRET, "evt_1.1614265330", 1614265330, b"{}")


def test_a_secret_is_random_and_opens_again_for_its_receiver() -> None:
    assert webhooks.new_secret(lambda size: b"x" * size) == b"x" * 32
    assert webhooks.open_sealed(KEY, "whr_1", SEALED) == SECRET
    assert webhooks.show(SECRET) not in SEALED


@pytest.mark.parametrize(
    ("key", "receiver", "sealed"),
    [
        (KEY, "whr_2", SEALED),
        (bytes(32), "whr_1", SEALED),
        (KEY, "whr_1", ""),
        (KEY, "whr_1", SEALED[:20]),
        (KEY, "whr_1", SEALED + "="),
        (KEY, "whr_1", "A" * len(SEALED)),
    ],
)
def test_a_secret_opens_nowhere_else(key: bytes, receiver: str, sealed: str) -> None:
    with pytest.raises(WebhookSecretBroken):
        webhooks.open_sealed(key, receiver, sealed)


def test_keys_and_nonces_have_their_length() -> None:
    with pytest.raises(WrongKeyLength):
        webhooks.open_sealed(b"short", "whr_1", SEALED)
    with pytest.raises(WrongLength):
        webhooks.seal(KEY, "whr_1", SECRET, nonce=b"short")
