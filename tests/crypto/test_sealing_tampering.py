"""Sealed objects that somebody touched: none opens, by either reader, and each fault has its reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crypto.context import context
from crypto.errors import SealBroken, SealFault
from crypto.sealing import (
    CHUNK,
    HEADER_SIZE,
    SALT_SIZE,
    SEALED_CHUNK,
    SealedReader,
    open_stream,
    seal,
)

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
PLACE = context("original", "version", "ver_a", "obj_a")
OTHER_PLACE = context("template", "version", "ver_a", "obj_a")
SHORT = b"a short report"
LONG = bytes(range(256)) * 161  # two full chunks and 8,448 bytes


def sealed(plaintext: bytes, key: bytes = KEY, place: bytes = PLACE, salt: int = 0) -> bytes:
    return b"".join(seal(key, place, [plaintext], salt=bytes([salt] * SALT_SIZE)))


def by_stream(data: bytes, key: bytes = KEY, place: bytes = PLACE) -> bytes:
    return b"".join(open_stream(key, place, [data]))


def by_range(data: bytes, key: bytes = KEY, place: bytes = PLACE) -> bytes:
    return b"".join(SealedReader(key, place, lambda start, stop: [data[start:stop]], len(data)).read())


BOTH = pytest.mark.parametrize("opened", [by_stream, by_range])
Open = Callable[..., bytes]


def fault(opened: Open, data: bytes, key: bytes = KEY, place: bytes = PLACE) -> SealFault:
    with pytest.raises(SealBroken) as caught:
        opened(data, key, place)
    assert caught.value.reason in SealFault
    return caught.value.reason


def chunks(data: bytes) -> list[bytes]:
    return [data[start : start + SEALED_CHUNK] for start in range(HEADER_SIZE, len(data), SEALED_CHUNK)]


@BOTH
def test_nothing_opens_that_was_cut_at_any_byte(opened: Open) -> None:
    data = sealed(LONG[: CHUNK + 40])
    for length in range(len(data)):
        expected = {SealFault.CHUNK}
        if length < HEADER_SIZE:
            expected = {SealFault.SHORT_HEADER}
        elif (length - HEADER_SIZE) % SEALED_CHUNK < 16:
            expected = {SealFault.TRUNCATED}
        assert fault(opened, data[:length]) in expected


@BOTH
def test_nothing_opens_with_any_bit_flipped(opened: Open) -> None:
    data = sealed(SHORT)
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        in_header = bit // 8 < HEADER_SIZE
        assert fault(opened, bytes(changed)) is (SealFault.COMMITMENT if in_header else SealFault.CHUNK)


@BOTH
def test_nothing_opens_with_any_byte_of_any_chunk_changed(opened: Open) -> None:
    data = sealed(LONG[: CHUNK + 40])
    for place in range(HEADER_SIZE, len(data), 7):
        changed = bytearray(data)
        changed[place] ^= 0x80
        assert fault(opened, bytes(changed)) is SealFault.CHUNK


@BOTH
@pytest.mark.parametrize("tail", [b"\x00", bytes(16), bytes(17), bytes(SEALED_CHUNK)], ids=len)
def test_nothing_opens_that_goes_on(opened: Open, tail: bytes) -> None:
    fault(opened, sealed(SHORT) + tail)
    fault(opened, sealed(LONG) + tail)
    fault(opened, sealed(LONG) + chunks(sealed(LONG))[-1])


@BOTH
@pytest.mark.parametrize(
    "order",
    [[1, 0, 2], [0, 0, 2], [1, 1, 2], [0, 2], [1, 2], [0, 1], [2], [0, 1, 1, 2], [0, 2, 1], []],
    ids=str,
)
def test_chunks_open_in_their_own_order_only(opened: Open, order: list[int]) -> None:
    data = sealed(LONG)
    found = chunks(data)
    assert opened(data[:HEADER_SIZE] + b"".join(found)) == LONG
    fault(opened, data[:HEADER_SIZE] + b"".join(found[index] for index in order))


@BOTH
@pytest.mark.parametrize(
    "other",
    [
        sealed(LONG, key=OTHER_KEY),
        sealed(LONG, place=OTHER_PLACE),
        sealed(LONG, salt=1),
    ],
    ids=["other key", "other place", "other salt"],
)
def test_no_part_of_another_object_fits_in(opened: Open, other: bytes) -> None:
    mine = sealed(LONG)
    for index in range(3):
        spliced = chunks(mine)
        spliced[index] = chunks(other)[index]
        assert fault(opened, mine[:HEADER_SIZE] + b"".join(spliced)) is SealFault.CHUNK
    assert fault(opened, mine[:HEADER_SIZE] + other[HEADER_SIZE:]) is SealFault.CHUNK
    assert fault(opened, mine[:SALT_SIZE] + other[SALT_SIZE:]) is SealFault.COMMITMENT


@BOTH
def test_an_object_opens_in_its_own_place_only(opened: Open) -> None:
    assert opened(sealed(SHORT)) == SHORT
    assert fault(opened, sealed(SHORT), KEY, OTHER_PLACE) is SealFault.COMMITMENT
    assert fault(opened, sealed(SHORT), KEY, b"") is SealFault.COMMITMENT
    assert fault(opened, sealed(SHORT), OTHER_KEY) is SealFault.COMMITMENT


def test_a_wrong_length_fails_before_any_plaintext_when_read_by_range() -> None:
    data = sealed(LONG)
    for claimed in (len(data) - 1, len(data) - SEALED_CHUNK, HEADER_SIZE + 2 * SEALED_CHUNK, len(data) + 1):
        with pytest.raises(SealBroken):
            SealedReader(KEY, PLACE, lambda start, stop: [data[start:stop]], claimed)


def test_a_range_fails_on_its_own_damage_only_and_from_then_on() -> None:
    data = bytearray(sealed(LONG))
    data[HEADER_SIZE + SEALED_CHUNK] ^= 1
    reader = SealedReader(KEY, PLACE, lambda start, stop: [bytes(data[start:stop])], len(data))
    assert b"".join(reader.read(0, CHUNK)) == LONG[:CHUNK]
    broken = reader.read(CHUNK, CHUNK + 1)
    for _ in range(3):
        with pytest.raises(SealBroken):
            next(broken)


def test_no_message_tells_more_than_what_to_do() -> None:
    for reason in SealFault:
        assert str(SealBroken(reason)).startswith("the sealed object does not open: ")
