"""Stamp: fill the slots of a template while its bytes pass by. No PDF is parsed here.

A copy is the template's body with its slots filled, then the fill's tail. The same table, fill and template give the
same bytes every time, from any position.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from zlib import adler32

from watermark.mint import STAMP_VERSION, Fill
from watermark.template import SlotTable, TemplateError

__all__ = ["STAMP_VERSION", "stamp"]

Piece = bytes | memoryview
Patch = tuple[int, bytes]

# RFC 1950, 8.2: the largest prime below 2^16.
_ADLER_MODULUS = 65521


def stamp(
    table: SlotTable,
    fill: Fill,
    read: Callable[[int, int], Iterable[Piece]],
    start: int = 0,
    stop: int | None = None,
) -> Iterator[Piece]:
    """Bytes [start, stop) of the copy, in pieces about as large as those that `read` gives.

    `read(a, b)` yields the encoded template's bytes [a, b). Pieces without a slot pass through as they are; memory
    does not grow with the file. Raises `TemplateError` when the fill belongs to another template or `read` gives
    too few bytes; `ValueError` when the range lies outside of the copy.
    """
    length = fill.copy_length(table)
    stop = length if stop is None else stop
    if not 0 <= start <= stop <= length:
        raise ValueError(f"bytes [{start}, {stop}) lie outside of a copy of {length} bytes")
    patches = _patches(table, fill)
    body_stop = min(stop, table.body_length)
    if start < body_stop:
        pieces = read(table.body_offset + start, table.body_offset + body_stop)
        yield from _patched(pieces, patches, start, body_stop)
    if stop > table.body_length:
        yield memoryview(fill.tail)[max(0, start - table.body_length) : stop - table.body_length]


def _patches(table: SlotTable, fill: Fill) -> list[Patch]:
    """What to write where in the body, by offset: the value of every slot, the Adler-32 of every stream.

    Adler-32 is (b << 16) | a with a = 1 + sum of D[i], b = n + sum of (n - i) D[i], both modulo 65521, so it is
    affine in the bytes: a slot adds its own sum to a; and to b its own weighted sum, and its sum once for every byte
    after it. `adler32(value, 0)` gives both sums of a value.
    """
    values = fill.values
    sums = [adler32(value, 0) for value in values]
    low = [stream.adler_of_zeros & 0xFFFF for stream in table.streams]
    high = [stream.adler_of_zeros >> 16 for stream in table.streams]
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
        adler = (high[number] % _ADLER_MODULUS) << 16 | low[number] % _ADLER_MODULUS
        patches.append((stream.adler_offset, adler.to_bytes(4, "big")))
    patches.sort()
    return patches


def _patched(pieces: Iterable[Piece], patches: list[Patch], start: int, stop: int) -> Iterator[Piece]:
    """The body's bytes [start, stop) out of `pieces`, with the patches written over them."""
    # The first patch that can reach beyond `start` is at most one before the first that begins there.
    index = max(0, bisect_left(patches, (start, b"")) - 1)
    position = start
    for piece in pieces:
        end = position + len(piece)
        written: bytearray | None = None
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
