"""Identifiers: one spelling for each, and nothing else passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import IdentifierInvalid, WrongLength
from crypto.identifiers import ALPHABET, new_id, parse_id

ZERO = "doc_" + "0" * 26
LAST = "doc_7" + "z" * 25


@given(random16=st.binary(min_size=16, max_size=16))
def test_parsing_gives_back_what_was_encoded(random16: bytes) -> None:
    text = new_id("shr", random16)
    assert len(text) == 30
    assert parse_id(text) == ("shr", random16)
    assert parse_id(text, "shr") == ("shr", random16)


@given(st.text(ALPHABET, min_size=26, max_size=26))
def test_what_parses_is_the_one_spelling(letters: str) -> None:
    text = "shr_" + letters
    if letters[0] in "01234567":
        assert new_id(*parse_id(text)) == text
    else:
        with pytest.raises(IdentifierInvalid):
            parse_id(text)


def test_the_ends_of_the_range() -> None:
    assert new_id("doc", bytes(16)) == ZERO
    assert new_id("doc", b"\xff" * 16) == LAST


def test_order_of_bytes_is_order_of_text() -> None:
    assert new_id("doc", bytes(15) + b"\x01") == ZERO[:-1] + "1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "doc",
        "0" * 26,
        "doc_" + "0" * 25,
        "doc_" + "0" * 27,
        "doc_8" + "0" * 25,
        "doc_" + "0" * 25 + "l",
        "doc_" + "0" * 25 + "u",
        ZERO.upper(),
        " " + ZERO,
        ZERO + "\n",
        "doc-" + "0" * 26,
        "d_" + "0" * 26,
        "documents_" + "0" * 26,
        "1oc_" + "0" * 26,
        "döc_" + "0" * 26,
        "doc_" + "٠" * 26,
    ],
)
def test_anything_else_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(IdentifierInvalid) as caught:
        parse_id(text)
    assert not text or text not in str(caught.value)


def test_another_kind_is_refused() -> None:
    with pytest.raises(IdentifierInvalid, match="beginning with shr_"):
        parse_id(ZERO, "shr")


@pytest.mark.parametrize("prefix", ["", "d", "Doc", "1oc", "documents", "do_c", "doc\n"])
def test_a_prefix_is_a_short_word(prefix: str) -> None:
    with pytest.raises(IdentifierInvalid):
        new_id(prefix, bytes(16))


@pytest.mark.parametrize("length", [0, 15, 17])
def test_the_random_part_has_sixteen_bytes(length: int) -> None:
    with pytest.raises(WrongLength):
        new_id("doc", bytes(length))
