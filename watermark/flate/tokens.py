"""What zlib would make of content: literals and matches, read back from a stream of zlib's own.

The stream is made with fixed Huffman codes, which zlib's search for matches does not depend on: where a token of such a
stream ends is a matter of its first 18 bits (RFC 1951, 3.2.5 and 3.2.6).
"""

import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from watermark.flate.huffman import canonical_codes

IntArray = NDArray[np.int64]

WINDOW = 32768
"""Bytes that a match reaches back at most."""

SHORTEST_MATCH = 3
END_OF_BLOCK = 256

LENGTH_EXTRA = np.array([0] * 8 + [n for n in range(1, 6) for _ in range(4)] + [0], np.int64)
"""Bits after the symbols 257 to 285."""

LENGTH_BASE = np.append(3 + np.cumsum(1 << LENGTH_EXTRA[:-1]) - (1 << LENGTH_EXTRA[:-1]), 258)
"""The shortest match of each of these symbols."""

DISTANCE_EXTRA = np.array([0, 0] + [n for n in range(14) for _ in range(2)], np.int64)
DISTANCE_BASE = 1 + np.cumsum(1 << DISTANCE_EXTRA) - (1 << DISTANCE_EXTRA)

FIXED_LENGTHS = np.repeat(np.array([8, 9, 7, 8], np.int64), [144, 112, 24, 8])
"""Code lengths of the 288 literals and lengths with fixed codes; a distance's is 5."""

_LEVEL = 9
_HEAD = 18  # bits: no token's length and distance symbol lie beyond
_STORED, _FIXED = 0, 1


@dataclass(frozen=True)
class Tokens:
    """Literals and matches, in order: where each begins in the content, its length, and how far back it refers.

    A literal has length 1 and distance 0.
    """

    starts: IntArray
    lengths: IntArray
    distances: IntArray


def find_tokens(data: bytes, start: int, stop: int) -> Tokens:
    """What zlib at its best makes of data[start:stop]; matches may refer to what stands before."""
    before = data[max(0, start - WINDOW) : start]
    compressor = (
        zlib.compressobj(_LEVEL, zlib.DEFLATED, -15, 9, zlib.Z_FIXED, before)
        if before
        else zlib.compressobj(_LEVEL, zlib.DEFLATED, -15, 9, zlib.Z_FIXED)
    )
    lengths, distances = read_tokens(compressor.compress(data[start:stop]) + compressor.flush())
    return Tokens(start + np.cumsum(lengths) - lengths, lengths, distances)


def read_tokens(stream: bytes) -> tuple[IntArray, IntArray]:
    """Lengths and distances of the tokens of a raw deflate stream whose blocks are fixed or stored.

    Raises `ValueError` at a dynamic block.
    """
    padded = np.frombuffer(stream + bytes(8), np.uint8).astype(np.uint64)
    words = (padded[:-3] | padded[1:-2] << 8 | padded[2:-1] << 16 | padded[3:] << 24).tolist()
    steps = _steps()
    found: list[tuple[IntArray, IntArray]] = []
    position, last = 0, False
    while not last:
        head = words[position >> 3] >> (position & 7)
        last, kind = bool(head & 1), head >> 1 & 3
        position += 3
        if kind == _STORED:
            place = (position + 7) >> 3
            size = int.from_bytes(stream[place : place + 2], "little")
            found.append((np.ones(size, np.int64), np.zeros(size, np.int64)))
            position = (place + 4 + size) * 8
        elif kind == _FIXED:
            places = []
            while step := steps[words[position >> 3] >> (position & 7) & (1 << _HEAD) - 1]:
                places.append(position)
                position += step
            position += int(FIXED_LENGTHS[END_OF_BLOCK])
            found.append(_read_at(np.array(places, np.int64), padded))
        else:
            raise ValueError("a dynamic block, where a fixed one was asked for")
    return np.concatenate([part[0] for part in found]), np.concatenate([part[1] for part in found])


def keep_off(tokens: Tokens, blocked: NDArray[np.bool_]) -> Tokens:
    """The same content without a match that covers or refers to a byte where `blocked` (of the content) holds.

    Such a match becomes literals, and shorter matches where what it says of the other bytes is worth one.
    """
    stops = tokens.starts + tokens.lengths
    sources = tokens.starts - tokens.distances
    first = int(sources.min(initial=len(blocked)))
    count = np.append(0, np.cumsum(blocked[first : stops.max(initial=0)]))
    touched = count[stops - first] - count[tokens.starts - first]
    touched += count[stops - tokens.distances - first] - count[sources - first]
    bad = (touched > 0) & (tokens.distances > 0)
    if not bad.any():
        return tokens
    pieces = _split(tokens, bad, blocked)
    kept = (tokens.starts[~bad], tokens.lengths[~bad], tokens.distances[~bad])
    starts, lengths, distances = (np.concatenate(pair) for pair in zip(kept, pieces, strict=True))
    order = np.argsort(starts)
    return Tokens(starts[order], lengths[order], distances[order])


def _split(
    tokens: Tokens, bad: NDArray[np.bool_], blocked: NDArray[np.bool_]
) -> tuple[IntArray, IntArray, IntArray]:
    """Starts, lengths and distances of the tokens that stand in for the matches where `bad` holds."""
    lengths = tokens.lengths[bad]
    before = np.cumsum(lengths) - lengths
    owner = np.repeat(np.arange(len(lengths)), lengths)
    places = np.arange(len(owner)) - before[owner] + tokens.starts[bad][owner]
    distances = tokens.distances[bad][owner]
    free = ~blocked[places] & ~blocked[places - distances]
    begins = np.flatnonzero(np.append(True, (owner[1:] != owner[:-1]) | (free[1:] != free[:-1])))
    sizes = np.diff(np.append(begins, len(owner)))
    matches = free[begins] & (sizes >= SHORTEST_MATCH)
    single = np.repeat(~matches, sizes)
    return (
        np.concatenate([places[begins[matches]], places[single]]),
        np.concatenate([sizes[matches], np.ones(int(single.sum()), np.int64)]),
        np.concatenate([distances[begins[matches]], np.zeros(int(single.sum()), np.int64)]),
    )


def _read_at(places: IntArray, data: NDArray[np.uint64]) -> tuple[IntArray, IntArray]:
    """Lengths and distances of the tokens at these bits of a stream."""
    at = places >> 3
    words = np.zeros(len(places), np.uint64)
    for index in range(5):  # a token has at most 31 bits
        words |= data[at + index] << (8 * index)
    bits = words.astype(np.int64) >> (places & 7)
    symbols, sizes = _fixed_symbols()
    symbol = symbols[bits & 511]
    match = symbol > END_OF_BLOCK
    number = np.where(match, symbol - END_OF_BLOCK - 1, 0)
    bits >>= sizes[bits & 511]
    lengths = LENGTH_BASE[number] + (bits & (1 << LENGTH_EXTRA[number]) - 1)
    bits >>= LENGTH_EXTRA[number]
    back = np.where(match, _reversed_five()[bits & 31], 0)
    distances = DISTANCE_BASE[back] + (bits >> 5 & (1 << DISTANCE_EXTRA[back]) - 1)
    return np.where(match, lengths, 1), np.where(match, distances, 0)


@cache
def _fixed_symbols() -> tuple[IntArray, IntArray]:
    """By the next nine bits of a stream: the literal or length, and how many bits are its code's."""
    symbols = np.zeros(512, np.int64)
    for symbol, (code, size) in enumerate(
        zip(canonical_codes(FIXED_LENGTHS).tolist(), FIXED_LENGTHS.tolist(), strict=True)
    ):
        symbols[code :: 1 << size] = symbol
    return symbols, FIXED_LENGTHS[symbols]


@cache
def _reversed_five() -> IntArray:
    """By the five bits of a fixed distance code: the distance's symbol. 30 and 31 stand for none."""
    return np.minimum(canonical_codes(np.full(32, 5)), len(DISTANCE_BASE) - 1)


@cache
def _steps() -> bytes:
    """By the next 18 bits of a fixed block: how many bits the token has; 0 at the block's end."""
    head = np.arange(1 << _HEAD)
    symbols, sizes = _fixed_symbols()
    symbol, size = symbols[head & 511], sizes[head & 511]
    match = (symbol > END_OF_BLOCK) & (symbol - END_OF_BLOCK - 1 < len(LENGTH_BASE))
    extra = LENGTH_EXTRA[np.where(match, symbol - END_OF_BLOCK - 1, 0)]
    back = _reversed_five()[head >> size + extra & 31]
    whole = np.where(match, size + extra + 5 + DISTANCE_EXTRA[back], size)
    whole[symbol == END_OF_BLOCK] = 0
    return bytes(whole.astype(np.uint8))
