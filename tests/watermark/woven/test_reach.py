"""Which words may move, and how far: by the gaps beside them, edges, neighbours, dots that lead on."""

from __future__ import annotations

import pytest

from watermark.content import IDENTITY
from watermark.woven.reach import FARTHEST, LEAST, count_words, reaches
from watermark.woven.sourcefont import SourceFont
from watermark.woven.text import Text
from watermark.woven.words import read_text

_FONT = SourceFont(1, {32: 0.25}, 0.5, frozenset({32}))


def _read(content: bytes) -> Text:
    return read_text(
        b"BT /S 10 Tf " + content + b" ET", IDENTITY, lambda name: _FONT if name == b"S" else None
    )


def _moving(text: Text) -> list[list[float | None]]:
    found = reaches(text)
    return [[round(found[w], 3) if w in found else None for w in line.words] for line in text.lines]


@pytest.mark.parametrize(
    ("gap", "reach"),
    [
        pytest.param(250, 0.35, id="ordinary"),
        pytest.param(215, 0.2, id="narrow"),
        pytest.param(204, None, id="too-narrow"),
        pytest.param(650, 0.2, id="wide"),
        pytest.param(665, None, id="too-wide"),
    ],
)
def test_a_word_moves_as_far_as_its_gaps_bear(gap: int, reach: float | None) -> None:
    ((_, middle, _),) = _moving(_read(b"[(abc) -%d (def) -%d (ghi)] TJ" % (gap, gap)))
    assert middle == reach


def test_the_narrower_gap_decides() -> None:
    ((_, middle, _),) = _moving(_read(b"[(abc) -300 (def) -215 (ghi)] TJ"))
    assert middle == 0.2


def test_the_larger_type_beside_a_gap_decides() -> None:
    ((_, second, _),) = _moving(_read(b"(abc def) Tj /S 14 Tf [-250 (ghi)] TJ"))
    assert second == pytest.approx((3.5 - 0.175 * 14) / 2, abs=1e-3) or second == FARTHEST


def test_no_word_moves_farther_than_allowed_or_too_little_to_be_seen() -> None:
    for gap in range(180, 700, 7):
        for line in _moving(_read(b"[(abc) -%d (def) -%d (ghi)] TJ" % (gap, 880 - gap))):
            assert all(reach is None or LEAST <= reach <= FARTHEST for reach in line)


def test_a_line_by_itself_moves_both_its_ends() -> None:
    assert _moving(_read(b"(abc def ghi) Tj")) == [[0.35, 0.35, 0.35]]


def test_lines_that_begin_together_keep_their_first_words() -> None:
    text = _read(b"30 TL (abc def) Tj T* (abcd efg hij) Tj T* (abcde fghi jklmn) Tj")
    assert [[reach is not None for reach in line] for line in _moving(text)] == [
        [False, True],
        [False, True, True],
        [False, True, True],
    ]


def test_lines_that_end_together_keep_their_last_words() -> None:
    text = _read(
        b"1 0 0 1 50 700 Tm (abcd efg) Tj 1 0 0 1 45 660 Tm (abcde fgh) Tj 1 0 0 1 40 620 Tm (abcdef ghi) Tj"
    )
    assert [line[-1] for line in _moving(text)] == [None] * 3
    assert [line[0] for line in _moving(text)] == [0.35] * 3


def test_two_cells_side_by_side_keep_their_near_ends() -> None:
    text = _read(b"(abc def) Tj 60 0 Td (ghi jkl) Tj")
    assert _moving(text) == [[0.35, None], [None, 0.35]]


def test_a_line_in_another_direction_is_no_neighbour() -> None:
    text = _read(b"(abc def) Tj 0 1 -1 0 0 60 Tm (ghi jkl) Tj")
    assert _moving(text) == [[0.35, 0.35], [0.35, 0.35]]


def test_a_superscript_keeps_its_neighbours() -> None:
    text = _read(b"(abc def) Tj 32.5 4 Td /S 6 Tf (1) Tj /S 10 Tf 5.5 -4 Td (ghi jkl) Tj")
    first, second, third = _moving(text)
    assert (first[-1], second, third[0]) == (None, [None], None)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"(Title ....... 12) Tj", 2),
        (b"(Title . . . . 12) Tj", 2),
        (b"(Title ... 12) Tj", 3),
        (b"(a a b) Tj", 3),
    ],
    ids=["one-string", "spaced", "three-dots-are-a-word", "letters"],
)
def test_dots_that_lead_on_stay_and_are_no_words(content: bytes, words: int) -> None:
    text = _read(content)
    assert count_words(text) == words
    leaders = [
        w for line in text.lines for w in line.words if w.code == ord(".") and (w.glyphs > 3 or words == 2)
    ]
    assert not reaches(text).keys() & set(leaders)


def test_text_that_is_drawn_twice_stays() -> None:
    text = _read(b"0 40 Td (abc def ghi) Tj .3 0 Td (abc def ghi) Tj -.3 -200 Td (abc def ghi) Tj")
    assert _moving(text) == [[None] * 3, [None] * 3, [0.35] * 3]


def test_invisible_words_stay() -> None:
    assert _moving(_read(b"3 Tr (abc def ghi) Tj")) == [[None] * 3]
