"""The key of a witness: a file of mode 0600, made once and never replaced."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from crypto.errors import KeyFileError
from crypto.keys import new_key
from crypto.logcheck import CheckFailed
from crypto.witness import WitnessKey
from service.standalone.errors import FileRefused, FileUnusable
from service.standalone.files import NewFile, check_private

MAX_BYTES = 4096
"""Of a key file: it has one line."""


def new_witness_key(
    path: Path, name: str, random: Callable[[int], bytes] = secrets.token_bytes
) -> WitnessKey:
    """A new key in a new file, durably. Raises `FileRefused` for a name that cannot be or a file that is there."""
    try:
        key = WitnessKey(name, new_key(random))
    except CheckFailed as error:
        raise FileRefused("a witness is named without spaces and +, such as witness.example/w1") from error
    if path.exists():
        raise _there(path)
    with NewFile(path) as file:
        file.write(key.encode().encode())
        file.finish()
        try:
            file.place(replace=False)
        except FileRefused as error:
            raise _there(path) from error
    return key


def load_witness_key(path: Path) -> WitnessKey:
    """The key of this file. Raises `FileUnusable` when it is missing, open to others, or holds no key."""
    try:
        with path.open("rb") as file:
            check_private(file.fileno(), path)
            text = file.read(MAX_BYTES + 1).decode()
    except FileNotFoundError as error:
        raise FileUnusable(f"there is no key {path}: make one with `sealmark witness new`") from error
    except UnicodeDecodeError as error:
        raise FileUnusable(f"{path} is no key of a witness: it is no text") from error
    except OSError as error:
        raise FileUnusable(f"cannot read the key {path}: {error.strerror}") from error
    try:
        return WitnessKey.decode(text)
    except KeyFileError as error:
        raise FileUnusable(f"{path} is no key of a witness: {error}") from error


def _there(path: Path) -> FileRefused:
    return FileRefused(f"{path} is there already, and a key is never replaced: name a new file")
