"""Link tokens: what was signed verifies until it expires; of 10^5 others none does."""

from __future__ import annotations

import hmac
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from crypto import base64url
from crypto.errors import (
    IdentifierInvalid,
    LifeInvalid,
    TokenExpired,
    TokenFault,
    TokenInvalid,
    WrongKeyLength,
)
from crypto.identifiers import new_id
from crypto.tokens import (
    DEFAULT_LIFE,
    MAX_EXPIRES,
    MAX_LIFE,
    TOKEN_LENGTH,
    Action,
    LinkToken,
    expiry,
    link_hash,
    sign,
    verify,
)

NOW = 1_767_225_600
KEY_ID, OTHER_KEY_ID, GONE_KEY_ID = (new_id("key", bytes([byte]) * 16) for byte in (1, 2, 3))
KEYS = {KEY_ID: bytes([11]) * 32, OTHER_KEY_ID: bytes([12]) * 32}
TOKEN = LinkToken(
    key_id=KEY_ID,
    share_id=new_id("shr", bytes(range(16))),
    link_id=new_id("lnk", bytes(range(16, 32))),
    action=Action.OPEN,
    expires=NOW + DEFAULT_LIFE,
)
DELIVERY = replace(TOKEN, action=Action.DELIVER, link_id=new_id("dlv", bytes(range(16, 32))))
TEXT = sign(TOKEN, KEYS[KEY_ID])
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
BODY, BYTES = 57, 89


def fault(text: str, now: int = NOW) -> TokenFault:
    with pytest.raises(TokenInvalid) as caught:
        verify(text, KEYS, now)
    return caught.value.cause_code


def spelled(data: bytes) -> str:
    return "v1." + base64url.encode(data)


def bytes_of(text: str) -> bytes:
    return base64url.decode(text.removeprefix("v1."))


@pytest.mark.parametrize("token", [TOKEN, DELIVERY, replace(TOKEN, key_id=OTHER_KEY_ID)])
def test_what_was_signed_verifies(token: LinkToken) -> None:
    assert verify(sign(token, KEYS[token.key_id]), KEYS, NOW) == token


def test_a_token_has_one_length_and_needs_no_escaping() -> None:
    rng = random.Random(1)
    for _ in range(500):
        ids = {name: new_id(name, rng.randbytes(16)) for name in ("shr", "lnk")}
        token = replace(TOKEN, share_id=ids["shr"], link_id=ids["lnk"], expires=rng.randrange(MAX_EXPIRES))
        text = sign(token, rng.randbytes(32))
        assert len(text) == TOKEN_LENGTH == 122
        assert quote(text, safe="") == text
        assert text[-1].isalnum()


def test_a_token_is_dead_from_its_expiry_on() -> None:
    assert verify(TEXT, KEYS, TOKEN.expires - 1) == TOKEN
    for now in (TOKEN.expires, TOKEN.expires + 1):
        with pytest.raises(TokenExpired) as caught:
            verify(TEXT, KEYS, now)
        assert caught.value.token == TOKEN


def test_an_expired_token_that_is_not_authentic_is_not_told_that_it_expired() -> None:
    assert fault(TEXT[:-2] + ("A" if TEXT[-2] != "A" else "B") + TEXT[-1], TOKEN.expires) is TokenFault.MAC


def tampered() -> Iterator[str]:
    """Changed tokens, the sly ones first, without end."""
    data = bytes_of(TEXT)
    key = KEYS[KEY_ID]
    others = [sign(token, KEYS[token.key_id]) for token in relatives()]
    yield from respelled()
    # Fields of one token and the MAC of another, in every mix.
    for one, two in itertools.permutations([TEXT, *others], 2):
        for border in range(1, BYTES):
            yield spelled(bytes_of(one)[:border] + bytes_of(two)[border:])
        for start, stop in ((0, 16), (16, 32), (32, 48), (48, 49), (49, 57), (57, 89)):
            mixed = bytearray(bytes_of(one))
            mixed[start:stop] = bytes_of(two)[start:stop]
            yield spelled(bytes(mixed))
    # MACs that a careless verifier would take.
    body = data[:BODY]
    for forged in (
        hmac.digest(key, body, "sha256"),
        hmac.digest(key, b"sealmark link token v1" + body, "sha256"),
        hmac.digest(key, b"sealmark link token v1\x00" + body, "sha512")[:32],
        hmac.digest(KEYS[OTHER_KEY_ID], b"sealmark link token v1\x00" + body, "sha256"),
        hmac.digest(bytes(32), b"sealmark link token v1\x00" + body, "sha256"),
        bytes(32),
        b"\xff" * 32,
    ):
        yield spelled(body + forged)
    # Every bit, every character.
    for bit in range(8 * BYTES):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        yield spelled(bytes(changed))
    for place in range(len(TEXT)):
        for letter in ALPHABET:
            yield TEXT[:place] + letter + TEXT[place + 1 :]
    # Every action, many expiries.
    for action in range(256):
        yield spelled(data[:48] + bytes((action,)) + data[49:])
    for step in range(-3000, 3000):
        yield spelled(data[:49] + (TOKEN.expires + step).to_bytes(8, "big") + data[57:])
    # Several bytes at once.
    rng = random.Random(4711)
    while True:
        changed = bytearray(data)
        for _ in range(rng.randrange(1, 5)):
            changed[rng.randrange(BYTES)] = rng.randrange(256)
        yield spelled(bytes(changed))


def relatives() -> list[LinkToken]:
    """Authentic tokens that differ from `TOKEN` in one field each."""
    return [
        replace(TOKEN, key_id=OTHER_KEY_ID),
        replace(TOKEN, share_id=new_id("shr", bytes(16))),
        replace(TOKEN, link_id=new_id("lnk", bytes(16))),
        replace(TOKEN, expires=TOKEN.expires + 1),
        DELIVERY,
    ]


def respelled() -> Iterator[str]:
    """Other spellings of the authentic token, and pieces of it."""
    plain = TEXT.removeprefix("v1.")
    last = ALPHABET.index(TEXT[-1])
    yield from (TEXT[:-1] + ALPHABET[last + trailing] for trailing in (1, 2, 3))
    yield from (TEXT + tail for tail in ("=", "==", "A", "\n", " ", "\x00", ".", "%3D", "/", "?x", "AAAA"))
    yield from (head + TEXT for head in (" ", "\n", "v1.", "=", "\ufeff"))
    yield from (head + plain for head in ("", "v1", "V1.", "v2.", "v0.", "v1..", "v１.", "v1-", "1v."))
    yield TEXT.replace("-", "+").replace("_", "/") if set("-_") & set(TEXT) else TEXT.swapcase()
    yield from (TEXT.swapcase(), TEXT.upper(), TEXT.lower(), TEXT[::-1], TEXT.replace("v1.", "v1%2E"))
    yield from (TEXT[:length] for length in range(len(TEXT)))
    yield from (TEXT[:place] + TEXT[place + 1 :] for place in range(len(TEXT)))
    yield from (TEXT[:place] + letter + TEXT[place:] for place in range(len(TEXT)) for letter in "A= \n-")
    yield from (
        TEXT[:place] + letter + TEXT[place + 1 :] for place in range(len(TEXT)) for letter in "= \né\ud800٠"
    )
    yield from ("v1." + "=" * 119, "v1." + "A" * 119, "A" * 122, "v1." + plain[:-4] + "====")


def test_of_a_hundred_thousand_changed_tokens_none_is_accepted() -> None:
    authentic = {TEXT, *(sign(token, KEYS[token.key_id]) for token in relatives())}
    tried, messages, causes = 0, set(), set()
    for text in tampered():
        if text in authentic:
            continue
        with pytest.raises(TokenInvalid) as caught:  # TokenExpired would count as accepted
            verify(text, KEYS, NOW)
        messages.add(str(caught.value))
        causes.add(caught.value.cause_code)
        tried += 1
        if tried == 100_000:
            break
    assert tried == 100_000
    assert len(messages) == 1
    assert causes == set(TokenFault)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", TokenFault.LENGTH),
        (TEXT + "A", TokenFault.LENGTH),
        ("v2." + TEXT[3:], TokenFault.VERSION),
        (TEXT[:-1] + "=", TokenFault.ENCODING),
        (spelled(bytes_of(TEXT)[:48] + b"\x00" + bytes_of(TEXT)[49:]), TokenFault.ACTION),
        (spelled(bytes_of(TEXT)[:49] + b"\x00\x20" + bytes_of(TEXT)[51:]), TokenFault.EXPIRY),
        (spelled(bytes([3]) * 16 + bytes_of(TEXT)[16:]), TokenFault.KEY),
        (spelled(bytes_of(TEXT)[:-1] + b"\x00"), TokenFault.MAC),
    ],
)
def test_metrics_can_tell_the_cause(text: str, cause: TokenFault) -> None:
    assert fault(text) is cause


def test_a_key_that_is_gone_verifies_nothing() -> None:
    gone = replace(TOKEN, key_id=GONE_KEY_ID)
    assert fault(sign(gone, bytes(32))) is TokenFault.KEY
    with pytest.raises(TokenInvalid):
        verify(TEXT, {}, NOW)


def test_a_key_verifies_under_its_own_id_only() -> None:
    swapped = {KEY_ID: KEYS[OTHER_KEY_ID], OTHER_KEY_ID: KEYS[KEY_ID]}
    with pytest.raises(TokenInvalid):
        verify(TEXT, swapped, NOW)


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_signing_key_has_32_bytes(length: int) -> None:
    with pytest.raises(WrongKeyLength):
        sign(TOKEN, bytes(length))
    with pytest.raises(WrongKeyLength):
        verify(TEXT, {KEY_ID: bytes(length)}, NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"key_id": TOKEN.share_id},
        {"share_id": TOKEN.key_id},
        {"link_id": DELIVERY.link_id},
        {"action": Action.DELIVER},
        {"link_id": TOKEN.link_id[:-1]},
    ],
)
def test_only_ids_of_the_right_kind_are_signed(change: dict[str, Any]) -> None:
    with pytest.raises(IdentifierInvalid):
        sign(replace(TOKEN, **change), bytes(32))


@pytest.mark.parametrize("expires", [-1, MAX_EXPIRES + 1])
def test_an_expiry_outside_its_range_is_not_signed(expires: int) -> None:
    with pytest.raises(LifeInvalid):
        sign(replace(TOKEN, expires=expires), bytes(32))


def test_a_link_lives_three_days_and_seven_at_most() -> None:
    assert expiry(NOW) == NOW + 72 * 3600
    assert expiry(NOW, 1) == NOW + 1
    assert expiry(NOW, MAX_LIFE) == NOW + 7 * 24 * 3600
    for life in (0, -1, MAX_LIFE + 1):
        with pytest.raises(LifeInvalid):
            expiry(NOW, life)


def test_the_stored_hash_tells_links_apart() -> None:
    hashes = {link_hash(TOKEN.link_id), link_hash(DELIVERY.link_id), link_hash(TOKEN.share_id)}
    assert len(hashes) == 3
    assert all(len(one) == 64 for one in hashes)


def test_macs_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    original: Callable[..., bool] = hmac.compare_digest

    def watched(one: bytes, two: bytes) -> bool:
        compared.append(len(one))
        return original(one, two)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    verify(TEXT, KEYS, NOW)
    assert compared == [32]
