"""The visible mark on a page: how much room it has, where it stands, and the operators that draw it.

All is measured as a reader sees the page: the origin at the visible bottom left, x to the right, in points of 1/72
inch, whatever the page's boxes, rotation and user unit.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from watermark.content import Box, Matrix, invert, multiply
from watermark.copyfont import DIAGONAL_CODE, DIAGONAL_HEIGHT, DIAGONAL_WIDTH
from watermark.layout import LEADING
from watermark.shaping import EM
from watermark.template import Frame

# Type size of the footer in points: never below what is legible in print, and on larger pages in proportion.
SMALLEST_TYPE = 5.0
_TYPE_SHARE = 7.0 / 595.0
# White space on the left and right, in em.
_MARGIN = 2.5
# Frames are cut to multiples of this, so that pages of nearly one size share one.
_FRAME_STEP = 50  # hundredths of an em
# The footer may grow upwards over this share of a page, but not to more lines than this.
_FOOTER_SHARE = 0.4
_MOST_LINES = 12
# Bytes of a footer besides its glyph codes: operators, and a few for each line.
_OPERATORS = 120
_LINE_OPERATORS = 3
# Glyph codes that a footer may take, two bytes each; a longer mark draws several letters with one code.
_MOST_CODES = 200
# How much of the largest diagonal that fits is used.
_DIAGONAL_SHARE = 0.92

# The diagonal is a Type 3 glyph, tiny in its own units and magnified by the matrix. PDFium, and so Chrome's selection,
# leaves out of a page's text what has no extent in thousandths of the type size; a letter as large as the page would
# take part in how it finds lines. The glyph itself draws with the copy's font.
DIAGONAL_MAGNIFIED = 1_000_000

# Everything that the page's own content may have set and a mark depends on. In another order on each page.
_PLAIN_STATE = (b"0 Tc", b"0 Tw", b"100 Tz", b"0 Ts", b"0 Tr", b"0 i")
# How far a mark moves by chance on each page, in em: of the footer's type size, and of the diagonal's. Nobody sees it,
# and no line of content is alike on two pages, so none is found by what pages have in common.
_FOOTER_DRIFT, _DIAGONAL_DRIFT = 0.05, 0.05
# Numbers that may follow the diagonal's one code in its `TJ`; nothing is drawn after them.
_KERNS = 1000

# Opacity of the footer with the box behind it, and of the diagonal: mid grey over a white edge, 25 of 255 levels on
# white as on black, which eyes see and reading does not suffer from; on mid grey the edge shows.
FOOTER_OPACITY = 0.85
DIAGONAL_OPACITY = 0.2


@dataclass(frozen=True)
class PageView:
    """A page as it is seen: its size in points, and the matrix from there to the page's own coordinates."""

    width: float
    height: float
    matrix: Matrix

    @property
    def type_size(self) -> float:
        """Of the footer, in points."""
        return max(SMALLEST_TYPE, min(self.width, self.height) * _TYPE_SHARE)

    @property
    def margin(self) -> float:
        """Left and right of the footer, in points; small pages give less."""
        return min(_MARGIN * self.type_size, 0.04 * self.width)

    def frame(self, *, boxed: bool) -> Frame:
        """The footer's room on this page."""
        em = self.type_size
        width = math.floor((self.width - 2 * self.margin) / em * 100 / _FRAME_STEP) * _FRAME_STEP
        lines = max(1, min(_MOST_LINES, math.floor(self.height * _FOOTER_SHARE / (em * LEADING))))
        capacity = _OPERATORS + 2 * _MOST_CODES + _LINE_OPERATORS * 2 * lines
        return Frame(max(width, _FRAME_STEP), lines, boxed, capacity)


Dice = Callable[[str], float]
"""A number from 0 up to 1 by chance for each purpose, on this page."""


@dataclass(frozen=True)
class Names:
    """The names that the mark's resources have on a page: the copy's font, the diagonal's, the footer's state."""

    font: bytes
    diagonal_font: bytes
    footer_state: bytes


def page_view(box: Box, rotate: int, user_unit: float) -> PageView:
    """How a page with this visible box is seen. `rotate` is clockwise, a multiple of 90."""
    left, low, right, high = box
    scale = 1 / user_unit
    width, height = (right - left) * user_unit, (high - low) * user_unit
    turn = rotate % 360 // 90
    if turn == 1:
        return PageView(height, width, (0, scale, -scale, 0, right, low))
    if turn == 2:
        return PageView(width, height, (-scale, 0, 0, -scale, right, high))
    if turn == 3:
        return PageView(height, width, (0, -scale, scale, 0, left, high))
    return PageView(width, height, (scale, 0, 0, scale, left, low))


def footer_operators(
    view: PageView, names: Names, place: Matrix, baseline: float, dice: Dice
) -> tuple[bytes, bytes]:
    """What stands before and after the footer's slot. `place` is the matrix there; it must be invertible.

    Inside, lengths are in em of the footer's type size; the lowest baseline is `baseline` points above the bottom.
    """
    em = view.type_size
    drift = _FOOTER_DRIFT * em * dice("left")
    to_page = multiply((em, 0, 0, em, view.margin + drift, baseline), view.matrix)
    before = b"\nq %s cm /%s gs %s /%s 1 Tf " % (
        matrix_operands(_seen_from(place, to_page)),
        names.footer_state,
        _plain_state(dice),
        names.font,
    )
    return before, b" Q\n"


def diagonal_operators(view: PageView, names: Names, place: Matrix, dice: Dice) -> bytes:
    """The operators that draw the diagonal. `place` is the matrix where it is drawn, which must be invertible."""
    size, angle = diagonal_size(view)
    cosine, sine = (DIAGONAL_MAGNIFIED * size * part for part in (math.cos(angle), math.sin(angle)))
    across, up = (_DIAGONAL_DRIFT * size * (dice(way) - 0.5) for way in ("across", "up"))
    to_page = multiply(
        (cosine, sine, -sine, cosine, view.width / 2 + across, view.height / 2 + up), view.matrix
    )
    return b"\nq %s cm %s BT /%s 1 Tf [( ) %d] TJ ET Q\n" % (
        matrix_operands(_seen_from(place, to_page)),
        _plain_state(dice),
        names.diagonal_font,
        int(_KERNS * dice("kern")),
    )


def diagonal_glyph(font: bytes, state: bytes) -> bytes:
    """The one glyph of the diagonal's Type 3 font: the copy font's diagonal, mid grey over a white edge.

    The edge is drawn first: renderers give it at least a pixel, which would take small letters away.
    """
    code = DIAGONAL_CODE.hex().encode()
    return (
        b"0 0 d0 /%s gs .5 g 1 G .04 w 1 J 1 j [] 0 d %s 0 0 %s 0 0 cm BT /%s 1 Tf 1 Tr <%s> Tj 0 Tr <%s> Tj ET"
        % (
            state,
            number(1000 / DIAGONAL_MAGNIFIED),
            number(1000 / DIAGONAL_MAGNIFIED),
            font,
            code,
            code,
        )
    )


def diagonal_size(view: PageView) -> tuple[float, float]:
    """Points in an em of the diagonal, and its angle: from the bottom left to the top right, as large as fits."""
    angle = math.atan2(view.height, view.width)
    length, height = DIAGONAL_WIDTH / EM, DIAGONAL_HEIGHT / EM
    wide = length * math.cos(angle) + height * math.sin(angle)
    tall = length * math.sin(angle) + height * math.cos(angle)
    return _DIAGONAL_SHARE * min(view.width / wide, view.height / tall), angle


def matrix_operands(matrix: Matrix) -> bytes:
    """Six numbers as PDF writes them: no exponent, as many digits as readers keep."""
    return b" ".join(number(value) for value in matrix)


def number(value: float) -> bytes:
    """A number as PDF writes it."""
    text = f"{value:.8f}" if abs(value) < 1 else f"{value:.5f}"
    text = text.rstrip("0").rstrip(".")
    return b"0" if text in {"-0", ""} else text.encode()


def _plain_state(dice: Dice) -> bytes:
    """The operators that undo what a mark depends on."""
    order: list[bytes] = sorted(_PLAIN_STATE, key=lambda operator: dice(operator.decode()))
    return b" ".join(order)


def _seen_from(place: Matrix, to_page: Matrix) -> Matrix:
    inverse = invert(place)
    if inverse is None:
        raise ValueError("no mark can be drawn under a matrix that cannot be inverted")
    return multiply(to_page, inverse)
