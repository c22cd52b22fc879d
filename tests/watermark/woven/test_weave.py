"""Weaving moves a word by its reach, to the side that its bit says, and nothing else: judged by PDFium's positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from pikepdf import Array, Dictionary, Name

from tests.watermark.woven.pages import add_page, cid_font, form, new_document, page_of, resources, written
from tests.watermark.woven.positions import Sample, assert_moved_as_bits_say, letters


def _hex(text: str) -> bytes:
    """Text as two-byte codes."""
    return text.encode("utf-16-be").hex().encode()


def _one_by_one(text: str, step: float, back: bool) -> bytes:
    """Each letter of `text` by a `Td` of its own and, as Skia does it, at last back by all of them."""
    content = b"(%s) Tj" % text[0].encode()
    for letter in text[1:]:
        content += b" %g 0 Td (%s) Tj" % (step, letter.encode())
    return content + (b" %g 0 Td\n" % (-step * (len(text) - 1)) if back else b"\n")


def _skia(words: list[str]) -> bytes:
    """A word's letters stepped by `Td` from its first, spaces among them."""
    content = b"BT /S 10 Tf 1 0 0 -1 40 700 Tm\n"
    for index, letter in enumerate(" ".join(words)):
        step = 2.5 if index and " ".join(words)[index - 1] == " " else 5
        content += b"(%s) Tj" % letter.encode() if not index else b" %g 0 Td <%02x> Tj" % (step, ord(letter))
    return b"1 0 0 -1 0 842 cm " + content.replace(b"40 700 Tm", b"40 100 Tm") + b" ET"


def _by_matrix(text: str) -> bytes:
    content, x = b"BT /S 10 Tf\n", 40.0
    for letter in text:
        content += b"1 0 0 1 %g 700 Tm (%s) Tj\n" % (x, letter.encode())
        x += 2.5 if letter == " " else 5
    return content + b"ET"


# What each construct draws, and how many of its words carry a bit. A line's first word stays on a page where another
# line begins there, and so does its last; a line by itself may move both.
CONSTRUCTS: dict[str, tuple[bytes, int]] = {
    "Tj": (b"BT /S 10 Tf 40 700 Td (one two three four) Tj ET", 4),
    "Tj-two-bytes": (b"BT /C 10 Tf 40 700 Td <%s> Tj ET" % _hex("one two three four"), 4),
    "Tj-two-bytes-in-a-literal": (
        b"BT /C 10 Tf 40 700 Td (\\000o\\000n\\000e\\000 \\000t\\000w\\000o\\000 \\000\\050\\000\\134) Tj ET",
        3,
    ),
    "Tj-helvetica-without-widths": (b"BT /F1 12 Tf 40 700 Td (one 'two' three four) Tj ET", 4),
    "TJ-kerned": (b"BT /S 10 Tf 40 700 Td [(o) 20 (ne t) -30 (wo) -15 ( th) 10 (ree)] TJ ET", 3),
    "TJ-gaps-without-spaces": (b"BT /S 10 Tf 40 700 Td [(one) -300 (two) -320 (three)] TJ ET", 3),
    "TJ-several-numbers": (b"BT /S 10 Tf 40 700 Td [(one) -100 -200 (two) -150 -100.5 (three)] TJ ET", 3),
    "TJ-number-first-and-last": (b"BT /S 10 Tf 40 700 Td [-50 (one two) -9] TJ ( three) Tj ET", 3),
    "TJ-empty-strings": (b"BT /S 10 Tf 40 700 Td [() -20 (one) () -280 () <> (two)( three) ()] TJ ET", 3),
    "TJ-long-decimals": (
        b"BT /S 10 Tf 40 700 Td [(one) -250.1000000000000005 (two) -.5 ( ) 5. (three)] TJ ET",
        3,
    ),
    "TJ-spread-over-lines-with-comments": (
        b"BT /S 10 Tf 40 700 Td [(one) % (ne) \n-280\n(two)\r\n-290(three)] TJ ET",
        3,
    ),
    "quote": (b"BT /S 10 Tf 14 TL 40 714 Td (one two three) ' (four five six) ' ET", 2 + 2 + 2),
    "quote-right-after-an-operator": (b"BT /S 10 Tf 14 TL 40 700 Td(a b)Tj(one two three)'(x y)Tj ET", 5),
    "double-quote": (b"BT /S 10 Tf 14 TL 40 714 Td 1 .2 (one two three) \" (four five six) ' ET", 6),
    "double-quote-close": (b'BT /S 10 Tf 14 TL 40 714 Td(x)Tj 1 .2(one two three)" ET', 3),
    "double-quote-with-a-comment": (b'BT /S 10 Tf 14 TL 40 714 Td 1 % 2\n.2 (one two three) " ET', 3),
    "escapes": (
        b"BT /S 10 Tf 40 700 Td (o\\156e \\(two\\) th\\\nree \\\\ \\053\\53 (nested (deep)) \\q) Tj ET",
        8,
    ),
    "line-breaks-in-strings": (b"BT /S 10 Tf 40 700 Td (one two\\\r\n three fo\\\nur) Tj ET", 4),
    "hex-with-odd-digits": (b"BT /S 10 Tf 40 700 Td <6f 6e65 20 74776f 20 7> Tj ET", 3),
    "word-of-several-shows": (b"BT /S 10 Tf 40 700 Td (o) Tj (ne t) Tj (wo thr) Tj (ee) Tj ET", 3),
    "letters-by-Td": (
        b"BT /S 10 Tf 40 700 Td "
        + _one_by_one("one", 5, True)
        + b"17.5 0 Td "
        + _one_by_one("two", 5, True)
        + b"17.5 0 Td "
        + _one_by_one("three", 5, False)
        + b"ET",
        3,
    ),
    "letters-by-Td-with-spaces-among-them": (_skia(["one", "two", "three", "four"]), 4),
    "spaces-shown-by-themselves": (
        b"BT /S 10 Tf 40 700 Td (one) Tj 15 0 Td ( ) Tj 2.5 0 Td (two) Tj 15 0 Td ( ) Tj 2.5 0 Td (six) Tj ET",
        3,
    ),
    "letters-by-Tm": (_by_matrix("one two three four"), 4),
    "words-by-Tm": (
        b"BT /S 10 Tf 1 0 0 1 40 700 Tm (one) Tj 1 0 0 1 57.5 700 Tm (two) Tj 1 0 0 1 75 700 Tm (six) Tj ET",
        3,
    ),
    "words-by-BT": (
        b"/S 10 Tf BT 40 700 Td (one) Tj ET BT 57.5 700 Td (two) Tj ET BT 75 700 Td (six) Tj ET",
        3,
    ),
    "TD-and-T*": (
        b"BT /S 10 Tf 40 700 TD (one two three) Tj 0 -14 TD (four five six) Tj T* (seven eight nine) Tj ET",
        6,
    ),
    "Td-after-a-moved-word": (
        b"BT /S 10 Tf 40 700 Td (one two) Tj 35 0 Td (three four) Tj 3 -30 Td (five six) Tj ET",
        6,
    ),
    "T*-after-letters-by-Td": (
        b"BT /S 10 Tf 14 TL 40 700 Td "
        + _one_by_one("one", 5, True)
        + b"17.5 0 Td "
        + _one_by_one("two", 5, False)
        + b"T* (three four) Tj ET",
        2,
    ),
    "Tw-Tc-Tz": (b"BT /S 10 Tf 1.5 Tw .3 Tc 80 Tz 40 700 Td (one two three four) Tj ET", 4),
    "Tw-of-two-bytes-is-none": (b"BT /C 10 Tf 9 Tw 40 700 Td <%s> Tj ET" % _hex("one two three"), 3),
    "Ts": (b"BT /S 10 Tf 40 700 Td (one) Tj 4 Ts /S 6 Tf (2) Tj 0 Ts /S 10 Tf ( two three) Tj ET", 3),
    "Type-3": (b"BT /T 10 Tf 40 700 Td (one two three four) Tj ET", 4),
    "large-type": (b"BT /S 90 Tf 20 700 Td [(o) -13.3 (n t) -7.7 (w s) 3.1 (x)] TJ ET", 3),
    "small-type-scaled-up": (b"BT /S 1 Tf 12 0 0 12 40 700 Tm [(one) -280 (two) -290 (three)] TJ ET", 3),
    "scaled-down-page": (b".24 0 0 .24 0 0 cm BT /S 42 Tf 160 2900 Td (one two three) Tj ET", 3),
    "turned-text": (b"BT /S 10 Tf .8 .6 -.6 .8 200 400 Tm (one two three) Tj 62.5 0 Td (four five) Tj ET", 5),
    "condensed-matrix": (b"BT /S 10 Tf .9 0 0 1 40 700 Tm (one two three four) Tj ET", 4),
    "slanted-matrix": (b"BT /S 10 Tf 1 0 .3 1 40 700 Tm (one two three four) Tj ET", 4),
    "flipped-page-and-text": (b"1 0 0 -1 0 842 cm BT /S 10 Tf 1 0 0 -1 40 140 Tm (one two three) Tj ET", 3),
    "two-types-in-a-line": (b"BT /S 10 Tf 40 700 Td (one t) Tj /C 14 Tf <%s> Tj ET" % _hex("wo three"), 3),
    "unbalanced-q": (b"q q BT /S 10 Tf 40 700 Td (one two three) Tj ET Q", 3),
    "stray-Q": (b"Q Q 2 0 0 2 0 0 cm BT /S 10 Tf 40 300 Td (one two three) Tj ET Q Q", 3),
    "inline-image": (
        b"q 4 0 0 4 72 500 cm BI /W 4 /H 4 /BPC 8 /CS /G ID " + b"BT (a b) Tj ET xy" + b" EI Q "
        b"BT /S 10 Tf 40 700 Td (one two three) Tj ET",
        3,
    ),
    "superscripts-between": (
        b"BT /S 10 Tf 40 700 Td (one) Tj 15 4 Td /S 6 Tf (1) Tj 5.5 -4 Td /S 10 Tf (two three) Tj ET",
        1,
    ),
    "bad-step-then-Tm": (
        b"BT /S 10 Tf 40 700 Td (one two) Tj --5 -50 Td (three four) Tj 1 0 0 1 40 600 Tm (five six) Tj ET",
        3,
    ),
}


@pytest.mark.parametrize("construct", CONSTRUCTS)
def test_words_move_as_their_bits_say(construct: str) -> None:
    content, words = CONSTRUCTS[construct]
    sample = Sample(page_of(content))
    assert_moved_as_bits_say(sample)
    assert sample.woven_words == words


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"BT /S 10 Tf 3 Tr 40 700 Td (one two three) Tj ET", id="invisible"),
        pytest.param(b"BT /S 10 Tf 7 Tr 40 700 Td (one two three) Tj ET", id="clip-only"),
        pytest.param(b"BT /S 10 Tf -1 0 0 1 240 700 Tm (one two three) Tj ET", id="mirrored"),
        pytest.param(b"BT /S -10 Tf 40 700 Td (one two three) Tj ET", id="negative-size"),
        pytest.param(b"BT /S 10 Tf -90 Tz 240 700 Td (one two three) Tj ET", id="negative-stretch"),
        pytest.param(b"BT /S 0 Tf 40 700 Td (one two three) Tj ET", id="no-size"),
        pytest.param(b"BT /Nowhere 10 Tf 40 700 Td (one two three) Tj ET", id="unknown-font"),
        pytest.param(b"BT 40 700 Td (one two three) Tj ET", id="no-font"),
        pytest.param(b"BT /S 10 Tf 40 700 Td [(one) --5 ( two three)] TJ ET", id="number-that-is-none"),
        pytest.param(b'BT /S 10 Tf 40 700 Td (one two three) " ET', id="double-quote-without-spacing"),
        pytest.param(b"BT /S 10 Tf --9 Tz 40 700 Td (one two three) Tj ET", id="stretch-that-is-none"),
        pytest.param(
            b"BT /S 10 Tf 40 700 Td (x) Tj --9 0 Td (one two three) Tj 9 0 Td (f g) Tj ET", id="lost"
        ),
        pytest.param(b"BT /S 10 Tf 1 0 0 x 9 9 Tm (one two three) Tj T* (four five) Tj ET", id="bad-matrix"),
        pytest.param(b"1 0 0 x 9 9 cm BT /S 10 Tf (one two three) Tj ET", id="bad-transformation"),
        pytest.param(b"BT /S 1e300 Tf 1e200 0 0 1e200 0 0 Tm [(a) -300 (b) 1e9 (c)] TJ ET", id="overflowing"),
        pytest.param(b"BT /S 10 Tf 1e-200 0 0 1e200 0 0 Tm 5 0 Td [(a) -300 (b c)] TJ ET", id="degenerate"),
        pytest.param(b"BT /S 10 Tf 40 700 Td [(one two [ ( three)] TJ ET", id="broken-string"),
        pytest.param(b"BT /S 10 Tf 40 700 Td [ (one) [ ( two) ] ( three) ] TJ ET", id="nested-arrays"),
        pytest.param(b"BT /C 10 Tf 40 700 Td <%s00> Tj ET" % _hex("one two three"), id="odd-byte"),
    ],
)
def test_text_that_must_stay_keeps_every_byte(content: bytes) -> None:
    sample = Sample(page_of(content))
    moved = {word.glyphs for thread in sample.threads for word in thread.woven.moved}
    assert not moved
    assert [thread.woven.content for thread in sample.threads] == [content]


def test_text_before_and_after_what_cannot_be_read_stays_where_it_was() -> None:
    content = (
        b"BT /S 10 Tf 40 700 Td (one two) Tj /Nowhere 10 Tf (x) Tj /S 10 Tf ( three four) Tj "
        b"0 -20 Td (five six) Tj ET"
    )
    sample = Sample(page_of(content))
    assert_moved_as_bits_say(sample)
    assert sample.woven_words


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_pages_are_woven_however_they_are_turned(rotation: int) -> None:
    content = b"BT /S 10 Tf 40 700 Td (one two three) Tj ET BT /S 10 Tf 0 1 -1 0 300 300 Tm (four five) Tj ET"
    sample = Sample(page_of(content, Rotate=rotation, CropBox=Array([10, 20, 500, 800])))
    assert_moved_as_bits_say(sample)
    assert sample.woven_words == 5


def test_content_in_several_streams_is_one() -> None:
    sample = Sample(page_of([b"BT /S 10 Tf 40 700 Td [(one) -300", b"(two) -310 (three)] TJ", b"ET"]))
    assert_moved_as_bits_say(sample)
    assert sample.woven_words == 3


def test_pages_that_share_content_have_words_of_their_own() -> None:
    with new_document() as pdf:
        add_page(pdf, b"BT /S 10 Tf 40 700 Td (one two three) Tj ET")
        pdf.pages.append(pdf.pages[0])
        sample = Sample(written(pdf))
    assert_moved_as_bits_say(sample)
    assert sample.woven_words == 6


def test_a_form_that_several_pages_draw_is_woven_once() -> None:
    with new_document() as pdf:
        within = form(pdf, b"BT /S 10 Tf (one two three) Tj ET", Matrix=Array([1, 0, 0, 1, 40, 700]))
        for _ in range(3):
            given = resources(pdf)
            given.XObject = Dictionary(X1=within)
            add_page(pdf, b"q 1.2 0 0 1.2 -9 -200 cm /X1 Do Q BT /S 10 Tf 40 300 Td (four five) Tj ET", given)
        sample = Sample(written(pdf))
    assert_moved_as_bits_say(sample)
    assert sample.woven_words == 3 + 3 * 2


def test_forms_within_forms_are_woven_and_one_that_draws_itself_ends() -> None:
    with new_document() as pdf:
        inner = form(pdf, b"BT /S 10 Tf 40 700 Td (one two three) Tj ET /X1 Do")
        inner.Resources.XObject = Dictionary(X1=inner)
        given = resources(pdf)
        given.XObject = Dictionary(X1=inner)
        outer = form(pdf, b"q .9 0 0 .9 0 0 cm /X1 Do Q BT /S 10 Tf 40 300 Td (four five six) Tj ET", given)
        page = resources(pdf)
        page.XObject = Dictionary(X1=outer)
        add_page(pdf, b"/X1 Do", page)
        sample = Sample(written(pdf))
    assert sample.woven_words == 6
    sample.with_bits(sample.patterns()[0])


@pytest.mark.parametrize("scales", [(1, 2), (2, 1), (1, 1)])
def test_a_form_that_is_drawn_larger_moves_no_farther_there(scales: tuple[int, int]) -> None:
    with new_document() as pdf:
        within = form(pdf, b"BT /S 10 Tf 20 20 Td (one two three) Tj ET")
        for scale in scales:
            given = resources(pdf)
            given.XObject = Dictionary(X1=within)
            add_page(pdf, b"q %d 0 0 %d 0 0 cm /X1 Do Q" % (scale, scale), given)
        sample = Sample(written(pdf))
    bits = sample.patterns()[0]
    farthest = _farthest(sample, bits)
    assert farthest <= 0.37
    assert bool(sample.woven_words) == (scales != (1, 2))


def test_forms_that_draw_forms_many_times_take_no_time() -> None:
    with new_document() as pdf:
        within = form(pdf, b"BT /S 10 Tf 20 20 Td (one two three) Tj ET")
        for _ in range(7):
            given = resources(pdf)
            given.XObject = Dictionary({f"/X{n}": within for n in range(20)})
            within = form(pdf, b" ".join(b"/X%d Do" % n for n in range(20)) + b" BT ET", given)
        page = resources(pdf)
        page.XObject = Dictionary(X1=within)
        add_page(pdf, b"/X1 Do", page)
        sample = Sample(written(pdf))
    assert sample.woven_words == 3
    assert len(sample.threads) == 2


def test_fonts_with_escaped_names_are_found() -> None:
    with new_document() as pdf:
        given = resources(pdf)
        given.Font[Name("/F#20 1")] = given.Font.S
        given.Font[Name("/My Font")] = given.Font.S
        add_page(pdf, b"BT /My#20Font 10 Tf 40 700 Td (one two three) Tj ET", given)
        sample = Sample(written(pdf))
    assert sample.woven_words == 3


def test_a_font_set_by_a_graphics_state_leaves_the_page_as_it_is() -> None:
    with new_document() as pdf:
        given = resources(pdf)
        given.ExtGState = Dictionary(G=Dictionary(Font=Array([given.Font.C, 10])))
        add_page(pdf, b"BT /S 10 Tf /G gs 40 700 Td (one two three) Tj ET", given)
        sample = Sample(written(pdf))
    assert not sample.woven_words


def test_a_page_with_vertical_text_leaves_it_as_it_is() -> None:
    with new_document() as pdf:
        given = resources(pdf)
        given.Font.V = cid_font(pdf, Encoding=Name("/Identity-V"))
        add_page(pdf, b"BT /V 10 Tf 40 700 Td <%s> Tj ET" % _hex("one two three"), given)
        sample = Sample(written(pdf))
    assert not sample.woven_words


def _farthest(sample: Sample, bits: Mapping[int, Sequence[int]]) -> float:
    before, after = letters(sample.unwoven), letters(sample.with_bits(bits))
    return max(
        abs(first.x - second.x)
        for pages in zip(before, after, strict=True)
        for first, second in zip(*pages, strict=True)
    )
