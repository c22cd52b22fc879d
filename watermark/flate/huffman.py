"""Huffman codes of limited length in which a group of symbols shares one length.

The lengths come from package-merge (Larmore and Hirschberg, "A fast algorithm for optimal length-limited Huffman
codes", J. ACM 37, 1990): each symbol offers a coin of face value 2^-j, at its weight, for every j up to the longest
length; who buys n - 1 for n symbols at the least weight has bought each symbol as many coins as its code has bits. A
group that holds a part K of the code space raises the sum to n - 1 + K.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

GROUP_LENGTHS = (4, 5, 6, 7)
"""Lengths tried for a group of 13: 3 bits hold only 8; beyond 7 a mask of eight characters outgrows 64 bits."""


def code_lengths(counts: IntArray, longest: int, group: Sequence[int] = ()) -> IntArray:
    """Bits of each symbol's code, 0 for none: a complete code (the sum of 2^-bits is 1) of the least total.

    A symbol that occurs has a code. The symbols of `group` all have one, of one length out of `GROUP_LENGTHS`. Where
    fewer than two others occur, symbols that do not occur make them two, for not every inflater takes less. The total
    is the least for each length that is tried, but some of the lengths may be missed when fewer than 58 others occur.
    """
    used = counts > 0
    used[list(group)] = False
    spare = np.flatnonzero(~used & ~np.isin(np.arange(len(counts)), list(group)))
    used[spare[: max(0, 2 - int(used.sum()))]] = True
    symbols = np.flatnonzero(used)
    symbols = symbols[np.argsort(counts[symbols], kind="stable")]
    weights = counts[symbols]
    best: IntArray | None = None
    for common in GROUP_LENGTHS if group else (0,):
        taken = len(group) << (longest - common) if group else 0
        others = package_merge(weights, longest, taken)
        if others is None:
            continue
        lengths = np.zeros(len(counts), np.int64)
        lengths[symbols] = others
        lengths[list(group)] = common
        if best is None or counts @ lengths < counts @ best:
            best = lengths
    if best is None:
        raise ValueError(f"{len(symbols)} symbols have no code of at most {longest} bits")
    return best


def package_merge(weights: IntArray, longest: int, taken: int = 0) -> IntArray | None:
    """Bits of the codes of symbols with these weights, in ascending order: 1 to `longest` each.

    The codes fill all of the code space, of 2^`longest` units, that is not `taken`, at the least sum of weight times
    bits. None where there is no such code, or where coins that are no code's make up the sum at less: they never do
    when nothing is `taken`, or with (1 - K) * 2^(p - 1) symbols and more, 2^-p being the last place of K.
    """
    coins = ((len(weights) - 1) << longest) + taken
    listed = [weights]
    packages = [np.zeros(0, np.int64)]
    for place in range(longest - 1):
        offered = listed[-1][coins >> place & 1 :]
        packages.append(offered[: len(offered) & ~1].reshape(-1, 2).sum(1))
        listed.append(np.sort(np.concatenate([weights, packages[-1]]), kind="stable"))
    lengths = np.zeros(len(weights), np.int64)
    wanted = coins >> longest
    for place in reversed(range(longest)):
        bought = 2 * wanted + (coins >> place & 1)
        if bought > len(listed[place]):
            return None
        ranks = np.arange(len(weights)) + np.searchsorted(packages[place], weights)
        single = int(np.searchsorted(ranks, bought))
        lengths[:single] += 1
        wanted = bought - single
    complete = int((1 << (longest - lengths)).sum()) + taken == 1 << longest
    return lengths if complete and lengths[-1] > 0 else None


def canonical_codes(lengths: IntArray) -> IntArray:
    """The codes for these lengths (RFC 1951, 3.2.2), each as it lies in a stream: its first bit lowest.

    A symbol of length 0 has code 0.
    """
    codes = np.zeros(len(lengths), np.int64)
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    if not len(order):
        return codes
    longest = int(lengths.max())
    sizes = 1 << (longest - lengths[order])
    upright = np.cumsum(sizes) - sizes  # the code, then zeros up to `longest` bits
    for bit in range(longest):
        codes[order] |= (upright >> (longest - 1 - bit) & 1) << bit
    return codes
