"""A copy's woven bits turn into exactly its texts and checksums, from anywhere, and nothing else changes."""

from __future__ import annotations

import random
import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.watermark.builders import reading
from tests.watermark.woven.weaves import WovenBody, a_woven_body
from watermark.mint import Fill
from watermark.stamp import stamp
from watermark.template import Slot, SlotTable, TailPlan, TemplateError

FILL = Fill((), b"tail")


def some_bits(words: int, seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 2, words, np.uint8)


def stamped(made: WovenBody, bits: NDArray[np.uint8], piece: int = 16384) -> bytes:
    return b"".join(stamp(made.table, FILL, reading(made.template, piece), bits=bits))


@pytest.mark.parametrize("gap", [0, 1, 5, 60, 500])
@pytest.mark.parametrize("seed", range(4))
def test_a_copy_is_what_writing_each_text_bit_by_bit_gives(seed: int, gap: int) -> None:
    made = a_woven_body(seed, gap=gap)
    words = made.table.words
    for bits in (some_bits(words, seed), some_bits(words, seed + 100), np.ones(words, np.uint8)):
        assert stamped(made, bits) == made.copy(bits) + b"tail"
    assert stamped(made, np.zeros(words, np.uint8)) == made.body + b"tail"


def test_any_range_in_any_piece_size_is_that_part_of_the_whole_copy() -> None:
    made = a_woven_body(7, operands=12, gap=20)
    bits = some_bits(made.table.words, 7)
    whole = made.copy(bits) + b"tail"
    chance = random.Random(7)
    ranges = [sorted(chance.choices(range(len(whole) + 1), k=2)) for _ in range(60)]
    for piece in (1, 2, 7, 64, len(whole)):
        read = reading(made.template, piece)
        for start, stop in ranges:
            assert b"".join(stamp(made.table, FILL, read, start, stop, bits=bits)) == whole[start:stop]


def test_slots_and_flips_share_pieces_and_checksums() -> None:
    """A slot before the woven streams fills as ever, and what it adds to a checksum joins what words add."""
    made = a_woven_body(3, start=100)
    slots = (Slot(10, 5, 0, None, 0), Slot(50, 3, 1, 1, 17))
    table = SlotTable.decode(SlotTable(**{**made.table.__dict__, "slots": slots}).encode())
    fill = Fill((b"aaaaa", b"\1\0\0"), b"")
    bits = some_bits(table.words, 3)
    expected = bytearray(made.copy(bits))
    expected[10:15], expected[50:53] = b"aaaaa", b"\1\0\0"
    at = table.streams[1].adler_offset
    adler = int.from_bytes(expected[at : at + 4], "big")
    low, high = ((adler & 0xFFFF) + 1) % 65521, ((adler >> 16) + 3 + 17) % 65521
    expected[at : at + 4] = (high << 16 | low).to_bytes(4, "big")
    template = table.encode() + made.body
    for piece in (9, 64, 4096):
        assert b"".join(stamp(table, fill, reading(template, piece), bits=bits)) == expected


def test_bits_that_are_missing_or_another_copys_stop_it() -> None:
    made = a_woven_body(1)
    words = made.table.words
    read = reading(made.template)
    for bits in (None, some_bits(words - 1, 0), some_bits(words + 1, 0)):
        with pytest.raises(TemplateError, match=f"{words} bits"):
            list(stamp(made.table, FILL, read, bits=bits))
    plain = SlotTable(**{**made.table.__dict__, "weave": None})
    with pytest.raises(TemplateError, match="0 bits"):
        list(stamp(plain, FILL, read, bits=some_bits(words, 0)))


def test_pieces_without_a_flip_pass_through_uncopied() -> None:
    made = a_woven_body(1, start=640)
    pieces = list(reading(made.table.encode() + made.body, 64)(made.table.body_offset, len(made.template)))
    copied = stamp(made.table, FILL, lambda start, stop: pieces, bits=np.ones(made.table.words, np.uint8))
    passed = [given is got for given, got in zip(pieces, copied, strict=False)]
    assert all(passed[:10])
    assert not all(passed)


def test_memory_is_that_of_the_words_not_of_the_file() -> None:
    made = a_woven_body(1, streams=2, operands=50)
    length = 32 * 1024 * 1024
    table = SlotTable(length, (), (), made.table.streams, TailPlan(1, 2, 3, 0), "", "", 0, made.table.weave)
    piece = bytes(16384)
    tracemalloc.start()
    pieces = stamp(
        table,
        FILL,
        lambda start, stop: (piece for _ in range(length // 16384)),
        bits=some_bits(table.words, 1),
    )
    total = sum(map(len, pieces))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total == length + 4
    assert peak < 1024 * 1024
