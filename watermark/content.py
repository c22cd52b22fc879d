"""Read a page's content stream just far enough to know where a mark may stand, and keep every byte of it.

A place lies between two operators, outside of text objects, paths and marked content, where no clip hides a part of
the page. The mark sets all other graphics state itself, so only the transformation matrix is followed.
"""

import math
from dataclasses import dataclass, field, replace

from watermark.operators import Operators, Token

Matrix = tuple[float, float, float, float, float, float]
Box = tuple[float, float, float, float]

IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)

_PATH_STARTS = frozenset({b"m", b"l", b"c", b"v", b"y", b"h"})
_PATH_ENDS = frozenset({b"S", b"s", b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*", b"n"})
_SHOWS = frozenset({b"Tj", b"TJ", b"'", b'"'})
# A mark is only tried after these: they end something that is drawn, or a state.
_ENDINGS = _PATH_ENDS | {b"ET", b"Q", b"EMC", b"Do", b"EI", b"sh"}

# Nesting beyond this is no producer's; PDF 32000-1, annex C, lets readers stop at 28.
_MOST_NESTED = 10_000
# A matrix that shrinks or blows up more than this cannot be undone with the digits that a PDF number has.
_LARGEST_SCALE = 1e5
# Two baselines closer than this share of the type size are one line of text.
_SAME_LINE = 0.7


@dataclass(frozen=True)
class Place:
    """A position between two operators: its offset, the matrix that holds there, and whether a line of text ends there.

    `parts_text` is False where text before and after it stand on one line, so that text put between would part it.
    """

    offset: int
    matrix: Matrix
    between_lines: bool


@dataclass
class Content:
    """What reading a content stream found.

    `places` are in order. `stray` are the offsets of `Q` that restore nothing. `closing` ends what is left open.
    `complete` is False when the content breaks off in the midst of a string or image: what follows it is lost.
    """

    places: list[Place] = field(default_factory=list)
    stray: list[int] = field(default_factory=list)
    closing: bytes = b""
    complete: bool = True


@dataclass(frozen=True)
class _State:
    matrix: Matrix = IDENTITY
    clipped: bool = False
    leading: float = 0.0
    size: float = 1.0


@dataclass(frozen=True)
class _Baseline:
    """A line that text stands on: its direction, its distance from the origin, the height of its letters."""

    angle: float
    distance: float
    size: float

    def is_line_of(self, other: "_Baseline") -> bool:
        same_angle = abs(math.remainder(self.angle - other.angle, math.tau)) < 0.01
        return same_angle and abs(self.distance - other.distance) < _SAME_LINE * max(self.size, other.size)


def multiply(first: Matrix, second: Matrix) -> Matrix:
    """The matrix that does `first`, then `second`, as PDF multiplies them."""
    a, b, c, d, e, f = first
    p, q, r, s, t, u = second
    return (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)


def invert(matrix: Matrix) -> Matrix | None:
    """The matrix that undoes this one, or None when none does with a PDF number's digits."""
    a, b, c, d, e, f = matrix
    determinant = a * d - b * c
    if not all(math.isfinite(value) for value in matrix) or abs(determinant) < _LARGEST_SCALE**-2:
        return None
    inverse = (
        d / determinant,
        -b / determinant,
        -c / determinant,
        a / determinant,
        (c * f - d * e) / determinant,
        (b * e - a * f) / determinant,
    )
    return inverse if max(abs(value) for value in inverse[:4]) < _LARGEST_SCALE else None


def as_matrix(numbers: list[float] | None) -> Matrix | None:
    """Six numbers as the matrix that they are."""
    if numbers is None:
        return None
    a, b, c, d, e, f = numbers
    return (a, b, c, d, e, f)


def read_content(content: bytes, visible: Box, forms: frozenset[bytes]) -> Content:
    """The places in a page's content. `visible` is the page's visible box; `forms` names its form XObjects."""
    return _Reader(content, visible, forms).read()


class _Reader:
    def __init__(self, content: bytes, visible: Box, forms: frozenset[bytes]) -> None:
        self._operators = Operators(content)
        self._visible = visible
        self._forms = forms
        self._found = Content()
        self._state = _State()
        self._stack: list[_State] = []
        self._marked = 0
        self._in_text = False
        self._in_path = False
        self._rectangles: list[Box] = []
        self._only_rectangles = True
        self._clip_pending = False
        self._line_matrix = IDENTITY
        # Baselines of texts in their order; None is a form, whose text stands anywhere.
        self._shows: list[_Baseline | None] = []
        self._candidates: list[tuple[int, Matrix, int]] = []

    def read(self) -> Content:
        for operator, operands, position in self._operators:
            self._apply(operator, operands, position)
        self._found.complete = self._operators.complete
        self._finish()
        return self._found

    def _apply(self, operator: bytes, operands: list[Token], position: int) -> None:
        if operator in _SHOWS or operator in _TEXT_OPERATORS:
            self._text(operator, operands)
        elif operator in _PATH_STARTS or operator == b"re":
            self._path(operator, operands)
        elif operator in _PATH_ENDS:
            self._end_path()
        elif operator in {b"W", b"W*"}:
            self._clip_pending = True
        elif operator == b"q":
            if len(self._stack) < _MOST_NESTED:
                self._stack.append(self._state)
        elif operator == b"Q":
            if self._stack:
                self._state = self._stack.pop()
            else:
                self._found.stray.append(position - 1)
        elif operator == b"cm":
            matrix = self._matrix(operands)
            if matrix:
                self._state = replace(self._state, matrix=multiply(matrix, self._state.matrix))
        elif operator in {b"BMC", b"BDC"}:
            self._marked += 1
        elif operator == b"EMC":
            self._marked = max(0, self._marked - 1)
        elif operator == b"Do" and self._operators.name(operands) in self._forms:
            self._shows.append(None)
        if operator in _ENDINGS and not (
            self._in_text or self._in_path or self._marked or self._state.clipped
        ):
            self._candidates.append((position, self._state.matrix, len(self._shows)))

    def _path(self, operator: bytes, operands: list[Token]) -> None:
        if not self._in_path:
            self._rectangles, self._only_rectangles = [], True
        self._in_path = True
        numbers = self._operators.numbers(operands, 4) if operator == b"re" else None
        if numbers is None:
            self._only_rectangles = False
            return
        x, y, width, height = numbers
        corners = [
            multiply((1, 0, 0, 1, *corner), self._state.matrix)[4:]
            for corner in ((x, y), (x + width, y + height))
        ]
        a, b, c, d = self._state.matrix[:4]
        # Only a rectangle that stays upright covers what its corners span.
        if (b == c == 0) or (a == d == 0):
            (left, low), (right, high) = corners
            self._rectangles.append((min(left, right), min(low, high), max(left, right), max(low, high)))
        else:
            self._only_rectangles = False

    def _end_path(self) -> None:
        if self._clip_pending:
            left, low, right, high = self._visible
            whole = self._only_rectangles and any(
                x0 <= left + 1 and y0 <= low + 1 and x1 >= right - 1 and y1 >= high - 1
                for x0, y0, x1, y1 in self._rectangles
            )
            if not whole:
                self._state = replace(self._state, clipped=True)
        self._in_path = self._clip_pending = False
        self._rectangles, self._only_rectangles = [], True

    def _text(self, operator: bytes, operands: list[Token]) -> None:
        if operator in {b"BT", b"ET"}:
            self._in_text = operator == b"BT"
            self._line_matrix = IDENTITY
        elif operator == b"Tm":
            self._line_matrix = self._matrix(operands) or self._line_matrix
        elif operator in {b"Td", b"TD"}:
            moved = self._operators.numbers(operands, 2)
            if moved:
                self._line_matrix = multiply((1, 0, 0, 1, moved[0], moved[1]), self._line_matrix)
                if operator == b"TD":
                    self._state = replace(self._state, leading=-moved[1])
        elif operator in {b"TL", b"Tf"}:
            value = self._operators.numbers(operands, 1)
            if value and operator == b"TL":
                self._state = replace(self._state, leading=value[0])
            elif value:
                self._state = replace(self._state, size=value[0])
        if operator in {b"T*", b"'", b'"'}:
            self._line_matrix = multiply((1, 0, 0, 1, 0, -self._state.leading), self._line_matrix)
        if operator in _SHOWS:
            a, b, c, d, e, f = multiply(self._line_matrix, self._state.matrix)
            angle = math.atan2(b, a)
            self._shows.append(
                _Baseline(
                    angle,
                    f * math.cos(angle) - e * math.sin(angle),
                    abs(self._state.size) * math.hypot(c, d),
                )
            )

    def _matrix(self, operands: list[Token]) -> Matrix | None:
        return as_matrix(self._operators.numbers(operands, 6))

    def _finish(self) -> None:
        for offset, matrix, before in self._candidates:
            first = self._shows[before - 1] if before else None
            second = self._shows[before] if before < len(self._shows) else None
            if before == 0 or before == len(self._shows):
                parted = True
            else:
                parted = first is not None and second is not None and not first.is_line_of(second)
            self._found.places.append(Place(offset, matrix, parted))
        self._found.closing = (
            b"\nET" * self._in_text
            + b"\nn" * self._in_path
            + b"\nEMC" * self._marked
            + b"\nQ" * len(self._stack)
        )


_TEXT_OPERATORS = frozenset({b"BT", b"ET", b"Tm", b"Td", b"TD", b"T*", b"TL", b"Tf"})
