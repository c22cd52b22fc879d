"""Verify: a copy, read by pypdf and drawn by PDFium, carries its mark visibly on each page and is otherwise unchanged.

The two parsers share no code with the one that compiled it.
"""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pypdf
import pypdfium2 as pdfium

from watermark.mark import LABEL
from watermark.visible import PageView, diagonal_size

# Pages are drawn so large that an em of the footer has this many pixels: as a screen shows it.
PIXELS_AN_EM = 6
# The longer side of a drawn page, for pages of an extreme shape.
_MOST_PIXELS = 8000
# A change of a pixel, of 255 levels, that counts: footers are dark, diagonals pale.
_FOOTER_LEVELS, _DIAGONAL_LEVELS = 24, 6
# How much of the ink that a mark has on a blank page must be seen on a page.
FOOTER_SHARE, DIAGONAL_SHARE = 0.5, 0.3

Pixels = "np.ndarray[tuple[int, int], np.dtype[np.int16]]"


@dataclass(frozen=True)
class Ink:
    """Changed pixels of a mark: of its footer, and of its diagonal divided by the square of its em in pixels."""

    footer: float
    diagonal: float


@dataclass(frozen=True)
class PageFinding:
    """What was found of a page's mark: in its text, in the pixels, and whether the rest of the text is as before."""

    footer_read: bool
    footer_seen: bool
    diagonal_seen: bool
    text_unchanged: bool

    @property
    def good(self) -> bool:
        """Whether the page may be lent."""
        return self.footer_read and self.footer_seen and self.diagonal_seen and self.text_unchanged


@dataclass(frozen=True)
class MarkedPage:
    """Where a page's footer stands: `baseline` points above the visible bottom, `lines` lines of it."""

    view: PageView
    baseline: float
    lines: int


def own_strings(copy_id: str) -> "re.Pattern[str]":
    """What the mark adds to a page's text: from its label to its copy id, with the line's end."""
    return re.compile(rf"[ \t]*{LABEL}(?:(?!{LABEL}).)*?{copy_id}[ \t]*\n?", re.DOTALL)


def without_mark(text: str, copy_id: str) -> str:
    """The text of a page without the mark's own strings and without empty lines and spaces at the ends of lines."""
    rest = own_strings(copy_id).sub("\n", text)
    return "\n".join(line for line in (line.rstrip() for line in rest.splitlines()) if line)


class Reader:
    """One PDF, its pages' text by pypdf and their pixels by PDFium."""

    def __init__(self, pdf: bytes) -> None:
        self._pypdf = pypdf.PdfReader(BytesIO(pdf))
        self._pdfium = pdfium.PdfDocument(pdf)

    @property
    def page_count(self) -> int:
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
        try:
            return self._pypdf.pages[index].extract_text()
        except Exception:
            return None

    def pdfium_text(self, index: int) -> str:
        """The page's text by PDFium."""
        page = self._pdfium[index]
        try:
            text = page.get_textpage()
            try:
                return text.get_text_bounded()
            finally:
                text.close()
        finally:
            page.close()

    def pixels(self, index: int, view: PageView) -> "np.ndarray[tuple[int, int], np.dtype[np.int16]]":
        """The page in grey, as `PIXELS_AN_EM` says."""
        scale = min(PIXELS_AN_EM / view.type_size, _MOST_PIXELS / max(view.width, view.height))
        page = self._pdfium[index]
        try:
            # PDFium ignores UserUnit.
            width, height = page.get_size()
            factor = scale * max(view.width, view.height) / max(width, height, 1e-6)
            bitmap = page.render(scale=factor, grayscale=True)
            return bitmap.to_numpy().astype(np.int16).reshape(bitmap.height, bitmap.width)
        finally:
            page.close()

    def close(self) -> None:
        with suppress(Exception):
            self._pdfium.close()
