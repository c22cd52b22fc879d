"""A font's widths and spaces are what its dictionaries say; a font that cannot be told is none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pikepdf import Array, Dictionary, Name, Pdf

from tests.watermark.woven.pages import cid_font, new_document, simple_font, to_unicode, type3_font
from watermark.woven.sourcefont import SourceFont, read_font


@pytest.fixture
def pdf() -> Iterator[Pdf]:
    """A document for fonts to stand in."""
    with new_document() as document:
        yield document


def _known(font: object) -> SourceFont:
    found = read_font(font)
    assert found is not None
    return found


def test_a_simple_font_has_widths_from_its_first_code_on(pdf: Pdf) -> None:
    font = _known(simple_font(pdf, FirstChar=65, Widths=Array([750, 650.5])))
    assert (font.code_size, font.width(65), font.width(66), font.width(67)) == (1, 0.75, 0.6505, 0.0)


def test_other_codes_have_the_missing_width(pdf: Pdf) -> None:
    made = simple_font(pdf, Widths=Array([700]))
    made.FontDescriptor.MissingWidth = 333
    assert _known(made).width(200) == 0.333


@pytest.mark.parametrize(
    ("entries", "widths"),
    [
        ({"BaseFont": Name.Helvetica}, {32: 0.278, 39: 0.222, 65: 0.667}),
        ({"BaseFont": Name.Helvetica, "Encoding": Name.WinAnsiEncoding}, {39: 0.191, 65: 0.667}),
        ({"BaseFont": Name("/Times-Roman"), "Encoding": Name.MacRomanEncoding}, {65: 0.722, 0x8A: 0.444}),
        ({"BaseFont": Name.Courier}, {32: 0.6, 105: 0.6}),
        ({"BaseFont": Name.Arial, "Encoding": Name.WinAnsiEncoding}, {65: 0.667}),
        ({"BaseFont": Name.Symbol}, {32: 0.25, 97: 0.631}),
        ({"BaseFont": Name.ZapfDingbats}, {32: 0.278, 33: 0.974}),
    ],
    ids=lambda value: str(value.get("BaseFont", ""))[1:] if isinstance(value, dict) else "",
)
def test_the_fourteen_standard_fonts_need_no_widths(
    entries: dict[str, object], widths: dict[int, float]
) -> None:
    font = _known(Dictionary(Type=Name.Font, Subtype=Name.Type1, **entries))
    assert {code: font.width(code) for code in widths} == widths
    assert 32 in font.spaces


@pytest.mark.parametrize(
    "entries",
    [
        {"BaseFont": Name("/AAAAAA+Helvetica")},
        {"BaseFont": Name.Helvetica, "Encoding": Name.Odd},
        {"BaseFont": Name.Helvetica, "Encoding": Dictionary(Differences=Array([65, Name.B]))},
        {"BaseFont": Name("/Arial,Bold")},
        {},
    ],
    ids=["subset", "odd-encoding", "differences", "styled", "nameless"],
)
def test_another_font_without_widths_is_none(entries: dict[str, object]) -> None:
    assert read_font(Dictionary(Type=Name.Font, Subtype=Name.Type1, **entries)) is None


def test_type_3_widths_are_in_its_own_units(pdf: Pdf) -> None:
    font = _known(type3_font(pdf, (0.01, 0, 0, 0.01, 0, 0)))
    assert (font.width(65), font.width(32)) == (0.5, 0.25)
    assert font.spaces == {32}


@pytest.mark.parametrize(
    "matrix",
    [(0.01, 0.001, 0, 0.01, 0, 0), (-0.01, 0, 0, 0.01, 0, 0)],
    ids=["turned", "mirrored"],
)
def test_a_type_3_font_that_is_turned_or_mirrored_is_none(pdf: Pdf, matrix: tuple[float, ...]) -> None:
    assert read_font(type3_font(pdf, FontMatrix=Array([*matrix]))) is None


def test_a_code_may_be_a_space_by_name(pdf: Pdf) -> None:
    differences = Array([3, Name.space, Name.A, 32, Name.B, 160, Name.nbspace])
    font = _known(simple_font(pdf, Encoding=Dictionary(Differences=differences)))
    assert font.spaces == {3, 160}


def test_to_unicode_goes_before_names(pdf: Pdf) -> None:
    cmap = to_unicode(pdf, [b"2 beginbfchar <01> <0020> <20> <0041> endbfchar"])
    assert _known(simple_font(pdf, ToUnicode=cmap)).spaces == {1}


@pytest.mark.parametrize(
    ("lines", "spaces"),
    [
        ([b"2 beginbfchar <0003> <0020> <0004> <0041> endbfchar"], {3}),
        ([b"1 beginbfrange <0001> <0050> <001f> endbfrange"], {2}),
        ([b"1 beginbfrange <0001> <0003> [<0041> <00a0> <2009>] endbfrange"], {2, 3}),
        ([b"1 beginbfchar", b"<0009>", b"<00 20>", b"endbfchar"], {9}),
        ([b"1 beginbfchar <0003><0020> endbfchar 1 beginbfrange <0010><0010><202f> endbfrange"], {3, 16}),
        ([b"1 beginbfchar <0003> <00200020> endbfchar"], set()),
        ([b"garbage <> ["], set()),
        ([b"1 beginbfchar <0003> <20> <0004> <002> endbfchar"], {4}),
        ([b"1 beginbfrange <0001> <0050> <> endbfrange"], set()),
    ],
    ids=["char", "range", "list", "lines", "both", "two-spaces", "garbage", "odd-digits", "empty-target"],
)
def test_spaces_of_a_two_byte_font_are_what_to_unicode_says(
    pdf: Pdf, lines: list[bytes], spaces: set[int]
) -> None:
    assert _known(cid_font(pdf, ToUnicode=to_unicode(pdf, lines))).spaces == spaces


def test_a_two_byte_font_without_to_unicode_has_no_spaces(pdf: Pdf) -> None:
    assert _known(cid_font(pdf, ToUnicode=None)).spaces == frozenset()


def test_widths_of_two_byte_codes_come_in_both_forms(pdf: Pdf) -> None:
    widths = Array([10, Array([100, 200.5]), 20, 22, 300, 30, Array([400])])
    font = _known(cid_font(pdf, widths=widths))
    assert [font.width(code) for code in (10, 11, 12, 20, 22, 23, 30)] == [
        0.1,
        0.2005,
        0.5,
        0.3,
        0.3,
        0.5,
        0.4,
    ]


def test_a_two_byte_font_without_default_width_has_an_em(pdf: Pdf) -> None:
    assert _known(cid_font(pdf, descendant={"DW": None, "W": None})).width(7) == 1.0


_IDENTITY = (
    b"1 begincodespacerange <0000> <FFFF> endcodespacerange 1 begincidrange <0000> <ffff> 0 endcidrange"
)


@pytest.mark.parametrize(
    ("cmap", "known"),
    [
        (_IDENTITY, True),
        (_IDENTITY.replace(b"> 0 end", b"> 1 end"), False),
        (_IDENTITY.replace(b"<0000> <FFFF>", b"<00> <FF>"), False),
        (_IDENTITY.replace(b"1 begincidrange", b"2 begincidrange <0000> <0010> 7"), False),
        (b"/WMode 1 def " + _IDENTITY, False),
        (b"/Other usecmap " + _IDENTITY, False),
        (b"", False),
    ],
    ids=["identity", "shifted", "one-byte", "two-ranges", "downwards", "built-on-another", "empty"],
)
def test_an_embedded_cmap_is_known_when_it_is_the_identity(pdf: Pdf, cmap: bytes, known: bool) -> None:
    assert (read_font(cid_font(pdf, Encoding=pdf.make_stream(cmap))) is not None) == known


@pytest.mark.parametrize("name", ["/Identity-V", "/UniGB-UCS2-H", "/90ms-RKSJ-H"])
def test_other_two_byte_encodings_are_none(pdf: Pdf, name: str) -> None:
    assert read_font(cid_font(pdf, Encoding=Name(name))) is None


@pytest.mark.parametrize(
    "broken",
    [
        {"DescendantFonts": None},
        {"DescendantFonts": Array([])},
        {"DescendantFonts": Array([5])},
        {"DescendantFonts": Array([Name.A])},
    ],
    ids=["absent", "empty", "number", "name"],
)
def test_a_two_byte_font_without_descendant_is_none(pdf: Pdf, broken: dict[str, object]) -> None:
    assert read_font(cid_font(pdf, **broken)) is None


@pytest.mark.parametrize(
    "widths", [Array([Name.A, 5, 6]), Array([Array([]), Array([])]), Array([1, 2, Name.A])]
)
def test_broken_widths_are_none(pdf: Pdf, widths: Array) -> None:
    assert read_font(cid_font(pdf, widths=widths)) is None


@pytest.mark.parametrize("thing", [None, 5, Array([]), Name.F1], ids=["none", "number", "array", "name"])
def test_what_is_no_dictionary_is_no_font(thing: object) -> None:
    assert read_font(thing) is None
