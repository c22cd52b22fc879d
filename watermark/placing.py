"""Where the mark stands in each page's content, and the content with the mark in it.

Places differ from page to page by chance. What is drawn after a mark can cover it, so a page whose mark is not seen
moves it towards the end, step by step.
"""

import hashlib
import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from watermark.content import IDENTITY, Content, Matrix, invert, read_content
from watermark.pages import SourcePage
from watermark.template import Frame
from watermark.visible import Names, diagonal_operators, footer_operators
from watermark.woven.text import Word
from watermark.woven.threads import Thread

# The share of all places, counted from the last, that each try chooses from.
SHARES = (0.7, 0.35, 0.12, 0.0)
# After these, the end of the content, where nothing is drawn later.
TRIES = len(SHARES) + 1


class Chance:
    """Choices that the seed decides: the same seed gives the same ones, and without it they cannot be guessed."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._count = 0

    def share(self, *purpose: object) -> float:
        """A number from 0 up to 1 for this purpose."""
        digest = hashlib.sha256(self._seed + repr(purpose).encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48

    def noise(self, length: int) -> bytes:
        """Random bytes, other ones at each call."""
        self._count += 1
        return hashlib.shake_256(self._seed + b"noise" + self._count.to_bytes(8, "big")).digest(length)


@dataclass
class PagePlan:
    """One page's marks: the room of its footer and its lowest baseline in points, and how often each mark was moved.

    `found` are the places in the woven content of `thread`.
    """

    source: SourcePage
    thread: Thread
    found: Content
    frame: Frame
    baseline: float
    footer_try: int = 0
    diagonal_try: int = 0

    def fix(self, words: Iterable[Word]) -> None:
        """Let these words of the page stay where they are."""
        self.thread.fix(words)
        self.found = _places(self.source, self.thread)


@dataclass(frozen=True)
class MarkedContent:
    """A page's woven content with its marks; the footer's slot is [start, stop), the operands lie at `operands`."""

    content: bytes
    start: int
    stop: int
    operands: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class _Spot:
    """An offset in the content where a mark is inserted, or its end after all states are undone."""

    offset: int
    matrix: Matrix
    at_end: bool = False


def plan_page(source: SourcePage, thread: Thread, frame: Frame, baseline: float) -> PagePlan:
    """The plan of a page whose marks were not moved yet."""
    return PagePlan(source, thread, _places(source, thread), frame, baseline)


def _places(source: SourcePage, thread: Thread) -> Content:
    found = read_content(thread.woven.content, source.box, source.forms)
    found.places = [place for place in found.places if place.between_lines and invert(place.matrix)]
    return found


def marked_content(plan: PagePlan, index: int, names: Names, chance: Chance) -> MarkedContent:
    """The page's content with footer and diagonal, the footer's slot still empty. Everything else keeps its bytes,
    but for `Q` that restore nothing, which become spaces."""
    source, found = plan.source, plan.found
    footer = _spot(plan, plan.footer_try, chance.share(index, "footer", plan.footer_try))
    diagonal = _spot(plan, plan.diagonal_try, chance.share(index, "diagonal", plan.diagonal_try))
    before, after = footer_operators(
        source.view, names, footer.matrix, plan.baseline, partial(chance.share, index, "footer")
    )
    drawn = diagonal_operators(source.view, names, diagonal.matrix, partial(chance.share, index, "diagonal"))

    woven = plan.thread.woven
    content = bytearray(woven.content)
    for offset in found.stray:
        content[offset : offset + 1] = b" "
    wrapped = footer.at_end or diagonal.at_end
    written = bytearray(b"q\n" if wrapped else b"")
    position = start = 0
    shifts = [(0, len(written))]
    marks = sorted([(footer.at_end, footer.offset, 1), (diagonal.at_end, diagonal.offset, 0)])
    closed = False
    for at_end, offset, is_footer in marks:
        written += content[position:offset]
        position = offset
        if at_end and not closed:
            written += found.closing + b"\nQ"
            closed = True
        if is_footer:
            start = len(written) + len(before)
            written += before + bytes(plan.frame.capacity) + after
        else:
            written += drawn
        shifts.append((offset, len(written) - offset))
    written += content[position:]
    if not closed:
        written += found.closing + b"\nQ" * wrapped
    operands = tuple(
        (operand.start + shift, operand.stop + shift)
        for operand in woven.operands
        for shift in (max(shifts[: bisect_right(shifts, (operand.start, math.inf))])[1],)
    )
    return MarkedContent(bytes(written), start, start + plan.frame.capacity, operands)


def _spot(plan: PagePlan, tries: int, chance: float) -> _Spot:
    places = plan.found.places
    if places and tries < len(SHARES):
        back = int(chance * SHARES[tries] * len(places))
        place = places[len(places) - 1 - back]
        return _Spot(place.offset, place.matrix)
    if plan.found.complete:
        return _Spot(len(plan.thread.woven.content), IDENTITY, at_end=True)
    if places:
        return _Spot(places[-1].offset, places[-1].matrix)
    return _Spot(0, IDENTITY)
