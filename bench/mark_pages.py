"""The rivals' mark: the same text as ours, as pages of a PDF that reportlab makes once a copy.

It is not timed, as minting is not: what is timed is only what each download repeats. Helvetica, the cheapest font
there is, since Latin names are measured.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import pikepdf
from reportlab.pdfgen.canvas import Canvas

from watermark.inspection import PageGeometry, page_geometries
from watermark.mark import Mark
from watermark.visible import DIAGONAL_OPACITY

FONT = "Helvetica"
FOOTER_SIZE = 7.0
SEPARATOR = " · "
SIDE = 0.9
"""The share of the page's width, or of its diagonal, that a line of the mark may take."""


@dataclass(frozen=True)
class MarkPages:
    """A mark for every kind of page of one report: `kinds[i]` is the page of the mark for page i of the report.

    `own` has each mark in the report page's own coordinates, for those who merge content as it is; `upright` as
    the page is shown, for those who place it themselves.
    """

    kinds: tuple[int, ...]
    geometries: tuple[PageGeometry, ...]
    own: bytes
    upright: bytes


def mark_pages(report: bytes, mark: Mark) -> MarkPages:
    """The marks for this report."""
    with pikepdf.open(io.BytesIO(report)) as document:
        pages = page_geometries(document)
    geometries = tuple(dict.fromkeys(pages))
    return MarkPages(
        kinds=tuple(geometries.index(page) for page in pages),
        geometries=geometries,
        own=_pdf(geometries, mark, own=True),
        upright=_pdf(geometries, mark, own=False),
    )


def footer_text(mark: Mark) -> str:
    """The footer as one line."""
    return SEPARATOR.join(text for _, text in mark.fields())


def _pdf(geometries: Sequence[PageGeometry], mark: Mark, *, own: bool) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pageCompression=1)
    for geometry in geometries:
        box, rotation = geometry.box, geometry.rotation
        width, height = box[2] - box[0], box[3] - box[1]
        if rotation in (90, 270):
            width, height = height, width
        if own:
            canvas.setPageSize((max(box[2], 1), max(box[3], 1)))
            canvas.transform(*_from_upright(box, rotation))
        else:
            canvas.setPageSize((width, height))
        _draw(canvas, width, height, mark)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _draw(canvas: Canvas, width: float, height: float, mark: Mark) -> None:
    """Footer and diagonal on an upright page of this size."""
    footer = footer_text(mark)
    canvas.setFillGray(0.2)
    canvas.setFont(FONT, _fitting(canvas, footer, SIDE * width, FOOTER_SIZE))
    canvas.drawCentredString(width / 2, 2.4 * FOOTER_SIZE, footer)
    lines = [text for field, text in mark.fields() if field != "label"]
    length = math.hypot(width, height)
    size = min(_fitting(canvas, line, SIDE * length * 0.8, 48) for line in lines)
    canvas.saveState()
    canvas.translate(width / 2, height / 2)
    canvas.rotate(math.degrees(math.atan2(height, width)))
    canvas.setFillGray(0)
    canvas.setFillAlpha(DIAGONAL_OPACITY)
    canvas.setFont(FONT, size)
    top = (len(lines) - 1) / 2 * size * 1.3
    for number, line in enumerate(lines):
        canvas.drawCentredString(0, top - number * size * 1.3, line)
    canvas.restoreState()


def _fitting(canvas: Canvas, text: str, room: float, largest: float) -> float:
    width: float = canvas.stringWidth(text, FONT, 1)
    return min(largest, room / width)


def _from_upright(box: tuple[float, float, float, float], rotation: int) -> tuple[float, ...]:
    """The matrix from the page as it is shown to the page's own coordinates (ISO 32000-1, table 30: /Rotate)."""
    left, bottom, right, top = box
    return {
        0: (1, 0, 0, 1, left, bottom),
        90: (0, 1, -1, 0, right, bottom),
        180: (-1, 0, 0, -1, right, top),
        270: (0, -1, 1, 0, left, top),
    }[rotation]
