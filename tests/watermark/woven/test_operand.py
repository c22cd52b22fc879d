"""An operand's four texts are equally long, made of the alphabet, and say the number that the bits ask for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watermark.woven.operand import ALPHABET, MAX_WIDTH, Operand, texts

_BITS = [(0, 0), (0, 1), (1, 0), (1, 1)]


@pytest.mark.parametrize(
    ("operand", "written"),
    [
        (Operand(-250, -70, 70, 4), [b"-250", b"-180", b"-320", b"-250"]),
        (Operand(-5, 0, 10, 2), [b"-5", b" 5", b"-5", b" 5"]),
        (Operand(0, 0, 0, 1), [b"0"] * 4),
        (Operand(5, -10, 0, 5, 2), [b" 0.05", b" 0.05", b"-0.05", b"-0.05"]),
        (Operand(1234567, 0, 1, 8, 3), [b"1234.567", b"1234.568", b"1234.567", b"1234.568"]),
    ],
)
def test_the_text_of_each_pair_of_bits(operand: Operand, written: list[bytes]) -> None:
    assert [operand.text(left, right) for left, right in _BITS] == written


def test_a_number_that_is_too_wide_is_an_error() -> None:
    with pytest.raises(ValueError, match="wider"):
        Operand(100, 0, 0, 2).text(0, 0)


_NUMBERS = st.integers(-(10**6), 10**6)


@given(st.lists(st.tuples(_NUMBERS, _NUMBERS, _NUMBERS, st.integers(0, 4)), min_size=1, max_size=20))
def test_many_texts_at_once_are_those_of_each(rows: list[tuple[int, int, int, int]]) -> None:
    operands = []
    for base, left, right, decimals in rows:
        wide = Operand(base, left, right, 20, decimals)
        width = max(len(wide.text(*bits).lstrip()) for bits in _BITS)
        if width <= MAX_WIDTH:
            operands.append(Operand(base, left, right, width, decimals))
    widths, decimals_of = (
        np.array([getattr(operand, name) for operand in operands], np.int64) for name in ("width", "decimals")
    )
    for left, right in _BITS:
        values = np.array([o.base + left * o.left + right * o.right for o in operands], np.int64)
        found = texts(values, widths, decimals_of)
        for operand, row in zip(operands, found, strict=True):
            written = operand.text(left, right)
            assert bytes(row) == written.ljust(MAX_WIDTH, b"\0")
            assert set(written) <= set(ALPHABET)
            number = operand.base + left * operand.left + right * operand.right
            assert round(float(written) * 10**operand.decimals) == number
