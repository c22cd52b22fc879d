"""Deflate a stream so that chosen stretches of it lie in stored blocks, at known offsets, for each copy to fill.

RFC 1951, 3.2.4: a stored block begins at a byte boundary with its length and the length's complement. No match before
or after it refers to a slot's bytes: while compressing they
are random high bytes, and each result is proved with other ones.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# One stored block holds no more (RFC 1951, 3.2.4).
MAX_SLOT = 0xFFFF

_ZLIB_HEADER = b"\x78\xda"  # RFC 1950: 32 KiB window, best compression
_WINDOW = 32768
_LEVEL = 9
# Random bytes and content can agree in three places by chance, so that a match refers to a slot; rarely twice.
_TRIES = 3


@dataclass(frozen=True)
class SlottedStream:
    """A zlib stream. `offsets` are where the slots' bytes lie in `data`; `after` how many inflated bytes follow each.

    The slots hold zeros, and the Adler-32, the last four bytes, is right for that.
    """

    data: bytes
    offsets: tuple[int, ...]
    after: tuple[int, ...]
    adler_of_zeros: int


def deflate(content: bytes, slots: Sequence[tuple[int, int]], noise: Callable[[int], bytes]) -> SlottedStream:
    """Compress `content`, whose stretches [start, stop) in `slots` (sorted, apart) become stored blocks.

    What `content` holds there does not matter. `noise(n)` gives n random bytes, different ones each time.
    Raises `ValueError` when a slot is longer than `MAX_SLOT`.
    """
    if any(stop - start > MAX_SLOT for start, stop in slots):
        raise ValueError(f"a slot longer than {MAX_SLOT} bytes")
    zeros = bytearray(content)
    for start, stop in slots:
        zeros[start:stop] = bytes(stop - start)
    for _ in range(_TRIES):
        hidden = bytearray(content)
        for start, stop in slots:
            hidden[start:stop] = bytes(byte | 0x80 for byte in noise(stop - start))
        stream = _deflated(hidden, slots, zeros, _WINDOW)
        if _holds(stream, zeros, slots):
            return stream
    # Content full of high bytes: blocks that refer to nothing before them cannot refer to a slot.
    return _deflated(zeros, slots, zeros, 0)


def _deflated(
    hidden: bytearray, slots: Sequence[tuple[int, int]], zeros: bytearray, window: int
) -> SlottedStream:
    pieces = [_ZLIB_HEADER]
    length = len(_ZLIB_HEADER)
    offsets = []
    position = 0
    for start, stop in slots:
        packed = _raw(hidden, position, start, window, last=False)
        size = stop - start
        stored = b"\0" + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little")
        offsets.append(length + len(packed) + len(stored))
        pieces += [packed, stored, bytes(size)]
        length = offsets[-1] + size
        position = stop
    pieces.append(_raw(hidden, position, len(hidden), window, last=True))
    adler = zlib.adler32(zeros)
    pieces.append(adler.to_bytes(4, "big"))
    after = tuple(len(zeros) - stop for _, stop in slots)
    return SlottedStream(b"".join(pieces), tuple(offsets), after, adler)


def _raw(data: bytearray, start: int, stop: int, window: int, *, last: bool) -> bytes:
    """Deflate blocks of data[start:stop] that end at a byte boundary; matches reach back over `window` bytes."""
    before = bytes(data[max(0, start - window) : start])
    compressor = (
        zlib.compressobj(_LEVEL, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, before)
        if before
        else zlib.compressobj(_LEVEL, zlib.DEFLATED, -15, 9)
    )
    packed = compressor.compress(bytes(data[start:stop]))
    return packed + compressor.flush(zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH)


def _holds(stream: SlottedStream, zeros: bytearray, slots: Sequence[tuple[int, int]]) -> bool:
    """Whether zeros and other bytes in the slots both inflate to exactly what they should."""
    other = bytearray(stream.data)
    expected = bytearray(zeros)
    for (start, stop), offset in zip(slots, stream.offsets, strict=True):
        filling = bytes((7 * index + 1) & 0xFF for index in range(stop - start))
        other[offset : offset + stop - start] = filling
        expected[start:stop] = filling
    try:
        inflated = zlib.decompressobj(-15).decompress(bytes(other[2:-4]))
        return zlib.decompress(stream.data) == zeros and inflated == expected
    except zlib.error:
        return False
