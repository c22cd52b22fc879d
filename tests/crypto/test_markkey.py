"""The key of a user who marks without a service: one text for each key, and its own secrets for each source."""

from __future__ import annotations

import pytest

from crypto.errors import KeyFileError, WrongKeyLength, WrongLength
from crypto.markkey import MarkKey

ONE, TWO = (MarkKey(bytes([byte]) * 32) for byte in (1, 2))
SOURCE, OTHER = bytes(32), bytes([1] * 32)


def test_the_text_of_a_key_file_is_read_again() -> None:
    assert MarkKey.parse(ONE.render()) == ONE
    assert MarkKey.parse("# a note\n\n" + ONE.render()) == ONE


def test_each_key_source_and_use_has_a_secret_of_its_own() -> None:
    secrets = {
        made(source) for key in (ONE, TWO) for made in (key.seed, key.weave_key) for source in (SOURCE, OTHER)
    }
    assert len(secrets) == 8
    assert all(len(secret) == 32 for secret in secrets)
    assert ONE.id != TWO.id


def test_lengths_are_checked() -> None:
    with pytest.raises(WrongKeyLength):
        MarkKey(bytes(31))
    with pytest.raises(WrongLength):
        ONE.seed(bytes(31))
    with pytest.raises(WrongLength):
        ONE.weave_key(bytes(33))


def test_a_key_does_not_show_itself() -> None:
    assert repr(ONE.key)[2:-1] not in repr(ONE)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 0),
        ("sealmark-keyring 1\n", 1),
        ("sealmark-mark-key 1\n", 0),
        (ONE.render() + TWO.render().splitlines()[2], 0),
        ("sealmark-mark-key 1\nkey x", 2),
        (ONE.render().replace("key mrk", "yek mrk"), 3),
        (ONE.render()[:-5], 3),
        (ONE.render()[:-2] + "!\n", 3),
        (f"sealmark-mark-key 1\nkey {TWO.id} {ONE.render().split()[-1]}", 2),
    ],
)
def test_what_is_no_key_file_is_refused_by_its_line(text: str, line: int) -> None:
    with pytest.raises(KeyFileError) as refused:
        MarkKey.parse(text)
    assert refused.value.line == line
    assert ONE.render().split()[-1] not in str(refused.value)
