"""What moves on a template's pages, and by which word: learnt by stamping it and looking.

A template is stamped without a mark: once with all bits 0, once with all 1, and once for each binary digit of the
words' numbers, word w with that digit of w + 1. So the places of a letter, one after the other, spell the number of
the word that it moves with. Nothing here parses content, so nothing here errs as weaving might.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from watermark.mint import unsafe_bare_fill
from watermark.stamp import stamp
from watermark.template import SlotTable
from watermark.woven.letters import MOST_NEAR, LetterReader, Letters, Places

# A letter is taken to stand at a place that it is nearer to than this share of the way to the other one.
_NEARNESS = 0.25
# Letters that move by fewer points move with no word: PDFium keeps places to a ten-thousandth of a point.
_STILL = 0.02


@dataclass(frozen=True)
class Movers:
    """The letters of a page that move with its words: the code of each, both its places by bit, its word's number.

    `still` are the letters that do not move, by their index among the page's.
    """

    codes: NDArray[np.uint32]
    places: tuple[Places, Places]
    words: NDArray[np.int64]
    still: NDArray[np.intp]

    def bits(self, letters: Letters) -> NDArray[np.int8]:
        """At which of its places each letter stands: 0, 1; or -1: at neither or, if it is printed twice, at both."""
        nearness = np.minimum(_NEARNESS * _distance(self.places), MOST_NEAR)
        at = [letters.near(self.codes, places, nearness) for places in self.places]
        return np.where(at[0] == at[1], -1, at[1]).astype(np.int8)

    def only(self, kept: NDArray[np.bool_], words: NDArray[np.int64]) -> "Movers":
        """Those of them that are `kept`, with these words."""
        return Movers(self.codes[kept], (self.places[0][kept], self.places[1][kept]), words[kept], self.still)


class Reference:
    """The unmarked pages of a template, and what moves on them."""

    def __init__(self, template: bytes, table: SlotTable) -> None:
        self._template = template
        self._table = table
        self.words = table.words
        self.pages = self._letters(np.zeros(self.words, np.uint8), None)
        """Each page's letters where all bits are 0."""
        self._movers: dict[int, Movers] = {}

    def movers(self, pages: Iterable[int]) -> Mapping[int, Movers]:
        """What moves on each of these pages, at least."""
        new = sorted(set(pages) - self._movers.keys())
        if new:
            self._movers |= self._learn(new)
        return self._movers

    def _learn(self, pages: Sequence[int]) -> dict[int, Movers]:
        ones = self._letters(np.ones(self.words, np.uint8), pages)
        found = {page: _moving(self.pages[page], letters) for page, letters in ones.items()}
        numbers = np.arange(1, self.words + 1)
        spelt = {page: np.zeros(len(movers.codes), np.int64) for page, movers in found.items()}
        for digit in range(self.words.bit_length()):
            letters = self._letters((numbers >> digit & 1).astype(np.uint8), pages)
            for page, movers in found.items():
                bits = movers.bits(letters[page]).astype(np.int64)
                spelt[page] = np.where((bits < 0) | (spelt[page] < 0), -1, spelt[page] | bits << digit)
        return {
            page: movers.only((spelt[page] > 0) & (spelt[page] <= self.words), spelt[page] - 1)
            for page, movers in found.items()
        }

    def _letters(self, bits: NDArray[np.uint8], pages: Iterable[int] | None) -> Mapping[int, Letters]:
        copy = b"".join(
            stamp(
                self._table,
                unsafe_bare_fill(self._table),
                self._read,
                bits=bits if self.words else None,
            )
        )
        with closing(LetterReader(copy)) as reader:
            wanted = range(reader.page_count) if pages is None else pages
            return {page: reader.letters(page) for page in wanted}

    def _read(self, start: int, stop: int) -> Iterator[memoryview]:
        yield memoryview(self._template)[start:stop]


def _moving(zeros: Letters, ones: Letters) -> Movers:
    """The letters that `ones`, the same page, has elsewhere than `zeros`. Of none the word is known yet."""
    first, second = _paired(zeros.codes, ones.codes)
    places = zeros.places[first], ones.places[second]
    moved = _distance(places) > _STILL
    unknown = np.full(len(first), -1)
    return Movers(zeros.codes[first], places, unknown, first[~moved]).only(moved, unknown)


def _paired(
    first: NDArray[np.uint32], second: NDArray[np.uint32]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which letter of one text is which of the other; they differ a little where PDFium orders a line anew."""
    if np.array_equal(first, second):
        every = np.arange(len(first))
        return every, every
    blocks = SequenceMatcher(None, first.tolist(), second.tolist(), autojunk=False).get_matching_blocks()
    pairs = [(a + step, b + step) for a, b, size in blocks for step in range(size)]
    one, other = np.array(pairs, np.intp).reshape(-1, 2).T
    return one, other


def _distance(places: tuple[Places, Places]) -> NDArray[np.float64]:
    distance: NDArray[np.float64] = np.hypot(*(places[1] - places[0]).T)
    return distance
