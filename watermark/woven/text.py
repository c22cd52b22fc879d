"""The text of a content stream: its words in lines, and the operators that place and show them.

Lengths are points along the line's direction, as the page is seen.
"""

from dataclasses import dataclass, field

from watermark.content import Matrix


@dataclass(slots=True)
class Step:
    """A `Td` or `TD`: where its first operand stands, its value, and how many points one of its units is."""

    start: int
    stop: int
    value: float
    unit: float


@dataclass(slots=True)
class Piece:
    """An element of a `TJ`, or the string of another operator that shows text: a string's codes, or a number."""

    start: int
    stop: int
    codes: bytes | None
    value: float = 0.0


@dataclass(slots=True)
class Fragment:
    """The part of a word that one operator shows: it begins with byte `offset` of piece `piece`."""

    word: "Word"
    piece: int
    offset: int


@dataclass(slots=True)
class Show:
    """An operator that shows text, from its operands' first byte to its own last.

    `spaced` are the operators for the spacing that a `"` sets. A number n in its `TJ` moves what follows by -n * `unit`
    points. `known` is False where it cannot be told how its codes move on: nothing in it may move.
    """

    operator: bytes
    start: int
    stop: int
    pieces: list[Piece]
    spaced: bytes = b""
    unit: float = 0.0
    known: bool = False
    fragments: list[Fragment] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Word:
    """Consecutive letters: from `start` to `stop` along its line, in type of `em` points.

    `drawn` is False for text that is laid invisibly over a picture. `glyphs` counts its letters, and `code` is the one
    code of all of them, or -1. `shows` counts the operators that show a part of it.
    """

    start: float
    stop: float
    em: float
    drawn: bool
    glyphs: int = 0
    code: int = -1
    shows: int = 0


@dataclass(slots=True)
class Line:
    """Words side by side: the direction that they are written in, and how far the baseline is from the origin."""

    words: list[Word]
    angle: float
    across: float


Event = Show | Step | str
"""What happens to the place of text, in order: text shown, `Td`, or `reset` (`BT`, `Tm`) or `newline` (`T*`)."""


@dataclass
class Text:
    """The text of one content stream: its events in order, its lines of words, and the forms that it draws."""

    events: list[Event]
    lines: list[Line]
    forms: list[tuple[bytes, Matrix]]
