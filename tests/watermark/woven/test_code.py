"""A copy's code is what the format says, and looks like chance to whoever has no key."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from watermark import template
from watermark.woven.code import BIASES, biases, bits_of_copies, copy_bits

KEY = bytes(range(32))
WORDS = 40_000


def copy_id(number: int) -> str:
    return f"cpy_{number:026d}"


def test_the_worked_code_of_the_format_is_what_the_code_gives() -> None:
    text = Path(template.__file__).with_name("TEMPLATE.md").read_text()
    block = text.split("```worked\nkey")[1].split("```")[0]
    shown = [[int(n) for n in re.findall(r"\d+", line)] for line in block.splitlines()]
    key = bytes.fromhex(block.split()[0])
    name = re.findall(r"cpy_\S+", block)[0]
    assert biases(key, 12).tolist() == shown[3]
    assert copy_bits(key, name, 12).tolist() == shown[-1]


def test_fewer_words_have_the_same_bits() -> None:
    whole = copy_bits(KEY, copy_id(1), 1000)
    for words in (0, 1, 7, 8, 9, 999):
        assert np.array_equal(copy_bits(KEY, copy_id(1), words), whole[:words])
        assert np.array_equal(biases(KEY, words), biases(KEY, 1000)[:words])
    assert set(whole.tolist()) == {0, 1}


def test_many_copies_at_once_have_the_bits_of_each() -> None:
    copies = [copy_id(number) for number in range(5)]
    each = np.array([copy_bits(KEY, name, 100) for name in copies], bool)
    for first, stop in ((0, 100), (0, 0), (7, 9), (8, 16), (9, 100), (99, 100)):
        assert np.array_equal(bits_of_copies(KEY, copies, first, stop), each[:, first:stop])


def test_another_key_or_copy_has_another_code() -> None:
    first = copy_bits(KEY, copy_id(1), 300)
    assert not np.array_equal(first, copy_bits(KEY, copy_id(2), 300))
    assert not np.array_equal(first, copy_bits(bytes(32), copy_id(1), 300))
    assert not np.array_equal(biases(KEY, 300), biases(bytes(32), 300))


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        copy_bits(bytes(length), copy_id(1), 8)


def within(count: int, expected: float, of: int) -> bool:
    """Whether a binomial count lies within four and a half standard deviations."""
    return abs(count - of * expected) < 4.5 * (of * expected * (1 - expected)) ** 0.5


def test_biases_are_drawn_as_often_as_they_should() -> None:
    drawn = biases(KEY, WORDS)
    for value, weight in zip(BIASES, (0.332, 0.336, 0.332), strict=True):
        assert within(int((drawn == value).sum()), weight, WORDS)
    assert (BIASES / 65536).tolist() == pytest.approx([0.1127, 0.5, 0.8873], abs=1e-5)


def test_bits_are_ones_as_often_as_their_bias_says() -> None:
    drawn = biases(KEY, WORDS)
    for number in range(5):
        bits = copy_bits(KEY, copy_id(number), WORDS)
        for value in BIASES:
            here = bits[drawn == value]
            assert within(int(here.sum()), int(value) / 65536, len(here))


def test_two_copies_agree_only_by_chance() -> None:
    """Given the bias p, both bits are 1 with p², and both 0 with (1 − p)²; so of words and their neighbours too."""
    drawn = biases(KEY, WORDS)
    copies = [copy_bits(KEY, copy_id(number), WORDS) for number in range(6)]
    for value in BIASES:
        p = int(value) / 65536
        here = drawn == value
        for first in range(6):
            for second in range(first):
                both = copies[first][here] & copies[second][here]
                none = (copies[first] | copies[second])[here] == 0
                assert within(int(both.sum()), p * p, int(here.sum()))
                assert within(int(none.sum()), (1 - p) ** 2, int(here.sum()))
    even = drawn == 32768
    pairs = copies[0][:-1] ^ copies[0][1:]
    neighbours = pairs[even[:-1] & even[1:]]
    assert within(int(neighbours.sum()), 0.5, len(neighbours))


def test_a_copys_bits_say_nothing_of_the_biases_draw() -> None:
    """The numbers behind both come from apart: among words of one bias, high and low draws give ones alike."""
    even = np.flatnonzero(biases(KEY, WORDS) == 32768)
    bits = copy_bits(KEY, copy_id(3), WORDS)[even]
    half = len(even) // 2
    assert within(int(bits[:half].sum()), 0.5, half)
    assert within(int(bits[half:].sum()), 0.5, len(even) - half)
