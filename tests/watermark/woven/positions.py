"""Where PDFium sees each letter of a page, and how far weaving moved it: a judge that shares no code with weaving."""

from __future__ import annotations

import ctypes
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

import pikepdf
import pypdfium2 as pdfium
import pypdfium2.raw as raw
from pikepdf import Name

from watermark.content import Matrix, invert
from watermark.pages import SourcePage, source_pages
from watermark.woven.text import Line, Word
from watermark.woven.threads import Thread, Weaver

ROUNDING = 0.02
"""Points by which numbers in a content stream may be off."""

FARTHEST = 0.35

# A letter raised or lowered by less, in em, belongs to a word on the line.
_RISEN = 0.5
# PDFium counts in whole thousandths of an em, so along a line its letters come to stand off by some of them.
_DRIFT = 0.08


class LettersDiffer(AssertionError):
    """PDFium reads other letters, or fewer, so not all can be judged: it leaves out one that lies on its like."""


@dataclass(frozen=True)
class Letter:
    """A letter that the page draws, and its origin in the page's own coordinates."""

    text: str
    x: float
    y: float


def letters(pdf: bytes) -> list[list[Letter]]:
    """The letters of each page in the order in which PDFium reads them; no white space."""
    document = pdfium.PdfDocument(pdf)
    try:
        return [_letters(page) for page in document]
    finally:
        document.close()


def _letters(page: pdfium.PdfPage) -> list[Letter]:
    text = page.get_textpage()
    found = []
    x, y = ctypes.c_double(), ctypes.c_double()
    for index in range(raw.FPDFText_CountChars(text)):
        character = chr(raw.FPDFText_GetUnicode(text, index))
        if raw.FPDFText_IsGenerated(text, index) == 1 or character.isspace():
            continue
        if raw.FPDFText_GetCharOrigin(text, index, x, y):
            found.append(Letter(character, x.value, y.value))
    text.close()
    page.close()
    return found


@dataclass(frozen=True)
class Page:
    """A page's threads, and the matrix from its own coordinates to the page as it is seen."""

    threads: list[Thread]
    seen: Matrix

    def words(self) -> list[tuple[Word, Line, bool]]:
        """Every word that the page draws, its line, and whether it has a bit."""
        return [
            (word, line, word in thread.woven.moved)
            for thread in self.threads
            for line in thread.text.lines
            for word in line.words
        ]


class Sample:
    """A document woven as it comes, its words not yet proved by readers; its source stays at hand to compare with."""

    def __init__(self, pdf: bytes) -> None:
        self._document = pikepdf.open(BytesIO(pdf))
        self._sources: list[SourcePage] = list(source_pages(self._document))
        self.unwoven = self._written()
        weaver = Weaver()
        self.pages: list[Page] = []
        for source in self._sources:
            seen = invert(source.view.matrix)
            assert seen is not None
            self.pages.append(Page(weaver.threads(source), seen))
        self.threads = list({id(thread): thread for page in self.pages for thread in page.threads}.values())

    @property
    def woven_words(self) -> int:
        """How many words have a bit."""
        return sum(len(thread.woven.moved) for thread in self.threads)

    def with_bits(self, bits: Mapping[int, Sequence[int]]) -> bytes:
        """The document where the words of a thread, by its `id`, have these bits."""
        for source, page in zip(self._sources, self.pages, strict=True):
            for thread in page.threads:
                content = thread.woven.with_bits(bits[id(thread)])
                if thread.form is None:
                    source.page[Name.Contents] = self._document.make_stream(content)
                else:
                    thread.form.write(content)
        return self._written()

    def patterns(self) -> list[dict[int, Sequence[int]]]:
        """All 0, all 1, both alternating patterns, and one by chance."""
        chance = random.Random(4)
        counts = {id(thread): len(thread.woven.moved) for thread in self.threads}
        return [
            {key: [0] * count for key, count in counts.items()},
            {key: [1] * count for key, count in counts.items()},
            {key: [index % 2 for index in range(count)] for key, count in counts.items()},
            {key: [1 - index % 2 for index in range(count)] for key, count in counts.items()},
            {key: [chance.randrange(2) for _ in range(count)] for key, count in counts.items()},
        ]

    def _written(self) -> bytes:
        written = BytesIO()
        self._document.save(written)
        return written.getvalue()


def assert_moved_as_bits_say(sample: Sample) -> None:
    """Fail unless PDFium sees each word with a bit move by its reach to the side that its bit says, all its letters
    alike, and nothing else move; whatever the bits."""
    before = letters(sample.unwoven)
    for bits in sample.patterns():
        after = letters(sample.with_bits(bits))
        for page, first, second in zip(sample.pages, before, after, strict=True):
            _assert_page_moved(page, bits, first, second)


def _assert_page_moved(
    page: Page, bits: Mapping[int, Sequence[int]], before: list[Letter], after: list[Letter]
) -> None:
    if [letter.text for letter in before] != [letter.text for letter in after]:
        raise LettersDiffer
    bit_of = {
        word: (bits[id(thread)][number], thread.reach[word])
        for thread in page.threads
        for number, word in enumerate(thread.woven.moved)
    }
    seen_moving = set()
    words = _Words(page)
    for first, second in zip(before, after, strict=True):
        word, along, across = words.at(first, second)
        assert abs(across) < ROUNDING / 4, (first, second)
        if word not in bit_of:
            assert abs(along) <= ROUNDING, (first, along)
            continue
        bit, reach = bit_of[word]
        seen_moving.add(word)
        assert (along > 0) == bool(bit), (first, along, bit)
        assert abs(abs(along) - reach) <= ROUNDING, (first, along, reach)
        assert abs(along) <= FARTHEST + ROUNDING, (first, along)
    if seen_moving != bit_of.keys() and len(before) < sum(word.glyphs for word, _, _ in page.words()):
        raise LettersDiffer
    assert seen_moving == bit_of.keys()


class _Words:
    """The words of a page, to be found by where their letters stand."""

    def __init__(self, page: Page) -> None:
        self._seen = page.seen
        self._rows: dict[int, list[tuple[Word, Line]]] = {}
        self._angles = {line.angle for thread in page.threads for line in thread.text.lines}
        for word, line, _ in page.words():
            reach = math.ceil(_RISEN * word.em)
            for row in range(math.floor(line.across) - reach, math.floor(line.across) + reach + 2):
                self._rows.setdefault(row, []).append((word, line))

    def at(self, first: Letter, second: Letter) -> tuple[Word | None, float, float]:
        """The word of a letter, or None where no word is; and how far it moved along its line, and across."""
        x, y = _through(self._seen, first.x, first.y)
        moved_x, moved_y = _through(self._seen, second.x, second.y)
        for angle in self._angles:
            cosine, sine = math.cos(angle), math.sin(angle)
            along, across = x * cosine + y * sine, y * cosine - x * sine
            near = [
                (abs(line.across - across), -word.start, number, word)
                for number, (word, line) in enumerate(self._rows.get(round(across), ()))
                if line.angle == angle
                and abs(line.across - across) < _RISEN * word.em
                and word.start - _DRIFT * word.em <= along < word.stop + _DRIFT / 2 * word.em
            ]
            if near:
                dx, dy = moved_x - x, moved_y - y
                return min(near)[-1], dx * cosine + dy * sine, dy * cosine - dx * sine
        return None, math.hypot(moved_x - x, moved_y - y), 0.0


def _through(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f
