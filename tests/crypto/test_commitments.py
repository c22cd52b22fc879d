"""Commitments: they fit their own field, value and salt, and no other."""

from __future__ import annotations

import pytest

from crypto.commitments import SALT_SIZE, check, commit
from crypto.errors import CommitmentInvalid, WrongLength

SALT = bytes(range(SALT_SIZE))
MADE = commit("mail", "ana@acme.example", SALT)


def test_it_fits_what_it_was_made_of() -> None:
    assert check(MADE, "mail", "ana@acme.example", SALT)


@pytest.mark.parametrize(
    ("name", "value", "salt"),
    [
        ("name", "ana@acme.example", SALT),
        ("mail", "ana@acme.exampl", SALT),
        ("mail", "", SALT),
        ("mail", "ana@acme.example", bytes(SALT_SIZE)),
        ("mail\x01", "ana@acme.example", SALT),
    ],
)
def test_it_fits_nothing_else(name: str, value: str, salt: bytes) -> None:
    assert not check(MADE, name, value, salt)


@pytest.mark.parametrize("commitment", ["", MADE[:-1], MADE.upper(), MADE + "0", "é", "\ud800"])
def test_another_text_is_no_commitment(commitment: str) -> None:
    assert not check(commitment, "mail", "ana@acme.example", SALT)


def test_a_letter_does_not_move_between_name_and_value() -> None:
    assert commit("ab", "c", SALT) != commit("a", "bc", SALT)
    assert commit("a", "\x00b", SALT) != commit("a", "b", SALT)


@pytest.mark.parametrize("name", ["", "\x00", "a\x00b"])
def test_a_name_that_would_blur_the_border_is_refused(name: str) -> None:
    with pytest.raises(CommitmentInvalid):
        commit(name, "value", SALT)


@pytest.mark.parametrize(("name", "value"), [("\ud800", "x"), ("x", "\ud800")])
def test_a_lone_surrogate_is_refused(name: str, value: str) -> None:
    with pytest.raises(CommitmentInvalid):
        commit(name, value, SALT)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_salt_has_32_bytes(length: int) -> None:
    with pytest.raises(WrongLength):
        commit("mail", "value", bytes(length))
    with pytest.raises(WrongLength):
        check(MADE, "mail", "value", bytes(length))
