"""Keys that wrap keys, and the file that holds them."""

from __future__ import annotations

import pytest

from crypto import base64url
from crypto.context import context
from crypto.errors import (
    CryptoError,
    KeyFileError,
    KeyInUse,
    UnknownMasterKey,
    WrappedKeyInvalid,
    WrongKeyLength,
    WrongLength,
)
from crypto.keys import MAX_MASTER_KEYS, MAX_WRAPPED, Keyring, MasterKey, WrappedKey, new_key

ONE, TWO, THREE = (MasterKey(bytes([byte]) * 32) for byte in (1, 2, 3))
PLACE = context("original", "version", "ver_a", "obj_a")
OTHER_PLACE = context("original", "version", "ver_a", "obj_b")
NONCE = bytes(12)
KEY = bytes(range(32))


def test_a_new_key_is_what_the_randomness_gives() -> None:
    assert new_key(lambda length: bytes(range(length))) == KEY
    with pytest.raises(WrongKeyLength):
        new_key(lambda length: bytes(length - 1))


@pytest.mark.parametrize("length", [1, 32, MAX_WRAPPED])
def test_a_wrapped_key_opens_again(length: int) -> None:
    wrapped = ONE.wrap(bytes(length), PLACE, nonce=NONCE)
    assert WrappedKey.decode(ONE.id, wrapped.encode()) == wrapped
    assert ONE.unwrap(wrapped, PLACE) == bytes(length)


@pytest.mark.parametrize("length", [0, MAX_WRAPPED + 1])
def test_only_keys_are_wrapped(length: int) -> None:
    with pytest.raises(WrongKeyLength):
        ONE.wrap(bytes(length), PLACE, nonce=NONCE)


@pytest.mark.parametrize("length", [0, 11, 13, 16])
def test_a_nonce_has_twelve_bytes(length: int) -> None:
    with pytest.raises(WrongLength):
        ONE.wrap(KEY, PLACE, nonce=bytes(length))


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_master_key_has_32_bytes(length: int) -> None:
    with pytest.raises(WrongKeyLength):
        MasterKey(bytes(length))


def test_a_wrapped_key_opens_in_its_own_place_only() -> None:
    with pytest.raises(WrappedKeyInvalid):
        ONE.unwrap(ONE.wrap(KEY, PLACE, nonce=NONCE), OTHER_PLACE)


def test_a_wrapped_key_opens_under_its_own_master_key_only() -> None:
    wrapped = ONE.wrap(KEY, PLACE, nonce=NONCE)
    with pytest.raises(UnknownMasterKey) as caught:
        TWO.unwrap(wrapped, PLACE)
    assert caught.value.master_id == ONE.id
    with pytest.raises(WrappedKeyInvalid):
        TWO.unwrap(WrappedKey(TWO.id, wrapped.nonce, wrapped.ciphertext), PLACE)


def test_no_changed_wrapped_key_opens() -> None:
    text = ONE.wrap(KEY, PLACE, nonce=NONCE).encode()
    prefix, body = text.split(".")
    data = base64url.decode(body)
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        wrapped = WrappedKey.decode(ONE.id, f"{prefix}.{base64url.encode(bytes(changed))}")
        with pytest.raises(WrappedKeyInvalid):
            ONE.unwrap(wrapped, PLACE)
    for length in range(len(text)):
        with pytest.raises(CryptoError):
            ONE.unwrap(WrappedKey.decode(ONE.id, text[:length]), PLACE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "aes256gcm.",
        "aes256gcm." + base64url.encode(bytes(28)),
        "aes256gcm." + base64url.encode(bytes(12 + MAX_WRAPPED + 16 + 1)),
        "aes128gcm." + base64url.encode(bytes(60)),
        base64url.encode(bytes(60)),
        "aes256gcm." + base64url.encode(bytes(61)) + "==",
        "aes256gcm.aes256gcm." + base64url.encode(bytes(60)),
        "vault:v1:AAAA",
    ],
)
def test_other_texts_are_no_wrapped_key(text: str) -> None:
    with pytest.raises(WrappedKeyInvalid):
        WrappedKey.decode(ONE.id, text)


def test_no_secret_is_shown_by_accident() -> None:
    shown = repr(Keyring(ONE, (TWO,))) + str(ONE)
    assert "\\x01" not in shown
    assert "0101" not in shown


def test_two_master_keys_have_two_ids() -> None:
    assert len({ONE.id, TWO.id, THREE.id}) == 3
    assert MasterKey(ONE.key).id == ONE.id


def test_after_a_rotation_new_keys_are_wrapped_by_the_new_one_and_old_ones_still_open() -> None:
    before = Keyring(ONE)
    old = before.wrap(KEY, PLACE, nonce=NONCE)
    after = before.rotated(TWO)
    new = after.wrap(KEY, PLACE, nonce=NONCE)
    assert (old.master_id, new.master_id) == (ONE.id, TWO.id)
    assert after.unwrap(old, PLACE) == after.unwrap(new, PLACE) == KEY
    assert after.ids == (TWO.id, ONE.id)
    assert after.rotated(THREE).ids == (THREE.id, TWO.id, ONE.id)


def test_after_retiring_a_key_what_it_wrapped_is_lost() -> None:
    keyring = Keyring(ONE).rotated(TWO).rotated(THREE)
    old = ONE.wrap(KEY, PLACE, nonce=NONCE)
    after = keyring.retired(ONE.id)
    assert after.ids == (THREE.id, TWO.id)
    with pytest.raises(UnknownMasterKey):
        after.unwrap(old, PLACE)


def test_the_current_key_does_not_retire() -> None:
    with pytest.raises(KeyInUse):
        Keyring(ONE, (TWO,)).retired(ONE.id)
    with pytest.raises(UnknownMasterKey):
        Keyring(ONE, (TWO,)).retired(THREE.id)


def test_rotating_to_a_key_that_is_there_is_refused() -> None:
    for master in (ONE, TWO):
        with pytest.raises(KeyInUse):
            Keyring(ONE, (TWO,)).rotated(master)


def test_a_keyring_is_bounded() -> None:
    many = tuple(MasterKey(index.to_bytes(32, "big")) for index in range(MAX_MASTER_KEYS))
    full = Keyring(many[0], many[1:])
    assert Keyring.parse(full.render()) == full
    with pytest.raises(KeyInUse, match="at most 64"):
        full.rotated(ONE)
    with pytest.raises(KeyFileError, match="more than 64"):
        Keyring.parse(Keyring(ONE, many).render())


@pytest.mark.parametrize("keyring", [Keyring(ONE), Keyring(ONE, (TWO, THREE))])
def test_a_key_file_gives_back_its_keyring(keyring: Keyring) -> None:
    assert Keyring.parse(keyring.render()) == keyring


def test_comments_empty_lines_and_foreign_line_ends_mean_nothing() -> None:
    text = Keyring(ONE, (TWO,)).render()
    loose = "# top\r\n\r\n" + text.replace("\n", "\r\n\r\n  \r\n# made in 2026\r\n")
    assert Keyring.parse(loose) == Keyring(ONE, (TWO,))


HEAD = "sealmark-keyring 1\n"
CURRENT = f"current {ONE.id} {base64url.encode(ONE.key)}\n"
OLDER = f"older {TWO.id} {base64url.encode(TWO.key)}\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 0),
        ("# nothing\n", 0),
        (HEAD, 0),
        (CURRENT, 1),
        ("\nsealmark-keyring 2\n" + CURRENT, 2),
        (HEAD + OLDER, 2),
        (HEAD + CURRENT + CURRENT, 3),
        (HEAD + CURRENT + CURRENT.replace("current", "older"), 3),
        (HEAD + CURRENT + OLDER + OLDER, 4),
        (HEAD + CURRENT + OLDER.replace("older", "newer"), 3),
        (HEAD + CURRENT + OLDER.replace(TWO.id, ONE.id), 3),
        (HEAD + CURRENT.rstrip() + " more\n", 2),
        (HEAD + f"current {ONE.id}\n", 2),
        (HEAD + CURRENT.rstrip() + "=\n", 2),
        (HEAD + f"current {ONE.id} {base64url.encode(bytes(31))}\n", 2),
        (HEAD + CURRENT.replace("AQEB", "AQEC"), 2),
    ],
)
def test_a_damaged_key_file_is_refused_by_its_line_and_without_its_keys(text: str, line: int) -> None:
    with pytest.raises(KeyFileError) as caught:
        Keyring.parse(text)
    assert caught.value.line == line
    assert base64url.encode(ONE.key)[:8] not in str(caught.value)
