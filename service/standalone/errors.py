"""What can go wrong without a service; each message is one line that says what to do."""

from __future__ import annotations


class StandaloneError(Exception):
    """Root of the errors here."""


class FileRefused(StandaloneError):
    """What was asked of these files is refused; nothing was changed."""


class FileUnusable(StandaloneError):
    """A file or folder that is needed cannot be read or written."""
