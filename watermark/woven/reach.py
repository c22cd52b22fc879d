"""Which words of a text carry a bit, and how far each moves to either side.

On each line the first word stays, and so does the last, but for ends where no other line begins or ends and nothing is
near. Words move as far as the gaps beside them bear: readers of text guess spaces and columns from gaps.
"""

import math

from watermark.woven.neighbours import Neighbours
from watermark.woven.text import Line, Text, Word

FARTHEST = 0.35
"""Points by which a word moves to either side at most: readers do not see it, scanners at 100 dpi do (WATERMARK.md)."""

FARTHEST_IN_EM = 0.035
"""The same in em of the word's type: in small print 0.35 points would be seen."""

LEAST = 0.15
"""A word that could not move even so far carries no bit: nothing but an exact reader would see it."""

NARROWEST = 0.175
"""What is left of a gap, in em of the larger type beside it: with less, readers of text no longer see a space.
(WATERMARK.md: with 0.15 em poppler's text stays the same on all but one page of eleven reports.)"""

WIDEST = 0.69
"""What a gap may grow to, in em: with more, readers see two columns."""

_LEADER_DOTS, _LEADER_WORDS = 4, 3
# Lines have one direction when cosine and sine of their angles are the same to so many digits.
_DIRECTION_DIGITS = 2


def count_words(text: Text) -> int:
    """How many words there are, without dots that lead on to a number."""
    return sum(len(line.words) - len(_leaders(line.words)) for line in text.lines)


def reaches(text: Text, narrowest: float = NARROWEST) -> dict[Word, float]:
    """The words that may carry a bit, and how far each may move to either side, in points.

    `narrowest` em are left of each gap.
    """
    found: dict[Word, float] = {}
    directions: dict[tuple[float, float], list[Line]] = {}
    for line in text.lines:
        directions.setdefault(_direction(line), []).append(line)
    around = {direction: Neighbours(lines) for direction, lines in directions.items()}
    for line in text.lines:
        neighbours = around[_direction(line)]
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
            reach = min(FARTHEST, FARTHEST_IN_EM * word.em)
            if before is not None:
                reach = min(reach, _slack(before, word, narrowest) / 2)
            if after is not None:
                reach = min(reach, _slack(word, after, narrowest) / 2)
            if reach >= LEAST:
                found[word] = reach
    return found


def _slack(before: Word, after: Word, narrowest: float) -> float:
    """How many points the gap between two words may lose, and gain."""
    em = max(before.em, after.em)
    gap = after.start - before.stop
    return min(gap - narrowest * em, WIDEST * em - gap)


def _direction(line: Line) -> tuple[float, float]:
    """The same for π and -π, between which rounding decides in a text that stands on its head."""
    return round(math.cos(line.angle), _DIRECTION_DIGITS), round(math.sin(line.angle), _DIRECTION_DIGITS)


def _leaders(words: list[Word]) -> set[Word]:
    """The dots, set as words, that lead on to a number at the line's end."""
    found = {word for word in words if word.code != -1 and word.glyphs >= _LEADER_DOTS}
    for index in range(len(words) - _LEADER_WORDS + 1):
        run = words[index : index + _LEADER_WORDS]
        if all(word.glyphs == 1 and word.code == run[0].code for word in run):
            found.update(run)
    return found
