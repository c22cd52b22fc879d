"""Kept answers: only the same caller's retry opens them."""

from __future__ import annotations

import pytest

from crypto.errors import AnswerBroken, IdempotencyKeyInvalid, WrongKeyLength, WrongLength
from crypto.replay import MAX_RAW_KEY, idempotency_hash, open_answer, seal_answer

SERVICE, OTHER_SERVICE = bytes(32), bytes([1]) * 32
ANSWER = b'{"link":"https://sealmark.example/s/v1.x"}'
SEALED = seal_answer(SERVICE, "retry-1", b"caller", ANSWER, nonce=bytes(12))


def test_the_same_call_gets_its_answer() -> None:
    assert open_answer(SERVICE, "retry-1", b"caller", SEALED) == ANSWER


def test_the_sealed_answer_shows_nothing_of_it() -> None:
    assert b"link" not in SEALED
    assert len(SEALED) == 12 + len(ANSWER) + 16


@pytest.mark.parametrize(
    ("service", "raw", "context"),
    [(OTHER_SERVICE, "retry-1", b"caller"), (SERVICE, "retry-2", b"caller"), (SERVICE, "retry-1", b"other")],
)
def test_nobody_elses_call_opens_it(service: bytes, raw: str, context: bytes) -> None:
    with pytest.raises(AnswerBroken):
        open_answer(service, raw, context, SEALED)


def test_no_changed_or_cut_answer_opens() -> None:
    for bit in range(8 * len(SEALED)):
        changed = bytearray(SEALED)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(AnswerBroken):
            open_answer(SERVICE, "retry-1", b"caller", bytes(changed))
    for length in range(len(SEALED)):
        with pytest.raises(AnswerBroken):
            open_answer(SERVICE, "retry-1", b"caller", SEALED[:length])


def test_the_stored_hash_needs_the_service_key() -> None:
    hashes = {
        idempotency_hash(service, raw)
        for service in (SERVICE, OTHER_SERVICE)
        for raw in ("retry-1", "retry-2")
    }
    assert len(hashes) == 4
    assert idempotency_hash(SERVICE, "retry-1") in hashes


@pytest.mark.parametrize("raw", ["", "x" * (MAX_RAW_KEY + 1), "\ud800"])
def test_a_raw_key_outside_its_limits_is_refused(raw: str) -> None:
    for attempt in (
        lambda: idempotency_hash(SERVICE, raw),
        lambda: seal_answer(SERVICE, raw, b"", b"", nonce=bytes(12)),
        lambda: open_answer(SERVICE, raw, b"", SEALED),
    ):
        with pytest.raises(IdempotencyKeyInvalid):
            attempt()


def test_a_raw_key_at_its_limits_is_fine() -> None:
    for raw in ("x", "x" * MAX_RAW_KEY):
        sealed = seal_answer(SERVICE, raw, b"", b"", nonce=bytes(12))
        assert open_answer(SERVICE, raw, b"", sealed) == b""


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_service_key_has_32_bytes(length: int) -> None:
    for attempt in (
        lambda: idempotency_hash(bytes(length), "x"),
        lambda: seal_answer(bytes(length), "x", b"", b"", nonce=bytes(12)),
        lambda: open_answer(bytes(length), "x", b"", SEALED),
    ):
        with pytest.raises(WrongKeyLength):
            attempt()


@pytest.mark.parametrize("length", [0, 11, 13])
def test_a_nonce_has_twelve_bytes(length: int) -> None:
    with pytest.raises(WrongLength):
        seal_answer(SERVICE, "x", b"", b"", nonce=bytes(length))
