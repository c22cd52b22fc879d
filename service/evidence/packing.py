"""A zip file as a stream: the same parts give the same bytes, and memory holds a piece at a time."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from service.errors import DomainError, Problem
from service.objects import Digest

MANIFEST = "MANIFEST.txt"

PIECE = 256 * 1024
"""Bytes that are gathered before they go on: small parts would be many small writes."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip can name. All parts have it: the time of the pull is the log's to say."""

_UNIX, _READABLE_FILE = 3, 0o100644 << 16


@dataclass(frozen=True)
class Part:
    """A file of the pack. `pieces` gives its content anew each time it is called."""

    name: str
    pieces: Callable[[], Iterable[bytes]]
    large: bool = False  # may have more than 2 GiB

    @classmethod
    def of(cls, name: str, content: bytes) -> Part:
        """A part whose content is at hand."""
        return cls(name, lambda: [content])


def zipped(parts: Iterable[Part]) -> Iterator[bytes]:
    """The zip of these parts and of `MANIFEST`, in which `sha256sum -c` finds each part's SHA-256.

    The last piece holds the directory, without which it is no zip. Raises what the parts raise.
    """
    pipe = _Pipe()
    lines: list[str] = []
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in parts:
            digest = Digest()
            with archive.open(_info(part.name), "w", force_zip64=part.large) as file:
                for piece in digest.over(part.pieces()):
                    file.write(piece)
                    if pipe.size >= PIECE:
                        yield pipe.take()
            lines.append(f"{digest.sha256}  {part.name}\n")
        archive.writestr(_info(MANIFEST), "".join(lines))
        yield pipe.take()
    yield pipe.take()


def measured(parts: Iterable[Part]) -> Digest:
    """Size and SHA-256 of the zip of these parts."""
    digest = Digest()
    for _ in digest.over(zipped(parts)):
        pass
    return digest


def as_measured(parts: Iterable[Part], expected: Digest) -> Iterator[bytes]:
    """The zip of these parts. Its last piece comes only when all are the bytes that were measured.

    Raises `DomainError` (busy) when something was changed meanwhile: then what came is no zip.
    """
    digest, held = Digest(), b""
    for piece in digest.over(zipped(parts)):
        if held:
            yield held
        held = piece
    if (digest.size, digest.sha256) != (expected.size, expected.sha256):
        raise DomainError(Problem.BUSY, "What the pack holds was changed while it was sent: pull it again.")
    yield held


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system, info.external_attr = _UNIX, _READABLE_FILE
    return info


class _Pipe:
    """A file that is only written, and cannot seek: what `zipfile` writes, to be taken out."""

    def __init__(self) -> None:
        self._written: list[bytes] = []
        self.size = 0

    def write(self, data: bytes, /) -> int:
        self._written.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def close(self) -> None:
        """What was written can still be taken."""

    def take(self) -> bytes:
        """All that was written since the last time."""
        taken = b"".join(self._written)
        self._written.clear()
        self.size = 0
        return taken
