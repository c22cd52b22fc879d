"""A number as a spreadsheet shows it, in the formats that people give to the numbers of questions.

1.1 is shown as `1.10` in the format `0.00`, and 1.3000000000000003, which adding 0.1 makes of 1.1, as `1.3`.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Context, Decimal

DIGITS = 15
"""Significant digits that spreadsheets know: those behind them come of binary fractions, and are never shown."""

GENERAL_WIDTH = 11
"""Characters of a number in the format General, its point among them; longer ones are shown with an exponent."""

SMALLEST_GENERAL = Decimal("0.0001")
"""Smaller ones are shown with an exponent, too."""

MAX_ZEROS = 30
"""Of a format, before its point and behind it: spreadsheets have no more places."""

_GENERAL = frozenset({"general", "@"})
_FIXED = re.compile(
    rf"(0{{1,{MAX_ZEROS}}})(?:\.(0{{1,{MAX_ZEROS}}}))?(?:_.)*"
)  # `_)` is a gap as wide as `)`
_CONTEXT = Context(prec=DIGITS + 1 + MAX_ZEROS, rounding=ROUND_HALF_UP)


def shown(number: int | float, code: str) -> str | None:
    """The number in a format (ECMA-376-1, 18.8.31) of zeros alone, such as `0`, `000` and `0.00`, or in General.

    The point is a point, whatever the reader's language makes of it, and the column is wide enough. None where that is
    not known here: other formats, and numbers that are shown with an exponent or have more digits than are known.
    """
    if not abs(number) < 10**DIGITS:
        return None
    known = Decimal(f"{number:.{DIGITS}g}")
    if code.casefold() in _GENERAL:
        return _general(known)
    fixed = _FIXED.fullmatch(code)
    if fixed is None:
        return None
    before, behind = fixed[1], fixed[2] or ""
    whole, point, part = _rounded(known, len(behind)).partition(".")
    sign = "-" if whole.startswith("-") else ""
    return f"{sign}{whole.removeprefix('-').zfill(len(before))}{point}{part}"


def _general(known: Decimal) -> str | None:
    if known and abs(known) < SMALLEST_GENERAL:
        return None
    whole = max(known.adjusted() + 1, 1)
    text = _rounded(known, max(GENERAL_WIDTH - whole - 1, 0))
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text if len(text.removeprefix("-")) <= GENERAL_WIDTH else None


def _rounded(known: Decimal, places: int) -> str:
    return f"{known.quantize(Decimal(1).scaleb(-places), context=_CONTEXT):f}"
