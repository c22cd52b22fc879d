"""Names that are typed: whether anybody can see them."""

from __future__ import annotations

import unicodedata

LETTER, NUMBER = "L", "N"
"""Groups of Unicode's general categories."""

FILLERS = frozenset("\u115f\u1160\u3164\uffa0")
"""Hangul fillers: the letters, by their category, that are shown as nothing (Default_Ignorable_Code_Point)."""


def has_letter(text: str) -> bool:
    """Whether a letter of any script can be seen in it: what a person is called by."""
    return _has(text, LETTER)


def can_be_read(text: str) -> bool:
    """Whether a letter or a number can be seen in it: companies are called `1&1`, too."""
    return _has(text, LETTER + NUMBER)


def _has(text: str, groups: str) -> bool:
    return any(unicodedata.category(one)[0] in groups and one not in FILLERS for one in text)
