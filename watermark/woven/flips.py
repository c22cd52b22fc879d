"""The flips of one copy: which bytes of the body its woven bits change, and what that adds to the checksums."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watermark.errors import TemplateError
from watermark.template import SlotTable
from watermark.woven.columns import Ints
from watermark.woven.operand import MAX_WIDTH, VARIANTS

# MAX_WIDTH is 2 to this.
_WIDTH_BITS = MAX_WIDTH.bit_length() - 1


@dataclass(frozen=True)
class Flips:
    """What to XOR into the body: `by[i]`, never 0, into the byte at `at[i]`; `at` rises.

    `low` and `high` are what this adds to both sums of each stream's Adler-32, not yet reduced.
    """

    at: Ints
    by: NDArray[np.uint8]
    low: list[int]
    high: list[int]

    def flipped(self, piece: bytes | memoryview, position: int) -> bytearray | None:
        """A copy of the piece that lies at `position` of the body, its flips made; None when it has none."""
        first, last = np.searchsorted(self.at, (position, position + len(piece)))
        if first == last:
            return None
        written = bytearray(piece)
        view = np.frombuffer(written, np.uint8)
        view[self.at[first:last] - position] ^= self.by[first:last]
        return written


def flips_of(table: SlotTable, bits: NDArray[np.uint8] | None) -> Flips:
    """The flips that these bits make of this template's words.

    Raises `TemplateError` unless there are as many bits as words; None stands for none.
    """
    given = 0 if bits is None else len(bits)
    if given != table.words:
        raise TemplateError(
            f"The template needs {table.words} bits of a copy's code, and {given} were given."
        )
    weave = table.weave
    if weave is None or bits is None or not len(weave.offset):
        nothing = [0] * len(table.streams)
        return Flips(np.zeros(0, np.int64), np.zeros(0, np.uint8), nothing, nothing)
    known = np.zeros(len(bits) + 1, np.uint8)  # at -1 the bit of no word
    known[:-1] = bits != 0
    variant = known[weave.left] * np.uint8(2) + known[weave.right]
    moved = np.flatnonzero(variant)
    chosen = VARIANTS * moved + variant[moved]
    masks = weave.masks.reshape(-1)[chosen].view(np.uint8)
    flat = np.flatnonzero(masks != 0)
    places = weave.offset[moved[flat >> _WIDTH_BITS]] + (flat & (MAX_WIDTH - 1))
    at, by = _merged(places, masks[flat])
    # Operands lie in the order of their streams.
    bounds = np.searchsorted(weave.stream[moved], np.arange(len(table.streams) + 1))
    low, high = (_sums(added.reshape(-1)[chosen], bounds) for added in (weave.low, weave.high))
    return Flips(at, by, low, high)


def _sums(values: NDArray[np.uint16], bounds: Ints) -> list[int]:
    """The sum of the values between each two neighbouring bounds."""
    until = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=until[1:])
    found: list[int] = np.diff(until[bounds]).tolist()
    return found


def _merged(at: Ints, by: NDArray[np.uint8]) -> tuple[Ints, NDArray[np.uint8]]:
    """Each place once: where operands meet within a byte, their bits go together."""
    new = np.append(True, at[1:] != at[:-1])
    if new.all():
        return at, by
    starts = np.flatnonzero(new)
    return at[starts], np.bitwise_xor.reduceat(by, starts)
