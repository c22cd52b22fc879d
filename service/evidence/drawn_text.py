"""Text of any script in a PDF of reportlab: what its own text handling cannot shape is drawn as outlines.

Beneath the outlines the text lies invisible, so that it can be searched and copied: from left to right as it is seen,
which is what poppler's `pdftotext` turns into reading order.
"""

from __future__ import annotations

import unicodedata
from codecs import BOM_UTF16_BE
from collections.abc import Callable
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from fontpkg_noto_sans import ROOT
from fontTools.pens.basePen import BasePen
from fontTools.unicodedata import script
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph

from watermark.bidi import runs_rtl
from watermark.errors import Unmarkable
from watermark.fonts import system_fonts
from watermark.shaping import EM, Cluster, shape, width

FONT = "SummarySans"

_PLAIN_SCRIPTS = frozenset({"Latn", "Grek", "Cyrl", "Zyyy"})
_PLAIN_CATEGORIES = frozenset("LNPSZ")
_FILLER = "\ufffd"
"""The invisible letter that a line of text lies on; what a reader finds that knows no `ActualText`."""

_INVISIBLE = 3
"""The text rendering mode of PDF that paints nothing."""


@cache
def register_font() -> None:
    """Make `FONT` known to reportlab, once a process."""
    pdfmetrics.registerFont(TTFont(FONT, str(ROOT / "files" / "NotoSans[wdth,wght].ttf")))


def flowable(text: str, style: Any, *, flush: bool = False) -> Flowable:
    """The text as a paragraph of this style, whatever script it has. What no font here draws stands as `U+1F600`.

    `flush`: a text that runs from right to left stands at the right.
    """
    register_font()
    text = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text)
    if _is_plain(text):
        return Paragraph(escape(text), style)
    shapeable = _shapeable(text)
    return Paragraph(escape(shapeable), style) if _is_plain(shapeable) else Outlined(shapeable, style, flush)


class Outlined(Flowable):  # type: ignore[misc]
    """A paragraph whose letters are drawn as outlines; flush left, or as `flowable` says."""

    def __init__(self, text: str, style: Any, flush: bool = False, rtl: bool | None = None) -> None:
        super().__init__()
        self._text = text
        self._style = style
        self.spaceBefore, self.spaceAfter = style.spaceBefore, style.spaceAfter
        self._flush = flush
        self._rtl = runs_rtl(text) if rtl is None else rtl
        self._broken: list[str] = []
        self._lines: list[list[Cluster]] = []
        self._room = 0.0

    def wrap(self, available: float, height: float) -> tuple[float, float]:
        """Breaks the text into lines as wide as there is room."""
        self._room = available / self._style.fontSize * EM
        self._broken = _broken(self._text, lambda text: width(self._shaped(text)) <= self._room)
        self._lines = [self._shaped(line) for line in self._broken]
        return available, len(self._lines) * self._style.leading

    def split(self, available: float, height: float) -> list[Flowable]:
        """The lines that there is room for, and the rest; none when there is room for no line."""
        fitting = int(height // self._style.leading)
        if not 0 < fitting < len(self._broken):
            return []
        parts = (self._broken[:fitting], self._broken[fitting:])
        return [Outlined(" ".join(part), self._style, self._flush, self._rtl) for part in parts]

    def draw(self) -> None:
        """Draws the lines from the top down."""
        size, leading = self._style.fontSize, self._style.leading
        for number, line in enumerate(self._lines):
            baseline = (len(self._lines) - number) * leading - size
            left = (self._room - width(line)) * size / EM if self._flush and self._rtl else 0.0
            _draw_line(self.canv, line, left, baseline, size, self._style.textColor)

    def _shaped(self, text: str) -> list[Cluster]:
        try:
            return shape("text", text, system_fonts(), self._rtl)
        except Unmarkable:  # a line by itself: which font draws a shared character depends on its neighbours
            return shape("text", "".join(map(_drawable, text)), system_fonts(), self._rtl)


class _CanvasPen(BasePen):  # type: ignore[misc]
    """Draws a glyph's outline, scaled and moved, into a path of reportlab."""

    def __init__(self, path: Any, x: float, y: float, scale: float) -> None:
        super().__init__(None)
        self._path = path
        self._x, self._y, self._scale = x, y, scale

    def _at(self, *points: tuple[float, float]) -> list[float]:
        return [value for x, y in points for value in (self._x + x * self._scale, self._y + y * self._scale)]

    def _moveTo(self, point: tuple[float, float]) -> None:
        self._path.moveTo(*self._at(point))

    def _lineTo(self, point: tuple[float, float]) -> None:
        self._path.lineTo(*self._at(point))

    def _curveToOne(
        self, first: tuple[float, float], second: tuple[float, float], end: tuple[float, float]
    ) -> None:
        self._path.curveTo(*self._at(first, second, end))

    def _closePath(self) -> None:
        self._path.close()


def _draw_line(
    canvas: Any, line: list[Cluster], left: float, baseline: float, size: float, colour: Any
) -> None:
    canvas.saveState()
    canvas.translate(left, 0)
    canvas.setFillColor(colour)
    path, pen = canvas.beginPath(), 0.0
    for cluster in line:
        for part in cluster.parts:
            x, y = (pen + part.x) * size / EM, baseline + part.y * size / EM
            outline = _CanvasPen(path, x, y, size / part.face.units_per_em)
            part.face.font.draw_glyph_with_pen(part.glyph, outline)
        pen += cluster.advance
    canvas.drawPath(path, stroke=0, fill=1, fillMode=1)
    below = canvas.beginText(0, baseline)
    below.setTextRenderMode(_INVISIBLE)
    below.setFont(FONT, size)
    below.setHorizScale(100 * pen / EM * size / pdfmetrics.stringWidth(_FILLER, FONT, size))
    below.textOut(_FILLER)
    # What the invisible letters stand for (PDF 1.7, section 14.9.4): reportlab itself has no operator for it.
    text = "".join(cluster.text for cluster in line)
    actual = (BOM_UTF16_BE + text.encode("utf-16-be")).hex()
    canvas._code.append(f"/Span <</ActualText <{actual}>>> BDC")
    canvas.drawText(below)
    canvas._code.append("EMC")
    canvas.restoreState()


def _is_plain(text: str) -> bool:
    """Whether reportlab itself can set it: letters that stand one after the other, and are in its font."""
    glyphs = pdfmetrics.getFont(FONT).face.charToGlyph
    return all(
        script(c) in _PLAIN_SCRIPTS and unicodedata.category(c)[0] in _PLAIN_CATEGORIES and ord(c) in glyphs
        for c in text
    )


def _shapeable(text: str) -> str:
    """The text, and in place of what no font here draws its code point."""
    try:
        shape("text", text, system_fonts())
    except Unmarkable:
        return "".join(_drawable(character) for character in text)
    return text


@cache
def _drawable(character: str) -> str:
    try:
        system_fonts().check("text", character)
    except Unmarkable:
        return f"[U+{ord(character):04X}]"
    return character


def _broken(text: str, fits: Callable[[str], bool]) -> list[str]:
    """The text in lines, each as long as fits: broken at spaces, and within a word that has no room by itself."""
    lines, line = [], ""
    for word in text.split():
        joined = f"{line} {word}" if line else word
        if fits(joined):
            line = joined
            continue
        if line:
            lines.append(line)
        line = ""
        for letter in _letters(word):
            if line and not fits(line + letter):
                lines.append(line)
                line = ""
            line += letter
    return [*lines, line] if line else lines


def _letters(word: str) -> list[str]:
    """Its characters, each with the marks and joiners that follow it."""
    found: list[str] = []
    for character in word:
        if found and (unicodedata.category(character)[0] == "M" or unicodedata.category(character) == "Cf"):
            found[-1] += character
        else:
            found.append(character)
    return found
