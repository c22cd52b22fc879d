"""Canonical JSON: the same bytes as an independent implementation, one spelling, nothing else."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from crypto import canonical
from crypto.canonical import MAX_DEPTH, MAX_INTEGER
from crypto.errors import CanonicalError

VALUES = st.recursive(
    st.one_of(st.text(), st.integers(-MAX_INTEGER, MAX_INTEGER)),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(st.text(), inner, max_size=5)),
    max_leaves=20,
)


@given(VALUES)
def test_it_writes_what_rfc8785_writes_and_reads_it_again(value: Any) -> None:
    data = canonical.encode(value)
    assert data == rfc8785.dumps(value)
    assert canonical.decode(data) == value


def test_members_are_sorted_by_utf16() -> None:
    # RFC 8785 section 3.2.3, without its control character
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    expected = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    decoded = canonical.decode(canonical.encode(value))
    assert isinstance(decoded, dict)
    assert list(decoded) == expected


def test_control_characters_and_nothing_else_are_escaped() -> None:
    text = '\x00\x08\t\n\x0b\x0c\r\x1f"\\/\x7f\u2028é'
    assert canonical.encode(text) == '"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\\"\\\\/\x7f\u2028é"'.encode()


class Word(StrEnum):
    ONE = "one"


def test_a_word_of_an_enumeration_is_its_text() -> None:
    assert canonical.encode({Word.ONE: [Word.ONE]}) == b'{"one":["one"]}'


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        1.0,
        float("nan"),
        b"bytes",
        (1, 2),
        {1, 2},
        pytest.param(object(), id="object"),
        MAX_INTEGER + 1,
        -MAX_INTEGER - 1,
        "\ud800",
        "a\udfff",
        {"\ud800": 1},
        {1: 2},
        {None: 2},
        [[None]],
        {"a": {"b": True}},
    ],
    ids=repr,
)
def test_other_values_are_refused(value: Any) -> None:
    with pytest.raises(CanonicalError):
        canonical.encode(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" 1",
        b"1\n",
        b"01",
        b"-0",
        b"+1",
        b"1.0",
        b"1e3",
        b"NaN",
        b"Infinity",
        b"null",
        b"true",
        b"9007199254740992",
        b"1" * 5000,
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1,}',
        b"[1,2",
        b'"\\u0061"',
        b'"\\/"',
        b'"\\u001F"',
        b'"\\ud800"',
        b'"\\ud83d\\ude00"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf1",
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 50_000,
    ],
    ids=lambda data: repr(data[:24]),
)
def test_other_spellings_are_refused(data: bytes) -> None:
    with pytest.raises(CanonicalError):
        canonical.decode(data)


def nested(levels: int, empty: list[Any] | dict[str, Any]) -> Any:
    value: Any = empty
    for _ in range(levels - 1):
        value = [value] if isinstance(empty, list) else {"a": value}
    return value


@pytest.mark.parametrize("empty", [[], {}], ids=["lists", "objects"])
def test_depth_is_bounded(empty: Any) -> None:
    deepest = nested(MAX_DEPTH, empty)
    assert canonical.decode(canonical.encode(deepest)) == deepest
    with pytest.raises(CanonicalError, match="levels deep"):
        canonical.encode(nested(MAX_DEPTH + 1, empty))


def test_a_value_that_holds_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(CanonicalError):
        canonical.encode(value)
