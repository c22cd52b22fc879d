"""The file to be marked or inspected: read once, so that what is hashed is what is marked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from service.standalone.errors import FileUnusable
from watermark.errors import RefusalReason, Refused
from watermark.sandbox import DEFAULT_INPUT_BYTES


@dataclass(frozen=True)
class Source:
    """The bytes of the user's file. It was not parsed."""

    path: Path
    data: bytes = field(repr=False)

    @property
    def sha256(self) -> bytes:
        """Of the whole file."""
        return hashlib.sha256(self.data).digest()


def read_source(path: Path) -> Source:
    """The file as it is now. Raises `Refused` (too-large), `FileUnusable`."""
    try:
        with path.open("rb") as file:
            data = file.read(DEFAULT_INPUT_BYTES + 1)
    except OSError as error:
        raise FileUnusable(f"cannot read {path}: {error.strerror}") from error
    if len(data) > DEFAULT_INPUT_BYTES:
        raise Refused(
            RefusalReason.TOO_LARGE,
            f"{path} has more than {DEFAULT_INPUT_BYTES:,} bytes. Reduce its images and try again.",
        )
    return Source(path, data)
