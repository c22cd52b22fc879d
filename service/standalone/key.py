"""The user's marking key: a file of mode 0600, made when the first copy is."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from crypto.errors import KeyFileError
from crypto.keys import new_key
from crypto.markkey import MarkKey
from service.standalone.errors import FileUnusable
from service.standalone.files import check_private, put_new, sync_folder, write_private

MAX_BYTES = 4096
"""Of a key file: it has three lines."""


def default_key_path(environ: Mapping[str, str]) -> Path:
    """Where the key lies unless the user names another place (XDG Base Directory: a relative path is ignored).

    Raises `FileUnusable` for a user without a home.
    """
    configured = environ.get("XDG_CONFIG_HOME", "")
    if os.path.isabs(configured):
        return Path(configured) / "sealmark" / "mark.key"
    try:
        return Path.home() / ".config" / "sealmark" / "mark.key"
    except RuntimeError as error:
        raise FileUnusable("there is no home folder for the key: name one with --key") from error


def load_key(path: Path) -> MarkKey | None:
    """The key of this file, None when there is no file.

    Raises `FileUnusable` for a file that others can read or that holds no key.
    """
    try:
        with path.open("rb") as file:
            check_private(file.fileno(), path)
            text = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileUnusable(f"cannot read the key {path}: {error.strerror}") from error
    try:
        return MarkKey.parse(text[:MAX_BYTES].decode("ascii"))
    except (KeyFileError, UnicodeDecodeError) as error:
        detail = str(error) if isinstance(error, KeyFileError) else "it is not ASCII text"
        raise FileUnusable(f"{path} is no marking key: {detail}") from error


def make_key(random: Callable[[int], bytes] = secrets.token_bytes) -> MarkKey:
    """A new key, which no file holds yet."""
    return MarkKey(new_key(random))


def keep_key(path: Path, key: MarkKey) -> None:
    """Write a new key, whole or not at all, durably. Raises `FileUnusable` when there is a file: none is replaced."""
    beside = path.with_name(f".sealmark-{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            write_private(beside, key.render().encode("ascii"))
            put_new(beside, path)
        finally:
            beside.unlink(missing_ok=True)
        sync_folder(path.parent)
    except FileExistsError as error:
        raise FileUnusable(f"{path} was made by another command meanwhile: run this one again") from error
    except OSError as error:
        raise FileUnusable(f"cannot write the key {path}: {error.strerror}") from error
