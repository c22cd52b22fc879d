"""Find the words of a content stream: follow where its text is placed, and part it where spaces and gaps are."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from watermark.content import IDENTITY, Matrix, as_matrix, multiply
from watermark.operators import Operators, Token
from watermark.woven.sourcefont import SourceFont
from watermark.woven.strings import string_bytes
from watermark.woven.text import Fragment, Line, Piece, Show, Step, Text, Word

# White space wider than this, in em, parts two words where no space stands.
_WORD_GAP = 0.17
# A step back or forth that is wider than this, in em, or away from the baseline, begins another line: a column, a
# table's cell, a letter that is struck twice.
_STEP_BACK, _STEP_FORTH, _OFF_BASELINE = 0.3, 2.5, 0.05
_SAME_ANGLE = 1e-3
_MOST_NESTED = 10_000
# Text placed farther out than this, in points, or in type as large, is nobody's: it is left alone, and so it is that
# sums of such lengths stay finite. And so is type smaller than that.
_FARTHEST, _SMALLEST = 1e7, 1e-6
# Where a `cm` that is none may lead: text drawn there has no size.
_NOWHERE: Matrix = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
_SHOWN = {0, 1, 2, 4, 5, 6}  # text rendering modes that draw (ISO 32000-1, table 106)


@dataclass(frozen=True, slots=True)
class _State:
    matrix: Matrix
    font: SourceFont | None = None
    size: float = 0.0
    spacing: float = 0.0
    word_spacing: float = 0.0
    stretch: float = 1.0
    leading: float = 0.0
    mode: int = 0


def read_text(content: bytes, matrix: Matrix, fonts: Callable[[bytes], SourceFont | None]) -> Text:
    """The text of `content`, drawn under `matrix`, which leads to the page as it is seen. `fonts` reads a font by its
    name in the stream's resources."""
    return _Reader(content, matrix, fonts).read()


class _Reader:
    def __init__(self, content: bytes, matrix: Matrix, fonts: Callable[[bytes], SourceFont | None]) -> None:
        self._operators = Operators(content)
        self._fonts = fonts
        self._state = _State(matrix)
        self._stack: list[_State] = []
        self._text = Text([], [], [])
        self._text_matrix = self._line_matrix = IDENTITY
        # Whether it is known where text stands, and where the line matrix stands, from which `Td` and `T*` go on.
        self._known_place = self._known_line = True
        self._in_text = False
        # The line that is open: its direction, its distance from the origin, and how far it has come.
        self._angle = self._across = self._reached = math.nan
        self._line: list[Word] = []
        self._word: Word | None = None

    def read(self) -> Text:
        for operator, operands, position in self._operators:
            handle = _HANDLERS.get(operator)
            if handle is not None:
                handle(self, operator, operands, position)
        self._end_line()
        return self._text

    # Graphics and text state

    def _save(self, operator: bytes, operands: list[Token], position: int) -> None:
        if len(self._stack) < _MOST_NESTED:
            self._stack.append(self._state)
        self._lose_within_text()

    def _restore(self, operator: bytes, operands: list[Token], position: int) -> None:
        if self._stack:
            self._state = self._stack.pop()
        self._lose_within_text()

    def _transform(self, operator: bytes, operands: list[Token], position: int) -> None:
        matrix = as_matrix(self._operators.numbers(operands, 6)) or _NOWHERE
        self._state = replace(self._state, matrix=multiply(matrix, self._state.matrix))
        self._lose_within_text()

    def _lose_within_text(self) -> None:
        """Note that readers differ on where text goes on: some restore its place with `Q`, too."""
        if self._in_text:
            self._lose_place()

    def _lose_place(self) -> None:
        """Note that it is not known where text goes on, until `BT` or `Tm`."""
        self._known_place = self._known_line = False

    def _set(self, operator: bytes, operands: list[Token], position: int) -> None:
        value = self._operators.numbers(operands, 1)
        if value is None:
            self._state = replace(self._state, font=None)  # readers differ on what holds now
        elif operator == b"Tc":
            self._state = replace(self._state, spacing=value[0])
        elif operator == b"Tw":
            self._state = replace(self._state, word_spacing=value[0])
        elif operator == b"Tz":
            self._state = replace(self._state, stretch=value[0] / 100)
        elif operator == b"TL":
            self._state = replace(self._state, leading=value[0])
        elif math.isfinite(value[0]):
            self._state = replace(self._state, mode=int(value[0]))

    def _set_font(self, operator: bytes, operands: list[Token], position: int) -> None:
        size = self._operators.numbers(operands, 1)
        font = self._fonts(self._operators.name(operands[:-1])) if size else None
        self._state = replace(self._state, font=font, size=size[0] if size else 0.0)

    def _form(self, operator: bytes, operands: list[Token], position: int) -> None:
        self._text.forms.append((self._operators.name(operands), self._state.matrix))

    # Where text is placed

    def _reset(self, operator: bytes, operands: list[Token], position: int) -> None:
        if operator == b"Tm":
            matrix = as_matrix(self._operators.numbers(operands, 6))
            if matrix is None:
                self._lose_place()
                return
            self._line_matrix = matrix
        else:
            self._line_matrix = IDENTITY
            self._in_text = True
        self._text_matrix = self._line_matrix
        self._known_place = self._known_line = True
        self._text.events.append("reset")

    def _end_text(self, operator: bytes, operands: list[Token], position: int) -> None:
        self._in_text = False

    def _move(self, operator: bytes, operands: list[Token], position: int) -> None:
        moved = self._operators.numbers(operands, 2)
        if moved is None:
            self._lose_place()
            return
        x, y = moved
        if operator == b"TD":
            self._state = replace(self._state, leading=-y)
        self._line_matrix = self._text_matrix = multiply((1, 0, 0, 1, x, y), self._line_matrix)
        first = operands[-2]
        a, b = multiply(self._line_matrix, self._state.matrix)[:2]
        self._text.events.append(Step(first[1], first[2], x, math.hypot(a, b)))
        self._known_place = self._known_line

    def _next_line(self, operator: bytes, operands: list[Token], position: int) -> None:
        self._line_matrix = multiply((1, 0, 0, 1, 0, -self._state.leading), self._line_matrix)
        self._text_matrix = self._line_matrix
        self._known_place = self._known_line
        self._text.events.append("newline")

    # Text shown

    def _show(self, operator: bytes, operands: list[Token], position: int) -> None:
        spaced = b""
        if operator == b'"':
            spacings = self._operators.numbers(operands[:-1], 2)
            if spacings:
                self._state = replace(self._state, word_spacing=spacings[0], spacing=spacings[1])
                words, letters = (self._operators.content[start:stop] for _, start, stop in operands[-3:-1])
                spaced = b"%s Tw %s Tc " % (words, letters)
            else:
                self._state = replace(self._state, font=None)
        if operator in {b"'", b'"'}:
            self._next_line(operator, operands, position)
        if not operands:
            return
        show = Show(operator, operands[0][1], position, self._pieces(operator, operands), spaced)
        self._text.events.append(show)
        if not self._walk(show):
            self._end_line()
            self._known_place = False

    def _pieces(self, operator: bytes, operands: list[Token]) -> list[Piece]:
        content = self._operators.content
        if operator != b"TJ":
            operands = operands[-1:]
        else:
            opened = [
                index
                for index, (kind, start, stop) in enumerate(operands)
                if kind == "other" and content[start:stop] == b"["
            ]
            if len(opened) != 1:
                return [Piece(operands[0][1], operands[0][2], None, math.nan)]
            operands = operands[opened[0] :]
        pieces = []
        for kind, start, stop in operands:
            if kind == "string":
                pieces.append(Piece(start, stop, string_bytes(content[start:stop])))
            elif kind == "number":
                pieces.append(Piece(start, stop, None, self._operators.number(start, stop)))
        return pieces

    def _walk(self, show: Show) -> bool:
        """Note the words that this shows and move on; False where it cannot be told how far."""
        state, font = self._state, self._state.font
        a, b, c, d, e, f = multiply(self._text_matrix, state.matrix)
        unit = math.hypot(a, b)
        if (
            font is None
            or not self._known_place
            or not (state.size * state.stretch > 0 and unit > 0 and a * d > b * c)
            or any(piece.codes and len(piece.codes) % font.code_size for piece in show.pieces)
        ):
            return False
        em = state.size * math.hypot(c, d)
        show.unit = state.size * state.stretch * unit / 1000
        if not _are_near(
            *(
                e,
                f,
                unit,
                em,
                state.spacing * state.stretch * unit,
                state.word_spacing * state.stretch * unit,
            ),
            *(piece.value * show.unit for piece in show.pieces),
        ) or not (show.unit > _SMALLEST and em > _SMALLEST):
            return False
        angle = math.atan2(b, a)
        cosine, sine = a / unit, b / unit
        start = e * cosine + f * sine
        show.known = True
        self._continue_line(angle, f * cosine - e * sine, start, em)
        moved = self._walk_pieces(show, font, start, em)
        self._text_matrix = multiply((1, 0, 0, 1, moved / unit, 0), self._text_matrix)
        return True

    def _continue_line(self, angle: float, across: float, start: float, em: float) -> None:
        """Go on with the open line, or begin another."""
        goes_on = (
            abs(math.remainder(angle - self._angle, math.tau)) < _SAME_ANGLE
            and abs(across - self._across) < _OFF_BASELINE * em
            and -_STEP_BACK * em < start - self._reached < _STEP_FORTH * em
        )
        if not goes_on:
            self._end_line()
            self._angle, self._across, self._reached = angle, across, start

    def _walk_pieces(self, show: Show, font: SourceFont, start: float, em: float) -> float:
        """Note the words of these pieces, which begin at `start`; returns how far they move on, in points."""
        state = self._state
        unit = show.unit * 1000  # points of a width of 1
        per_size = unit / state.size
        spacing, word_spacing = state.spacing * per_size, state.word_spacing * per_size
        drawn = state.mode in _SHOWN
        size, widths, other, spaces = font.code_size, font.widths, font.other_width, font.spaces
        position = start
        fresh = True
        if self._word is not None and self._word.drawn != drawn:
            self._word = None
        for number, piece in enumerate(show.pieces):
            if piece.codes is None:
                position -= piece.value * show.unit
                continue
            codes = piece.codes
            for offset in range(0, len(codes) - size + 1, size):
                code = codes[offset] if size == 1 else codes[offset] << 8 | codes[offset + 1]
                advance = widths.get(code, other) * unit + spacing
                if size == 1 and code == 32:
                    advance += word_spacing
                if code in spaces:
                    self._word = None
                    position += advance
                    continue
                word = self._word
                gap = position - (self._reached if word is None else word.stop)
                if not -_STEP_BACK * em < gap < _STEP_FORTH * em:
                    self._cut_line()
                    word = None
                elif gap >= _WORD_GAP * em:
                    word = None
                if word is None:
                    word = Word(position, position, em, drawn)
                    self._word = word
                    self._line.append(word)
                    fresh = True
                if fresh:
                    show.fragments.append(Fragment(word, number, offset))
                    word.shows += 1
                    fresh = False
                position += advance
                word.stop = position
                word.glyphs += 1
                self._reached = position
                if code != word.code:
                    word.code = code if word.glyphs == 1 else -1
        return position - start

    def _cut_line(self) -> None:
        if self._line:
            self._text.lines.append(Line(self._line, self._angle, self._across))
        self._line = []
        self._word = None

    def _end_line(self) -> None:
        self._cut_line()
        self._angle = self._across = self._reached = math.nan


def _are_near(*lengths: float) -> bool:
    """Whether all these are numbers, and none is beyond what a page has."""
    return all(abs(length) < _FARTHEST for length in lengths)


_Handler = Callable[[_Reader, bytes, list[Token], int], None]

_HANDLERS: dict[bytes, _Handler] = {
    b"q": _Reader._save,
    b"Q": _Reader._restore,
    b"cm": _Reader._transform,
    b"Tf": _Reader._set_font,
    b"Do": _Reader._form,
    **dict.fromkeys((b"Tc", b"Tw", b"Tz", b"TL", b"Tr"), _Reader._set),
    **dict.fromkeys((b"BT", b"Tm"), _Reader._reset),
    b"ET": _Reader._end_text,
    **dict.fromkeys((b"Td", b"TD"), _Reader._move),
    b"T*": _Reader._next_line,
    **dict.fromkeys((b"Tj", b"TJ", b"'", b'"'), _Reader._show),
}
