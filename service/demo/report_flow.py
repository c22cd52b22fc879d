"""Turns the sample report's texts and rows into flowables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import white
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, Paragraph, Spacer, Table, XPreformatted

from service.demo.report_layout import (
    ACCENT,
    BODY,
    CAPTION,
    CELL,
    CELL_HEAD,
    CODE,
    DIVIDER,
    DIVIDER_LABEL,
    HEADING,
    ITEM,
    NOTE,
    PALE,
    RULE,
    Heading,
    Places,
)

Part = Callable[[], list[Flowable]]
Cell: TypeAlias = "str | Flowable | list[Flowable]"

_ROOM_UNDER_HEADING = {1: 130, 2: 96}  # points; a heading with less below it moves to the next page
_ANCHOR = re.compile(r"\s*\{#([\w-]+)\}$")


class Flow:
    """Makes flowables of marked-up text. One instance a report, since it gives headings their anchors."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._headings = 0

    def heading(
        self, text: str, level: int, *keys: str, label: str = "", style: ParagraphStyle | None = None
    ) -> Heading:
        """A heading of the outline; `keys` are noted with its page."""
        self._headings += 1
        match = _ANCHOR.search(text)
        heading = Heading(_ANCHOR.sub("", text), style or HEADING[level])
        heading.level, heading.label, heading.keys = level, label, keys
        heading.places = self._places
        heading.anchor = match[1] if match else f"heading-{self._headings}"
        return heading

    def divider(self, label: str, title: str, summary: str, *keys: str) -> list[Flowable]:
        """The page that opens a section."""
        return [
            Spacer(1, 168),
            Paragraph(label.upper(), DIVIDER_LABEL),
            self.heading(title, 0, *keys, label=label, style=DIVIDER),
            Paragraph(summary, NOTE),
        ]

    def text(
        self, text: str, parts: Mapping[str, Part] | None = None, keys: Mapping[str, str] | None = None
    ) -> list[Flowable]:
        """The flowables of a text. `parts` makes what stands for each `@name`; `keys` are the keys under
        which a heading's page is noted, by its words. Raises KeyError for an unknown `@name`."""
        out: list[Flowable] = []
        for block in re.split(r"\n\s*\n", text.strip()):
            if block.startswith("@"):
                out += (parts or {})[block[1:].strip()]()
            elif block.startswith("#"):
                marks, _, words = block.partition(" ")
                level = len(marks) - 1
                key = (keys or {}).get(words)
                out.append(CondPageBreak(_ROOM_UNDER_HEADING[level]))
                out.append(self.heading(words, level, *([key] if key else [])))
            elif block.startswith("- "):
                out += [Paragraph(item, ITEM, bulletText="•") for item in _items(block)]
                out.append(Spacer(1, 4))
            elif block.startswith("```"):
                out += [XPreformatted(block.strip("`\n"), CODE), Spacer(1, 14)]
            else:
                out.append(Paragraph(" ".join(block.split("\n")), BODY))
        return out


def _items(block: str) -> list[str]:
    return [" ".join(item.split("\n")) for item in re.split(r"^- ", block, flags=re.M)[1:]]


TABLE_STYLE: list[tuple[object, ...]] = [
    ("BACKGROUND", (0, 0), (-1, 0), ACCENT),
    ("TEXTCOLOR", (0, 0), (-1, 0), white),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 1), (-1, -1), 0.5, RULE),
    ("LEFTPADDING", (0, 0), (-1, -1), 5),
    ("RIGHTPADDING", (0, 0), (-1, -1), 5),
    ("TOPPADDING", (0, 0), (-1, -1), 3.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 4.5),
]


def table(
    rows: Sequence[Sequence[Cell]],
    widths: Sequence[float],
    *,
    bands: Sequence[int] = (),
    style: Sequence[tuple[object, ...]] = (),
) -> list[Flowable]:
    """A ruled table whose header row comes again on each page. `widths` are in points; `bands` are the
    numbers of rows that name what follows and never end a page."""
    cells = [
        [_cell(cell, CELL_HEAD if number == 0 else CELL) for cell in row] for number, row in enumerate(rows)
    ]
    for band in bands:
        cells[band] += [""] * (len(widths) - len(cells[band]))
    banded = [
        command
        for band in bands
        for command in (
            ("SPAN", (0, band), (-1, band)),
            ("BACKGROUND", (0, band), (-1, band), PALE),
            ("NOSPLIT", (0, band), (-1, band + 1)),
        )
    ]
    made = Table(cells, colWidths=list(widths), repeatRows=1, style=[*TABLE_STYLE, *banded, *style])
    made.hAlign = "LEFT"
    return [made, Spacer(1, 12)]


def _cell(cell: Cell, style: ParagraphStyle) -> Flowable | list[Flowable] | str:
    return Paragraph(cell, style) if isinstance(cell, str) and cell else cell


def figure(drawing: Drawing, caption: str) -> list[Flowable]:
    """A drawing with the words below it, on one page."""
    return [KeepTogether([Spacer(1, 6), drawing, Paragraph(caption, CAPTION)])]
