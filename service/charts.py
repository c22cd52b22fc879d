"""Charts as SVG: bars that lie, and columns a week. No script, no style sheet, nothing from elsewhere.

Each has a title and a description in words, its numbers stand beside it as text, and series differ by pattern, so that
it can be heard, and printed in black and white. The same input gives the same bytes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

WIDTH = 760
LABELS = 300
"""Units left for the labels of lying bars, of which about seven make a character."""

LABEL_CHARACTERS = 40
ROW, BAR = 30, 18
PLOT_HEIGHT, PLOT_LEFT, PLOT_TOP = 220, 50, 70
MARKED_WEEKS = 13
"""Weeks whose dates are written below the columns, at most: more would run into each other."""

INK, QUIET, PAPER = "#1a1a1a", "#595959", "#ffffff"
FONT = "system-ui, sans-serif"


@dataclass(frozen=True)
class Chart:
    """One chart. `svg` stands alone as a file, and can be set into a page: its ids begin with its name."""

    name: str
    title: str
    svg: str


@dataclass(frozen=True)
class Series:
    """One row of numbers of a chart of columns."""

    name: str
    values: Sequence[int]


def bars(name: str, title: str, description: str, rows: Sequence[tuple[str, int]]) -> Chart:
    """Lying bars, one a row, each with its label and number."""
    height = 50 + ROW * max(1, len(rows))
    root = _canvas(name, title, description, height)
    if not rows:
        _text(root, 16, 64, "Nothing", fill=QUIET)
    longest = max((value for _, value in rows), default=0) or 1
    for place, (label, value) in enumerate(rows):
        top = 44 + ROW * place
        row = ElementTree.SubElement(root, "g")
        ElementTree.SubElement(row, "title").text = _clean(f"{label}: {value}")
        _text(row, LABELS - 8, top + 14, _short(label), anchor="end")
        _box(row, LABELS, top, (WIDTH - LABELS - 70) * value / longest, BAR, INK)
        _text(row, LABELS + (WIDTH - LABELS - 70) * value / longest + 8, top + 14, str(value))
    return Chart(name, title, _written(root))


def columns(
    name: str, title: str, description: str, labels: Sequence[str], series: Sequence[Series]
) -> Chart:
    """Standing columns, for each label one a series side by side, with an axis from 0 to the highest number."""
    root = _canvas(name, title, description, PLOT_TOP + PLOT_HEIGHT + 50)
    fills = _fills(root, name)
    left = PLOT_LEFT
    for one, fill in zip(series, fills, strict=False):
        _box(root, left, 40, 14, 14, fill)
        _text(root, left + 20, 52, one.name)
        left += 40 + 8 * len(one.name)
    highest = max((value for one in series for value in one.values), default=0) or 1
    base = PLOT_TOP + PLOT_HEIGHT
    for value in sorted({0, highest}):
        level = base - PLOT_HEIGHT * value / highest
        _line(root, PLOT_LEFT, level, WIDTH - 10, level)
        _text(root, PLOT_LEFT - 8, level + 4, str(value), anchor="end")
    step = (WIDTH - 10 - PLOT_LEFT) / max(1, len(labels))
    each = -(-len(labels) // MARKED_WEEKS)
    for place, label in enumerate(labels):
        start = PLOT_LEFT + step * place
        group = ElementTree.SubElement(root, "g")
        told = ", ".join(f"{one.name} {one.values[place]}" for one in series)
        ElementTree.SubElement(group, "title").text = _clean(f"{label}: {told}")
        for number, (one, fill) in enumerate(zip(series, fills, strict=False)):
            tall = PLOT_HEIGHT * one.values[place] / highest
            wide = step * 0.8 / len(series)
            _box(group, start + step * 0.1 + wide * number, base - tall, wide, tall, fill)
        if place % each == 0:
            _text(root, start, base + 20, label[5:], size=12)
    return Chart(name, title, _written(root))


def _canvas(name: str, title: str, description: str, height: float) -> ElementTree.Element:
    root = ElementTree.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {WIDTH} {_number(height)}",
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-description",
            "font-family": FONT,
        },
    )
    ElementTree.SubElement(root, "title", {"id": f"{name}-title"}).text = _clean(title)
    ElementTree.SubElement(root, "desc", {"id": f"{name}-description"}).text = _clean(description)
    _box(root, 0, 0, WIDTH, height, PAPER, edge=PAPER)
    _text(root, 16, 24, title, size=16)
    return root


def _fills(root: ElementTree.Element, name: str) -> tuple[str, str, str]:
    """Black, hatched and white: told apart without a colour."""
    defs = ElementTree.SubElement(root, "defs")
    hatched = {"id": f"{name}-hatched", "width": "5", "height": "5", "patternUnits": "userSpaceOnUse"}
    pattern = ElementTree.SubElement(defs, "pattern", hatched)
    _box(pattern, 0, 0, 5, 5, PAPER, edge=PAPER)
    stroke = {"d": "M0 5 L5 0", "stroke": INK, "stroke-width": "1.5"}
    ElementTree.SubElement(pattern, "path", stroke)
    return INK, f"url(#{name}-hatched)", PAPER


def _box(
    parent: ElementTree.Element,
    x: float,
    y: float,
    width: float,
    height: float,
    fill: str,
    edge: str = INK,
) -> None:
    values = {"x": x, "y": y, "width": width, "height": height}
    drawn = {key: _number(value) for key, value in values.items()}
    ElementTree.SubElement(parent, "rect", {**drawn, "fill": fill, "stroke": edge})


def _line(parent: ElementTree.Element, x1: float, y1: float, x2: float, y2: float) -> None:
    values = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    drawn = {key: _number(value) for key, value in values.items()}
    ElementTree.SubElement(parent, "line", {**drawn, "stroke": QUIET})


def _text(
    parent: ElementTree.Element,
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    size: int = 13,
    fill: str = INK,
) -> None:
    placed = {"x": _number(x), "y": _number(y), "font-size": str(size), "fill": fill, "text-anchor": anchor}
    ElementTree.SubElement(parent, "text", placed).text = _clean(text)


def _short(label: str) -> str:
    return label if len(label) <= LABEL_CHARACTERS else label[: LABEL_CHARACTERS - 1] + "…"


def _clean(text: str) -> str:
    """Without what XML cannot hold, or what would turn the text around."""
    return "".join(c for c in text if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Cn"})


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _written(root: ElementTree.Element) -> str:
    return ElementTree.tostring(root, encoding="unicode") + "\n"
