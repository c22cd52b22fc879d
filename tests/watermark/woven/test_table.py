"""The weave reads back as it was built, says exactly what to flip, and refuses whatever is odd."""

from __future__ import annotations

import random
import re
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.watermark.woven.weaves import Codes, a_woven_body
from watermark import template as template_module
from watermark.errors import TemplateError
from watermark.woven import columns as weave_columns
from watermark.woven.columns import Columns, pack, unpack
from watermark.woven.operand import ALPHABET, Operand
from watermark.woven.table import PlacedOperand, Weave

BOOK = Codes(4, (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3))
WOVEN = (
    PlacedOperand(1603, 0, Operand(-32, -7, 41, 3), -1, 0, 0, 211),
    PlacedOperand(1675, 0, Operand(25, -41, 41, 4, 1), 0, 1, 0, 197),
)


def test_the_worked_texts_masks_and_sums_are_those_of_the_format() -> None:
    weave = Weave.build(2, [BOOK], WOVEN)
    text = Path(template_module.__file__).with_name("TEMPLATE.md").read_text()
    lines = text.split("```worked-weave\n")[1].split("```")[0].splitlines()
    for index, line in enumerate(lines):
        (place,) = re.findall(r"^byte (\d+) ", line)
        assert int(place) == weave.offset[index]
        for variant, shown in enumerate(line.split(maxsplit=2)[2].split(" | ")):
            if shown.strip() == "-":
                continue
            written, mask, low, high = re.findall(r'^"(.*)" (\S+) (\d+) (\d+)$', shown.strip())[0]
            assert written.encode() == WOVEN[index].operand.text(variant >> 1, variant & 1)
            assert weave.masks[index, variant] == int(mask, 16)
            assert (weave.low[index, variant], weave.high[index, variant]) == (int(low), int(high))


@pytest.mark.parametrize("seed", range(5))
def test_what_was_built_is_read_back(seed: int) -> None:
    made = a_woven_body(seed, operands=300)
    assert made.table.weave is not None
    columns = made.table.weave.columns()
    assert columns.words == made.table.words
    assert columns.bit.tolist() == [w.bit for w in made.woven]
    assert columns.after.tolist() == [w.after % 65521 for w in made.woven]
    for name in ("book", "stream", "left_word", "right_word"):
        assert getattr(columns, name).tolist() == [getattr(w, name) for w in made.woven]
    for name in ("base", "width", "decimals"):
        assert getattr(columns, name).tolist() == [getattr(w.operand, name) for w in made.woven]
    for side in ("left", "right"):
        changes = [getattr(w.operand, side) if getattr(w, f"{side}_word") >= 0 else 0 for w in made.woven]
        assert getattr(columns, side).tolist() == changes
    assert pack(columns) == made.table.weave.encoded
    shuffled = random.Random(seed).sample(made.woven, len(made.woven))
    assert Weave.build(made.table.words, made.books, shuffled) == made.table.weave


def test_a_template_may_have_no_operand() -> None:
    weave = Weave.build(0, [], [])
    assert (weave.words, len(weave.offset), weave.masks.shape) == (0, 0, (0, 4))
    weave.check_places(10, 0, [])


def test_an_operand_takes_less_than_five_bytes() -> None:
    """As in a report of 70 pages: lines of ten words, each moved by the same, any kerning, gaps of any length."""
    chance = random.Random(1)
    woven, bit, word, books = [], 800, -1, [BOOK] * 144
    for page in range(72):
        after = 6000
        for _ in range(25):
            change = chance.randint(30, 70)
            for place in range(10):
                left, right = (word, word + 1) if place else (-1, word + 1)
                left, right = (left, -1) if place == 9 else (left, right)
                base = chance.randint(-400, 400)
                bit += max(8, int(chance.gammavariate(6, 10)))
                after -= chance.randint(6, 13)
                book = 2 * page + (after < 3000)
                woven.append(
                    PlacedOperand(bit, book, Operand(base, -change, change, 4), left, right, page, after)
                )
                bit += 4 * BOOK.length
                word += right >= 0
        bit += 4000
    weave = Weave.build(word + 1, books, woven)
    assert len(woven) == 18_000
    assert len(weave.encoded) < 4 * len(woven)


def with_data(data: bytes, words: int = 2, count: int = 2, books: int = 1) -> bytes:
    return b"".join(n.to_bytes(4, "big") for n in (words, count, books)) + zlib.compress(data)


DATA = zlib.decompress(Weave.build(2, [BOOK], WOVEN).encoded[12:])
# Where each column begins in `DATA`.
GAP, BOOKS, STREAM, AFTER, WIDTH, DECIMALS, BASE, LEFT, RIGHT, LEFT_WORD, RIGHT_WORD = (
    14 + 2 * sum(weave_columns._SIZES[:n]) for n in range(11)
)


def changed(*changes: tuple[int, int]) -> bytes:
    data = bytearray(DATA)
    for place, value in changes:
        data[place] = value
    return bytes(data)


@pytest.mark.parametrize(
    "section",
    [
        b"",
        with_data(DATA)[:11],
        with_data(DATA)[:12],
        with_data(DATA)[:-1],
        with_data(DATA)[:30],
        with_data(DATA) + b"\0",
        with_data(DATA[:-1]),
        with_data(DATA + b"\0"),
        with_data(DATA + bytes(10_000_000)),
        with_data(DATA)[:-1] + b"\0",
        with_data(DATA, count=1),
        with_data(DATA, count=3),
        with_data(DATA, books=0),
        with_data(DATA, words=5),
        with_data(b"", words=0xFFFFFFFF, count=0xFFFFFFFF),
        with_data(b"", words=0, count=0, books=0xFFFFFFFF),
    ],
    ids=[
        "nothing",
        "a-short-header",
        "no-stream",
        "a-cut-checksum",
        "a-cut-stream",
        "a-byte-after-the-stream",
        "a-byte-less",
        "a-byte-more",
        "a-bomb",
        "a-wrong-checksum",
        "fewer-operands",
        "more-operands",
        "no-books",
        "more-words-than-sides",
        "too-many-operands",
        "too-many-books",
    ],
)
def test_a_section_of_another_size_than_it_says_is_refused(section: bytes) -> None:
    with pytest.raises(TemplateError):
        Weave.decode(section)


@pytest.mark.parametrize(
    "data",
    [
        changed((0, 3)),
        changed((0, 8)),
        changed((1, 16)),
        changed((1, 3)),
        changed((BOOKS + 7, 2)),
        changed((BOOKS + 6, 1)),
        changed((STREAM + 6, 1)),
        changed((AFTER, 0xFF), (AFTER + 2, 0xF1)),
        changed((WIDTH, 0)),
        changed((WIDTH, 9)),
        changed((WIDTH, 2)),
        changed((WIDTH + 1, 3)),
        changed((DECIMALS + 1, 3)),
        changed((DECIMALS + 1, 255)),
        changed((BASE + 4, 0x10)),
        changed((BASE, 0xFF)),
        changed((LEFT + 5, 0x10)),
        changed((RIGHT + 3, 0xFF)),
        changed((LEFT_WORD + 7, 2)),
        changed((LEFT_WORD + 7, 6)),
        changed((RIGHT_WORD + 7, 4)),
        changed((RIGHT_WORD + 6, 4)),
    ],
    ids=[
        "codes-too-short",
        "codes-too-long",
        "a-code-beyond-its-length",
        "two-equal-codes",
        "a-book-beyond-the-last",
        "a-book-below-the-first",
        "a-stream-below-the-first",
        "after-beyond-the-modulus",
        "no-width",
        "wider-than-a-mask",
        "narrower-than-its-text",
        "narrower-than-another-text",
        "decimals-wider-than-the-operand",
        "decimals-beyond-any-operand",
        "a-wide-base",
        "a-base-of-four-bytes",
        "a-wide-left",
        "a-wide-right",
        "a-left-word-before-the-first",
        "a-left-word-beyond-the-last",
        "a-right-word-beyond-the-last",
        "a-first-right-word-beyond-the-last",
    ],
)
def test_numbers_out_of_their_range_are_refused(data: bytes) -> None:
    assert data != DATA
    Weave.decode(with_data(DATA))
    with pytest.raises(TemplateError):
        Weave.decode(with_data(data))


@pytest.mark.parametrize("seed", range(3))
def test_no_damaged_byte_gives_another_error(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(300):
        data = changed(*((chance.randrange(len(DATA)), chance.randrange(256)) for _ in range(3)))
        try:
            Weave.decode(with_data(data))
        except TemplateError:
            continue


def test_operands_out_of_the_order_of_their_streams_are_not_built() -> None:
    """Stamping adds up each stream's checksum from operands that lie side by side."""
    with pytest.raises(TemplateError):
        Weave.build(2, [BOOK], [replace(WOVEN[0], stream=1), WOVEN[1]])


@pytest.mark.parametrize(
    "second",
    [
        replace(WOVEN[1], bit=1614),
        replace(WOVEN[1], bit=-1),
        replace(WOVEN[1], bit=1 << 43),
        replace(WOVEN[1], book=1),
        replace(WOVEN[1], book=-1),
        replace(WOVEN[1], stream=-1),
        replace(WOVEN[1], left_word=2),
        replace(WOVEN[1], right_word=-2),
        replace(WOVEN[1], operand=Operand(25, -41, 41, 3, 1)),
        replace(WOVEN[1], operand=Operand(25, -41, 41, 9, 1)),
    ],
    ids=[
        "overlapping",
        "before-the-body",
        "far-beyond",
        "no-such-book",
        "a-negative-book",
        "a-negative-stream",
        "no-such-word",
        "below-no-word",
        "too-narrow",
        "too-wide",
    ],
)
def test_what_could_not_be_read_back_is_not_built(second: PlacedOperand) -> None:
    with pytest.raises(TemplateError):
        Weave.build(2, [BOOK], [WOVEN[0], second])


def test_operands_that_touch_are_no_overlap() -> None:
    touching = replace(WOVEN[1], bit=1603 + 12)
    assert Weave.build(2, [BOOK], [WOVEN[0], touching]).offset.tolist() == [200, 201]


@pytest.mark.parametrize("book", [Codes(3, tuple(range(13))), Codes(8, BOOK.codes), Codes(4, (0,) * 13)])
def test_books_that_no_mask_fits_are_not_built(book: Codes) -> None:
    with pytest.raises(TemplateError):
        Weave.build(2, [book], WOVEN)


def test_a_side_without_a_word_never_widens_an_operand() -> None:
    """Its change cannot happen, whatever the operand says."""
    narrow = PlacedOperand(0, 0, Operand(5, 10_000, 1, 1), -1, 0, 0, 0)
    weave = Weave.build(1, [BOOK], [narrow])
    assert weave.columns().left.tolist() == [0]
    assert weave.masks[0, 1] == BOOK.codes[ALPHABET.index(b"5")] ^ BOOK.codes[ALPHABET.index(b"6")]


def test_columns_are_packed_only_in_order() -> None:
    columns = unpack(Weave.build(2, [BOOK], WOVEN).encoded)
    fields: dict[str, Any] = {**columns.__dict__, "bit": columns.bit[::-1]}
    with pytest.raises(TemplateError):
        pack(Columns(**fields))
    assert np.array_equal(columns.bits, [12, 16])


def test_a_bomb_is_not_inflated() -> None:
    bomb = with_data(DATA + bytes(50_000_000))
    tracemalloc.start()
    with pytest.raises(TemplateError):
        Weave.decode(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000
