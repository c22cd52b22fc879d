"""The weave of a template: what to flip in its body for a copy's bits. Derived once from the columns of its table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from watermark.errors import TemplateError
from watermark.woven.columns import ADLER_MODULUS, Book, Columns, Ints, books_of, pack, unpack
from watermark.woven.operand import ALPHABET, MAX_WIDTH, VARIANTS, Operand, texts

# Masks are derived for so many operands at a time, so that what is needed meanwhile stays a few MB.
_BLOCK = 2**14

# The position of a character in `ALPHABET`; what fills a text up to `MAX_WIDTH` has the position after the last.
_POSITION = np.full(256, len(ALPHABET))
_POSITION[list(ALPHABET)] = np.arange(len(ALPHABET))


@dataclass(frozen=True, slots=True)
class PlacedOperand:
    """One operand in its place, as `Weave.build` takes it.

    `bit` is the place of its first character's code in the body (bit n is `body[n // 8] >> n % 8 & 1`), `book` the
    number of its block's codes, `left_word` and `right_word` the numbers of the words on its sides (-1: none, whose
    bit counts as 0), `stream` the number of its stream's record, `after` how many bytes follow it in the inflated
    stream. The body holds its text of bits (0, 0).
    """

    bit: int
    book: int
    operand: Operand
    left_word: int
    right_word: int
    stream: int
    after: int


@dataclass(frozen=True)
class Weave:
    """What stamping needs of the woven operands; arrays have one row an operand, by rising place in the body.

    `words` is how many bits a copy has. `left` and `right` number the words on the operand's sides, -1 for none. With
    the bits of these words (0 for none) its variant is 2 * left bit + right bit. `masks[operand, variant]` is what to
    XOR into the body from byte `offset` on, the lowest byte of the mask first; that is 0 for variant 0, whose text the
    body holds. `stream` numbers the record of the operand's stream: `low` and `high` say by variant what its text adds
    to the first and second sum of that stream's Adler-32, modulo 65521.

    Two are equal when their `encoded` bytes are: the data of the table's section.
    """

    encoded: bytes = field(repr=False)
    words: int = field(compare=False)
    offset: Ints = field(compare=False, repr=False)
    masks: NDArray[np.uint64] = field(compare=False, repr=False)
    left: NDArray[np.int32] = field(compare=False, repr=False)
    right: NDArray[np.int32] = field(compare=False, repr=False)
    stream: NDArray[np.int32] = field(compare=False, repr=False)
    low: NDArray[np.uint16] = field(compare=False, repr=False)
    high: NDArray[np.uint16] = field(compare=False, repr=False)

    @classmethod
    def build(cls, words: int, books: Sequence[Book], woven: Iterable[PlacedOperand]) -> "Weave":
        """The weave of these operands, in any order, with `words` bits a copy.

        Raises `TemplateError` when two overlap, a text does not fit its width or a number names nothing.
        """
        rows = sorted(_row(w) for w in woven)
        columns = np.array(rows, np.int64).reshape(len(rows), 11).T
        return cls.decode(pack(Columns(words, books_of(books), *columns)))

    @classmethod
    def decode(cls, encoded: bytes) -> "Weave":
        """The weave of the data of a table's section. Raises `TemplateError` on anything odd in itself."""
        columns = unpack(encoded)
        count = len(columns.bit)
        masks = np.zeros((count, VARIANTS), "<u8")
        low, high = (np.zeros((count, VARIANTS), np.uint16) for _ in range(2))
        for start in range(0, count, _BLOCK):
            block = slice(start, start + _BLOCK)
            masks[block], low[block], high[block] = _changes(columns, block)
        return cls(
            encoded=encoded,
            words=columns.words,
            offset=columns.bit >> 3,
            masks=masks,
            left=columns.left_word.astype(np.int32),
            right=columns.right_word.astype(np.int32),
            stream=columns.stream.astype(np.int32),
            low=low,
            high=high,
        )

    def columns(self) -> Columns:
        """The operands themselves, read anew from `encoded`: numbers, widths and words, as tracing needs them."""
        return unpack(self.encoded)

    def check_places(self, body_length: int, streams: int, taken: Sequence[tuple[int, int]]) -> None:
        """Raise `TemplateError` unless every mask lies in the body, off the ranges `taken` (sorted, apart).

        Also when an operand belongs to none of the `streams`.
        """
        touched = np.bitwise_or.reduce(self.masks, axis=1).view(np.uint8).reshape(-1, MAX_WIDTH) != 0
        first = self.offset + touched.argmax(1)
        past = np.where(touched.any(1), self.offset + MAX_WIDTH - touched[:, ::-1].argmax(1), first)
        if (past > body_length).any():
            raise TemplateError("A woven operand leaves the template's body. Compile the version again.")
        if (self.stream >= streams).any():
            raise TemplateError("A woven operand names no stream. Compile the version again.")
        starts, stops = np.array([(-1, -1), *taken]).T
        before = np.searchsorted(starts, past) - 1
        if (stops[before] > first).any():
            raise TemplateError("A woven operand lies in a slot or a checksum. Compile the version again.")


def _row(woven: PlacedOperand) -> tuple[int, ...]:
    """The operand's fields in the order of those of `Columns`. A word that is none changes nothing."""
    operand = woven.operand
    return (
        *(woven.bit, woven.book, woven.stream, woven.after % ADLER_MODULUS, operand.width, operand.decimals),
        *(operand.base, operand.left * (woven.left_word >= 0), operand.right * (woven.right_word >= 0)),
        *(woven.left_word, woven.right_word),
    )


def _changes(columns: Columns, block: slice) -> tuple[NDArray[np.uint64], Ints, Ints]:
    """Masks and both Adler additions of the operands in `block`, (n, VARIANTS) each."""
    width, base = columns.width[block], columns.base[block]
    left, right = columns.left[block], columns.right[block]
    book, start = columns.book[block], columns.bit[block] & 7
    none = np.zeros((len(columns.books), 1), np.int64)
    codes = np.concatenate([columns.books[:, 1:], none], axis=1)
    place = np.arange(MAX_WIDTH)
    shifts = start[:, None] + columns.books[book, :1] * place
    follow = columns.after[block][:, None] + width[:, None] - place
    written = [
        texts(base + change, width, columns.decimals[block]).astype(np.int64)
        for change in (np.zeros_like(base), right, left, left + right)
    ]
    masks = np.zeros((len(base), VARIANTS), np.uint64)
    low, high = (np.zeros((len(base), VARIANTS), np.int64) for _ in range(2))
    for variant, text in enumerate(written):
        flipped = codes[book[:, None], _POSITION[text]] ^ codes[book[:, None], _POSITION[written[0]]]
        masks[:, variant] = np.bitwise_or.reduce(
            flipped.astype(np.uint64) << shifts.astype(np.uint64), axis=1
        )
        change = text - written[0]
        low[:, variant] = change.sum(1) % ADLER_MODULUS
        high[:, variant] = (change * follow).sum(1) % ADLER_MODULUS
    return masks, low, high
