"""Deflate a stream so that chosen stretches of it can change, for each copy, without deflating it again.

A *slot* lies in a stored block, at a known offset, for the copy to fill (RFC 1951, 3.2.4: it begins at a byte boundary
with its length and the length's complement). An *operand* lies among the other bytes, as literals whose codes are
equally long for all characters of `ALPHABET`: XORing the codes' bits turns one text into another. No match covers
either or refers to it: while compressing they are random high bytes, and each result is proved with other ones.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from watermark.flate.bits import BitWriter
from watermark.flate.blocks import Book, write_blocks
from watermark.flate.tokens import WINDOW, find_tokens, keep_off
from watermark.woven.operand import ALPHABET, MAX_WIDTH

__all__ = ["MAX_SLOT", "Book", "SlottedStream", "deflate"]

IntArray = NDArray[np.int64]
Ranges = Sequence[tuple[int, int]]

# One stored block holds no more (RFC 1951, 3.2.4).
MAX_SLOT = 0xFFFF

_ZLIB_HEADER = b"\x78\xda"  # RFC 1950: 32 KiB window, best compression
_LEVEL = 9
# Random bytes and content can agree in three places by chance, so that a match refers to a slot; rarely twice.
_TRIES = 3
# Bytes coded at a time: what is known of them while they are coded takes some hundred times as much.
_PIECE = 1 << 18
_HIGH = bytes(byte | 0x80 for byte in range(256))
_END, _MORE = -1, -2  # what follows a piece, other than a slot


@dataclass(frozen=True)
class SlottedStream:
    """A zlib stream. `offsets` are where the slots' bytes lie in `data`; `after` how many inflated bytes follow each.

    The slots hold zeros, the operands what the content has there, and the Adler-32, the last four bytes, is right for
    that. Bit n of `data` is `data[n // 8] >> (n % 8) & 1`. The code of character j of operand i has the bits from
    `bits[i] + j * books[book_of[i]].length` on, and `operands_after[i]` inflated bytes follow the operand. No two
    operands have bits in one byte: one that would share a byte with an operand before it has -1 in `bits` and cannot
    be changed.
    """

    data: bytes
    offsets: tuple[int, ...]
    after: tuple[int, ...]
    adler_of_zeros: int
    bits: tuple[int, ...]
    books: tuple[Book, ...]
    book_of: tuple[int, ...]
    operands_after: tuple[int, ...]


def deflate(
    content: bytes, slots: Ranges, noise: Callable[[int], bytes], operands: Ranges = ()
) -> SlottedStream:
    """Compress `content`, whose stretches [start, stop) in `slots` (sorted, apart) become stored blocks.

    What `content` holds there does not matter. `operands` (sorted, apart from each other and the slots) are stretches
    of 1 to `MAX_WIDTH` characters of `ALPHABET`, to be changed in the stream later. `noise(n)` gives n random bytes,
    different ones each time. Raises `ValueError` when a slot is longer than `MAX_SLOT`, or an operand is not as said.
    """
    if any(stop - start > MAX_SLOT for start, stop in slots):
        raise ValueError(f"a slot longer than {MAX_SLOT} bytes")
    zeros = bytearray(content)
    for start, stop in slots:
        zeros[start:stop] = bytes(stop - start)
    if operands:
        _check(content, slots, operands)
        stream = _coded(_hidden(content, [*slots, *operands], noise), slots, zeros, operands)
        if not _holds(stream, zeros, slots, operands, noise):
            raise AssertionError("a deflated stream does not hold what was put into it")
        return stream
    for _ in range(_TRIES):
        stream = _deflated(_hidden(content, slots, noise), slots, zeros, WINDOW)
        if _holds(stream, zeros, slots, (), noise):
            return stream
    # Content full of high bytes: blocks that refer to nothing before them cannot refer to a slot.
    return _deflated(zeros, slots, zeros, 0)


def _check(content: bytes, slots: Ranges, operands: Ranges) -> None:
    for start, stop in operands:
        if not 0 < stop - start <= MAX_WIDTH or not set(content[start:stop]) <= set(ALPHABET):
            raise ValueError(f"{content[start:stop][:20]!r} at {start} is no operand")
    ordered = sorted([*slots, *operands])
    for (_, stop), (start, _) in pairwise(ordered):
        if start < stop:
            raise ValueError(f"two slots or operands hold byte {start}")
    if list(operands) != sorted(operands):
        raise ValueError("operands out of order")


def _hidden(content: bytes, ranges: Ranges, noise: Callable[[int], bytes]) -> bytes:
    """The content with random high bytes there."""
    hidden = bytearray(content)
    high = noise(sum(stop - start for start, stop in ranges)).translate(_HIGH)
    taken = 0
    for start, stop in ranges:
        hidden[start:stop] = high[taken : taken + stop - start]
        taken += stop - start
    return bytes(hidden)


def _coded(hidden: bytes, slots: Ranges, zeros: bytearray, operands: Ranges) -> SlottedStream:
    """The stream in codes of our own."""
    ranges = np.array(operands, np.int64)
    blocked = np.zeros(len(hidden), bool)
    for start, stop in (*slots, *operands):
        blocked[start:stop] = True
    writer = BitWriter(_ZLIB_HEADER)
    bits: list[int] = []
    books: list[Book] = []
    book_of: list[int] = []
    offsets: list[int] = []
    for start, stop, slot in _pieces(slots, len(hidden), ranges):
        tokens = keep_off(find_tokens(hidden, start, stop), blocked)
        inside = ranges[(ranges[:, 0] >= start) & (ranges[:, 0] < stop)]
        written = write_blocks(
            writer, tokens, zeros, np.searchsorted(tokens.starts, inside), last=slot == _END
        )
        bits += written.bits.tolist()
        book_of += (written.book_of + len(books)).tolist()
        books += written.books
        if slot >= 0:
            offsets.append(_put_stored(writer, slot))
    adler = zlib.adler32(zeros)
    writer.put_bytes(adler.to_bytes(4, "big"))
    lengths = [
        books[book].length * (stop - start) for (start, stop), book in zip(operands, book_of, strict=True)
    ]
    return SlottedStream(
        bytes(writer.data),
        tuple(offsets),
        tuple(len(hidden) - stop for _, stop in slots),
        adler,
        tuple(_apart(bits, lengths)),
        tuple(books),
        tuple(book_of),
        tuple(len(hidden) - stop for _, stop in operands),
    )


def _pieces(slots: Ranges, size: int, operands: IntArray) -> Iterator[tuple[int, int, int]]:
    """The stretches between slots, cut to at most `_PIECE` bytes but never inside an operand.

    With each what follows it: the length of a slot, `_END`, or `_MORE`.
    """
    start = 0
    for stop, after, slot in (*((start, stop, stop - start) for start, stop in slots), (size, size, _END)):
        while stop - start > _PIECE:
            cut = start + _PIECE
            first, end = operands[np.searchsorted(operands[:, 0], cut, "right") - 1].tolist()
            cut = first if first < cut < end else cut
            yield start, cut, _MORE
            start = cut
        yield start, stop, slot
        start = after


def _put_stored(writer: BitWriter, size: int) -> int:
    """Append a stored block of so many zeros. Returns where they begin."""
    writer.put(np.zeros(1, np.int64), np.full(1, 3))
    return writer.put_bytes(_stored_size(size) + bytes(size)) + 4


def _stored_size(size: int) -> bytes:
    return size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little")


def _apart(bits: Sequence[int], lengths: Sequence[int]) -> list[int]:
    """The operands' bits, -1 for one that would share a byte with the one before it that has bits."""
    kept = []
    taken = -1
    for bit, length in zip(bits, lengths, strict=True):
        free = bit >> 3 > taken
        kept.append(bit if free else -1)
        taken = (bit + length - 1) >> 3 if free else taken
    return kept


def _deflated(hidden: bytes | bytearray, slots: Ranges, zeros: bytearray, window: int) -> SlottedStream:
    """The stream in zlib's codes, without operands."""
    pieces = [_ZLIB_HEADER]
    length = len(_ZLIB_HEADER)
    offsets = []
    position = 0
    for start, stop in slots:
        packed = _raw(hidden, position, start, window, last=False)
        stored = b"\0" + _stored_size(stop - start)
        offsets.append(length + len(packed) + len(stored))
        pieces += [packed, stored, bytes(stop - start)]
        length = offsets[-1] + stop - start
        position = stop
    pieces.append(_raw(hidden, position, len(hidden), window, last=True))
    adler = zlib.adler32(zeros)
    pieces.append(adler.to_bytes(4, "big"))
    after = tuple(len(zeros) - stop for _, stop in slots)
    return SlottedStream(b"".join(pieces), tuple(offsets), after, adler, (), (), (), ())


def _raw(data: bytes | bytearray, start: int, stop: int, window: int, *, last: bool) -> bytes:
    """Deflate blocks of data[start:stop] that end at a byte boundary; matches reach back over `window` bytes."""
    before = bytes(data[max(0, start - window) : start])
    compressor = (
        zlib.compressobj(_LEVEL, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, before)
        if before
        else zlib.compressobj(_LEVEL, zlib.DEFLATED, -15, 9)
    )
    packed = compressor.compress(bytes(data[start:stop]))
    return packed + compressor.flush(zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH)


def _holds(
    stream: SlottedStream, zeros: bytearray, slots: Ranges, operands: Ranges, noise: Callable[[int], bytes]
) -> bool:
    """Whether the stream, and one with other bytes in all slots and operands, inflate to exactly what they should."""
    other = bytearray(stream.data)
    expected = bytearray(zeros)
    for (start, stop), offset in zip(slots, stream.offsets, strict=True):
        filling = bytes((7 * index + 1) & 0xFF for index in range(stop - start))
        other[offset : offset + stop - start] = filling
        expected[start:stop] = filling
    if operands:
        _change(stream, other, expected, np.array(operands, np.int64), noise)
    other[-4:] = zlib.adler32(expected).to_bytes(4, "big")
    try:
        return zlib.decompress(stream.data) == zeros and zlib.decompress(bytes(other)) == expected
    except zlib.error:
        return False


def _change(
    stream: SlottedStream,
    data: bytearray,
    content: bytearray,
    operands: IntArray,
    noise: Callable[[int], bytes],
) -> None:
    """Put another character for each of every operand that can change into `data` and `content`."""
    widths = np.where(np.array(stream.bits) >= 0, operands[:, 1] - operands[:, 0], 0)
    owner = np.repeat(np.arange(len(operands)), widths)
    index = np.arange(len(owner)) - (np.cumsum(widths) - widths)[owner]
    places = operands[owner, 0] + index
    view = np.frombuffer(content, np.uint8)
    old = np.array([max(ALPHABET.find(byte), 0) for byte in range(256)])[view[places]]
    drawn = np.frombuffer(noise(len(owner)), np.uint8)
    new = (old + 1 + drawn % (len(ALPHABET) - 1)) % len(ALPHABET)
    view[places] = np.frombuffer(ALPHABET, np.uint8)[new]
    book = np.array(stream.book_of)[owner]
    codes = np.array([book.codes for book in stream.books])
    bits = np.array(stream.bits)[owner] + index * np.array([book.length for book in stream.books])[book]
    masks = (codes[book, old] ^ codes[book, new]) << (bits & 7)
    packed = np.frombuffer(data, np.uint8)
    np.bitwise_xor.at(packed, bits >> 3, (masks & 0xFF).astype(np.uint8))
    np.bitwise_xor.at(packed, (bits >> 3) + 1, (masks >> 8).astype(np.uint8))
