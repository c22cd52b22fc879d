"""Lines of the mark: the footer wrapped into a frame, and the lines of the diagonal."""

from dataclasses import dataclass

from watermark.fonts import Fonts
from watermark.mark import Printed
from watermark.shaping import EM, Cluster, shape, width

SEPARATOR = " · "
# Distance of baselines in em; room for marks above and below of the tallest scripts.
LEADING = 1.3

# A long mark in a narrow frame shrinks by steps until it fits; below this share of the frame's type size it would
# be unreadable, and only a mark of several hundred characters on a page of an inch or two gets there.
_SHRINK = 0.94
_SMALLEST = 0.1


@dataclass(frozen=True)
class Word:
    """A stretch of a field that stays on one line if it can."""

    field: str
    text: str


@dataclass(frozen=True)
class Lines:
    """Shaped lines, to be drawn at `scale` times the type size of their frame."""

    lines: tuple[tuple[Cluster, ...], ...]
    scale: float

    @property
    def width(self) -> int:
        """Of the longest line, in thousandths of the unscaled em."""
        return max((width(list(line)) for line in self.lines), default=0)


def footer(mark: Printed, fonts: Fonts, room: int, most_lines: int) -> Lines:
    """The footer in at most `most_lines` lines of `room` thousandths of an em, at the largest scale up to 1."""
    words = [Word(field, word) for field, text in mark.fields() for word in text.split()]
    return _fitted(words, fonts, room, most_lines)


def diagonal(mark: Printed, fonts: Fonts, room: int, height: int) -> Lines:
    """Name, mail, company, date and copy id, in as many lines as let them be drawn largest.

    Every line is at most `room` thousandths wide and all of them together at most `height` high, once scaled.
    """
    fields = [(field, text) for field, text in mark.fields() if field != "label"]
    best: Lines | None = None
    measured = _Measured(fonts)
    words = [Word(field, word) for field, text in fields for word in text.split()]
    total = sum(measured.width(word) for word in words)
    for count in range(1, MOST_DIAGONAL_LINES + 1):
        lines = _wrapped(words, measured, max(total * 1.15 / count, *(measured.width(w) for w in words)))
        shaped = _shaped(lines, fonts)
        candidate = Lines(shaped, 1.0)
        scale = min(room / max(1, candidate.width), height / (len(shaped) * LEADING * EM), _LARGEST)
        if best is None or scale > best.scale:
            best = Lines(shaped, scale)
    assert best is not None
    return best


# Beyond, letters shrink again whatever the text.
MOST_DIAGONAL_LINES = 8
# Components of a TrueType glyph are scaled by less than 2 (F2Dot14).
_LARGEST = 1.9


class _Measured:
    """Widths of words, each shaped once."""

    def __init__(self, fonts: Fonts) -> None:
        self._fonts = fonts
        self._widths: dict[tuple[str, str], int] = {}

    def width(self, word: Word) -> int:
        key = (word.field, word.text)
        if key not in self._widths:
            self._widths[key] = width(shape(word.field, word.text, self._fonts))
        return self._widths[key]


def _fitted(words: list[Word], fonts: Fonts, room: int, most_lines: int) -> Lines:
    measured = _Measured(fonts)
    scale = 1.0
    while True:
        lines = _wrapped(words, measured, room / scale)
        # Smaller letters leave room for more lines.
        if len(lines) * scale <= most_lines or scale < _SMALLEST:
            shaped = Lines(_shaped(lines, fonts), scale)
            return Lines(shaped.lines, min(scale, room / max(1, shaped.width)))
        scale *= _SHRINK


def _wrapped(words: list[Word], measured: _Measured, room: float) -> list[list[Word]]:
    """Words in lines of at most `room`; one that is wider is cut, at its end if it must be one letter a line."""
    lines: list[list[Word]] = [[]]
    used = 0.0
    space = measured.width(Word("label", "n n")) - measured.width(Word("label", "nn"))
    separator = measured.width(Word("label", f"n{SEPARATOR}n")) - measured.width(Word("label", "nn"))
    queue = list(reversed(words))
    while queue:
        word = queue.pop()
        length = measured.width(word)
        gap = 0 if not lines[-1] else separator if _parted(lines[-1][-1].field, word.field) else space
        if used + gap + length <= room:
            lines[-1].append(word)
            used += gap + length
        elif lines[-1] and length <= room:
            lines.append([word])
            used = length
        elif lines[-1]:
            lines.append([])
            used = 0.0
            queue.append(word)
        else:
            cut = _longest_prefix(word, measured, room)
            lines[-1].append(Word(word.field, word.text[:cut]))
            if cut < len(word.text):
                queue.append(Word(word.field, word.text[cut:]))
            lines.append([])
            used = 0.0
    return [line for line in lines if line]


def _parted(before: str, after: str) -> bool:
    """Whether a separator stands between these fields; the label leads to the name, and the name to the mail."""
    return before != after and before != "label" and after != "mail"


def _longest_prefix(word: Word, measured: _Measured, room: float) -> int:
    low, high = 1, len(word.text)
    while low < high:
        middle = (low + high + 1) // 2
        if measured.width(Word(word.field, word.text[:middle])) <= room:
            low = middle
        else:
            high = middle - 1
    return low


def _shaped(lines: list[list[Word]], fonts: Fonts) -> tuple[tuple[Cluster, ...], ...]:
    """Each line's clusters, its fields side by side from left to right whatever their own direction."""
    shaped = []
    for line in lines:
        segments: list[tuple[str, list[str]]] = []
        for word in line:
            if segments and segments[-1][0] == word.field:
                segments[-1][1].append(word.text)
            else:
                segments.append((word.field, [word.text]))
        clusters: list[Cluster] = []
        before = ""
        for field, texts in segments:
            if clusters:
                clusters += shape("label", SEPARATOR if _parted(before, field) else " ", fonts)
            clusters += shape(field, " ".join(texts), fonts)
            before = field
        shaped.append(tuple(clusters))
    return tuple(shaped)
