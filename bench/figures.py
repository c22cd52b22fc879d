"""Figures: one measured value each, most beside a rival's; as a table for people and JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

MILLISECONDS = "ms"
PER_SECOND = "downloads/s"

_HEADINGS = ("name", "value", "unit", "rival", "rival's value", "ratio")


@dataclass(frozen=True)
class Figure:
    """One measured value. `ratio` says how many times better than the rival it is: above 1 we are ahead.

    Without a rival, the last three are None and the figure is for information.
    """

    name: str
    value: float
    unit: str
    rival: str | None = None
    rival_value: float | None = None
    ratio: float | None = None


def alone(name: str, value: float, unit: str) -> Figure:
    """A figure for information."""
    return Figure(name, _rounded(value), unit)


def time_against(name: str, ours: float, rival: str, theirs: float) -> Figure:
    """Two times in milliseconds: less is better."""
    return Figure(name, _rounded(ours), MILLISECONDS, rival, _rounded(theirs), _rounded(theirs / ours))


def rate_against(name: str, ours: float, rival: str, theirs: float) -> Figure:
    """Two rates in downloads a second: more is better."""
    return Figure(name, _rounded(ours), PER_SECOND, rival, _rounded(theirs), _rounded(ours / theirs))


def table(figures: Iterable[Figure]) -> str:
    """The figures in aligned columns under their headings."""
    rows = [_HEADINGS, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = [_aligned(row, widths) for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def write_json(figures: Sequence[Figure], path: Path) -> None:
    """The figures as a list of objects with the fields of `Figure`, replacing what was in the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps([asdict(figure) for figure in figures], indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _cells(figure: Figure) -> tuple[str, ...]:
    numbers = [
        "" if number is None else f"{number:,g}"
        for number in (figure.value, figure.rival_value, figure.ratio)
    ]
    return (figure.name, numbers[0], figure.unit, figure.rival or "", numbers[1], numbers[2])


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    left = {0, 2, 3}
    cells = (
        cell.ljust(width) if column in left else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(cells).rstrip()


def _rounded(value: float) -> float:
    """To four significant digits: more than any repetition here confirms."""
    return float(f"{value:.4g}")
