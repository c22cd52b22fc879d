"""BlobStore in a local folder: the embedded default.

Every way down is walked from the store's own folder by open handles that refuse symbolic links, so no key
and no link planted in the tree reaches a file outside. A name that begins with a dot is a temporary file:
never a key, never listed. A crash can leave one behind; it may go whenever no process uses the store.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from service.blobs import (
    MAX_PIECE,
    BlobInfo,
    BlobMissing,
    InvalidBlobKey,
    StoreError,
    StoreUnavailable,
    check_key,
    check_prefix,
    check_range,
)

FOLDER_MODE = 0o700
FILE_MODE = 0o600
"""Only the service's own user: the content is sealed, but names, sizes and times concern nobody else."""

_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MAKE_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class FolderStore:
    """Objects as files below `root`; the names of a key are its folders.

    `root` itself may be reached through links: where it lies is the operator's choice. It has to be on a file
    system whose rename is atomic and whose fsync is honest: a local one.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def ensure_folder(self, create: bool) -> None:
        """Afterwards the folder exists. Raises `StoreUnavailable` where it is absent and not to be made."""
        if create:
            with self._translated():
                self.root.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        os.close(self._open_root())

    def put(self, key: str, chunks: Iterable[bytes]) -> int:
        check_key(key)
        *folders, name = key.split("/")
        handle = self._descend(key, folders, create=True)
        try:
            return self._replace(handle, name, chunks)
        finally:
            os.close(handle)

    def read(self, key: str, start: int = 0, stop: int | None = None) -> Generator[bytes, None, None]:
        check_key(key)
        check_range(start, stop)
        pieces = self._pieces(key, start, stop)
        next(pieces)  # opens the file, so that a missing one raises here and an early close() closes it
        return pieces

    def size(self, key: str) -> int:
        check_key(key)
        handle, status = self._open(key)
        os.close(handle)
        return status.st_size

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        check_prefix(prefix)
        return self._walk(self._open_root(), "", prefix)

    def delete(self, key: str) -> None:
        check_key(key)
        *folders, name = key.split("/")
        try:
            folder = self._descend(key, folders, create=False)
        except BlobMissing:
            return
        try:
            with self._translated(), suppress(FileNotFoundError):
                if stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                    os.unlink(name, dir_fd=folder)
            with self._translated():
                _sync(folder)  # also when another one deleted it: that one may not have come so far yet
        finally:
            os.close(folder)

    def _replace(self, folder: int, name: str, chunks: Iterable[bytes]) -> int:
        """Write a temporary file beside the target, make it durable, and rename it over the target."""
        temporary = f".put-{secrets.token_hex(16)}"
        with self._translated():
            file = os.fdopen(os.open(temporary, _MAKE_FILE, FILE_MODE, dir_fd=folder), "wb")
        try:
            with file:
                size = 0
                for chunk in chunks:
                    with self._translated():
                        size += file.write(chunk)
                with self._translated():
                    file.flush()
                    _sync(file.fileno())
            with self._translated():
                os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
                _sync(folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise
        return size

    def _pieces(self, key: str, start: int, stop: int | None) -> Generator[bytes, None, None]:
        handle, status = self._open(key)
        with os.fdopen(handle, "rb", buffering=0) as file:
            left = (status.st_size if stop is None else min(stop, status.st_size)) - start
            yield b""  # taken by read()
            file.seek(start)
            while left > 0:
                with self._translated():
                    piece = file.read(min(MAX_PIECE, left))
                if not piece:
                    raise StoreUnavailable(
                        f"the file of {key!r} in {self.root} became shorter while it was read: "
                        "look for what else writes there, and restore the file from a backup"
                    )
                left -= len(piece)
                yield piece

    def _walk(self, folder: int, path: str, prefix: str) -> Iterator[BlobInfo]:
        """The objects below an open folder, which is closed at the end. A folder sorts with its slash, which
        is what makes the whole walk come in order of key."""
        try:
            with self._translated(), os.scandir(folder) as entries:
                names = sorted(e.name + "/" if e.is_dir(follow_symlinks=False) else e.name for e in entries)
            for name in names:
                key = path + name
                if name.endswith("/"):
                    if key.startswith(prefix) or prefix.startswith(key):
                        with suppress(FileNotFoundError):
                            child = self._enter(folder, name[:-1], key)
                            yield from self._walk(child, key, prefix)
                elif key.startswith(prefix):
                    info = self._info(folder, name, key)
                    if info is not None:
                        yield info
        finally:
            os.close(folder)

    def _info(self, folder: int, name: str, key: str) -> BlobInfo | None:
        """None for what is no object: temporary files, links, other names, what was just deleted."""
        try:
            check_key(key)
            with self._translated(FileNotFoundError):
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except (InvalidBlobKey, FileNotFoundError):
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return BlobInfo(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    def _open(self, key: str) -> tuple[int, os.stat_result]:
        """An open handle of the object's file, and its state. Raises `BlobMissing`."""
        *folders, name = key.split("/")
        folder = self._descend(key, folders, create=False)
        try:
            with self._translated(FileNotFoundError):
                handle = os.open(name, _OPEN_FILE, dir_fd=folder)
        except FileNotFoundError:
            raise BlobMissing(key) from None
        finally:
            os.close(folder)
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            os.close(handle)
            raise BlobMissing(key)
        return handle, status

    def _descend(self, key: str, folders: Sequence[str], create: bool) -> int:
        """An open handle of the innermost folder. With `create`, each folder on the way is there durably;
        without, raises `BlobMissing` where one is absent."""
        handle = self._open_root()
        for name in folders:
            try:
                if create:
                    with self._translated():
                        with suppress(FileExistsError):
                            os.mkdir(name, FOLDER_MODE, dir_fd=handle)
                        _sync(handle)  # also when another writer made it: it may not have come so far yet
                child = self._enter(handle, name, key)
            except (FileNotFoundError, NotADirectoryError) as exc:
                if create:
                    raise StoreError(
                        f"{key!r} cannot be stored: {name!r} is no folder but an object"
                    ) from exc
                raise BlobMissing(key) from None
            finally:
                os.close(handle)
            handle = child
        return handle

    def _enter(self, folder: int, name: str, key: str) -> int:
        """An open handle of the folder `name`. Raises FileNotFoundError; NotADirectoryError for an object."""
        try:
            with self._translated(FileNotFoundError, NotADirectoryError):
                return os.open(name, _OPEN_FOLDER, dir_fd=folder)
        except NotADirectoryError:
            # Linux says the same of a link to a folder, macOS does not.
            with self._translated(FileNotFoundError):
                if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                    raise self._link_refused(name) from None
            raise

    def _open_root(self) -> int:
        try:
            return os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as exc:
            raise StoreUnavailable(
                f"the store's folder {self.root} does not open: {exc.strerror}. "
                "Check that it is there (mounted?) and belongs to the user of the service"
            ) from exc

    @contextmanager
    def _translated(self, *through: type[OSError]) -> Iterator[None]:
        """Turn errors of the file system into the port's, all but those that the caller handles."""
        try:
            yield
        except through:
            raise
        except IsADirectoryError as exc:
            raise StoreError(f"an object cannot be stored where a folder is, in {self.root}") from exc
        except OSError as exc:
            if exc.errno == errno.ELOOP:
                raise self._link_refused(str(exc.filename)) from exc
            raise StoreUnavailable(
                f"the store's folder {self.root} did not take part: {exc.strerror}. "
                "Check its disk (full? read-only?), and that it belongs to the user of the service"
            ) from exc

    def _link_refused(self, name: str) -> StoreError:
        return StoreError(
            f"{name!r} in the store's folder {self.root} is a symbolic link, which the service never makes "
            "nor follows: find out who made it, and remove it"
        )


def _sync(handle: int) -> None:
    """Have the disk keep what was written. On macOS only F_FULLFSYNC reaches beyond the disk's own cache."""
    full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is None:
        os.fsync(handle)
    else:
        fcntl.fcntl(handle, full)
