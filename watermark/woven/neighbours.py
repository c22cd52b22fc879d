"""What lies around a line of text of one direction: edges that lines share, text beside its ends, text on top of it.

Every question is answered in the logarithm of the number of lines, whatever a page holds.
"""

import math
from bisect import bisect_left, bisect_right
from itertools import accumulate

from watermark.woven.text import Line

# A line's end that stands within so many points of this many others is an edge.
_EDGE_WIDTH, _EDGE_LINES = 0.25, 2
# Text so near to a line's end belongs to it: em along the line, and em up or down. Rows of points find it.
_APART, _BESIDE, _ROW = 4.0, 0.9, 4.0
# Lines nearer than this, in em, that have more than this of their length in common, lie on each other. Finer rows
# find them.
_ON, _FINE_ROW = 0.3, 0.5
# Around lines in larger type than this, in points, there is always something: what is near them is far to seek.
_LARGEST = 400.0

Spans = list[tuple[float, float]]


class Neighbours:
    """Which lines begin or end where no other line does, and with nothing near: their words there may move.

    Elsewhere lines have an edge in common, as in justified text and columns of figures, or another line goes on beside
    them, as an index or a table's next cell does. Or one covers them, as where text is drawn twice to look bold:
    readers then take both for one.
    """

    def __init__(self, lines: list[Line]) -> None:
        self._starts, self._stops = _ends([_span(line) for line in lines])
        # By row: where lines begin, by rising place, and how far one of those up to there goes; the same backwards.
        self._after: dict[int, tuple[list[float], list[float]]] = {}
        self._before: dict[int, tuple[list[float], list[float]]] = {}
        for row, spans in _rows(lines, _ROW).items():
            self._after[row] = _farthest(spans)
            self._before[row] = _farthest([(-stop, -start) for start, stop in spans])
        self._fine = {row: _ends(spans) for row, spans in _rows(lines, _FINE_ROW).items()}

    def cover(self, line: Line) -> bool:
        """Whether another line lies on this one."""
        em = line.words[0].em
        start, stop = _span(line)
        inner, outer = start + _ON * em, stop - _ON * em
        if em > _LARGEST:
            return True
        if inner >= outer:
            return False
        overlapping = 0
        for row in _rows_within(line.across, _ON * em, _FINE_ROW):
            starts, stops = self._fine.get(row, ((), ()))
            overlapping += bisect_left(starts, outer) - bisect_right(stops, inner)
        return overlapping > 1  # more than itself

    def free_before(self, line: Line) -> bool:
        """Whether the first word may move."""
        start, _ = _span(line)
        return not _is_edge(start, self._starts) and not self._is_near(line, start, self._after)

    def free_behind(self, line: Line) -> bool:
        """Whether the last word may move."""
        _, stop = _span(line)
        return not _is_edge(stop, self._stops) and not self._is_near(line, -stop, self._before)

    def _is_near(self, line: Line, edge: float, rows: dict[int, tuple[list[float], list[float]]]) -> bool:
        """Whether a line begins before `edge` and comes near to it or goes beyond, in the direction of `rows`."""
        em = line.words[0].em
        if em > _LARGEST:
            return True
        for row in _rows_within(line.across, _BESIDE * em, _ROW):
            begins, reached = rows.get(row, ((), ()))
            earlier = bisect_left(begins, edge)
            if earlier and reached[earlier - 1] > edge - _APART * em:
                return True
        return False


def _span(line: Line) -> tuple[float, float]:
    return line.words[0].start, line.words[-1].stop


def _rows(lines: list[Line], height: float) -> dict[int, Spans]:
    found: dict[int, Spans] = {}
    for line in lines:
        found.setdefault(round(line.across / height), []).append(_span(line))
    return found


def _rows_within(across: float, distance: float, height: float) -> range:
    """The rows that hold what is so far up or down at most, or a little farther."""
    middle, rows = round(across / height), math.ceil(distance / height)
    return range(middle - rows, middle + rows + 1)


def _ends(spans: Spans) -> tuple[list[float], list[float]]:
    """All starts and all stops, by rising place."""
    return sorted(start for start, _ in spans), sorted(stop for _, stop in spans)


def _farthest(spans: Spans) -> tuple[list[float], list[float]]:
    """The starts by rising place, and with each the farthest stop of those up to it."""
    ordered = sorted(spans)
    return [start for start, _ in ordered], list(accumulate((stop for _, stop in ordered), max))


def _is_edge(place: float, sorted_places: list[float]) -> bool:
    """Whether so many lines begin or end here that it is an edge."""
    return (
        bisect_right(sorted_places, place + _EDGE_WIDTH) - bisect_left(sorted_places, place - _EDGE_WIDTH)
        > _EDGE_LINES
    )
