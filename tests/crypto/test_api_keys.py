"""API keys: one spelling, an id in the open, and a secret of which only a hash is kept."""

from __future__ import annotations

import pytest

from crypto.api_keys import api_key_id, hash_secret, matches, new_api_key
from crypto.errors import ApiKeyInvalid, WrongLength

TEXT = new_api_key(lambda length: bytes(range(length)))
OTHER = new_api_key(lambda length: bytes(range(1, length + 1)))


def test_a_key_matches_its_own_hash_only() -> None:
    assert matches(TEXT, hash_secret(TEXT))
    assert not matches(OTHER, hash_secret(TEXT))
    assert not matches(TEXT[:30] + OTHER[30:], hash_secret(TEXT))
    assert not matches(OTHER[:30] + TEXT[30:], hash_secret(TEXT))


def test_the_id_is_what_it_begins_with() -> None:
    assert TEXT.startswith(api_key_id(TEXT) + "_")
    assert len(api_key_id(TEXT)) == 30
    assert len(TEXT) == 74


def test_the_hash_holds_nothing_of_the_key() -> None:
    assert TEXT[31:] not in hash_secret(TEXT)
    assert len(hash_secret(TEXT)) == 64


def test_no_changed_key_matches() -> None:
    stored = hash_secret(TEXT)
    for place in range(len(TEXT)):
        for letter in "A0z_-8=":
            changed = TEXT[:place] + letter + TEXT[place + 1 :]
            if changed == TEXT:
                continue
            try:
                assert not matches(changed, stored)
            except ApiKeyInvalid:
                continue


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT[:30],
        TEXT[:31],
        TEXT[:-1],
        TEXT + "A",
        TEXT + "=",
        TEXT[:-1] + "9",
        TEXT + "\n",
        " " + TEXT,
        TEXT.replace("smk_", "key_"),
        TEXT.upper(),
        TEXT[:30] + "-" + TEXT[31:],
        TEXT[:-1] + "é",
    ],
)
def test_anything_else_is_refused_with_one_message(text: str) -> None:
    for attempt in (api_key_id, hash_secret, lambda text: matches(text, "")):
        with pytest.raises(ApiKeyInvalid) as caught:
            attempt(text)
        assert str(caught.value) == str(ApiKeyInvalid())


def test_short_randomness_is_refused() -> None:
    with pytest.raises(WrongLength):
        new_api_key(lambda length: bytes(length - 1))
    with pytest.raises(WrongLength):
        new_api_key(lambda length: bytes(16))
