"""Words are what stands between spaces and gaps; lines are words side by side; operators that show them are noted."""

from __future__ import annotations

import pytest

from watermark.content import IDENTITY, Matrix
from watermark.woven.sourcefont import SourceFont
from watermark.woven.text import Show, Step, Text
from watermark.woven.words import read_text

_FONTS = {
    b"S": SourceFont(1, {32: 0.25}, 0.5, frozenset({32})),
    b"N": SourceFont(1, {32: 0.25}, 0.5, frozenset()),  # its code 32 is a letter
    b"C": SourceFont(2, {32: 0.25}, 0.5, frozenset({32})),
}


def _read(content: bytes, matrix: Matrix = IDENTITY) -> Text:
    return read_text(content, matrix, _FONTS.get)


def _lines(content: bytes) -> list[list[tuple[float, float]]]:
    """From where to where each word of each line goes."""
    return [
        [(round(word.start, 4), round(word.stop, 4)) for word in line.words] for line in _read(content).lines
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"BT /S 10 Tf (ab c) Tj ET", [(0, 10), (12.5, 17.5)], id="space"),
        pytest.param(b"BT /S 10 Tf 100 5 Td (a) Tj ET", [(100, 105)], id="moved"),
        pytest.param(b"BT /S 10 Tf [(a) -100 (b)] TJ ET", [(0, 11)], id="kern"),
        pytest.param(b"BT /S 10 Tf [(a) -171 (b)] TJ ET", [(0, 5), (6.71, 11.71)], id="gap"),
        pytest.param(b"BT /S 10 Tf 2 Tc (ab c) Tj ET", [(0, 14), (18.5, 25.5)], id="Tc"),
        pytest.param(b"BT /S 10 Tf 3 Tw (ab c) Tj ET", [(0, 10), (15.5, 20.5)], id="Tw"),
        pytest.param(
            b"BT /N 10 Tf 3 Tw (a b) Tj ET", [(0, 5 + 2.5 + 3 + 5)], id="Tw-at-a-code-that-is-no-space"
        ),
        pytest.param(b"BT /S 10 Tf 50 Tz (ab c) Tj ET", [(0, 5), (6.25, 8.75)], id="Tz"),
        pytest.param(b"BT /S 10 Tf 50 Tz 2 Tc [(ab)-400( c)] TJ ET", [(0, 7), (11.25, 14.75)], id="Tz-Tc-TJ"),
        pytest.param(b"BT /S 10 Tf 9 Tr (ab) Tj 0 Tr (cd) Tj ET", [(0, 10), (10, 20)], id="drawn-or-not"),
        pytest.param(b"BT /S 5 Tf 2 0 0 3 7 8 Tm (ab) Tj 5 0 Td (c) Tj ET", [(7, 22)], id="Tm-scales"),
        pytest.param(b"2 0 0 2 1 1 cm BT /S 5 Tf 1 0 Td (ab) Tj ET", [(3, 13)], id="cm-scales"),
        pytest.param(b"q 2 0 0 2 0 0 cm q Q Q BT /S 10 Tf (ab) Tj ET", [(0, 10)], id="q-restores"),
        pytest.param(b"BT /S 10 Tf ET q BT /C 10 Tf ET Q BT (ab) Tj ET", [(0, 10)], id="Q-restores-the-font"),
        pytest.param(b"BT /C 10 Tf <006100200062> Tj ET", [(0, 5), (7.5, 12.5)], id="two-bytes"),
        pytest.param(b"BT /S 10 Tf (a) Tj ET BT 5 0 Td (b) Tj ET", [(0, 10)], id="parts-of-a-word"),
    ],
)
def test_words_of_one_line(content: bytes, words: list[tuple[float, float]]) -> None:
    assert [word for line in _lines(content) for word in line] == words


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        pytest.param(b"BT /S 10 Tf 12 TL (a b) Tj T* (c) Tj ET", [2, 1], id="T*"),
        pytest.param(b"BT /S 10 Tf 0 -12 TD (a b) Tj T* (c) ' ET", [2, 1], id="TD-sets-the-leading"),
        pytest.param(b"BT /S 10 Tf (a) Tj 26 0 Td (b) Tj 31 0 Td (c) Tj ET", [2, 1], id="cells"),
        pytest.param(b"BT /S 10 Tf (abc) Tj 5 0 Td (d) Tj ET", [1, 1], id="struck-twice"),
        pytest.param(b"BT /S 10 Tf (a b) Tj 12 4 Td (2) Tj 6 -4 Td (c) Tj ET", [2, 1, 1], id="superscript"),
        pytest.param(b"BT /S 10 Tf (a) Tj 0 1 -1 0 9 0 Tm (b) Tj ET", [1, 1], id="turned"),
        pytest.param(b"BT /S 10 Tf [(a) -3000 (b c)] TJ ET", [1, 2], id="far-in-one-show"),
        pytest.param(
            b"BT /S 10 Tf (a) Tj /X 10 Tf (?) Tj /S 10 Tf (b) Tj 9 0 Td (c) Tj ET", [1, 1], id="unknown"
        ),
    ],
)
def test_how_many_words_each_line_has(content: bytes, lines: list[int]) -> None:
    assert [len(line) for line in _lines(content)] == lines


@pytest.mark.parametrize(
    "lost",
    [b"--5 0 Td", b"x 0 TD", b"1 0 0 1 5 Tm", b"q", b"Q", b"1 0 0 1 5 5 cm"],
    ids=["Td", "TD", "Tm", "q", "Q", "cm"],
)
def test_after_what_readers_differ_on_nothing_is_known_until_text_is_placed_anew(lost: bytes) -> None:
    text = _read(
        b"/S 10 Tf q BT (a) Tj " + lost + b" (b) Tj 5 0 Td (c) Tj T* (d) Tj 1 0 0 1 9 9 Tm (e) Tj ET"
    )
    assert [event.known for event in text.events if isinstance(event, Show)] == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_what_operators_show_of_words_is_noted() -> None:
    text = _read(b"BT /S 10 Tf [(ab c) -20 (d e)] TJ (f g) Tj ET")
    first, second = (event for event in text.events if isinstance(event, Show))
    words = [word for line in text.lines for word in line.words]
    assert [(words.index(f.word), f.piece, f.offset) for f in first.fragments] == [
        (0, 0, 0),
        (1, 0, 3),
        (2, 2, 2),
    ]
    assert [(words.index(f.word), f.piece, f.offset) for f in second.fragments] == [(2, 0, 0), (3, 0, 2)]
    assert [word.shows for word in words] == [1, 1, 2, 1]
    assert [word.glyphs for word in words] == [2, 2, 2, 1]


def test_steps_say_how_long_their_unit_is() -> None:
    text = _read(b"2 0 0 2 0 0 cm BT 3 0 0 3 0 0 Tm -1.50 7 Td ET")
    (step,) = (event for event in text.events if isinstance(event, Step))
    assert (step.value, step.unit) == (-1.5, 6)


def test_letters_all_alike_have_their_code() -> None:
    words = [word for line in _read(b"BT /S 10 Tf (.... .,. x) Tj ET").lines for word in line.words]
    assert [word.code for word in words] == [ord("."), -1, ord("x")]


def test_forms_are_noted_where_they_are_drawn() -> None:
    text = _read(b"q 2 0 0 2 5 5 cm /A Do Q /B Do", (1, 0, 0, 1, 100, 0))
    assert text.forms == [(b"A", (2, 0, 0, 2, 105, 5)), (b"B", (1, 0, 0, 1, 100, 0))]
