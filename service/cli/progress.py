"""Progress of long work: one line on standard error that is written over, and only on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """The line. Without a terminal it says nothing."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def say(self, text: str) -> None:
        """Put this text in place of the last one."""
        if self._shown:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Leave an empty line for what comes."""
        self.say("")


@contextmanager
def progress() -> Iterator[Progress]:
    """A line that is gone when the block ends."""
    line = Progress()
    try:
        yield line
    finally:
        line.clear()
