"""The key file: mode 0600, whole or not at all, never overwritten by a new one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crypto.keys import Keyring, MasterKey
from service.adapters.keyfile import KeyFile, KeyFileUnusable


def a_keyring(byte: int = 1) -> Keyring:
    return Keyring(MasterKey(bytes([byte]) * 32))


def test_what_was_created_is_read_again_and_only_by_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master.key"
    KeyFile(path).create(a_keyring())
    assert KeyFile(path).keyring() == a_keyring()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    keyfile = KeyFile(tmp_path / "master.key")
    keyfile.create(a_keyring(1))
    with pytest.raises(KeyFileUnusable, match="not overwritten"):
        keyfile.create(a_keyring(2))
    assert keyfile.keyring() == a_keyring(1)


def test_a_rotation_reaches_whoever_holds_the_old_file(tmp_path: Path) -> None:
    mine, other = KeyFile(tmp_path / "k"), KeyFile(tmp_path / "k")
    mine.create(a_keyring(1))
    assert other.keyring() == a_keyring(1)
    mine.replace(a_keyring(1).rotated(MasterKey(bytes(32))))
    assert other.keyring().current == MasterKey(bytes(32))
    assert sorted(os.listdir(tmp_path)) == ["k"]
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    keyfile = KeyFile(tmp_path / "none")
    assert not keyfile.exists()
    with pytest.raises(KeyFileUnusable, match="keys init"):
        keyfile.keyring()


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    keyfile = KeyFile(tmp_path / "k")
    keyfile.create(a_keyring())
    keyfile.path.chmod(0o640)
    with pytest.raises(KeyFileUnusable, match="chmod 600"):
        keyfile.keyring()


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"\xff\xfe", b"sealmark-keyring 1\ncurrent mst_x SECRETSECRET\n"]
)
def test_a_damaged_file_is_an_error_that_repeats_nothing_of_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "k"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileUnusable) as caught:
        KeyFile(path).keyring()
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("method", ["create", "replace"])
def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path, method: str) -> None:
    (tmp_path / "k").mkdir()
    keyfile = KeyFile(tmp_path / "k") if method == "create" else KeyFile(tmp_path / "gone" / "k")
    with pytest.raises(KeyFileUnusable):
        getattr(keyfile, method)(a_keyring())


def test_a_folder_in_the_files_place_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(KeyFileUnusable, match="cannot read"):
        KeyFile(tmp_path).keyring()
