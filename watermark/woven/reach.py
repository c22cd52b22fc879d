"""Which words of a text carry a bit, and how far each moves to either side.

On each line the first word stays, and so does the last, but for ends where no other line begins or ends and nothing is
near. Words move as far as the gaps beside them bear: readers of text guess spaces and columns from gaps.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from watermark.woven.text import Line, Text, Word

FARTHEST = 0.35
"""Points by which a word moves to either side at most: readers do not see it, scanners at 100 dpi do (WATERMARK.md)."""

LEAST = 0.15
"""A word that could not move even so far carries no bit: nothing but an exact reader would see it."""

NARROWEST = 0.175
"""What is left of a gap, in em of the larger type beside it: with less, readers of text no longer see a space.
(WATERMARK.md: with 0.15 em poppler's text stays the same on all but one page of eleven reports.)"""

WIDEST = 0.69
"""What a gap may grow to, in em: with more, readers see two columns."""

# A line's end that stands within so many points of this many others is an edge, and stays.
_EDGE_WIDTH, _EDGE_LINES = 0.25, 2
# Text so near to a line's end belongs to it: em along the line, and em up or down. Rows of points find it.
_APART, _BESIDE, _ROW = 4.0, 0.9, 4.0
# Lines nearer than this, in em, that have more than this of their length in common, lie on each other.
_ON = 0.3
_LEADER_DOTS, _LEADER_WORDS = 4, 3


def count_words(text: Text) -> int:
    """How many words there are, without dots that lead on to a number."""
    return sum(len(line.words) - len(_leaders(line.words)) for line in text.lines)


def reaches(text: Text, narrowest: float = NARROWEST) -> dict[Word, float]:
    """The words that may carry a bit, and how far each may move to either side, in points.

    `narrowest` em are left of each gap.
    """
    found: dict[Word, float] = {}
    neighbours = _Neighbours(text.lines)
    for line in text.lines:
        if neighbours.cover(line):
            continue
        words = line.words
        leaders = _leaders(words)
        for before, word, after in zip([None, *words], words, [*words[1:], None], strict=False):
            if not word.drawn or word in leaders:
                continue
            if (before is None and not neighbours.free_before(line)) or (
                after is None and not neighbours.free_behind(line)
            ):
                continue
            reach = FARTHEST
            if before is not None:
                reach = min(reach, _slack(before, word, narrowest) / 2)
            if after is not None:
                reach = min(reach, _slack(word, after, narrowest) / 2)
            if reach >= LEAST:
                found[word] = reach
    return found


class _Neighbours:
    """Which lines begin or end where no other line does, and with nothing near: their words there may move.

    Elsewhere lines have an edge in common, as in justified text and columns of figures, or another line goes on beside
    them, as an index or a table's next cell does. Or one covers them, as where text is drawn twice to look bold:
    readers then take both for one.
    """

    def __init__(self, lines: list[Line]) -> None:
        self._starts = sorted(line.words[0].start for line in lines)
        self._stops = sorted(line.words[-1].stop for line in lines)
        self._rows: dict[int, list[Line]] = {}
        for line in lines:
            self._rows.setdefault(round(line.across / _ROW), []).append(line)

    def cover(self, line: Line) -> bool:
        """Whether another line lies on this one."""
        em = line.words[0].em
        start, stop = line.words[0].start, line.words[-1].stop
        return any(
            abs(other.across - line.across) < _ON * em
            and min(stop, other.words[-1].stop) - max(start, other.words[0].start) > _ON * em
            for other in self._around(line, _ON * em)
        )

    def free_before(self, line: Line) -> bool:
        """Whether the first word may move."""
        start = line.words[0].start
        return not _is_edge(start, self._starts) and not self._is_near(line, start, before=True)

    def free_behind(self, line: Line) -> bool:
        """Whether the last word may move."""
        stop = line.words[-1].stop
        return not _is_edge(stop, self._stops) and not self._is_near(line, stop, before=False)

    def _is_near(self, line: Line, edge: float, *, before: bool) -> bool:
        em = line.words[0].em
        for other in self._around(line, _BESIDE * em):
            start, stop = other.words[0].start, other.words[-1].stop
            if before and start < edge and stop > edge - _APART * em:
                return True
            if not before and stop > edge and start < edge + _APART * em:
                return True
        return False

    def _around(self, line: Line, distance: float) -> Iterator[Line]:
        """The lines that are so far above or below at most, or a little farther."""
        rows = math.ceil(distance / _ROW)
        middle = round(line.across / _ROW)
        for row in range(middle - rows, middle + rows + 1):
            for other in self._rows.get(row, ()):
                if other is not line:
                    yield other


def _is_edge(place: float, sorted_places: list[float]) -> bool:
    """Whether so many lines begin or end here that it is an edge."""
    return (
        bisect_right(sorted_places, place + _EDGE_WIDTH) - bisect_left(sorted_places, place - _EDGE_WIDTH)
        > _EDGE_LINES
    )


def _slack(before: Word, after: Word, narrowest: float) -> float:
    """How many points the gap between two words may lose, and gain."""
    em = max(before.em, after.em)
    gap = after.start - before.stop
    return min(gap - narrowest * em, WIDEST * em - gap)


def _leaders(words: list[Word]) -> set[Word]:
    """The dots, set as words, that lead on to a number at the line's end."""
    found = {word for word in words if word.code != -1 and word.glyphs >= _LEADER_DOTS}
    for index in range(len(words) - _LEADER_WORDS + 1):
        run = words[index : index + _LEADER_WORDS]
        if all(word.glyphs == 1 and word.code == run[0].code for word in run):
            found.update(run)
    return found
