"""Name the copy that bits read from a leak belong to, or nobody. WATERMARK.md, "Trace", 4 and 5.

A copy's score is S = sum of ln[P(bit read | its bit) / P(bit read)] over the words that were seen, where a word is
misread with probability `MISREAD`. What an innocent copy's bits are is independent of the leak, so E[exp S] = 1, and
by Markov's inequality none of `copies` reaches ln(copies / ε) with a probability above ε, whatever was done to the
leak. Reading well is therefore a matter of naming the right copy; it is never one of naming a wrong one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watermark.woven.capacity import threshold
from watermark.woven.code import biases, bits_of_copies

MISREAD = 1e-3
"""How often an exact reading is taken to err. A word that contradicts a copy costs it up to 6.9 nats, and the name only
where little else speaks for it."""

UNSEEN = -1
"""What stands for the bit of a word that was not seen."""

# Numbers of the key stream that are held at once, two bytes each.
_AT_ONCE = 2**20


@dataclass(frozen=True)
class Attribution:
    """The copy that the bits name, or None: no attribution.

    `score` is that of the best of the `copies`, in nats, and `threshold` what it had to reach; `seen` counts the
    words that were read. Before anything was read each copy was as likely as the other: the `odds` are the power of
    ten to one that the bits then give for the best, against another copy of the version.
    """

    copy_id: str | None
    score: float
    threshold: float
    copies: int
    seen: int

    @property
    def odds(self) -> float:
        """10 ** this to 1 that it is this copy and no other."""
        return (self.score - math.log(self.copies)) / math.log(10) if self.copies else -math.inf

    @property
    def statement(self) -> str:
        """In words for people. It says what the bits are those of; not who gave them away."""
        if self.copy_id is None:
            return f"No attribution: {self.seen:,} woven words were read, and they name no copy."
        return (
            f"Copy {self.copy_id}, odds 10^{math.floor(self.odds)} to 1: {self.seen:,} woven words were read, and "
            "their places are this copy's."
        )


def name(key: bytes, bits: NDArray[np.int8], copy_ids: Sequence[str]) -> Attribution:
    """The copy that these bits name, 0, 1 or `UNSEEN` for each word, among `copy_ids`: all copies of the version.

    Nobody if none reaches the threshold or two are equal. Raises `ValueError` for another length of key.
    """
    seen = int(np.count_nonzero(bits != UNSEEN))
    count = len(copy_ids)
    if not count:
        return Attribution(None, 0.0, threshold(1), 0, seen)
    found = scores(key, bits, copy_ids)
    best = int(found.argmax())
    score, least = float(found[best]), threshold(count)
    named = score >= least and np.count_nonzero(found == found[best]) == 1
    return Attribution(copy_ids[best] if named else None, score, least, count, seen)


def scores(key: bytes, bits: NDArray[np.int8], copy_ids: Sequence[str]) -> NDArray[np.float64]:
    """The score of each copy in nats, 0 where no word was seen. Raises `ValueError` for another length of key."""
    read = np.flatnonzero(bits != UNSEEN)
    found = np.zeros(len(copy_ids))
    if not len(read):
        return found
    first, stop = int(read[0]), int(read[-1]) + 1
    zero, one = _gains(key, bits, first, stop)
    rows = max(1, _AT_ONCE // (stop - first))
    more = (one - zero).astype(np.float32)
    for start in range(0, len(copy_ids), rows):
        codes = bits_of_copies(key, copy_ids[start : start + rows], first, stop)
        found[start : start + rows] = zero.sum() + codes.astype(np.float32) @ more
    return found


def _gains(
    key: bytes, bits: NDArray[np.int8], first: int, stop: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What each of the words [first, stop) adds to the score of a copy whose bit is 0, and of one whose bit is 1."""
    read = bits[first:stop]
    one = biases(key, stop)[first:] / 2**16
    likely = np.where(read == 1, one, 1 - one)
    overall = likely * (1 - MISREAD) + (1 - likely) * MISREAD
    agrees, contradicts = np.log((1 - MISREAD) / overall), np.log(MISREAD / overall)
    seen = read != UNSEEN
    return (
        np.where(seen, np.where(read == 0, agrees, contradicts), 0.0),
        np.where(seen, np.where(read == 1, agrees, contradicts), 0.0),
    )
