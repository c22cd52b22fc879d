"""A whole document woven as `compile` does it: cleaned, proved by readers; with and without the visible mark."""

from __future__ import annotations

import math
from functools import cached_property
from io import BytesIO

import numpy as np
import pikepdf
from numpy.typing import NDArray

from tests.watermark.builders import ANA, SEED, reading
from tests.watermark.readers import pictures
from tests.watermark.woven.positions import Page, Sample
from watermark.clean import clean
from watermark.compile import _woven, compile_pdf
from watermark.content import invert
from watermark.mint import mint
from watermark.pages import SourcePage, source_pages
from watermark.stamp import stamp
from watermark.template import SlotTable
from watermark.verify import Reader
from watermark.woven.fidelity import alternating
from watermark.woven.text import Line, Word

DOTS_AN_INCH = 100
# PDFium draws a letter from a whole pixel on, so where rounding moves one by 0.005 points, it may tip over to the next.
_MOST_TIPPED = 0.02
_LEAST_CHANGE = 8  # of 255 levels: less is no ink


class Document(Sample):
    """A document whose words were proved: those that move change no reader's text."""

    def __init__(self, pdf: bytes) -> None:
        self.source = pdf
        self._document = pikepdf.open(BytesIO(pdf))
        clean(self._document)
        self._sources: list[SourcePage] = list(source_pages(self._document))
        self.unwoven = self._written()
        reader = Reader(self.unwoven)
        drawn = _woven(self._document, self._sources, reader)
        reader.close()
        self.pages = []
        for source, threads in zip(self._sources, drawn, strict=True):
            seen = invert(source.view.matrix)
            assert seen is not None
            self.pages.append(Page(threads, seen))
        self.threads = list({id(t): t for threads in drawn for t in threads}.values())

    def alternating(self, parity: int) -> bytes:
        """The document without a mark, every gap at its widest or narrowest."""
        return self.with_bits({id(t): alternating(len(t.woven.moved), parity) for t in self.threads})

    @cached_property
    def template(self) -> bytes:
        """What `compile` makes of it."""
        return compile_pdf(self.source, SEED)[1]

    def copy(self, parity: int) -> bytes:
        """A stamped copy with alternating bits."""
        table = SlotTable.decode(self.template)
        bits = np.array(alternating(table.words, parity), np.uint8) if table.words else None
        return b"".join(stamp(table, mint(table, ANA), reading(self.template), bits=bits))

    def share(self) -> float:
        """The part of its words that carry a bit."""
        return self.woven_words / sum(len(page.words()) for page in self.pages)


def assert_pictures_differ_only_at_words(document: Document, before: bytes, after: bytes) -> None:
    """Fail unless pages are drawn alike but for where words that move stand."""
    for page, source, first, second in zip(
        document.pages, document._sources, pictures(before), pictures(after), strict=True
    ):
        assert first.shape == second.shape
        changed = np.abs(first - second) >= _LEAST_CHANGE
        height = source.view.height
        words = page.words()
        changed &= ~_where([(word, line) for word, line, moves in words if moves], changed.shape, height)
        staying = [(word, line) for word, line, moves in words if not moves]
        tipped = [pair for pair in staying if (changed & _where([pair], changed.shape, height)).any()]
        assert len(tipped) <= _MOST_TIPPED * len(words)
        changed &= ~_where(tipped, changed.shape, height)
        assert not changed.any(), np.argwhere(changed)[:5]


def _where(words: list[tuple[Word, Line]], shape: tuple[int, ...], height: float) -> NDArray[np.bool_]:
    scale = DOTS_AN_INCH / 72
    mask = np.zeros(shape, bool)
    for word, line in words:
        cosine, sine = math.cos(line.angle), math.sin(line.angle)
        corners = [
            (along * cosine - across * sine, along * sine + across * cosine)
            for along in (word.start - 0.15 * word.em, word.stop + 0.15 * word.em)
            for across in (line.across - 0.4 * word.em, line.across + 1.1 * word.em)
        ]
        grown = 0.35 + 1 / scale
        left, right = (f(x for x, _ in corners) for f in (min, max))
        bottom, top = (f(y for _, y in corners) for f in (min, max))
        rows = slice(
            max(0, int((height - top - grown) * scale)), max(0, math.ceil((height - bottom + grown) * scale))
        )
        columns = slice(max(0, int((left - grown) * scale)), max(0, math.ceil((right + grown) * scale)))
        mask[rows, columns] = True
    return mask
