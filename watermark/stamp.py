"""Stamp: fill the slots of a template and flip its woven bits while its bytes pass by. No PDF is parsed here.

A copy is the template's body with its slots filled and its words moved, then the fill's tail. The same table, fill,
bits and template give the same bytes every time, from any position.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from zlib import adler32

import numpy as np
from numpy.typing import NDArray

from watermark.mint import STAMP_VERSION, Fill
from watermark.template import SlotTable, TemplateError
from watermark.woven.columns import ADLER_MODULUS
from watermark.woven.flips import Flips, flips_of

__all__ = ["STAMP_VERSION", "stamp"]

Piece = bytes | memoryview
Patch = tuple[int, bytes]


def stamp(
    table: SlotTable,
    fill: Fill,
    read: Callable[[int, int], Iterable[Piece]],
    start: int = 0,
    stop: int | None = None,
    *,
    bits: NDArray[np.uint8] | None = None,
) -> Iterator[Piece]:
    """Bytes [start, stop) of the copy, in pieces about as large as those that `read` gives.

    `read(a, b)` yields the encoded template's bytes [a, b). `bits` are the copy's (`weave_code.copy_bits`), one for
    each of `table.words`; None if there are none. Pieces of which nothing is the copy's own pass through as they are;
    memory does not grow with the file, but for what the slots and words need. Raises `TemplateError` when the fill
    or the bits belong to another template or `read` gives too few bytes; `ValueError` when the range lies outside of
    the copy.
    """
    length = fill.copy_length(table)
    stop = length if stop is None else stop
    if not 0 <= start <= stop <= length:
        raise ValueError(f"bytes [{start}, {stop}) lie outside of a copy of {length} bytes")
    flips = flips_of(table, bits)
    patches = _patches(table, fill, flips)
    body_stop = min(stop, table.body_length)
    if start < body_stop:
        pieces = read(table.body_offset + start, table.body_offset + body_stop)
        yield from _patched(pieces, patches, flips, start, body_stop)
    if stop > table.body_length:
        yield memoryview(fill.tail)[max(0, start - table.body_length) : stop - table.body_length]


def _patches(table: SlotTable, fill: Fill, flips: Flips) -> list[Patch]:
    """What to write where in the body, by offset: the value of every slot, the Adler-32 of every stream.

    Adler-32 is (b << 16) | a with a = 1 + sum of D[i], b = n + sum of (n - i) D[i], both modulo 65521, so it is
    affine in the bytes: a slot adds its own sum to a; and to b its own weighted sum, and its sum once for every byte
    after it. `adler32(value, 0)` gives both sums of a value. What the flips add is known of each text.
    """
    values = fill.values
    sums = [adler32(value, 0) for value in values]
    low = [
        (stream.adler_of_zeros & 0xFFFF) + more for stream, more in zip(table.streams, flips.low, strict=True)
    ]
    high = [
        (stream.adler_of_zeros >> 16) + more for stream, more in zip(table.streams, flips.high, strict=True)
    ]
    patches: list[Patch] = []
    try:
        for slot in table.slots:
            value = values[slot.value]
            if len(value) != slot.length:
                raise TemplateError("The fill was minted for another template.")
            patches.append((slot.offset, value))
            if slot.stream is not None:
                added = sums[slot.value] & 0xFFFF
                low[slot.stream] += added
                high[slot.stream] += (sums[slot.value] >> 16) + slot.after * added
    except IndexError as error:
        raise TemplateError("The fill was minted for another template.") from error
    for number, stream in enumerate(table.streams):
        adler = (high[number] % ADLER_MODULUS) << 16 | low[number] % ADLER_MODULUS
        patches.append((stream.adler_offset, adler.to_bytes(4, "big")))
    patches.sort()
    return patches


def _patched(
    pieces: Iterable[Piece], patches: list[Patch], flips: Flips, start: int, stop: int
) -> Iterator[Piece]:
    """The body's bytes [start, stop) out of `pieces`, with the flips made and the patches written over them."""
    # The first patch that can reach beyond `start` is at most one before the first that begins there.
    index = max(0, bisect_left(patches, (start, b"")) - 1)
    position = start
    for piece in pieces:
        end = position + len(piece)
        written = flips.flipped(piece, position)
        while index < len(patches) and patches[index][0] < end:
            offset, value = patches[index]
            past = offset + len(value)
            if past > position:
                written = bytearray(piece) if written is None else written
                first, last = max(offset, position), min(past, end)
                written[first - position : last - position] = value[first - offset : last - offset]
            if past > end:
                break
            index += 1
        yield piece if written is None else memoryview(written)
        position = end
    if position != stop:
        raise TemplateError("The template ended before its body did.")
