"""Fonts: stands here for its signatures until the next commit."""

from typing import Protocol


class Fonts(Protocol):
    """Finds a font for every character."""

    def check(self, field: str, text: str) -> None:
        """Raises `Unmarkable` when no font here draws all of the text."""


def system_fonts() -> Fonts:
    """The fonts of this machine; loaded once."""
    raise NotImplementedError
