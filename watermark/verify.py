"""Verify: a copy, read by pypdf and drawn by PDFium, carries its mark visibly on each page and is otherwise unchanged.

Neither shares code with qpdf, which wrote the copy.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pypdf
import pypdfium2 as pdfium

from watermark.mark import LABEL, Mark
from watermark.visible import PageView, diagonal_size

# Pages are drawn so large that an em of the footer has this many pixels: as a screen shows it.
PIXELS_AN_EM = 6
# The longer side of a drawn page, for pages of an extreme shape.
_MOST_PIXELS = 8000
# A change of a pixel, of 255 levels, that counts: footers are dark, diagonals pale.
_FOOTER_LEVELS, _DIAGONAL_LEVELS = 24, 6
# How much of the ink that a mark has on a blank page must be seen on a page. What is drawn in the page's own colours
# over and under a diagonal takes some of it; less than this is no longer read.
FOOTER_SHARE, DIAGONAL_SHARE = 0.5, 0.3
# Around the footer's lines, in em.
_ABOVE, _BELOW = 1.1, 0.4

Pixels = np.ndarray[tuple[int, ...], np.dtype[np.int16]]


@dataclass(frozen=True)
class Ink:
    """Changed pixels of a mark: of its footer, and of its diagonal divided by the square of its em in pixels."""

    footer: float
    diagonal: float


@dataclass(frozen=True)
class Footer:
    """Where a footer stands: its `baseline` points above the visible bottom, its `lines`, `leading` points apart."""

    baseline: float
    lines: int
    leading: float


@dataclass(frozen=True)
class PageFinding:
    """What was found of a page's mark: in its text, in the pixels, and whether the rest of the text is as before."""

    footer_read: bool
    text_unchanged: bool
    footer_seen: bool
    diagonal_seen: bool

    @property
    def good(self) -> bool:
        """Whether the page may be lent."""
        return self.footer_read and self.text_unchanged and self.footer_seen and self.diagonal_seen


def own_strings(copy_id: str) -> "re.Pattern[str]":
    """What the mark adds to a page's text: from its label to its copy id."""
    return re.compile(rf"[ \t]*{LABEL}(?:(?!{LABEL}).)*?{copy_id}[ \t]*", re.DOTALL)


def without_mark(text: str, copy_id: str) -> str:
    """The text of a page without the mark's own strings, without empty lines and spaces at the ends of lines."""
    rest = own_strings(copy_id).sub("\n", text)
    return "\n".join(line for line in (line.strip() for line in rest.splitlines()) if line)


class Reader:
    """One PDF: its pages' text by pypdf and their pixels by PDFium."""

    def __init__(self, pdf: bytes) -> None:
        self._pypdf: pypdf.PdfReader | None = None
        with suppress(Exception):
            self._pypdf = pypdf.PdfReader(BytesIO(pdf))
        self._pdfium = pdfium.PdfDocument(pdf)
        self._texts: dict[int, str | None] = {}

    @property
    def page_count(self) -> int:
        """As PDFium counts."""
        return len(self._pdfium)

    def outline(self) -> list[tuple[int, str, int | None]]:
        """Depth, title and page of every entry, as PDFium gives them."""
        found = []
        for item in self._pdfium.get_toc(max_depth=64):
            destination = item.get_dest()
            found.append((item.level, item.get_title(), destination.get_index() if destination else None))
        return found

    def text(self, index: int) -> str | None:
        """The page's text by pypdf, or None where pypdf cannot read it."""
        if index not in self._texts:
            text = None
            # pypdf raises whatever its parts raise on files that it does not expect.
            with suppress(Exception):
                text = self._pypdf.pages[index].extract_text() if self._pypdf else None
            self._texts[index] = text
        return self._texts[index]

    def pdfium_text(self, index: int) -> str:
        """The page's text by PDFium."""
        page = self._pdfium[index]
        try:
            text = page.get_textpage()
            try:
                return str(text.get_text_bounded())
            finally:
                text.close()
        finally:
            page.close()

    def pixels(self, index: int, view: PageView) -> Pixels:
        """The page in grey, from the top, so large as `PIXELS_AN_EM` says."""
        page = self._pdfium[index]
        try:
            # PDFium's size does not know UserUnit.
            scale = pixels_a_point(view) * max(view.width, view.height) / max(*page.get_size(), 1e-6)
            # In colour, as readers show it: into a grey bitmap PDFium blends transparent glyphs twice.
            bitmap = page.render(scale=scale)
            pixels: Pixels = (bitmap.to_numpy()[:, :, :3].sum(axis=2, dtype=np.int16) // 3).astype(np.int16)
            bitmap.close()
            return pixels
        finally:
            page.close()

    def close(self) -> None:
        """Free what both hold of the PDF."""
        with suppress(Exception):
            self._pdfium.close()
        # pypdf keeps all that it has parsed.
        self._pypdf = None
        self._texts.clear()


def pixels_a_point(view: PageView) -> float:
    """How large pages of this view are drawn."""
    return min(PIXELS_AN_EM / view.type_size, _MOST_PIXELS / max(view.width, view.height))


def ink(before: Pixels, after: Pixels, view: PageView, footer: Footer) -> Ink:
    """The ink that a mark added, where the page before and after were drawn alike."""
    if before.shape != after.shape:
        return Ink(0, 0)
    changed = np.abs(after - before)
    scale = pixels_a_point(view)
    height = changed.shape[0]
    top = footer.baseline + (footer.lines - 1) * footer.leading + _ABOVE * view.type_size
    first = max(0, height - round(top * scale))
    last = min(height, height - round((footer.baseline - _BELOW * view.type_size) * scale))
    band = changed[first:last]
    pale = np.count_nonzero(changed >= _DIAGONAL_LEVELS) - np.count_nonzero(band >= _DIAGONAL_LEVELS)
    em = diagonal_size(view)[0] * scale
    return Ink(float(np.count_nonzero(band >= _FOOTER_LEVELS)), float(pale / em**2))


def judge_page(
    unmarked: Reader,
    bare: Reader,
    marked: Reader,
    index: int,
    view: PageView,
    footer: Footer,
    mark: Mark,
    blank: Ink,
) -> PageFinding:
    """What holds of one page of the copy `marked`.

    `unmarked` is the report, `bare` the copy with its words moved but without its visible mark, `blank` the ink of this
    mark on a blank page.
    """
    before, after = unmarked.text(index), marked.text(index)
    if before is None or after is None:
        # pypdf cannot read this page even unmarked; PDFium can.
        before, after = unmarked.pdfium_text(index), marked.pdfium_text(index)
    seen = ink(bare.pixels(index, view), marked.pixels(index, view), view, footer)
    return PageFinding(
        footer_read=_reads(after, mark),
        text_unchanged=without_mark(after, mark.copy_id) == without_mark(before, mark.copy_id),
        footer_seen=bool(seen.footer >= FOOTER_SHARE * blank.footer),
        diagonal_seen=bool(seen.diagonal >= DIAGONAL_SHARE * blank.diagonal),
    )


def _reads(text: str, mark: Mark) -> bool:
    """Whether the footer stands in the text with all its fields; extraction may part or join its words."""
    found = own_strings(mark.copy_id).search(text)
    if found is None:
        return False
    footer = "".join(found.group().split())
    return all("".join(part.split()) in footer for _, part in mark.fields())
