"""How the sample report looks: page templates, styles, and the places at which things came to stand."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from reportlab.lib.colors import HexColor, white
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import LETTER, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import asUnicode
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph, TableStyle
from reportlab.platypus.tableofcontents import TableOfContents

from service.demo.report_fonts import SANS, SANS_BOLD
from service.demo.report_identity import (
    AUDITOR,
    CATEGORIES,
    COMPANY,
    PERIOD,
    REPORT_DATE,
    SYSTEM,
    TITLE,
    written,
)

INK = HexColor("#1c2733")
ACCENT = HexColor("#1d4f73")
PALE = HexColor("#e8eef3")
RULE = HexColor("#b9c6d1")
WARN = HexColor("#9c3d12")
WARN_PALE = HexColor("#fbeee6")

SIDE = 66.0  # points; left and right margin of upright pages
SIDE_WIDE = 54.0  # … and of landscape pages
TOP = 78.0
BOTTOM = 74.0  # leaves room for a printed footer and the copy's mark below it
WIDTH = LETTER[0] - 2 * SIDE
WIDE_WIDTH = LETTER[1] - 2 * SIDE_WIDE


def _style(name: str, font: str, size: float, leading: float, **more: Any) -> ParagraphStyle:
    return ParagraphStyle(name, fontName=font, fontSize=size, leading=leading, **{"textColor": INK, **more})


BODY = _style("body", "Times-Roman", 10.5, 14.6, alignment=TA_JUSTIFY, spaceAfter=7.5)
ITEM = _style("item", "Times-Roman", 10.5, 14.2, leftIndent=16, bulletIndent=4, spaceAfter=4)
NOTE = _style("note", "Times-Italic", 10.5, 14.2)
CODE = _style(
    "code",
    "Courier",
    8.6,
    11.6,
    leftIndent=10,
    rightIndent=6,
    backColor=PALE,
    borderPadding=6,
    spaceBefore=10,
)
CAPTION = _style("caption", "Times-Italic", 9.6, 12.5, spaceBefore=5, spaceAfter=12)
CELL = _style("cell", SANS, 7.9, 10.6)
CELL_HEAD = _style("cell-head", SANS_BOLD, 7.9, 10.6, textColor=white)
CELL_ID = _style("cell-id", "Courier-Bold", 8.6, 10.6)
CELL_BAND = _style("cell-band", SANS_BOLD, 8.4, 11, textColor=ACCENT)
CELL_WARN = _style("cell-warn", SANS, 7.9, 10.6, textColor=WARN)
HEADING = {
    0: _style("h1", SANS_BOLD, 18, 24, textColor=ACCENT, spaceAfter=12),
    1: _style("h2", SANS_BOLD, 14, 18, textColor=ACCENT, spaceBefore=14, spaceAfter=7),
    2: _style("h3", SANS_BOLD, 10.6, 14, spaceBefore=9, spaceAfter=5),
}
DIVIDER = _style("divider", SANS_BOLD, 27, 33, textColor=ACCENT, spaceAfter=22)
DIVIDER_LABEL = _style("divider-label", "Helvetica", 12, 16, textColor=ACCENT, spaceAfter=8)
_CONTENTS = (
    _style("toc1", SANS_BOLD, 9.4, 13, spaceBefore=8),
    _style("toc2", "Times-Roman", 10.2, 13.1, leftIndent=14),
    _style("toc3", "Times-Roman", 9.4, 11.9, leftIndent=30),
)


class Places:
    """On which pages the things that the facts name came to stand, in the last pass of the build."""

    def __init__(self) -> None:
        self._pages: dict[str, list[int]] = {}

    def clear(self) -> None:
        """Forget an earlier pass."""
        self._pages.clear()

    def add(self, key: str, page: int) -> None:
        """Note that `key` stands on `page`, counted from 1."""
        pages = self._pages.setdefault(key, [])
        if page not in pages:
            pages.append(page)

    def pages(self, key: str) -> list[int]:
        """The pages of `key`, ascending. Raises KeyError for what was never drawn."""
        return sorted(self._pages[key])


class Marked(Paragraph):  # type: ignore[misc]  # reportlab has no types
    """A paragraph that notes its page under `keys` when it is drawn, and can be the target of links."""

    places: Places | None = None
    keys: tuple[str, ...] = ()
    anchor: str | None = None

    def draw(self) -> None:
        if self.places is not None:
            for key in self.keys:
                self.places.add(key, self.canv.getPageNumber())
        if self.anchor is not None:
            self.canv.bookmarkHorizontal(self.anchor, 0, self.height + 8)
        super().draw()


class Heading(Marked):
    """A paragraph that stands in the outline and, from Section I on, in the table of contents.

    Level 0 is a section; its label, such as `Section I`, stands before its words in both.
    """

    level: int = 0
    label: str = ""


def marked(text: str, style: ParagraphStyle, places: Places, *keys: str, anchor: str | None = None) -> Marked:
    """A paragraph whose page is noted under `keys`."""
    paragraph = Marked(text, style)
    paragraph.places, paragraph.keys, paragraph.anchor = places, keys, anchor
    return paragraph


class ReportTemplate(BaseDocTemplate):  # type: ignore[misc]  # reportlab has no types
    """The report as a reportlab document: its templates, running lines, outline, page labels and metadata.

    Build it with `multiBuild`; the last pass leaves in `places` where everything stands, and in `page_count`
    how many pages there are, since the pass before it had as many.
    """

    def __init__(self, out: BytesIO, places: Places) -> None:
        super().__init__(
            out,
            pagesize=LETTER,
            invariant=1,
            lang="en-US",
            title=TITLE,
            author=AUDITOR,
            subject=f"Controls at {COMPANY} relevant to {', '.join(CATEGORIES)}",
            keywords=["SOC 2", "Type II", *CATEGORIES, SYSTEM, "specimen"],
            creator="Sealmark demo",
        )
        self.places = places
        self.page_count = 0  # of the pass before, which the running lines print
        self._last_page = 0
        self._section = ""
        self._body_from = 0  # the page on which Section I begins; before it, pages are numbered i, ii, …
        upright = Frame(SIDE, BOTTOM, WIDTH, LETTER[1] - TOP - BOTTOM, 0, 0, 0, 0)
        wide = Frame(SIDE_WIDE, BOTTOM, WIDE_WIDTH, LETTER[0] - TOP - BOTTOM, 0, 0, 0, 0)
        self.addPageTemplates(
            [
                PageTemplate("cover", [upright], onPage=draw_cover, pagesize=LETTER),
                PageTemplate("upright", [upright], onPageEnd=self._running_lines, pagesize=LETTER),
                PageTemplate("wide", [wide], onPageEnd=self._running_lines, pagesize=landscape(LETTER)),
            ]
        )

    def beforeDocument(self) -> None:
        self.page_count = self._last_page
        self.places.clear()
        self._section = ""
        self._body_from = 0
        self.canv.showOutline()
        self.canv.addPageLabel(0, style="ROMAN_LOWER", start=1)

    def afterPage(self) -> None:
        self._last_page = self.page

    def afterFlowable(self, flowable: Flowable) -> None:
        if not isinstance(flowable, Heading):
            return
        title = asUnicode(flowable.getPlainText())
        if flowable.level == 0:
            self._section = title
            if flowable.label and not self._body_from:
                self._body_from = self.page
                self.canv.addPageLabel(self.page - 1, style="ARABIC", start=self.page)
        if flowable.label:
            title = f"{flowable.label}: {title}"
        self.canv.addOutlineEntry(title, flowable.anchor, flowable.level, closed=flowable.level > 0)
        if self._body_from:
            self.notify("TOCEntry", (flowable.level, title, self.page, flowable.anchor))

    def _running_lines(self, canvas: Any, _: BaseDocTemplate) -> None:
        width, height = canvas._pagesize
        side = SIDE if width < height else SIDE_WIDE
        canvas.saveState()
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.6)
        canvas.line(side, height - 56, width - side, height - 56)
        canvas.line(side, 56, width - side, 56)
        canvas.setFillColor(INK)
        canvas.setFont("Helvetica", 7.6)
        canvas.drawString(side, height - 50, f"{COMPANY}  |  {SYSTEM}")
        canvas.drawRightString(width - side, height - 50, self._section)
        canvas.drawString(side, 45, "Confidential. Lent under an agreement not to disclose.")
        number = f"Page {self.page} of {self.page_count}" if self._body_from else _roman(self.page)
        canvas.drawRightString(width - side, 45, number)
        canvas.restoreState()


def _roman(number: int) -> str:
    return ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii")[number - 1]


def contents() -> TableOfContents:
    """The table of contents: three levels, each entry a link."""
    tight = TableStyle([("TOPPADDING", (0, 0), (-1, -1), 0.4), ("BOTTOMPADDING", (0, 0), (-1, -1), 0.4)])
    return TableOfContents(levelStyles=list(_CONTENTS), dotsMinLevel=0, tableStyle=tight)


def draw_cover(canvas: Any, _: BaseDocTemplate) -> None:
    """The cover's drawing and words."""
    width, height = LETTER
    canvas.saveState()
    canvas.setFillColor(ACCENT)
    canvas.rect(0, height - 268, width, 268, stroke=0, fill=1)
    canvas.setStrokeColor(HexColor("#5d89a8"))
    canvas.setLineWidth(1.1)
    for step in range(9):
        canvas.circle(width - 92, height - 96, 18 + 13 * step, stroke=1, fill=0)
    canvas.setFillColor(white)
    canvas.setFont(SANS_BOLD, 15)
    canvas.drawString(SIDE, height - 92, COMPANY)
    canvas.setFont(SANS_BOLD, 34)
    canvas.drawString(SIDE, height - 178, "SOC 2 Type II")
    canvas.setFont(SANS, 15)
    canvas.drawString(SIDE, height - 206, "Report on controls relevant to security,")
    canvas.drawString(SIDE, height - 226, "availability and confidentiality")
    canvas.setFillColor(INK)
    canvas.setFont(SANS_BOLD, 17)
    canvas.drawString(SIDE, height - 330, f"{SYSTEM} system")
    canvas.setFont("Times-Roman", 13)
    canvas.drawString(SIDE, height - 352, f"For the period {PERIOD}")
    canvas.setStrokeColor(RULE)
    canvas.line(SIDE, 204, width - SIDE, 204)
    canvas.setFont("Helvetica", 9)
    canvas.drawString(SIDE, 184, "With the report of the independent service auditor")
    canvas.setFont(SANS_BOLD, 12)
    canvas.drawString(SIDE, 164, AUDITOR)
    canvas.setFont("Times-Roman", 11)
    canvas.drawString(SIDE, 148, written(REPORT_DATE))
    canvas.setFont("Times-Italic", 9.5)
    canvas.drawString(
        SIDE, 96, "Specimen. The company, the auditor and all that is reported here are invented."
    )
    canvas.restoreState()
