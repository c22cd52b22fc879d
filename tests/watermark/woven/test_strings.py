"""A string's bytes are what ISO 32000-1, 7.3.4 says, and what is written is read as the same bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watermark.operators import Operators
from watermark.woven.strings import string_bytes, written_string


@pytest.mark.parametrize(
    ("written", "data"),
    [
        pytest.param(b"()", b"", id="empty"),
        pytest.param(b"(a(b)c)", b"a(b)c", id="nested"),
        pytest.param(b"(\\n\\r\\t\\b\\f)", b"\n\r\t\b\f", id="short"),
        pytest.param(b"(\\(\\)\\\\)", b"()\\", id="delimiters"),
        pytest.param(b"(\\101\\1012\\53x\\0)", b"AA2+x\0", id="octal"),
        pytest.param(b"(\\501)", b"A", id="octal-overflow"),
        pytest.param(b"(\\8\\q)", b"8q", id="no-escape"),
        pytest.param(b"(a\\\nb\\\r\nc\\\rd)", b"abcd", id="continued-lines"),
        pytest.param(b"(a\nb\r\nc\rd)", b"a\nb\nc\nd", id="line-ends"),
        pytest.param(b"(\xff\x00)", b"\xff\x00", id="any-byte"),
        pytest.param(b"<>", b"", id="hex-empty"),
        pytest.param(b"<41 4\n2>", b"AB", id="hex-spaced"),
        pytest.param(b"<4>", b"@", id="hex-odd"),
        pytest.param(b"<aBcD>", b"\xab\xcd", id="hex-case"),
    ],
)
def test_the_bytes_of_a_string(written: bytes, data: bytes) -> None:
    assert string_bytes(written) == data


@given(st.binary(), st.booleans())
def test_a_written_string_is_one_token_and_has_its_bytes(data: bytes, hexadecimal: bool) -> None:
    written = written_string(data, hexadecimal=hexadecimal)
    ((operator, operands, _),) = Operators(written + b"Tj")
    assert operator == b"Tj"
    assert [written[start:stop] for _, start, stop in operands] == [written]
    assert string_bytes(written) == data
