"""How the PDFs look that are made for people here: paragraphs, tables of facts, and numbered pages. Deterministic."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, LongTable, SimpleDocTemplate, Spacer, TableStyle

from service.evidence.drawn_text import FONT, flowable, register_font

_MARGIN = 18 * mm
_PADDING = 6
"""Points that reportlab's frame keeps free within the margins."""

WIDTH = A4[0] - 2 * (_MARGIN + _PADDING)
"""Points of a line from margin to margin."""

_GREY = colors.HexColor("#5a6470")
RULE = colors.HexColor("#d5dae0")


def built(story: Sequence[Flowable], title: str, author: str) -> bytes:
    """The PDF; the same arguments give the same bytes. The title stands on every page."""
    register_font()
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=title,
        author=author,
        invariant=1,
    )
    document.build(list(story), onFirstPage=_number_page, onLaterPages=_number_page)
    return out.getvalue()


def said(text: str, style: str, *, flush: bool = False) -> Flowable:
    """The text in one of the styles: title, heading, body, note, cell, label, h1 to h3. `flush` as in `flowable`."""
    return flowable(text, _styles()[style], flush=flush) if text else Spacer(0, 0)


def facts(rows: Sequence[tuple[str, str]]) -> Flowable:
    """Names and values; those without a value are left out."""
    cells = [[said(name, "label"), said(value, "cell")] for name, value in rows if value]
    table = LongTable(cells, colWidths=[0.17 * WIDTH, 0.83 * WIDTH])
    table.setStyle(table_style())
    return table


def moment(value: datetime | None) -> str:
    """To the second, in UTC; empty for none."""
    return value.strftime("%Y-%m-%d %H:%M:%S Z") if value else ""


def table_style() -> TableStyle:
    """Rows with a line below each."""
    return TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 6),
            ("TOPPADDING", (0, 0), (-1, -1), 2.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ]
    )


@cache
def _styles() -> dict[str, Any]:
    register_font()
    sizes = {
        "title": (15, 20, 0, 4),
        "heading": (11, 15, 12, 4),
        "body": (9, 13, 0, 4),
        "note": (9, 13, 0, 4),
        "cell": (8.5, 11.5, 0, 0),
        "label": (8.5, 11.5, 0, 0),
        "h1": (13, 17, 10, 4),
        "h2": (11, 15, 8, 4),
        "h3": (9.5, 13, 6, 3),
    }
    return {
        name: ParagraphStyle(
            name,
            fontName=FONT,
            fontSize=size,
            leading=leading,
            spaceBefore=before,
            spaceAfter=after,
            keepWithNext=name in {"heading", "h1", "h2", "h3"},
            textColor=_GREY if name in {"label", "note"} else colors.black,
        )
        for name, (size, leading, before, after) in sizes.items()
    }


def _number_page(canvas: Any, document: Any) -> None:
    canvas.saveState()
    canvas.setFont(FONT, 8)
    canvas.setFillColor(_GREY)
    canvas.drawRightString(A4[0] - _MARGIN, 10 * mm, f"{document.title} · {canvas.getPageNumber()}")
    canvas.restoreState()
