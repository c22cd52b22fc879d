"""How much of the woven mark a version carries, and in words how small a leak can still be traced.

Each woven word carries one bit of a copy's code. For word i the version has a secret bias p (`code.py`); a copy's bit
is 1 with probability p. A reader scores a copy by S = sum of ln[P(observed | its bit) / P(observed)]
(WATERMARK.md, Trace, 4; the code and its biases are Nuida et al., "An improvement of discrete Tardos fingerprinting
codes", Designs, Codes and Cryptography 52, 2009, for five to six colluders). Of an unaltered copy every bit is read
exactly, so the true copy gains -ln P(its bit) a word:

    ln 2                  with probability .336                           the fair bias
    -ln .1127 = 2.183     with probability .664 x .1127 = .0748           an unlikely bit
    -ln .8873 = 0.120     with probability .664 x .8873 = .589            a likely bit

which is 0.467 nats in the mean with a standard deviation of 0.556. A name is given when S reaches ln(copies / 1e-6):
E[exp S] = 1 for an innocent, so by Markov's inequality no innocent of `copies` is named with a probability above
1e-6. For a million copies that is 27.6 nats, sixty words in the mean. Half of all true copies would miss it there;
`least_words` therefore asks that 99.9 % pass, exactly, by the trinomial distribution of the three gains.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from watermark.errors import RefusalReason, Refused
from watermark.woven.code import BIASES_WITH_WEIGHTS

# Among how many copies a leak is to be traced: more than one report is ever lent.
COPIES = 1_000_000
# Of naming any innocent, whatever was done to the leak.
FALSE_NAMING = 1e-6
# Of the true copy missing the threshold, though nothing was altered.
MISSED = 0.001
# No page of letter size holds so many words at a legible size, and larger ones do not hold a thousand times more.
MAX_WORDS = 10_000_000
# Page numbers and ranges of them that the statement names; all are in the list of pages.
MAX_NAMES = 12

_BEFORE_WEAVING = (
    "This version was compiled before weaving: its copies carry the visible mark only. "
    "Add its file as a new version to weave the mark into it."
)


@dataclass(frozen=True)
class PageCapacity:
    """A page's words of text (None: not counted), and how many of them carry a bit. `number` counts from 1."""

    number: int
    words: int | None
    woven: int


@dataclass(frozen=True)
class Capacity:
    """What each page carries of the woven mark."""

    pages: tuple[PageCapacity, ...]

    @property
    def total(self) -> int:
        """Bits of the whole document: one a woven word."""
        return sum(page.woven for page in self.pages)

    @property
    def bare_pages(self) -> tuple[int, ...]:
        """Pages that carry nothing of the woven mark."""
        return tuple(page.number for page in self.pages if not page.woven)

    @property
    def textless_pages(self) -> tuple[int, ...]:
        """Those of the bare pages that have no text at all: scans or outlines."""
        return tuple(page.number for page in self.pages if page.words == 0)

    @property
    def statement(self) -> str:
        """In words for people: what carries the mark, how small a leak can be traced, which pages carry none."""
        if any(page.words is None for page in self.pages):
            return _BEFORE_WEAVING
        if not self.total:
            return f"{_none_carries(self)} A leak is traced by its visible mark only."
        bare = self.bare_pages
        where = (
            f"{len(self.pages) - len(bare):,} of {len(self.pages):,} pages"
            if len(self.pages) > 1
            else "its page"
        )
        carry = "carries" if self.total == 1 else "carry"
        parts = [f"{_counted(self.total, 'word')} on {where} {carry} the woven mark.", _traceable(self)]
        if bare:
            parts.append(_bare(bare, self.textless_pages))
        return " ".join(parts)


def capacity_of(facts: Mapping[str, Any]) -> Capacity:
    """The capacity among the facts of a compiled version; without `weave` (compiled before weaving), words are None.

    Raises `Refused` (damaged) for facts that compile never states: the child that said so is not to be believed.
    """
    count = facts.get("pages")
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise _not_believed()
    if "weave" not in facts:
        return Capacity(tuple(PageCapacity(number, None, 0) for number in range(1, count + 1)))
    weave = facts["weave"]
    pages = weave.get("pages") if isinstance(weave, Mapping) else None
    if not isinstance(pages, Sequence) or isinstance(pages, str) or len(pages) != count:
        raise _not_believed()
    return Capacity(tuple(_page(number, page) for number, page in enumerate(pages, 1)))


@cache
def least_words(copies: int = COPIES) -> int:
    """How many woven words, read exactly, name a true copy among `copies` in 99.9 % of cases."""
    most = 1
    while _missed(most, copies) > MISSED:
        most *= 2
    least = most // 2
    while most - least > 1:  # every gain is positive, so more words never miss more often
        middle = (least + most) // 2
        least, most = (middle, most) if _missed(middle, copies) > MISSED else (least, middle)
    return most


def gains() -> dict[float, float]:
    """Nats that a word read exactly adds to its true copy's score, and how probable each is."""
    found: dict[float, float] = {}
    for bias, weight in BIASES_WITH_WEIGHTS:
        for likely in (bias, 1 - bias):
            gain = round(-math.log(likely), 12)
            found[gain] = found.get(gain, 0.0) + weight * likely
    return found


def threshold(copies: int = COPIES) -> float:
    """Nats that a copy's score must reach to be named among `copies`."""
    return math.log(copies / FALSE_NAMING)


def page_ranges(numbers: Sequence[int]) -> str:
    """`1, 2 and 71`, `3–9`; of many the first, `and more`."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1].append(number)
        else:
            ranges.append([number])
    named = [part for pages in ranges for part in (pages if len(pages) < 3 else [f"{pages[0]}–{pages[-1]}"])]
    texts = [str(part) for part in named[:MAX_NAMES]]
    if len(named) > MAX_NAMES:
        texts.append("more")
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def _missed(words: int, copies: int) -> float:
    """The probability that a true copy of so many words stays below the threshold."""
    (low, low_share), (middle, middle_share), (high, high_share) = sorted(gains().items())
    needed = threshold(copies)
    missed = 0.0
    for rare in range(words + 1):
        rest = words - rare
        lacking = needed - rare * high - rest * low
        if lacking <= 0:
            break
        # With fewer fair bits than this among the rest, it is missed.
        fair = min(rest + 1, math.ceil(lacking / (middle - low)))
        share = sum(
            math.comb(rest, count) * middle_share**count * low_share ** (rest - count)
            for count in range(fair)
        )
        missed += math.comb(words, rare) * high_share**rare * share
    return missed


def _page(number: int, page: object) -> PageCapacity:
    if not isinstance(page, Mapping):
        raise _not_believed()
    words, woven = _words(page.get("words")), _words(page.get("woven"))
    if woven > words:
        raise _not_believed()
    return PageCapacity(number, words, woven)


def _words(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_WORDS:
        raise _not_believed()
    return value


def _not_believed() -> Refused:
    return Refused(RefusalReason.DAMAGED, where="capacity of the facts")


def _traceable(capacity: Capacity) -> str:
    needed = least_words()
    if capacity.total >= needed:
        alone = sum(page.woven >= needed for page in capacity.pages)
        pages = ""
        if alone and len(capacity.pages) > 1:
            of_them = "one of the pages" if alone == 1 else f"{alone:,} of the pages"
            pages = f" — {of_them} alone —" if alone < len(capacity.pages) else " — any page alone —"
        return f"An unaltered extract with at least {needed} of them{pages} names its copy among a million."
    for copies in (100_000, 10_000, 1_000, 100, 10):
        if capacity.total >= least_words(copies):
            return (
                f"That is few: only an unaltered leak of nearly all of them names its copy, "
                f"and among no more than {copies:,} copies."
            )
    return "That is too few to name a copy by them: a leak is traced by its visible mark."


def _none_carries(capacity: Capacity) -> str:
    pages, textless = capacity.pages, capacity.textless_pages
    if len(textless) == len(pages):
        why = "all are scans or outlines without text" if len(pages) > 1 else "it has no text"
    elif textless:
        why = f"no text, scans or outlines: {len(textless):,}; the rest has no words that may move"
    else:
        why = "no words on them may move" if len(pages) > 1 else "no words on it may move"
    subject = "The page carries no" if len(pages) == 1 else f"None of the {len(pages):,} pages carries the"
    return f"{subject} woven mark ({why})."


def _bare(bare: Sequence[int], textless: Sequence[int]) -> str:
    names = page_ranges(bare)
    one = len(bare) == 1
    said = "Page" if one else "Pages"
    carry, they = ("carries", "it carries") if one else ("carry", "they carry")
    if len(textless) == len(bare):
        why = " (no text: a scan or outlines)" if one else " (no text: scans or outlines)"
    elif textless:
        why = f" (no text, scans or outlines: {len(textless):,})"
    else:
        why = ""
    return f"{said} {names} {carry} none{why}: {they} the visible mark only."


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
