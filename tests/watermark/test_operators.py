"""A content stream is read operator by operator, every byte in its place, whatever stands in strings and images."""

from __future__ import annotations

import pytest

from watermark.operators import Operators


def _read(content: bytes) -> list[tuple[bytes, list[bytes]]]:
    return [
        (operator, [content[start:stop] for _, start, stop in operands])
        for operator, operands, _ in Operators(content)
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(
            b"1 0 0 1 5 -.5 cm q", [(b"cm", [b"1", b"0", b"0", b"1", b"5", b"-.5"]), (b"q", [])], id="plain"
        ),
        pytest.param(b"/F1 12 Tf(a)Tj", [(b"Tf", [b"/F1", b"12"]), (b"Tj", [b"(a)"])], id="no-white-space"),
        pytest.param(
            b"T*(a)' 1 2(b)\"", [(b"T*", []), (b"'", [b"(a)"]), (b'"', [b"1", b"2", b"(b)"])], id="quotes"
        ),
        pytest.param(b"(a(b(c)d)e) Tj", [(b"Tj", [b"(a(b(c)d)e)"])], id="nested-parentheses"),
        pytest.param(b"(a\\(b) Tj (c\\\\) Tj", [(b"Tj", [b"(a\\(b)"]), (b"Tj", [b"(c\\\\)"])], id="escaped"),
        pytest.param(b"((\\)) x) Tj", [(b"Tj", [b"((\\)) x)"])], id="escaped-within-nested"),
        pytest.param(
            b"(% no comment) Tj % (a) Tj\n q", [(b"Tj", [b"(% no comment)"]), (b"q", [])], id="comment"
        ),
        pytest.param(b"<41 4> Tj", [(b"Tj", [b"<41 4>"])], id="hex"),
        pytest.param(
            b"/P <</A (Tj) /B <41>>> BDC",
            [(b"BDC", [b"/P", b"<<", b"/A", b"(Tj)", b"/B", b"<41>", b">>"])],
            id="dictionary",
        ),
        pytest.param(b"[(a)-5 .5<42>]TJ", [(b"TJ", [b"[", b"(a)", b"-5", b".5", b"<42>", b"]"])], id="array"),
        pytest.param(b"\0\t\f\r\nq\0Q", [(b"q", []), (b"Q", [])], id="all-white-space"),
        pytest.param(b"", [], id="empty"),
    ],
)
def test_operators_come_with_their_operands(
    content: bytes, expected: list[tuple[bytes, list[bytes]]]
) -> None:
    assert _read(content) == expected
    reading = Operators(content)
    list(reading)
    assert reading.complete


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"abcd", id="letters"),
        pytest.param(b"\x00 EI\x01 EI \x02\xff", id="its-end-within"),
        pytest.param(b" (unbalanced << ( EIEI", id="delimiters"),
        pytest.param(b"", id="none"),
    ],
)
def test_an_inline_image_is_one_operation(data: bytes) -> None:
    content = b"q BI /W 2 /ID 3 /CS /G ID " + data + b"\nEI Q (a b) Tj"
    assert [operator for operator, _ in _read(content)] == [b"q", b"EI", b"Q", b"Tj"]


@pytest.mark.parametrize(
    "content",
    [b"q (never closed Tj", b"q (a(b) Tj", b"q BI /W 1 ID abc", b"q BI /W 1", b"q <41", b"q (a\\)"],
    ids=["string", "nested-string", "image", "image-without-data", "hex-string", "escaped-end"],
)
def test_content_that_breaks_off_is_not_complete(content: bytes) -> None:
    reading = Operators(content)
    assert [operator for operator, _, _ in reading] == [b"q"]
    assert not reading.complete


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("-5.1000000000000005", -5.1000000000000005),
        (".5", 0.5),
        ("5.", 5.0),
        ("+3", 3.0),
        ("-.25", -0.25),
        ("007", 7.0),
    ],
)
def test_numbers_are_read_as_producers_write_them(written: str, value: float) -> None:
    reading = Operators(written.encode() + b" Tc")
    ((_, operands, _),) = reading
    assert reading.numbers(operands, 1) == [value]


@pytest.mark.parametrize("written", ["--5", "-", ".", "5-3", "(5)", "/F1", "1e999", "nan", "1 0.x", ""])
def test_what_is_no_number_for_every_reader_is_none(written: str) -> None:
    reading = Operators(written.encode() + b" Tc")
    operands = [operands for operator, operands, _ in reading if operator == b"Tc"]
    assert not operands or reading.numbers(operands[0], 1) is None


def test_names_are_read_without_slash_and_escapes() -> None:
    reading = Operators(b"/A#20b#2Fc Do /F1 12 Do 5 Do")
    names = [reading.name(operands) for _, operands, _ in reading]
    assert names == [b"A b/c", b"", b""]
