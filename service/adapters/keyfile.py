"""The key file: the master keys of an embedded installation, mode 0600, outside the data folder.

It is read when it is first needed and again when it has changed, so that a rotation reaches running processes.
"""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

from crypto.errors import KeyFileError
from crypto.keys import Keyring

MAX_BYTES = 64 * 1024
"""Of a key file: 64 keys take 6 KB."""

MODE = 0o600


class KeyFileUnusable(Exception):
    """The key file is missing, damaged or open to others; the message is one line that says what to do."""


class KeyFile:
    """One key file. Safe to use from many threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._keyring: Keyring | None = None
        self._stamp: tuple[int, int, int] | None = None

    def exists(self) -> bool:
        """Whether there is a file, of whatever content."""
        return self.path.exists()

    def keyring(self) -> Keyring:
        """The keys as the file has them now. Raises `KeyFileUnusable`."""
        try:
            found = self.path.stat()
        except OSError as error:
            raise KeyFileUnusable(
                f"cannot read the key file {self.path}: run `sealmark keys init`, or restore it from its copy"
            ) from error
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
        with self._lock:
            if self._keyring is None or stamp != self._stamp:
                self._keyring, self._stamp = self._read(), stamp
            return self._keyring

    def create(self, keyring: Keyring) -> None:
        """Write a key file where there is none. Raises `KeyFileUnusable` when there is one: it is never replaced."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
        except FileExistsError as error:
            raise KeyFileUnusable(
                f"{self.path} exists and is not overwritten: what it sealed would be lost"
            ) from error
        except OSError as error:
            raise KeyFileUnusable(f"cannot write {self.path}: {error.strerror}") from error
        _write(handle, keyring)
        _sync_folder(self.path.parent)

    def replace(self, keyring: Keyring) -> None:
        """Put other keys in the file's place, whole or not at all. Raises `KeyFileUnusable`."""
        beside = self.path.with_name(f".{self.path.name}.new")
        try:
            beside.unlink(missing_ok=True)
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
            _write(handle, keyring)
            beside.replace(self.path)
        except OSError as error:
            raise KeyFileUnusable(f"cannot write {self.path}: {error.strerror}") from error
        _sync_folder(self.path.parent)

    def _read(self) -> Keyring:
        try:
            with self.path.open("rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                if mode & 0o077:
                    raise KeyFileUnusable(
                        f"{self.path} has mode {mode:04o}, so others can read it: run `chmod 600 {self.path}`"
                    )
                text = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise KeyFileUnusable(f"cannot read {self.path}: {error.strerror}") from error
        try:
            return Keyring.parse(text[:MAX_BYTES].decode("ascii"))
        except (KeyFileError, UnicodeDecodeError) as error:
            detail = str(error) if isinstance(error, KeyFileError) else "it is not ASCII text"
            raise KeyFileUnusable(f"{self.path} is no key file: {detail}") from error


def _write(handle: int, keyring: Keyring) -> None:
    with os.fdopen(handle, "wb") as file:
        file.write(keyring.render().encode("ascii"))
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
