"""Let words move only where no reader's text changes: a report's text is what an auditor signed.

Each page is read by pypdf and by PDFium as it was, and with each of its gaps at its widest and at its narrowest. Words
beside a gap that a reader takes for something else stay where they are.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate, cycle, islice

from watermark.verify import Reader
from watermark.woven.text import Word
from watermark.woven.threads import Thread

PARITIES = (0, 1)
"""Words have the bits 0, 1, 0, 1 … or 1, 0, 1, 0 …: a gap is at its widest with one, at its narrowest with another."""

# How many letters around a changed space the words stay, in the first and in the second round.
_SLACKS = (1, 60)
# Then the page's gaps keep so much, in em: here no reader was seen to change.
_WIDER = 0.25

_SPACES = re.compile(r"\s+")


def alternating(count: int, parity: int) -> list[int]:
    """So many bits, 0 and 1 in turn; the first is `parity`."""
    return list(islice(cycle((parity, 1 - parity)), count))


def settle(pages: Sequence[Sequence[Thread]], unmarked: Reader, written: Callable[[int], bytes]) -> None:
    """Fix words until every page's text is as in `unmarked`, whatever the bits.

    `pages` are the threads that each page draws; `written` gives the document where all threads have the bits of a
    parity.
    """
    open_pages = [index for index, threads in enumerate(pages) if any(t.woven.operands for t in threads)]
    attempt = 0
    wide: set[int] = set()
    while open_pages:
        changes: dict[int, list[tuple[str, str]]] = {}
        for parity in PARITIES:
            moved = Reader(written(parity))
            try:
                for index in open_pages:
                    pairs = [(read(unmarked), read(moved)) for read in _readings(index)]
                    changed = [(a, b) for a, b in pairs if a is not None and a != b]
                    changes.setdefault(index, []).extend((a, b or "") for a, b in changed)
            finally:
                moved.close()
        # A page where nothing moves is as it was; what its readers still differ on, they differ on without us.
        open_pages = [
            index for index in open_pages if changes[index] and any(t.woven.operands for t in pages[index])
        ]
        for index in open_pages:
            wide_before = index in wide
            if attempt >= len(_SLACKS) or not _fix(pages[index], changes[index], _SLACKS[attempt]):
                wide.add(index)
                _widen(pages[index], stay=wide_before)
        attempt += 1


def _readings(index: int) -> tuple[Callable[[Reader], str | None], ...]:
    return (lambda reader: reader.text(index), lambda reader: reader.pdfium_text(index))


def _fix(threads: Sequence[Thread], changes: list[tuple[str, str]], slack: int) -> bool:
    """Fix the words around the spaces that changed; False where more than spaces did, or no word is there."""
    places = [_changed_spaces(before, after) for before, after in changes]
    if not all(places):
        return False
    words = [word for thread in threads for line in thread.text.lines for word in line.words]
    letters = [word.glyphs for word in words]
    found: set[Word] = set()
    for (before, _), changed in zip(changes, places, strict=True):
        found.update(_words_at(words, letters, len(_SPACES.sub("", before)), changed, slack))
    if not any(word in thread.reach for thread in threads for word in found):
        return False
    for thread in threads:
        thread.fix(found)
    return True


def _widen(threads: Sequence[Thread], *, stay: bool) -> None:
    """Keep the page's gaps wide; where they are and that was not enough, let all its words `stay`."""
    for thread in threads:
        if stay:
            thread.fix(list(thread.reach))
        else:
            thread.keep_wide(_WIDER)


def _changed_spaces(before: str, after: str) -> list[int]:
    """Behind how many letters the white space differs; empty when more than that differs."""
    if _SPACES.sub("", before) != _SPACES.sub("", after):
        return []
    first, second = _spaces(before), _spaces(after)
    return sorted(place for place in first.keys() | second.keys() if first.get(place) != second.get(place))


def _spaces(text: str) -> dict[int, str]:
    """White space by the number of letters before it."""
    found = {}
    spaces = 0
    for match in _SPACES.finditer(text):
        found[match.start() - spaces] = match.group()
        spaces += len(match.group())
    return found


def _words_at(words: list[Word], letters: list[int], total: int, places: list[int], slack: int) -> set[Word]:
    """The words at these places of a text of `total` letters, which differ a little from the letters on the page:
    some stand for two, some for none."""
    ends = list(accumulate(letters))
    if not ends or not total:
        return set()
    slack += abs(total - ends[-1])
    found: set[Word] = set()
    done = 0
    for place in sorted(places):
        middle = place * ends[-1] / total
        first = max(done, bisect_right(ends, middle - slack))
        done = max(first, bisect_right(ends, middle + slack) + 1)
        found.update(words[first:done])
    return found
