"""Files of the user's that others must not read, written whole and durably."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path
from types import TracebackType

from service.standalone.errors import FileRefused, FileUnusable

MODE = 0o600

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""What file systems without hard links answer (FAT, some network ones)."""


def check_private(handle: int, path: Path) -> None:
    """Raise `FileUnusable` when others can read or write this open file."""
    mode = stat.S_IMODE(os.fstat(handle).st_mode)
    if mode & 0o077:
        raise FileUnusable(f"{path} has mode {mode:04o}, so others can read it: run `chmod 600 {path}`")


def write_private(path: Path, data: bytes) -> None:
    """A new file of this user's alone, durable but for its name in the folder. Raises `OSError`."""
    with os.fdopen(_new(path), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in this folder durable. Raises `OSError`."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put_new(beside: Path, path: Path) -> None:
    """Give a finished file its name, where there is nothing yet. Raises `FileExistsError`, `OSError`.

    In one step where the file system knows hard links; else the name is taken by an empty file first.
    """
    try:
        os.link(beside, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(_new(path))
        beside.replace(path)


class NewFile:
    """A file in the making, beside the place that it will have. Unless it is placed, nothing is left of it.

    Raises `FileUnusable` where it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_name(f".sealmark-{secrets.token_hex(8)}.part")
        try:
            self._file = os.fdopen(_new(self._beside), "wb")
        except OSError as error:
            raise self._unusable(error) from error

    def __enter__(self) -> NewFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        except OSError:
            pass  # what could not be flushed was not to be kept
        finally:
            self._beside.unlink(missing_ok=True)

    def write(self, piece: bytes | memoryview) -> None:
        """Append this piece."""
        try:
            self._file.write(piece)
        except OSError as error:
            raise self._unusable(error) from error

    def finish(self) -> None:
        """Make the contents durable. Nothing is written after it."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise self._unusable(error) from error

    def place(self, *, replace: bool) -> None:
        """Put the finished file in its place, as `put_new`. Raises `FileRefused` if something is there meanwhile."""
        try:
            if replace:
                self._beside.replace(self._path)
            else:
                put_new(self._beside, self._path)
            sync_folder(self._path.parent)
        except FileExistsError as error:
            raise FileRefused(f"{self._path} is there already: name another, or give --force") from error
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> FileUnusable:
        return FileUnusable(f"cannot write {self._path}: {error.strerror}")


def _new(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
