"""Sealing and opening what nobody touched: sizes, pieces, ranges, memory, and what the store is asked for."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Generator, Iterator

import pytest
from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from hypothesis import given
from hypothesis import strategies as st

from crypto import sealing
from crypto.errors import SealBroken, SealFault, WrongKeyLength, WrongLength
from crypto.sealing import (
    CHUNK,
    HEADER_SIZE,
    PIECE_CHUNKS,
    SALT_SIZE,
    SEALED_CHUNK,
    SealedReader,
    open_stream,
    plain_size,
    seal,
    sealed_size,
)

KEY, SALT, CONTEXT = bytes(range(32)), bytes(SALT_SIZE), b"a place"
PIECE = CHUNK * PIECE_CHUNKS
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, PIECE - 1, PIECE, PIECE + 1, PIECE + 3 * CHUNK + 7]
CONTENT = random.Random(4711).randbytes(SIZES[-1])


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def sealed(plaintext: bytes) -> bytes:
    return b"".join(seal(KEY, CONTEXT, [plaintext], salt=SALT))


class Store:
    """One object in a store that writes down what it is asked for, and what was left open."""

    def __init__(self, data: bytes, piece: int = 5000, extra: bytes = b"", missing: int = 0) -> None:
        self.data, self.piece = data, piece
        self.extra, self.missing = extra, missing
        self.asked: list[tuple[int, int]] = []
        self.open = 0
        self.handed: list[Generator[bytes, None, None]] = []  # so that nothing closes by being forgotten

    def read(self, start: int, stop: int) -> Generator[bytes, None, None]:
        self.asked.append((start, stop))
        self.handed.append(self._pieces(start, stop))
        return self.handed[-1]

    def _pieces(self, start: int, stop: int) -> Generator[bytes, None, None]:
        self.open += 1
        try:
            whole = self.data[start:stop]
            yield from cut(whole[: len(whole) - self.missing] + self.extra, self.piece)
        finally:
            self.open -= 1


def reader(store: Store, size: int | None = None) -> SealedReader:
    return SealedReader(KEY, CONTEXT, store.read, len(store.data) if size is None else size)


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_opens(size: int) -> None:
    plaintext = CONTENT[:size]
    data = sealed(plaintext)
    assert len(data) == sealed_size(size)
    assert plain_size(len(data)) == size
    assert b"".join(open_stream(KEY, CONTEXT, [data])) == plaintext
    assert b"".join(reader(Store(data)).read()) == plaintext


@pytest.mark.parametrize("size", SIZES)
def test_the_implementation_in_cryptography_agrees(size: int) -> None:
    plaintext = CONTENT[:size]
    theirs = Cobblestone256Encryptor(KEY, CONTEXT)
    assert b"".join(open_stream(KEY, CONTEXT, [theirs.update(plaintext), theirs.finalize()])) == plaintext
    opener = Cobblestone256Decryptor(KEY, CONTEXT)
    assert opener.update(sealed(plaintext)) + opener.finalize() == plaintext


@given(cuts=st.lists(st.integers(0, 3 * CHUNK), max_size=40), size=st.integers(0, len(CONTENT)))
def test_the_cut_of_the_input_does_not_matter(cuts: list[int], size: int) -> None:
    def uneven(data: bytes) -> Iterator[bytes]:
        start = 0
        for length in cuts:
            yield data[start : start + length]
            start += length
        yield data[start:]

    plaintext = CONTENT[:size]
    data = sealed(plaintext)
    assert b"".join(seal(KEY, CONTEXT, uneven(plaintext), salt=SALT)) == data
    assert b"".join(open_stream(KEY, CONTEXT, uneven(data))) == plaintext


def test_single_bytes_are_input_enough() -> None:
    data = sealed(CONTENT[: CHUNK + 5])
    assert b"".join(open_stream(KEY, CONTEXT, cut(data, 1))) == CONTENT[: CHUNK + 5]


@given(size=st.sampled_from(SIZES), data=st.data())
def test_a_range_is_that_part_of_the_plaintext(size: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))
    found = reader(Store(sealed(CONTENT[:size]), piece=7000))
    assert b"".join(found.read(start, stop)) == CONTENT[start:stop]


def test_pieces_are_large_and_never_empty() -> None:
    lengths = [len(piece) for piece in open_stream(KEY, CONTEXT, cut(sealed(CONTENT), 1000))]
    assert lengths == [PIECE, 3 * CHUNK + 7]
    lengths = [len(piece) for piece in open_stream(KEY, CONTEXT, [sealed(CONTENT[:PIECE])])]
    assert lengths == [PIECE]
    assert list(open_stream(KEY, CONTEXT, [sealed(b"")])) == []


def test_a_range_asks_the_store_for_its_chunks_only() -> None:
    store = Store(sealed(CONTENT))
    found = reader(store)
    last = HEADER_SIZE + (len(CONTENT) // CHUNK) * SEALED_CHUNK
    assert store.asked == [(0, HEADER_SIZE), (last, len(store.data))]
    store.asked.clear()
    b"".join(found.read(CHUNK + 1, 2 * CHUNK + 1))
    assert store.asked == [(HEADER_SIZE + SEALED_CHUNK, HEADER_SIZE + 3 * SEALED_CHUNK)]


def test_an_empty_range_asks_the_store_for_nothing() -> None:
    store = Store(sealed(CONTENT))
    found = reader(store)
    store.asked.clear()
    assert list(found.read(5, 5)) == []
    assert store.asked == []


@pytest.mark.parametrize(("start", "stop"), [(-1, 1), (2, 1), (0, 6), (6, None)])
def test_a_range_outside_the_object_is_refused(start: int, stop: int | None) -> None:
    with pytest.raises(ValueError, match="no range of 5 bytes"):
        reader(Store(sealed(b"12345"))).read(start, stop)


def test_the_store_is_left_closed_after_reading_failing_and_stopping_early() -> None:
    store = Store(sealed(CONTENT))
    found = reader(store)
    assert store.open == 0
    b"".join(found.read())
    assert store.open == 0
    early = found.read()
    next(early)
    assert store.open == 1
    early.close()
    assert store.open == 0
    store.data = store.data[: HEADER_SIZE + 9] + b"\x00" + store.data[HEADER_SIZE + 10 :]
    broken = found.read()
    with pytest.raises(SealBroken):
        next(broken)
    assert store.open == 0


@pytest.mark.parametrize(("extra", "missing"), [(b"x", 0), (b"", 1), (b"x" * SEALED_CHUNK, 0)])
def test_a_store_that_gives_another_length_is_found_out(extra: bytes, missing: int) -> None:
    data = sealed(CONTENT)
    with pytest.raises(SealBroken) as caught:
        reader(Store(data, extra=extra, missing=missing))
    assert caught.value.reason is SealFault.STORE_LENGTH
    store = Store(data)
    found = reader(store)
    store.extra, store.missing = extra, missing
    with pytest.raises(SealBroken) as caught:
        b"".join(found.read(0, CHUNK))
    assert caught.value.reason is SealFault.STORE_LENGTH


def test_an_error_of_the_store_comes_through_and_stays() -> None:
    def failing() -> Iterator[bytes]:
        yield sealed(CONTENT)[:PIECE]
        raise OSError("the disk is gone")

    opened = open_stream(KEY, CONTEXT, failing())
    for _ in range(3):
        with pytest.raises(OSError, match="the disk is gone"):
            b"".join(opened)


def test_a_plain_list_of_pieces_serves_as_a_store() -> None:
    data = sealed(b"12345")
    found = SealedReader(KEY, CONTEXT, lambda start, stop: [data[start:stop]], len(data))
    assert b"".join(found.read(1, 4)) == b"234"


def test_memory_does_not_grow_with_the_object() -> None:
    block = bytes(1 << 20)

    def round_trip(megabytes: int) -> int:
        tracemalloc.start()
        pieces = seal(KEY, CONTEXT, (block for _ in range(megabytes)), salt=SALT)
        total = sum(len(piece) for piece in open_stream(KEY, CONTEXT, pieces))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert total == megabytes << 20
        return peak

    assert round_trip(64) < 1.5 * round_trip(4) < 6 << 20


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused_at_the_call(length: int) -> None:
    wrong, data = bytes(length), sealed(b"")
    with pytest.raises(WrongKeyLength) as caught:
        seal(wrong, CONTEXT, [], salt=SALT)
    assert caught.value.actual == length
    with pytest.raises(WrongKeyLength):
        open_stream(wrong, CONTEXT, [data])
    with pytest.raises(WrongKeyLength):
        SealedReader(wrong, CONTEXT, Store(data).read, len(data))


def test_a_salt_of_another_length_is_refused_at_the_call() -> None:
    with pytest.raises(WrongLength, match="salt"):
        seal(KEY, CONTEXT, [], salt=bytes(SALT_SIZE - 1))


def test_no_object_has_more_chunks_than_the_format_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    data = sealed(CONTENT[: 2 * CHUNK])
    monkeypatch.setattr(sealing, "MAX_CHUNKS", 2)
    assert plain_size(sealed_size(2 * CHUNK - 1)) == 2 * CHUNK - 1
    b"".join(seal(KEY, CONTEXT, [CONTENT[: 2 * CHUNK - 1]], salt=SALT))
    for attempt in (
        lambda: plain_size(len(data)),
        lambda: list(seal(KEY, CONTEXT, [CONTENT[: 2 * CHUNK]], salt=SALT)),
        lambda: list(open_stream(KEY, CONTEXT, [data])),
    ):
        with pytest.raises(SealBroken) as caught:
            attempt()
        assert caught.value.reason is SealFault.TOO_LONG


def test_the_format_allows_four_pebibytes() -> None:
    assert sealing.MAX_CHUNKS * CHUNK == 1 << 52
