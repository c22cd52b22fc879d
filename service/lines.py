"""Text that must fit on one line, wherever it comes from."""

from __future__ import annotations

import unicodedata


def is_line(text: str) -> bool:
    """Whether it can be stored, logged and shown on one line: no control characters, no halves of characters."""
    return not any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)
