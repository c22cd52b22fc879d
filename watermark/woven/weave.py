"""Weave: write the operands that move the words of a content stream.

A word moves left or right by changing what lies in the gap before it, and back in the gap after it, so every other
word stays where it was. `operand.py` says what is written.

How a word is moved: by a number in a `TJ` in front of its first letter; or, where the producer places each letter by
a `Td` of its own, by that `Td`. Both are the numbers that producers kern with.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from watermark.woven.operand import MAX_WIDTH, Operand
from watermark.woven.strings import written_string
from watermark.woven.text import Piece, Show, Step, Text, Word

# A step's number, and one in a `TJ`, has so many decimals that their units are no more points than this. Kerning in
# type of up to 20 points has none.
_STEP_ROUNDING, _KERN_ROUNDING = 0.005, 0.02
# A step's unit is no fewer or more points.
_STEEPEST = 1e-6
_MOST_DECIMALS = 4
# A word that no operand can move may leave one for its neighbour, and so on: after so many turns, nothing moves.
_TURNS = 20


@dataclass(frozen=True, slots=True)
class WovenOperand:
    """An operand at [start, stop) of the woven content, the text of bits (0, 0) in it.

    `left` and `right` number the stream's words that carry a bit, from 0; None is a word that stays.
    """

    start: int
    stop: int
    operand: Operand
    left: int | None
    right: int | None


@dataclass(frozen=True)
class Woven:
    """A stream's content with its operands in it, by rising offset. `moved` are the words with a bit, by number."""

    content: bytes
    operands: tuple[WovenOperand, ...]
    moved: tuple[Word, ...]

    def with_bits(self, bits: Sequence[int]) -> bytes:
        """The content where the words have these bits."""
        parts: list[bytes] = []
        position = 0
        for operand in self.operands:
            left, right = (0 if word is None else bits[word] for word in (operand.left, operand.right))
            parts += (self.content[position : operand.start], operand.operand.text(left, right))
            position = operand.stop
        return b"".join([*parts, self.content[position:]])


def weave(content: bytes, text: Text, reach: Mapping[Word, float]) -> Woven:
    """Let the words of `reach` move so many points to either side. `text` was read from `content`.

    Words that no operand can move stay after all.
    """
    reach = dict(reach)
    for turns_left in reversed(range(_TURNS)):
        writing = _Writing(content, text, reach)
        stuck = writing.write()
        if not stuck:
            break
        for word in stuck:
            del reach[word]
        if turns_left <= 1:
            reach.clear()
    moved, operands = _numbered(writing.operands)
    return Woven(b"".join(writing.parts), tuple(operands), tuple(moved))


_Unnumbered = tuple[int, int, Operand, Word | None, Word | None]


def _numbered(operands: list[_Unnumbered]) -> tuple[dict[Word, int], list[WovenOperand]]:
    """The words that operands move, numbered as they come."""
    numbers: dict[Word, int] = {}

    def number(word: Word | None) -> int | None:
        return None if word is None else numbers.setdefault(word, len(numbers))

    found = [
        WovenOperand(a, b, operand, number(left), number(right)) for a, b, operand, left, right in operands
    ]
    return numbers, found


class _Writing:
    """Writes the content once. `moved` and `line_moved` are the words by whose bits text here, and the line matrix, are
    displaced."""

    def __init__(self, content: bytes, text: Text, reach: Mapping[Word, float]) -> None:
        self._content = content
        self._text = text
        self._reach = reach
        self._moved: Word | None = None
        self._line_moved: Word | None = None
        self._stuck: set[Word] = set()
        self._position = 0
        self._length = 0
        # What rounding left over, in points, here and in the line matrix: the next operand takes it.
        self._rest = self._line_rest = 0.0
        self.parts: list[bytes] = []
        self.operands: list[_Unnumbered] = []

    def write(self) -> set[Word]:
        """Write it all; returns the words that cannot be moved after all, or none when the writing holds."""
        events = self._text.events
        for index, event in enumerate(events):
            if isinstance(event, Show):
                self._show(event)
            elif isinstance(event, Step):
                following = events[index + 1] if index + 1 < len(events) else None
                self._step(event, following if isinstance(following, Show) else None)
            else:
                if event == "newline" and self._line_moved is not None:
                    self._stuck.add(self._line_moved)
                self._moved = self._line_moved if event == "newline" else None
                self._line_moved = None
                self._rest = self._line_rest = 0.0
        self._copy(len(self._content))
        return self._stuck

    def _copy(self, stop: int) -> None:
        self._put(self._content[self._position : stop])
        self._position = stop

    def _put(self, data: bytes) -> None:
        self.parts.append(data)
        self._length += len(data)

    def _put_operand(self, operand: Operand, left: Word | None, right: Word | None) -> None:
        text = operand.text(0, 0)
        self.operands.append((self._length, self._length + len(text), operand, left, right))
        self._put(text)

    def _step(self, step: Step, show: Show | None) -> None:
        """Move the line matrix with the word that begins here, if its letters are placed one by one; and back."""
        self._moved, self._rest = self._line_moved, self._line_rest
        if show is not None and show.known and not show.fragments:
            return  # spaces go with the word before them
        first = show.fragments[0] if show is not None and show.fragments else None
        word = first.word if first is not None and first.word in self._reach else None
        if word is self._line_moved:
            return
        if self._line_moved is None and word is not None and word.shows < 2:
            return  # a number in front of it does
        operand = None
        if _STEEPEST < step.unit < 1 / _STEEPEST:
            decimals = _decimals(step.unit, _STEP_ROUNDING)
            operand = self._moving(step.value, self._line_moved, word, 1 / step.unit, decimals)
        if operand is None:
            self._stuck.update(w for w in (word, self._line_moved) if w is not None)
            return
        self._copy(step.start)
        self._put_operand(operand, self._line_moved, word)
        self._position = step.stop
        self._moved = self._line_moved = word
        self._line_rest = self._rest

    def _show(self, show: Show) -> None:
        changes: list[tuple[int, int, Word | None, Word | None]] = []
        for fragment in show.fragments:
            word = fragment.word if fragment.word in self._reach else None
            if word is not self._moved:
                changes.append((fragment.piece, fragment.offset, self._moved, word))
                self._moved = word
        if not show.known and self._moved is not None:
            self._stuck.add(self._moved)
        if changes:
            self._rewrite(show, changes)

    def _rewrite(self, show: Show, changes: list[tuple[int, int, Word | None, Word | None]]) -> None:
        """The show as a `TJ` with the operands of these changes in it."""
        self._copy(show.start)
        if show.operator in {b"'", b'"'}:
            self._put(b" %sT*" % show.spaced)
        self._put(b"[")
        waiting = changes[::-1]
        numbers: list[Piece] = []
        for index, piece in enumerate(show.pieces):
            if piece.codes is None:
                numbers.append(piece)
                continue
            done = 0
            while waiting and waiting[-1][0] == index:
                _, offset, left, right = waiting.pop()
                if offset > done:
                    self._put_numbers(numbers)
                    self._put_string(piece, done, offset)
                    done = offset
                self._put_gap(show, numbers, left, right)
            self._put_numbers(numbers)
            self._put_string(piece, done, len(piece.codes))
        self._put_numbers(numbers)
        self._put(b"]TJ")
        self._position = show.stop

    def _put_gap(self, show: Show, numbers: list[Piece], left: Word | None, right: Word | None) -> None:
        """The operand that takes the place of the numbers that stood here."""
        before = sum(piece.value for piece in numbers)
        operand = self._moving(before, left, right, -1 / show.unit, _decimals(show.unit, _KERN_ROUNDING))
        if operand is None:
            self._stuck.update(word for word in (left, right) if word is not None)
            return
        numbers.clear()
        self._put_operand(operand, left, right)

    def _put_numbers(self, numbers: list[Piece]) -> None:
        self._put(b" ".join(self._content[piece.start : piece.stop] for piece in numbers))
        numbers.clear()

    def _put_string(self, piece: Piece, start: int, stop: int) -> None:
        if piece.codes is None:
            return
        whole = self._content[piece.start : piece.stop]
        if stop - start == len(piece.codes):
            self._put(whole)
        elif stop > start:
            self._put(written_string(piece.codes[start:stop], hexadecimal=whole[:1] == b"<"))

    def _moving(
        self, value: float, left: Word | None, right: Word | None, units: float, decimals: int
    ) -> Operand | None:
        """The operand that stands for `value` and moves what follows it as these words' bits say.

        `units` are those of the operand in a point. None where no operand is wide enough.
        """
        scale = 10**decimals
        left_reach, right_reach = (0.0 if word is None else self._reach[word] for word in (left, right))
        a_point = units * scale
        to_left, to_right = (
            int(math.copysign(math.floor(2 * reach * abs(a_point) + 1e-6), units * sign))
            for reach, sign in ((left_reach, -1), (right_reach, 1))
        )
        exact = value * scale - (to_left + to_right) / 2 + self._rest * a_point
        if not abs(exact) < 10**MAX_WIDTH:
            return None
        base = round(exact)
        widest = max(
            len(Operand(base, to_left, to_right, MAX_WIDTH * 2, decimals).text(a, b).lstrip())
            for a in (0, 1)
            for b in (0, 1)
        )
        if widest > MAX_WIDTH:
            return None
        self._rest = (exact - base) / a_point
        return Operand(base, to_left, to_right, widest, decimals)


def _decimals(unit: float, rounding: float) -> int:
    """How many decimals a number of these points a unit needs."""
    return min(_MOST_DECIMALS, max(0, math.ceil(math.log10(unit / rounding) - 1e-9)))
