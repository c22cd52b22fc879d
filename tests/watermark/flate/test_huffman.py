"""Code lengths are the cheapest there are, by trying all; codes are complete, and as RFC 1951 has them."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watermark.flate.huffman import GROUP_LENGTHS, canonical_codes, code_lengths, package_merge


def cheapest(weights: list[int], longest: int, free: int) -> int | None:
    """The least cost of lengths whose codes fill `free` of 2^`longest` units, by trying all."""
    costs = [
        sum(weight * length for weight, length in zip(weights, lengths, strict=True))
        for rising in combinations_with_replacement(range(1, longest + 1), len(weights))
        if sum(1 << (longest - length) for length in rising) == free
        for lengths in [rising[::-1]]  # the rarer, the longer: weights ascend
    ]
    return min(costs, default=None)


@given(st.lists(st.integers(0, 40), min_size=2, max_size=8).map(sorted), st.integers(3, 5))
def test_no_other_code_is_cheaper(weights: list[int], longest: int) -> None:
    lengths = package_merge(np.array(weights), longest)
    assert lengths is not None
    assert (1 << (longest - lengths)).sum() == 1 << longest
    assert lengths @ np.array(weights) == cheapest(weights, longest, 1 << longest)


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=8).map(sorted),
    st.integers(3, 5),
    st.integers(1, 31),
)
def test_no_other_code_beside_a_group_is_cheaper(weights: list[int], longest: int, taken: int) -> None:
    taken = min(taken, (1 << longest) - 1)
    free = (1 << longest) - taken
    lengths = package_merge(np.array(weights), longest, taken)
    least = cheapest(weights, longest, free)
    # 2^-p is the last place of K = taken / 2^longest; (1 - K) * 2^(p - 1):
    enough = free / (taken & -taken) / 2
    if lengths is not None:
        assert (1 << (longest - lengths)).sum() == free
        assert lengths @ np.array(weights) == least
    else:
        assert least is None or len(weights) < enough


@pytest.mark.parametrize(("count", "longest"), [(9, 3), (40, 5)])
def test_too_many_symbols_have_no_code(count: int, longest: int) -> None:
    assert package_merge(np.ones(count, np.int64), longest) is None
    with pytest.raises(ValueError, match="no code"):
        code_lengths(np.ones(count, np.int64), longest)


def test_lengths_stay_within_their_limit_however_steep_the_counts() -> None:
    fibonacci = [1, 1]
    while len(fibonacci) < 40:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    lengths = code_lengths(np.array(fibonacci), 15)
    assert lengths.max() == 15
    assert (2.0**-lengths).sum() == 1


@given(
    st.lists(st.one_of(st.just(0), st.integers(0, 5000)), min_size=13, max_size=13),
    st.lists(st.one_of(st.just(0), st.integers(0, 5000)), min_size=2, max_size=273),
)
def test_a_group_has_one_length_and_the_code_is_complete(group: list[int], others: list[int]) -> None:
    counts = np.array([*others, *group])
    members = range(len(others), len(counts))
    lengths = code_lengths(counts, 15, members)
    common = set(lengths[members].tolist())
    assert len(common) == 1
    assert common <= set(GROUP_LENGTHS)
    assert (2.0 ** -lengths[lengths > 0]).sum() == 1
    assert (lengths[: len(others)][np.array(others) > 0] > 0).all()
    assert lengths.max() <= 15


@pytest.mark.parametrize(("share", "length"), [(0.9, 4), (0.3, 5), (0.15, 6), (0.02, 7)])
def test_the_more_a_group_occurs_the_shorter_its_codes(share: float, length: int) -> None:
    counts = np.append(np.full(80, 1000), np.full(13, int(80_000 * share / (1 - share) / 13)))
    assert code_lengths(counts, 15, range(80, 93))[80] == length


@pytest.mark.parametrize("counts", [[0, 0, 0], [0, 5, 0], [7, 0, 0]])
def test_there_are_never_fewer_than_two_codes(counts: list[int]) -> None:
    assert sorted(code_lengths(np.array(counts), 15).tolist()) == [0, 1, 1]


def test_codes_are_those_of_the_rfc_with_their_first_bit_lowest() -> None:
    # RFC 1951, 3.2.2: A to H have 010, 011, 100, 101, 110, 00, 1110, 1111.
    lengths = np.array([3, 3, 3, 3, 3, 2, 4, 4, 0])
    expected = [0b010, 0b110, 0b001, 0b101, 0b011, 0b00, 0b0111, 0b1111, 0]
    assert canonical_codes(lengths).tolist() == expected
    assert canonical_codes(np.zeros(3, np.int64)).tolist() == [0, 0, 0]
