"""Text that no producer writes is left alone or woven, and is never an error."""

from __future__ import annotations

import random

import pytest

from watermark.content import IDENTITY
from watermark.woven.neighbours import _APART, _BESIDE, _FINE_ROW, _ON, _ROW, Neighbours
from watermark.woven.reach import reaches
from watermark.woven.sourcefont import SourceFont
from watermark.woven.text import Line, Word
from watermark.woven.weave import Woven, weave
from watermark.woven.words import read_text

FONT = SourceFont(1, dict.fromkeys(range(256), 0.5), 0.0, frozenset({32}))
LINE = b"BT /F1 10 Tf 72 700 Td (first of some words) Tj "
NUMBERS = (
    *(b"0", b"-0", b"1e400", b"1e5", b"nan", b"inf", b"--5", b"1.2.3", b".", b"-", b"+", b"9" * 400, b"1_0"),
    *(
        b"0." + b"0" * 400 + b"1",
        b"-99999999999",
        b"2147483648",
        b"1" + b"0" * 300,
        b"/F1",
        b"(a b)",
        b"[",
        b"]",
    ),
)
OPERATORS = (
    *(
        b"q",
        b"Q",
        b"BT",
        b"ET",
        b"Tj",
        b"TJ",
        b"'",
        b'"',
        b"Td",
        b"TD",
        b"T*",
        b"Tm",
        b"Tc",
        b"Tw",
        b"Tz",
        b"TL",
    ),
    *(
        b"Tf",
        b"Tr",
        b"cm",
        b"Do",
        b"1 0 0 1 50 50 Tm",
        b"5 0 Td",
        b"(some words) Tj",
        b"[(a b) -250 (c d)] TJ",
    ),
)


def woven(content: bytes) -> Woven:
    text = read_text(content, IDENTITY, lambda name: FONT)
    return weave(content, text, reaches(text))


@pytest.mark.parametrize("number", [b"1e1", b"--5", b"1_0", b"5-3", b"nan", b"1.2.3", b"/N"])
@pytest.mark.parametrize(
    "operator", [b"%s 0 Td", b"%s 0 0 1 72 600 Tm", b"%s Tc", b"%s Tw", b"%s Tz", b"/F1 %s Tf"]
)
def test_what_follows_a_number_that_readers_read_each_in_its_way_stays(
    operator: bytes, number: bytes
) -> None:
    odd = b"BT /F1 10 Tf 72 650 Td " + operator.replace(b"%s", number) + b" (second of some words) Tj ET"
    content = LINE + b"ET " + odd
    found = woven(content)
    assert len(found.moved) == len(woven(LINE + b"ET").moved) > 0
    assert found.content.endswith(odd)


def test_an_array_with_such_a_number_keeps_every_byte() -> None:
    content = b"BT /F1 10 Tf 72 700 Td [(some words) -1e2 (more of them)] TJ ET"
    assert woven(content).content == content


def test_a_step_under_a_matrix_of_nothing_moves_nothing() -> None:
    content = b"BT /F1 10 Tf q 0 0 0 0 0 0 cm 72 0 Td Q (a) Tj q 0 0 0 0 0 0 cm 9 0 Td Q (b) Tj (c) Tj ET"
    steps = woven(content).content.split(b"cm")[1:]
    assert [step.split()[:3] for step in steps] == [[b"72", b"0", b"Td"], [b"9", b"0", b"Td"]]


def test_no_content_is_an_error() -> None:
    for seed in range(1500):
        dice = random.Random(seed)
        parts = [dice.choice(dice.choice((NUMBERS, OPERATORS))) for _ in range(dice.randrange(1, 60))]
        found = woven(LINE + b" ".join(parts) + b" (more words) Tj ET " + LINE)
        bits = [dice.randrange(2) for _ in found.moved]
        assert len(found.with_bits(bits)) == len(found.content)


def test_what_is_near_a_lines_end_is_found_as_by_looking_at_every_line() -> None:
    dice = random.Random(1)
    lines = []
    for _ in range(300):
        start, em = dice.uniform(0, 500), dice.choice((6.0, 10.0, 20.0))
        word = Word(start, start + dice.uniform(1, 80), em, drawn=True)
        lines.append(Line([word], 0.0, dice.uniform(0, 400)))
    free = Neighbours(lines)
    for line in lines:
        word = line.words[0]
        rows = -(-_BESIDE * word.em // _ROW)
        others = [
            other.words[0]
            for other in lines
            if other is not line and abs(round(other.across / _ROW) - round(line.across / _ROW)) <= rows
        ]
        apart = _APART * word.em
        before = any(other.start < word.start and other.stop > word.start - apart for other in others)
        after = any(other.stop > word.stop and other.start < word.stop + apart for other in others)
        assert free._is_near(line, word.start, free._after) == before
        assert free._is_near(line, -word.stop, free._before) == after


def test_a_line_that_lies_on_another_is_found_as_by_looking_at_each() -> None:
    dice = random.Random(8)
    lines = []
    for _ in range(300):
        start, em = dice.uniform(0, 500), dice.choice((6.0, 10.0, 20.0))
        word = Word(start, start + dice.uniform(1, 80), em, drawn=True)
        lines.append(Line([word], 0.0, dice.uniform(0, 400)))
    neighbours = Neighbours(lines)
    covered = 0
    for line in lines:
        word = line.words[0]
        rows = -(-_ON * word.em // _FINE_ROW)
        expected = word.stop - word.start > 2 * _ON * word.em and any(
            other.words[0].start < word.stop - _ON * word.em
            and other.words[0].stop > word.start + _ON * word.em
            for other in lines
            if other is not line
            and abs(round(other.across / _FINE_ROW) - round(line.across / _FINE_ROW)) <= rows
        )
        covered += expected
        assert neighbours.cover(line) == expected
    assert 10 < covered < 290
