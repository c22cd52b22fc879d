"""The woven operands of a template as its table keeps them: columns of integers, deflated. `TEMPLATE.md` has the bytes.

A report has tens of thousands of operands, so a column holds what differs from the operand before it, and little of it.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from watermark.errors import TemplateError
from watermark.woven.operand import ALPHABET, MAX_WIDTH

Ints = NDArray[np.int64]

# 2,000 pages of 1,000 gaps. With it 80 MB are the most that a table inflates to.
MAX_OPERANDS = 2**21
# Some three blocks a page, of 2,000 pages; numbers of books have no more than two bytes.
MAX_BOOKS = 2**16
# The characters of `ALPHABET` do not fit into shorter codes; longer ones not into a mask of 64 bits.
MIN_CODE, MAX_CODE = 4, 7

# RFC 1950, 8.2: the largest prime below 2^16.
ADLER_MODULUS = 65521

_HEADER = Struct(">III")
_BOOK = Struct(f">B{len(ALPHABET)}B")
# Bytes of an integer in each column, in the order in which they lie.
_SIZES = (5, 4, 4, 2, 1, 1, 4, 4, 4, 4, 4)


class Book(Protocol):
    """The codes of one deflate block: `length` bits each, by position in `ALPHABET`, their first bit lowest."""

    @property
    def length(self) -> int: ...
    @property
    def codes(self) -> tuple[int, ...]: ...


@dataclass(frozen=True)
class Columns:
    """What is known of each woven operand, by rising place in the body; each array has one element an operand.

    `bit` is the place of its first character's code in the body (bit n is `body[n // 8] >> n % 8 & 1`), `book` the
    number of its row in `books`, `stream` that of its stream's record, `after` how many bytes follow it in the inflated
    stream, modulo 65521. `base`, `left`, `right`, `width`, `decimals` are those of `Operand`; `left_word` and
    `right_word` number the words on its sides, -1 for none, whose change is 0. `books` has a row a book: the length of
    its codes, then the codes. `words` is how many words there are.
    """

    words: int
    books: Ints
    bit: Ints
    book: Ints
    stream: Ints
    after: Ints
    width: Ints
    decimals: Ints
    base: Ints
    left: Ints
    right: Ints
    left_word: Ints
    right_word: Ints

    @property
    def bits(self) -> Ints:
        """How many bits each operand's text takes."""
        bits: Ints = self.width * self.books[self.book, 0]
        return bits


def pack(columns: Columns) -> bytes:
    """The columns as the table's section holds them. Raises `TemplateError` when they break what `unpack` checks."""
    _check(columns)
    gap = np.diff(columns.bit, prepend=0)
    gap[1:] -= columns.bits[:-1]
    if (gap < 0).any():
        raise TemplateError("Woven operands overlap, or are not in order.")
    before = _last_right(columns.right_word)
    # At a line's ends, where there is no word, the column goes on as within the line.
    lefts = np.where(columns.left_word < 0, -columns.right, columns.left)
    rights = np.where(columns.right_word < 0, -columns.left, columns.right)
    stored = (
        gap,
        _zigzag(np.diff(columns.book, prepend=0)),
        _zigzag(np.diff(columns.stream, prepend=0)),
        -np.diff(columns.after, prepend=0) % ADLER_MODULUS,
        columns.width,
        columns.decimals,
        _zigzag(columns.base),
        _zigzag(np.diff(lefts, prepend=0)),
        _zigzag(lefts + rights),
        np.where(columns.left_word < 0, 0, _zigzag(columns.left_word - before) + 1),
        np.where(columns.right_word < 0, 0, _zigzag(columns.right_word - before - 1) + 1),
    )
    # Each column its own block: its codes fit it alone.
    compressor = zlib.compressobj(9)
    parts = [_HEADER.pack(columns.words, len(columns.bit), len(columns.books))]
    parts.append(compressor.compress(b"".join(_BOOK.pack(*map(int, book)) for book in columns.books)))
    for values, size in zip(stored, _SIZES, strict=True):
        parts += (compressor.flush(zlib.Z_BLOCK), compressor.compress(_planes(values, size)))
    parts.append(compressor.flush())
    return b"".join(parts)


def unpack(section: bytes) -> Columns:
    """The reverse of `pack`. Raises `TemplateError` unless every number is in its range and every text fits."""
    if len(section) < _HEADER.size:
        raise _damaged("is cut short")
    words, count, books = _HEADER.unpack_from(section)
    if count > MAX_OPERANDS or books > MAX_BOOKS:
        raise _damaged("claims more than a report can have")
    data = _inflated(section[_HEADER.size :], books * _BOOK.size + count * sum(_SIZES))
    rows = np.frombuffer(data, np.uint8, books * _BOOK.size).reshape(books, _BOOK.size).astype(np.int64)
    columns = _columns(words, rows, _stored(data[books * _BOOK.size :], count))
    _check(columns)
    return columns


def books_of(books: Sequence[Book]) -> Ints:
    """The books as `Columns.books` has them."""
    rows = [(book.length, *book.codes) for book in books]
    return np.array(rows, np.int64).reshape(len(books), _BOOK.size)


def _columns(words: int, books: Ints, stored: list[Ints]) -> Columns:
    gap, book, stream, after, width, decimals, base, left, right, left_word, right_word = stored
    numbers = np.cumsum(_unzigzag(book))
    if ((numbers < 0) | (numbers >= len(books))).any():
        raise _damaged("names no book")
    if (after >= ADLER_MODULUS).any():
        raise _damaged("holds a number out of its range")
    # Every right word moves the last one on; an operand without one leaves it.
    moved = np.where(right_word == 0, 0, _unzigzag(right_word - 1) + 1)
    last = np.cumsum(moved) - 1
    before = last - moved
    left_words = _unzigzag(left_word - 1) + before
    if ((left_word != 0) & (left_words < 0)).any() or ((right_word != 0) & (last < 0)).any():
        raise _damaged("names no word")
    lefts = np.cumsum(_unzigzag(left))
    lengths = width * books[numbers, 0]
    return Columns(
        words=words,
        books=books,
        bit=np.cumsum(gap) + np.cumsum(lengths) - lengths,
        book=numbers,
        stream=np.cumsum(_unzigzag(stream)),
        after=-np.cumsum(after) % ADLER_MODULUS,
        width=width,
        decimals=decimals,
        base=_unzigzag(base),
        left=np.where(left_word == 0, 0, lefts),
        right=np.where(right_word == 0, 0, _unzigzag(right) - lefts),
        left_word=np.where(left_word == 0, -1, left_words),
        right_word=np.where(right_word == 0, -1, last),
    )


def _check(columns: Columns) -> None:
    """Raise `TemplateError` unless the numbers make sense by themselves."""
    lengths, codes = columns.books[:, :1], columns.books[:, 1:]
    if (
        (lengths < MIN_CODE) | (lengths > MAX_CODE) | (codes >= 1 << lengths.clip(0, MAX_CODE)) | (codes < 0)
    ).any():
        raise _damaged("has codes of a length that cannot be")
    if (np.diff(np.sort(codes)) == 0).any():
        raise _damaged("has one code for two characters")
    for numbers in (columns.left_word, columns.right_word):
        if ((numbers < -1) | (numbers >= columns.words)).any():
            raise _damaged("names no word")
    if columns.words > 2 * len(columns.bit):
        raise _damaged("claims more words than operands can move")
    if (columns.stream < 0).any():
        raise _damaged("names no stream")
    if (np.diff(columns.stream) < 0).any():
        raise _damaged("lies in a stream before the one before it")
    if (columns.book < 0).any() or (columns.book >= len(columns.books)).any():
        raise _damaged("names no book")
    if ((columns.width < 1) | (columns.width > MAX_WIDTH) | (columns.decimals > MAX_WIDTH)).any():
        raise _damaged("has an operand of a width that cannot be")
    for change in (0, columns.left, columns.right, columns.left + columns.right):
        if (_length(columns.base + change, columns.decimals) > columns.width).any():
            raise _damaged("has a number that is wider than its operand")


def _length(values: Ints, decimals: Ints) -> Ints:
    """How many characters `Operand.text` needs for each number."""
    powers = 10 ** np.arange(1, MAX_WIDTH + 1)
    digits = np.searchsorted(powers, np.abs(values), side="right") + 1
    return np.maximum(digits, decimals + 1) + (decimals > 0) + (values < 0)


def _last_right(right_word: Ints) -> Ints:
    """For each operand the last right word of those before it; -1 where there is none."""
    here = np.where(right_word < 0, -1, np.arange(len(right_word)))
    latest = np.maximum.accumulate(np.concatenate([[-1], here]))[:-1]
    return np.concatenate([right_word, [-1]])[latest]


def _inflated(data: bytes, size: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(data, size + 1)
    except zlib.error as error:
        raise _damaged("does not inflate") from error
    if len(inflated) != size or not inflater.eof or inflater.unused_data:
        raise _damaged("has another length than it says")
    return inflated


def _planes(values: Ints, size: int) -> bytes:
    """The integers' highest bytes, then their next ones, and so on."""
    if (values < 0).any() or (values >= 1 << 8 * size).any():
        raise TemplateError("A number of a woven operand does not fit into the table.")
    return values.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - size :].T.tobytes()


def _stored(data: bytes, count: int) -> list[Ints]:
    """The columns' integers out of their planes."""
    planes = np.frombuffer(data, np.uint8).reshape(sum(_SIZES), count)
    columns = []
    for size in _SIZES:
        values = np.zeros(count, np.int64)
        for plane in planes[:size]:
            values = values << 8 | plane
        columns.append(values)
        planes = planes[size:]
    return columns


def _zigzag(values: Ints) -> Ints:
    """0, -1, 1, -2, 2, … as 0, 1, 2, 3, 4, …"""
    return values << 1 ^ values >> 63


def _unzigzag(values: Ints) -> Ints:
    return values >> 1 ^ -(values & 1)


def _damaged(what: str) -> TemplateError:
    return TemplateError(f"The template's weave {what}. Compile the version again.")
