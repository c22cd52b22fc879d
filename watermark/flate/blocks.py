"""Deflate blocks out of tokens: where each ends, its codes and its header (RFC 1951, 3.2.3 to 3.2.7).

A block that holds an operand has dynamic codes in which the characters of `ALPHABET` are equally long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from watermark.flate.bits import BitWriter
from watermark.flate.huffman import GROUP_LENGTHS, canonical_codes, code_lengths
from watermark.flate.tokens import (
    DISTANCE_BASE,
    DISTANCE_EXTRA,
    END_OF_BLOCK,
    FIXED_LENGTHS,
    LENGTH_BASE,
    LENGTH_EXTRA,
    SHORTEST_MATCH,
    Tokens,
)
from watermark.woven.operand import ALPHABET

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

_LITERALS = END_OF_BLOCK + 1 + len(LENGTH_BASE)
_NONE = len(DISTANCE_BASE)  # a literal's distance symbol, of no bits
_FIXED, _DYNAMIC = 1, 2
_LONGEST = 15
_LONGEST_OF_LENGTHS = 7
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
# How a run of equal code lengths is told: symbol, shortest and longest run, bits of the rest.
_ZEROS, _MORE_ZEROS, _SAME = (17, 3, 10, 3), (18, 11, 138, 7), (16, 3, 6, 2)

# Tokens between two places where a block may end, and how many such stretches a block has at most: a search for the
# best ends costs time in proportion to both, and blocks beyond 40,000 tokens gain nothing.
_STRETCH = 2048
_STRETCHES = 20
# What a header costs, by measure: bits, and bits a symbol that occurs.
_HEADER, _HEADER_SYMBOL = 70, 4

_SYMBOL_OF_LENGTH = np.searchsorted(LENGTH_BASE, np.arange(259), "right") - 1
_GROUP = list(ALPHABET)
_OTHERS = np.setdiff1d(np.arange(_LITERALS), _GROUP)


@dataclass(frozen=True)
class Book:
    """The codes that one block has for the characters of `ALPHABET`.

    All have `length` bits, at most 7. `codes` are by position in `ALPHABET`, as they lie in a stream: first bit lowest.
    """

    length: int
    codes: tuple[int, ...]


@dataclass(frozen=True)
class Written:
    """Where each operand's first bit lies; the books of the blocks that hold operands, and which each operand has."""

    bits: IntArray
    books: tuple[Book, ...]
    book_of: IntArray


@dataclass(frozen=True)
class _Symbols:
    """The tokens as deflate codes them: a symbol with its extra bits, a distance symbol with its own."""

    literals: IntArray
    extra: IntArray
    distances: IntArray
    distance_extra: IntArray


@dataclass(frozen=True)
class _Code:
    """Lengths of the codes for literals and distances, and the block's header up to its first token."""

    literals: IntArray
    distances: IntArray
    header: list[tuple[int, int]]
    grouped: bool


def write_blocks(
    writer: BitWriter, tokens: Tokens, content: bytes | bytearray, operands: IntArray, *, last: bool
) -> Written:
    """Append blocks of these tokens, whose literals are `content`'s bytes.

    Rows of `operands` are the first token of an operand and the one after it: all of them literals, in one block.
    `last` ends the stream with the last of them; without tokens there is a block only then.
    """
    symbols = _symbols(tokens, content)
    places = [np.zeros(0, np.int64)]
    books: list[Book] = []
    book_of = np.zeros(len(operands), np.int64)
    for first, stop in pairwise(_bounds(symbols, operands)):
        inside = (operands[:, 0] >= first) & (operands[:, 0] < stop)
        ends = last and stop == len(tokens.starts)
        code = _code(symbols, first, stop, final=ends, grouped=bool(inside.any()))
        if code.grouped:
            codes = canonical_codes(code.literals)[_GROUP]
            book_of[inside] = len(books)
            books.append(Book(int(code.literals[_GROUP[0]]), tuple(codes.tolist())))
        places.append(_write(writer, symbols, first, stop, code))
    if last and not len(tokens.starts):
        _write(writer, symbols, 0, 0, _code(symbols, 0, 0, final=True, grouped=False))
    return Written(np.concatenate(places)[operands[:, 0]], tuple(books), book_of)


def _symbols(tokens: Tokens, content: bytes | bytearray) -> _Symbols:
    match = tokens.lengths >= SHORTEST_MATCH
    literal = np.frombuffer(content, np.uint8)[tokens.starts].astype(np.int64)
    number = _SYMBOL_OF_LENGTH[np.where(match, tokens.lengths, SHORTEST_MATCH)]
    back = np.searchsorted(DISTANCE_BASE, tokens.distances, "right") - 1
    return _Symbols(
        np.where(match, END_OF_BLOCK + 1 + number, literal),
        np.where(match, tokens.lengths - LENGTH_BASE[number], 0),
        np.where(match, back, _NONE),
        np.where(match, tokens.distances - DISTANCE_BASE[back], 0),
    )


def _write(writer: BitWriter, symbols: _Symbols, first: int, stop: int, code: _Code) -> IntArray:
    """Append one block. Returns where its tokens lie."""
    part = slice(first, stop)
    literal, back = symbols.literals[part], symbols.distances[part]
    sizes = code.literals[literal]
    values = canonical_codes(code.literals)[literal]
    lengths = np.append(code.distances[:_NONE], 0)
    codes = np.append(canonical_codes(code.distances)[:_NONE], 0)
    for field, width in (
        (symbols.extra[part], np.append(np.zeros(END_OF_BLOCK + 1, np.int64), LENGTH_EXTRA)[literal]),
        (codes[back], lengths[back]),
        (symbols.distance_extra[part], np.append(DISTANCE_EXTRA, 0)[back]),
    ):
        values |= field << sizes
        sizes += width
    head = np.array(code.header, np.int64)
    end = canonical_codes(code.literals)[END_OF_BLOCK], code.literals[END_OF_BLOCK]
    places = writer.put(
        np.concatenate([head[:, 0], values, end[:1]]), np.concatenate([head[:, 1], sizes, end[1:]])
    )
    return places[len(head) : -1]


def _code(symbols: _Symbols, first: int, stop: int, *, final: bool, grouped: bool) -> _Code:
    """The best code for these tokens: dynamic where `grouped`, else fixed where that is shorter."""
    literals = np.bincount(symbols.literals[first:stop], minlength=_LITERALS)
    literals[END_OF_BLOCK] = 1
    distances = np.bincount(symbols.distances[first:stop], minlength=_NONE + 1)[:_NONE]
    lengths = code_lengths(literals, _LONGEST, _GROUP if grouped else ())
    back = code_lengths(distances, _LONGEST)
    code = _Code(lengths, back, [(final | _DYNAMIC << 1, 3), *_header(lengths, back)], grouped)
    dynamic = literals @ lengths + distances @ back + sum(size for _, size in code.header)
    fixed = literals @ FIXED_LENGTHS[:_LITERALS] + 5 * distances.sum() + 3
    if grouped or dynamic < fixed:
        return code
    # All 288 and 32 lengths count, for the codes follow from them.
    return _Code(FIXED_LENGTHS, np.full(32, 5), [(final | _FIXED << 1, 3)], grouped)


def _header(literals: IntArray, distances: IntArray) -> list[tuple[int, int]]:
    """Values and sizes of a dynamic block's header behind its first three bits."""
    counted = [int(np.flatnonzero(lengths)[-1]) + 1 for lengths in (literals, distances)]
    told = _told([*literals[: counted[0]].tolist(), *distances[: counted[1]].tolist()])
    counts = np.bincount([symbol for symbol, _, _ in told], minlength=len(_ORDER))
    lengths = code_lengths(counts, _LONGEST_OF_LENGTHS)
    codes, sizes = canonical_codes(lengths).tolist(), lengths.tolist()
    ordered = [sizes[symbol] for symbol in _ORDER]
    while not ordered[-1] and len(ordered) > 4:
        ordered.pop()
    header = [(counted[0] - 257, 5), (counted[1] - 1, 5), (len(ordered) - 4, 4)]
    header += [(size, 3) for size in ordered]
    for symbol, rest, size in told:
        header += [(codes[symbol], sizes[symbol]), (rest, size)]
    return header


def _told(lengths: Sequence[int]) -> list[tuple[int, int, int]]:
    """Code lengths as a header tells them: symbols of the code for lengths, each with extra bits and their number."""
    told: list[tuple[int, int, int]] = []
    for length, run in groupby(lengths):
        left = len(list(run))
        if length:
            told.append((length, 0, 0))
            left -= 1
        for symbol, shortest, longest, size in (_SAME,) if length else (_MORE_ZEROS, _ZEROS):
            while left >= shortest:
                told.append((symbol, min(left, longest) - shortest, size))
                left -= min(left, longest)
        told += [(length, 0, 0)] * left
    return told


def _bounds(symbols: _Symbols, operands: IntArray) -> list[int]:
    """The tokens where blocks begin, and the number of all: the cheapest ends by the entropy of what lies between."""
    total = len(symbols.literals)
    bounds = np.append(np.arange(0, total, _STRETCH), total)
    if len(operands):
        # An operand lies in one block.
        nearest = operands[np.searchsorted(operands[:, 0], bounds, "right") - 1]
        bounds = np.where((bounds > nearest[:, 0]) & (bounds < nearest[:, 1]), nearest[:, 0], bounds)
    count = len(bounds) - 1
    if count < 2:
        return [0, total] if total else [0]
    stretch = np.repeat(np.arange(count), np.diff(bounds))
    width = _LITERALS + _NONE + 1
    summed = np.zeros((count + 1, width), np.int64)
    for offset, chosen in ((0, symbols.literals), (_LITERALS, symbols.distances)):
        summed[1:] += np.bincount(stretch * width + offset + chosen, minlength=count * width).reshape(
            count, -1
        )
    np.cumsum(summed, axis=0, out=summed)
    before = np.searchsorted(operands[:, 0], bounds)
    cost = np.zeros(count + 1)
    origin = [0] * (count + 1)
    for end in range(1, count + 1):
        begin = max(0, end - _STRETCHES)
        counts = summed[end] - summed[begin:end]
        costs = cost[begin:end] + _estimate(counts, before[end] > before[begin:end])
        origin[end] = begin + int(costs.argmin())
        cost[end] = costs.min()
    chain = [count]
    while chain[-1]:
        chain.append(origin[chain[-1]])
    return [int(bounds[number]) for number in reversed(chain)]


def _estimate(counts: IntArray, grouped: NDArray[np.bool_]) -> FloatArray:
    """About how many bits a block takes for each row of counts of literals and distances, extra bits left out."""
    literals, distances = counts[:, :_LITERALS], counts[:, _LITERALS:-1]
    others = literals[:, _OTHERS]
    inside = literals[:, _GROUP].sum(1)
    free = 1 - len(_GROUP) / 2.0 ** np.array(GROUP_LENGTHS)
    together = np.min(
        inside[:, None] * np.array(GROUP_LENGTHS) - others.sum(1)[:, None] * np.log2(free), axis=1
    )
    header = _HEADER + _HEADER_SYMBOL * (counts > 0).sum(1)
    coded = np.where(grouped, together + _entropy(others), _entropy(literals))
    bits: FloatArray = coded + _entropy(distances) + header
    return bits


def _entropy(counts: IntArray) -> FloatArray:
    total = counts.sum(1, keepdims=True)
    bits: FloatArray = (counts * (np.log2(np.maximum(total, 1)) - np.log2(np.maximum(counts, 1)))).sum(1)
    return bits
