"""Contexts: no two places share one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.context import MAX_FIELD, context, key_context
from crypto.errors import ContextInvalid

FIELD = st.text("ab\x00\x01", min_size=1, max_size=4)
PLACES = st.tuples(FIELD, FIELD, st.one_of(st.just(""), FIELD), FIELD)


@given(PLACES, PLACES)
def test_two_places_have_two_contexts(one: tuple[str, str, str, str], two: tuple[str, str, str, str]) -> None:
    assert (context(*one) == context(*two)) == (one == two)


def test_moving_a_letter_between_fields_changes_the_context() -> None:
    assert context("ab", "c", "d", "e") != context("a", "bc", "d", "e")


def test_a_key_has_a_place_of_its_own() -> None:
    assert key_context("link", "key_1") == context("link", "key", "", "key_1")
    assert key_context("weave", "key_1", "ver_1") == context("weave", "key", "ver_1", "key_1")


@pytest.mark.parametrize("fields", [("", "v", "i", "o"), ("r", "", "i", "o"), ("r", "v", "i", "")])
def test_only_the_owners_id_may_be_empty(fields: tuple[str, str, str, str]) -> None:
    with pytest.raises(ContextInvalid):
        context(*fields)


def test_a_field_is_bounded_in_bytes() -> None:
    context("r", "v", "ä" * (MAX_FIELD // 2), "o")
    with pytest.raises(ContextInvalid, match="256 bytes"):
        context("r", "v", "ä" * 128, "o")


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(ContextInvalid):
        context("r", "v", "\ud800", "o")
