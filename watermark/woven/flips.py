"""The flips of one copy: which bytes of the body its woven bits change, and what that adds to the checksums."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watermark.errors import TemplateError
from watermark.template import SlotTable
from watermark.woven.columns import Ints
from watermark.woven.operand import MAX_WIDTH, VARIANTS


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
    known = np.append(bits != 0, False)  # at -1 the bit of no word
    variant = known[weave.left] * np.uint8(2) + known[weave.right]
    chosen = np.arange(0, VARIANTS * len(variant), VARIANTS) + variant
    masks = weave.masks.reshape(-1)[chosen].view(np.uint8)
    flat = np.flatnonzero(masks != 0)
    at, by = _merged(weave.offset[flat // MAX_WIDTH] + flat % MAX_WIDTH, masks[flat])
    count = len(table.streams)
    low, high = (
        np.bincount(weave.stream, added.reshape(-1)[chosen], count).astype(np.int64).tolist()
        for added in (weave.low, weave.high)
    )
    return Flips(at, by, low, high)


def _merged(at: Ints, by: NDArray[np.uint8]) -> tuple[Ints, NDArray[np.uint8]]:
    """Each place once: where operands meet within a byte, their bits go together."""
    new = np.append(True, at[1:] != at[:-1])
    if new.all():
        return at, by
    starts = np.flatnonzero(new)
    return at[starts], np.bitwise_xor.reduceat(by, starts)
