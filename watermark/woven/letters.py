"""The letters of a PDF's pages with their places, as PDFium reads them: for files of which nothing is trusted."""

from contextlib import closing, suppress
from ctypes import byref, c_double
from dataclasses import dataclass

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as raw
from numpy.typing import NDArray

from watermark.errors import RefusalReason, Refused

Places = NDArray[np.float64]
"""(n, 2): x and y of letters' origins in points, in a page's own coordinates: its boxes and rotation change nothing."""

# Cells in which letters are looked up, in points; nearness is at most half of it, so four cells hold all that is near.
_CELL = 1.0
MOST_NEAR = _CELL / 2
# Letters of one code in one cell beyond this many are not told apart: only a hostile page has them.
_MOST_IN_CELL = 16
# Beyond it PDFium's single precision no longer places a letter.
_FARTHEST = 1e6
# White space, by which words are parted: PDFium generates some of it.
_NO_LETTERS = frozenset((9, 10, 11, 12, 13, 32, 0xA0, 0x3000, *range(0x2000, 0x200C)))


@dataclass(frozen=True)
class Letters:
    """A page's letters in the order of its text, without white space: what each stands for, and where it stands."""

    codes: NDArray[np.uint32]
    places: Places

    def __len__(self) -> int:
        return len(self.codes)

    def near(
        self, codes: NDArray[np.uint32], places: Places, nearness: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Whether such a letter stands no farther than its `nearness` from each place.

        `nearness` is in points, at most `MOST_NEAR`.
        """
        keys = _cells(self.codes, np.floor(self.places / _CELL).astype(np.int64))
        order = np.argsort(keys, kind="stable")
        keys, standing = keys[order], self.places[order]
        found = np.zeros(len(codes), bool)
        if not len(keys):
            return found
        corner = np.floor(places / _CELL - MOST_NEAR / _CELL).astype(np.int64)
        for right, up in ((0, 0), (0, 1), (1, 0), (1, 1)):
            wanted = _cells(codes, corner + np.array((right, up)))
            first = np.searchsorted(keys, wanted)
            for number in range(_MOST_IN_CELL):
                index = np.minimum(first + number, len(keys) - 1)
                same = keys[index] == wanted
                if not same.any():
                    break
                found |= same & (np.hypot(*(standing[index] - places).T) <= nearness)
        return found


class LetterReader:
    """One PDF, read by PDFium. Raises `Refused` for what it cannot open and for more than `max_pages` pages."""

    def __init__(self, pdf: bytes, max_pages: int | None = None) -> None:
        try:
            self._document = pdfium.PdfDocument(pdf)
        except pdfium.PdfiumError as error:
            password = getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD
            raise Refused(RefusalReason.NEEDS_PASSWORD if password else RefusalReason.DAMAGED) from error
        self.page_count = len(self._document)
        if max_pages is not None and self.page_count > max_pages:
            self._document.close()
            raise Refused(RefusalReason.TOO_MANY_PAGES)

    def letters(self, index: int) -> Letters:
        """The letters of this page, none if PDFium cannot read it."""
        with (
            suppress(pdfium.PdfiumError),
            closing(self._document[index]) as page,
            closing(page.get_textpage()) as text,
        ):
            return _read(text.raw)
        return _letters([], [])

    def close(self) -> None:
        """Free what PDFium holds."""
        self._document.close()


def _read(text: object) -> Letters:
    codes: list[int] = []
    places: list[tuple[float, float]] = []
    x, y = c_double(), c_double()
    to_x, to_y = byref(x), byref(y)
    for index in range(raw.FPDFText_CountChars(text)):
        code = raw.FPDFText_GetUnicode(text, index)
        if code in _NO_LETTERS:
            continue
        if raw.FPDFText_GetCharOrigin(text, index, to_x, to_y):
            codes.append(code)
            places.append((x.value, y.value))
    return _letters(codes, places)


def _letters(codes: list[int], places: list[tuple[float, float]]) -> Letters:
    kept = np.array(places, float).reshape(-1, 2)
    known = (np.abs(kept) < _FARTHEST).all(1)  # False for what is no number, too
    return Letters(np.array(codes, np.uint32)[known], kept[known])


def _cells(codes: NDArray[np.uint32], cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number for each code and cell: 22 bits of code, 21 each of x and y, so no two are equal."""
    return (codes.astype(np.int64) & 0x1FFFFF) << 42 | (cells[:, 0] & 0x1FFFFF) << 21 | cells[:, 1] & 0x1FFFFF
