"""Read a leak's woven bits exactly: from a copy as it was, or rewritten, its pages taken out, turned round or merged.

1. Read the leak's letters and their places, by PDFium.
2. Find the page of the template that each of its pages is, by runs of letters that both have.
3. Learn from the template what moves on these pages, and where to (`reference.py`).
4. Take back by how much the page was shifted as a whole.
5. A word's bit is the side that its letters stand at.

So it does not matter what else a page shows, such as the mark, what it lost, nor in which order. On pages that were
scaled, turned by a matrix or drawn as an image nothing is seen. Runs in the child process: `read_leak` asks for it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watermark.errors import RefusalReason, Refused
from watermark.sandbox import DEFAULT_LIMITS, ChildLimits, run_in_child
from watermark.template import HEADER, MAGIC, SlotTable
from watermark.woven.letters import LetterReader, Letters
from watermark.woven.naming import UNSEEN
from watermark.woven.reference import Movers, Reference

Bits = NDArray[np.int8]

# Of a leak: as many as a report may have.
DEFAULT_MAX_PAGES = 2000
# Two pages that have a run of so many letters in common may be the same one.
_RUN = 8
# A page is one of the template's where so large a share of both pages' runs is in common: half of the page may be gone,
# and as many letters again be there as it had. Other reports of one author share less.
_LEAST_ALIKE = 0.3
# Of a word's letters that must stand where one of its bits puts them, while none stands where the other does. Chance
# puts a letter there, in a report set alike, not most of a word.
_LEAST_LETTERS = 0.75
# Letters that tell together how far a page was shifted.
_LEAST_STILL = 3


@dataclass(frozen=True)
class LeakPage:
    """A page of the leak: which page of the version it is, from 0, None where it is none; how many words were seen."""

    source: int | None
    seen: int


@dataclass(frozen=True)
class Reading:
    """What was read: 0, 1 or `UNSEEN` for each of the version's words, and where."""

    bits: Bits
    pages: tuple[LeakPage, ...]


def read_leak(
    table: SlotTable,
    template: Iterable[bytes],
    leak: Iterable[bytes],
    *,
    max_pages: int = DEFAULT_MAX_PAGES,
    limits: ChildLimits = DEFAULT_LIMITS,
    unsafe_without_network_filter: bool = False,
) -> Reading:
    """What a leak shows of the woven bits of this template, given with its table; read in a child process.

    Raises `Refused` for a leak that cannot be read within the limits, of which `input_bytes` counts both files;
    `SandboxUnavailable` where the child cannot be confined.
    """
    answer = run_in_child(
        "read",
        chain(template, leak),
        {"max_pages": max_pages},
        limits,
        unsafe_without_network_filter=unsafe_without_network_filter,
    )
    bits = np.frombuffer(answer.payload, np.int8)
    try:
        pages = tuple(
            LeakPage(None if source is None else int(source), int(seen))
            for source, seen in answer.facts["pages"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(RefusalReason.DAMAGED) from error
    # Only a child whose parser was taken over answers like this.
    if len(bits) != table.words or ((bits < UNSEEN) | (bits > 1)).any():
        raise Refused(RefusalReason.DAMAGED)
    return Reading(bits, pages)


def read_task(document: bytes, parameters: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The task `read` of the sandbox: a template and, right behind it, the leak. Answers with a `Reading`."""
    length = _template_length(document)
    reading = read(document[:length], document[length:], int(parameters.get("max_pages", DEFAULT_MAX_PAGES)))
    return {"pages": [[page.source, page.seen] for page in reading.pages]}, reading.bits.tobytes()


def read(template: bytes, leak: bytes, max_pages: int = DEFAULT_MAX_PAGES) -> Reading:
    """What the leak shows of the template's woven bits. Raises `Refused`; `TemplateError` for what is no template."""
    letters = letters_of(leak, max_pages)
    return recognise(letters, Reference(template, SlotTable.decode(template)))


def letters_of(leak: bytes, max_pages: int = DEFAULT_MAX_PAGES) -> list[Letters]:
    """The letters of each page of the leak. Raises `Refused`."""
    with closing(LetterReader(leak, max_pages)) as reader:
        return [reader.letters(index) for index in range(reader.page_count)]


def recognise(leak: Sequence[Letters], reference: Reference) -> Reading:
    """What pages with these letters show of the woven bits.

    Of a word that is seen with both its bits nothing is said; nor of those on pages that cannot be told apart, unless
    all of these are in the leak: then they come in the version's order.
    """
    sources = _sources(leak, reference.pages)
    movers = reference.movers(source for source in sources if source is not None)
    votes = np.zeros((2, reference.words), bool)
    pages = []
    for page, source in zip(leak, sources, strict=True):
        seen = 0
        if source is not None:
            placed = _as_in(page, reference.pages[source], movers[source])
            bits = _word_bits(placed, movers[source], reference.words)
            votes |= bits == np.array([[0], [1]])
            seen = int(np.count_nonzero(bits != UNSEEN))
        pages.append(LeakPage(source, seen))
    found = np.where(votes[0] == votes[1], UNSEEN, votes[1]).astype(np.int8)
    return Reading(found, tuple(pages))


def _template_length(document: bytes) -> int:
    """How many of the first bytes are the template: its header says so. 0 if there is none."""
    if len(document) < HEADER.size or not document.startswith(MAGIC):
        return 0
    _, _, _, table, body = HEADER.unpack_from(document)
    return int(HEADER.size + table + body)


def _as_in(page: Letters, source: Letters, movers: Movers) -> Letters:
    """The page put where the source's stands: some programs shift pages by a little, others by a margin.

    How far is the median over the letters that never move. With too few of them the page is left as it is.
    """
    (numbers, index), (numbers_there, index_there) = _once(page), _once(source)
    _, chosen, chosen_there = np.intersect1d(numbers, numbers_there, assume_unique=True, return_indices=True)
    index, index_there = index[chosen], index_there[chosen_there]
    still = np.isin(index_there, movers.still)
    if np.count_nonzero(still) < _LEAST_STILL:
        return page
    shifts = np.sort(page.places[index[still]] - source.places[index_there[still]], axis=0)
    # Not np.median, which loads modules late: in the child no file opens any more.
    return Letters(page.codes, page.places - shifts[len(shifts) // 2])


def _once(letters: Letters) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
    """The runs that occur once, and where each begins."""
    numbers, index, counts = np.unique(_numbered_runs(letters), return_index=True, return_counts=True)
    return numbers[counts == 1], index[counts == 1]


def _word_bits(letters: Letters, movers: Movers, words: int) -> Bits:
    """The bit of each word on this page, by its letters."""
    found = movers.bits(letters)
    total, *sides = (
        np.bincount(movers.words[chosen], minlength=words)
        for chosen in (np.ones(len(found), bool), found == 0, found == 1)
    )
    most = np.maximum(*sides)
    seen = (np.minimum(*sides) == 0) & (most > 0) & (most >= _LEAST_LETTERS * total)
    return np.where(seen, sides[1] > 0, UNSEEN).astype(np.int8)


def _sources(leak: Sequence[Letters], pages: Mapping[int, Letters]) -> list[int | None]:
    """Which of the template's `pages` each page of the leak is."""
    by_run: dict[int, list[int]] = defaultdict(list)
    sizes = {}
    for number, letters in pages.items():
        runs = _runs(letters)
        sizes[number] = len(runs)
        for run in runs:
            by_run[run].append(number)
    alike = [_alike(_runs(letters), by_run, sizes) for letters in leak]
    expected = Counter(alike)
    order: dict[tuple[int, ...], Iterator[int]] = {}
    sources: list[int | None] = []
    for group in alike:
        if len(group) == expected[group] and group:
            sources.append(next(order.setdefault(group, iter(group))))
        else:
            sources.append(group[0] if len(group) == 1 else None)
    return sources


def _alike(runs: set[int], by_run: Mapping[int, list[int]], sizes: Mapping[int, int]) -> tuple[int, ...]:
    """The pages that are most like a page with these runs: one, or several that are equally like it, or none."""
    common = Counter(chain.from_iterable(by_run[run] for run in runs if run in by_run))
    shares = {page: 2 * count / (len(runs) + sizes[page]) for page, count in common.items()}
    best = max(shares.values(), default=0.0)
    if best < _LEAST_ALIKE:
        return ()
    return tuple(sorted(page for page, share in shares.items() if share == best))


def _runs(letters: Letters) -> set[int]:
    return set(_numbered_runs(letters).tolist())


def _numbered_runs(letters: Letters) -> NDArray[np.uint64]:
    """A number for each run of `_RUN` letters, by its first; equal runs have equal numbers."""
    codes = letters.codes.astype(np.uint64)
    count = max(0, len(codes) - _RUN + 1)
    runs = np.zeros(count, np.uint64)
    for step in range(_RUN):
        runs = runs * np.uint64(0x9E3779B97F4A7C15) + codes[step : step + count]
    return runs
