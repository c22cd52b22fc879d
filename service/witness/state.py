"""What a witness remembers: the last checkpoint that it signed of each log, as a file with its own signature.

Such a file is a checkpoint that an auditor may hold against an export (`sealmark log verify --against`). Its
signature binds the folder to the key: a folder of another witness, or a changed file, is refused.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crypto.logcheck import CheckFailed, Checkpoint, NoteKey
from crypto.witness import Held
from service.standalone.errors import FileUnusable
from service.standalone.files import MODE, sync_folder, write_private

LOCK_SECONDS = 5.0
"""How long a start waits for the folder: processes of a witness that was killed see so within a second."""

RETRY_SECONDS = 0.1
"""Between two tries to get the folder."""


class Remembered:
    """What is remembered of one log. While it is open nobody else reads or changes it, in no thread or process."""

    def __init__(self, path: Path, origin: str, key: NoteKey) -> None:
        """Raises `FileUnusable` for a file that this witness did not sign for this log."""
        self._path = path
        self.note = _read(path)
        self.held = _held(self.note, path, origin, key) if self.note else Held()

    def keep(self, note: str) -> None:
        """Remember this note instead: durable when this returns, and never in part. Raises `FileUnusable`."""
        _replace(self._path, note)

    def keep_fork(self, note: str) -> None:
        """Keep the two notes that prove a fork, the first that was seen: `….fork-a` is ours. Raises `FileUnusable`."""
        if not self._path.with_suffix(".fork-b").exists():
            if self.note:  # else the log signed a wrong root of no entries, which proves itself
                _replace(self._path.with_suffix(".fork-a"), self.note)
            _replace(self._path.with_suffix(".fork-b"), note)


class State:
    """The folder of one witness."""

    def __init__(self, folder: Path, key: NoteKey) -> None:
        self.folder = folder
        self._key = key

    def take(self) -> int:
        """Make the folder if it is missing, and hold it as `hold` does. Raises `FileUnusable`."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = hold(self.folder / "lock", f"the state folder {self.folder}", make=True)
            for part in self.folder.glob(".*.part"):
                part.unlink()
            sync_folder(self.folder)
        except OSError as error:
            raise _unusable(self.folder, error) from error
        return handle

    @contextmanager
    def of(self, origin: str) -> Iterator[Remembered]:
        """What is remembered of this log, for this block alone. Raises `FileUnusable`."""
        path = self.path(origin)
        try:
            handle = _open_lock(path.with_suffix(".lock"))
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield Remembered(path, origin, self._key)
        finally:
            os.close(handle)

    def path(self, origin: str) -> Path:
        """Where the last checkpoint of this log lies once there is one."""
        return self.folder / f"{hashlib.sha256(origin.encode()).hexdigest()[:32]}.note"


def hold(path: Path, what: str, *, make: bool = False) -> int:
    """Keep other witnesses from this file: an open descriptor, which holds it until it and its copies are closed.

    Raises `FileUnusable` when another one holds it for longer than `LOCK_SECONDS`, and `OSError`.
    """
    handle = _open_lock(path) if make else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except OSError as error:
            if not isinstance(error, BlockingIOError) or time.monotonic() > end:
                os.close(handle)
                if isinstance(error, BlockingIOError):
                    raise FileUnusable(f"another witness runs with {what}: end it, or name another") from None
                raise
        time.sleep(RETRY_SECONDS)


def _held(note: str, path: Path, origin: str, key: NoteKey) -> Held:
    try:
        checkpoint = Checkpoint.decode(note)
        signed = checkpoint.signed_by(key)
    except CheckFailed:
        signed = None
    if signed is None or checkpoint.origin != origin:
        raise FileUnusable(
            f"{path} is not what this witness signed of {origin}: restore the newest state, or make a new witness"
        )
    return Held(checkpoint.size, checkpoint.root, signed)


def _read(path: Path) -> str:
    """The text of a file, empty where there is none."""
    try:
        return path.read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise _unusable(path, error) from error


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.stem}-{secrets.token_hex(8)}.part")
    try:
        try:
            write_private(beside, text.encode())
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise _unusable(path, error) from error


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)


def _unusable(path: Path, error: OSError) -> FileUnusable:
    return FileUnusable(f"cannot read or write {path}: {error.strerror}")
