"""The operands that weaving moves words with: numbers of fixed width, one text for each pair of bits.

A woven operand stands in the gap between two words, or before a word that has a place of its own. The bit of the word
on its left and the bit of the word on its right choose one of its four texts. All are equally long and made of the
characters of `ALPHABET`, whose Huffman codes have one length where they stand, so that one text turns into another by
flipping bits of the compressed content.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ALPHABET = b"0123456789-. "
"""What an operand is written with; a space pads it on its left."""

MAX_WIDTH = 8
"""Characters of an operand: with codes of at most 7 bits and any start within a byte, a mask has 64 bits."""

VARIANTS = 4
"""Texts of an operand: number 2 * left bit + right bit."""


@dataclass(frozen=True, slots=True)
class Operand:
    """The number `base + left bit * left + right bit * right`, in units of 10 ** -`decimals`.

    Written right-aligned to `width` characters, `decimals` digits after the point, no point when that is 0.
    """

    base: int
    left: int
    right: int
    width: int
    decimals: int = 0

    def text(self, left: int, right: int) -> bytes:
        """What stands in the content for these bits. Raises `ValueError` when it does not fit."""
        value = self.base + left * self.left + right * self.right
        digits = f"{abs(value):0{self.decimals + 1}d}"
        if self.decimals:
            digits = f"{digits[: -self.decimals]}.{digits[-self.decimals :]}"
        text = ("-" * (value < 0) + digits).rjust(self.width).encode()
        if len(text) > self.width:
            raise ValueError(f"{text!r} is wider than {self.width}")
        return text


def texts(
    values: NDArray[np.int64], widths: NDArray[np.int64], decimals: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """The texts of many numbers at once, as `Operand.text` writes them: (n, MAX_WIDTH) bytes.

    Each text begins in the first column; columns from its width on are 0.
    """
    count = len(values)
    aligned = np.full((count, MAX_WIDTH), ord(" "), np.uint8)  # to the right
    left = np.abs(values)
    shown = np.zeros(count, np.int64)  # digits written so far
    rows = np.arange(count)
    column = np.full(count, MAX_WIDTH - 1)
    open_ = np.ones(count, bool)
    for _ in range(MAX_WIDTH):
        point = (
            open_
            & (decimals > 0)
            & (shown == decimals)
            & (aligned[rows, np.minimum(column + 1, MAX_WIDTH - 1)] != ord("."))
        )
        digit = open_ & ~point
        aligned[rows[point], column[point]] = ord(".")
        aligned[rows[digit], column[digit]] = ord("0") + left[digit] % 10
        left[digit] //= 10
        shown[digit] += 1
        column[open_] -= 1
        open_ &= ((left > 0) | (shown <= decimals)) & (column >= 0)
    negative = (values < 0) & (column >= 0)
    aligned[rows[negative], column[negative]] = ord("-")
    source = (MAX_WIDTH - widths)[:, None] + np.arange(MAX_WIDTH)
    inside = source < MAX_WIDTH
    return np.where(inside, aligned[rows[:, None], np.minimum(source, MAX_WIDTH - 1)], 0).astype(np.uint8)
