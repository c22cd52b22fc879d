"""What stands between the cells of a CSV file: told from its header, as prose is full of commas and semicolons."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from itertools import islice

DELIMITERS = (",", ";", "\t")
"""In the order in which they are tried: RFC 4180's; what spreadsheets write where a comma stands in numbers; tabs."""


def delimiter(text: str, headed: Callable[[list[list[str]]], int], rows: int) -> str:
    """The one of `DELIMITERS` under which the most of the header is found, as `headed` counts it in the first rows.

    Of equals, one under which these rows are CSV (RFC 4180), then the first; so there is always one.
    """

    def fits(between: str) -> tuple[int, bool]:
        first: list[list[str]] = []
        try:
            for row in islice(
                csv.reader(io.StringIO(text, newline=""), delimiter=between, strict=True), rows
            ):
                first.append(row)  # the rows before an error count, too
        except csv.Error:
            return headed(first), False
        return headed(first), True

    return max(DELIMITERS, key=fits)
