"""The register: which copies were made with a key, for whom. One JSON object a line; `crypto/FORMAT.md` says which."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from service.standalone.errors import FileUnusable
from service.standalone.files import MODE, check_private, sync_folder

VERSION = 1


def register_path(key: Path) -> Path:
    """The register that belongs to the key in this file: beside it."""
    return key.with_name(f"{key.name}.register.jsonl")


def append(path: Path, line: dict[str, Any]) -> None:
    """Add one line, durably; it begins on a line of its own even after one that a crash broke off.

    Raises `FileUnusable`: then the register is as it was.
    """
    encoded = json.dumps({"v": VERSION, **line}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    try:
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)
        try:
            check_private(handle, path)
            fcntl.flock(handle, fcntl.LOCK_EX)
            _append(handle, encoded)
        finally:
            os.close(handle)
        sync_folder(path.parent)
    except OSError as error:
        raise FileUnusable(f"cannot write the register {path}: {error.strerror}") from error


def _append(handle: int, encoded: bytes) -> None:
    size = os.fstat(handle).st_size
    whole = size == 0 or os.pread(handle, 1, size - 1) == b"\n"
    rest = memoryview(encoded if whole else b"\n" + encoded)
    try:
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, size)
        raise
