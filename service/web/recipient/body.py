"""The body of a download, as WSGI takes it: it never leaves a send without its end, nor a client with half a file
that looks whole."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterable, Iterator

LOG = logging.getLogger("sealmark.recipient")


class DownloadBody:
    """The bytes of one send. The first piece is at hand when this exists, so what fails before it can be said.

    The server calls `close` whatever happens; then the send's end is an entry. Raises what `sending` raises.
    """

    def __init__(self, sending: Iterable[bytes], length: int) -> None:
        self._pieces: Iterator[bytes] = iter(sending)
        self._left = length
        # Starts the generator: only one that has started records its end when it is closed.
        self._first: bytes | None = self._advance()

    def __iter__(self) -> DownloadBody:
        return self

    def __next__(self) -> bytes:
        piece, self._first = self._first, None
        if piece is None:
            piece = self._next_piece()
        if not piece:
            raise self._cut_off() if self._left else StopIteration
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Record the end of the send, if it is not yet."""
        closing = getattr(self._pieces, "close", None)
        if closing is not None:
            closing()

    def _next_piece(self) -> bytes:
        try:
            return self._advance()
        except Exception as error:
            # The server would log the path, which holds the token; the type of the error says enough.
            LOG.error("a download broke off: %s", type(error).__name__)
            raise self._cut_off() from error

    def _advance(self) -> bytes:
        """The next piece that has bytes, as WSGI servers take them; empty at the end."""
        return next((bytes(piece) for piece in self._pieces if piece), b"")

    @staticmethod
    def _cut_off() -> OSError:
        """An error on which the server closes the connection: the rest must not be waited for, or taken as sent."""
        return ConnectionResetError(errno.ECONNRESET, "the download was cut off")
