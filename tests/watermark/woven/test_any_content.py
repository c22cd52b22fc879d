"""Contents put together by chance out of what producers write: words move as bits say, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from tests.watermark.woven.pages import page_of
from tests.watermark.woven.positions import LettersDiffer, Sample, assert_moved_as_bits_say

_WORD = st.text("abcdefgh.,", min_size=1, max_size=6)
_KERN = st.sampled_from(
    ["", "12", "-30", "-5.25", ".5", "-0.", "-170", "-250", "-260.123456789", "-400", "20 -300"]
)


def _literal(text: str) -> str:
    return "(" + text.replace("\\", r"\\") + ")"


def _hex(text: str) -> str:
    return "<" + text.encode("utf-16-be").hex() + ">"


@st.composite
def _array(draw: st.DrawFn, quote: str, size: float) -> str:
    """A `TJ` of words, parts of words and kerns."""
    write = _hex if quote == "C" else _literal
    parts = []
    for word in draw(st.lists(_WORD, min_size=1, max_size=5)):
        cut = draw(st.integers(0, len(word)))
        space = draw(st.sampled_from(["", " ", " ", " "]))
        parts += [write(word[:cut]), draw(_KERN), write(word[cut:] + space), draw(_KERN)]
    return "[" + " ".join(parts) + "]TJ"


@st.composite
def _string(draw: st.DrawFn, quote: str, size: float) -> str:
    write = _hex if quote == "C" else _literal
    return write(" ".join(draw(st.lists(_WORD, min_size=1, max_size=5)))) + draw(
        st.sampled_from([" Tj", "Tj"])
    )


@st.composite
def _letters(draw: st.DrawFn, quote: str, size: float) -> str:
    """Words whose letters are placed one by one; spaces are shown, or not; at last back, or not."""
    write = _hex if quote == "C" else _literal
    text = " ".join(draw(st.lists(_WORD, min_size=1, max_size=4)))
    spaces_shown = draw(st.booleans())
    step = size * draw(st.sampled_from([0.5, 0.525, 0.49]))
    written, gone, advance = [], 0.0, 0.0
    for letter in text:
        if letter != " " or spaces_shown:
            written.append(f"{advance:g} 0 Td {write(letter)} Tj" if advance else f"{write(letter)} Tj")
            gone += advance
            advance = 0.0
        advance += step / 2 if letter == " " else step
    back = draw(st.sampled_from([0.0, gone]))
    return " ".join(written) + (f" {-back:g} 0 Td" if back else "")


_STATES = ["", "", ".4 Tc", "1.5 Tw", "90 Tz", "110 Tz", "0 Tc 0 Tw 100 Tz"]
_MOVES = [
    "0 -22 Td",
    "3 -22 TD",
    "T*",
    "1 0 0 1 {x} {y} Tm",
    "1 0 .2 1 {x} {y} Tm",
    "62 0 Td",
    "15 4 Td",
    "ET BT {x} {y} Td",
]


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """A text object of several lines in several fonts."""
    parts = [
        "q",
        draw(st.sampled_from(["", "1.5 0 0 1.5 0 -300 cm", ".24 0 0 .24 0 0 cm 4 0 0 4 0 0 cm"])),
        "BT 24 TL",
    ]
    parts.append("40 760 Td")
    y = 740
    for _ in range(draw(st.integers(1, 6))):
        font = draw(st.sampled_from("SCTS"))
        size = draw(st.sampled_from([8, 10, 10, 12.5, 24]))
        parts.append(f"/{font} {size} Tf")
        parts.append(draw(st.sampled_from(_STATES)))
        kind = draw(st.sampled_from([_array, _string, _letters]))
        parts.append(draw(kind(font, size)))
        y -= 30
        parts.append(draw(st.sampled_from(_MOVES)).format(x=draw(st.integers(30, 90)), y=y))
    parts += ["ET", draw(st.sampled_from(["Q", "", "Q Q"]))]
    return "\n".join(parts).encode()


def _judge(content: bytes) -> None:
    try:
        assert_moved_as_bits_say(Sample(page_of(content)))
    except LettersDiffer:
        reject()


_SLOW_TO_DRAW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=_SLOW_TO_DRAW)
@given(contents())
def test_whatever_the_content_words_move_as_their_bits_say(content: bytes) -> None:
    _judge(content)


@pytest.mark.slow
@settings(max_examples=1500, deadline=None, suppress_health_check=_SLOW_TO_DRAW)
@given(contents())
def test_whatever_the_content_words_move_as_their_bits_say_at_length(content: bytes) -> None:
    _judge(content)
