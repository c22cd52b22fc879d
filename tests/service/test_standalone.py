"""Key, register and copies of a user without a service are written whole, durably and for this user alone."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from service.standalone import files, register
from service.standalone.errors import FileUnusable
from service.standalone.key import default_key_path


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_new_file_that_cannot_be_written_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileUnusable, match="No such file"):
        files.NewFile(tmp_path / "no" / "where")
    full = Path("/dev/full")
    monkeypatch.setattr(files, "_new", lambda path: os.open(full, os.O_WRONLY))
    with pytest.raises(FileUnusable, match="No space left"), files.NewFile(tmp_path / "x") as new:
        new.write(bytes(1 << 20))
    with files.NewFile(tmp_path / "x") as new:
        new.write(b"x")
        with pytest.raises(FileUnusable, match="No space left"):
            new.finish()


def test_a_register_line_that_a_crash_broke_off_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "register.jsonl"
    register.append(path, {"copy": "1"})
    with path.open("a") as file:
        file.write('{"v":1,"copy":')
    register.append(path, {"copy": "2"})

    first, broken, second = path.read_text().splitlines()
    assert (json.loads(first)["copy"], json.loads(second)["copy"]) == ("1", "2")
    assert broken == '{"v":1,"copy":'


def test_a_line_that_cannot_be_made_durable_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "register.jsonl"
    register.append(path, {"copy": "1"})
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", _full)

    with pytest.raises(FileUnusable):
        register.append(path, {"copy": "2"})

    assert path.read_bytes() == before


def test_commands_at_once_write_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "register.jsonl"

    def many(name: str) -> None:
        for _ in range(20):
            register.append(path, {"copy": name * 500})

    threads = [threading.Thread(target=many, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    copies = [json.loads(line)["copy"] for line in path.read_text().splitlines()]
    assert sorted(copies) == sorted(name * 500 for name in "abcd" * 20)


@pytest.mark.parametrize("relative", ["", "config"])
def test_the_key_lies_in_the_configuration_folder(
    relative: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    expected = tmp_path / ".config" / "sealmark" / "mark.key"

    assert default_key_path({"XDG_CONFIG_HOME": relative}) == expected
    assert default_key_path({}) == expected
    assert default_key_path({"XDG_CONFIG_HOME": "/c"}) == Path("/c/sealmark/mark.key")


def test_a_user_without_a_home_names_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)

    with pytest.raises(FileUnusable, match="--key"):
        default_key_path({})
