"""The copy's own font: each cluster of the mark is one glyph of it, and so is the whole diagonal.

The letters' outlines are taken from their sources and stand in the font once; clusters and the diagonal are composed
of them. Codes are two bytes, both letters or digits, so that they need no escape in a PDF string.
"""

from dataclasses import dataclass
from io import BytesIO
from itertools import product
from string import ascii_letters, digits

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen

from watermark.layout import LEADING, Lines
from watermark.shaping import EM, Cluster, Part, width

_ALPHABET = sorted((digits + ascii_letters).encode())
CODES = [bytes(pair) for pair in product(_ALPHABET, repeat=2)]
# The diagonal maps to no text. A reader that takes an unmapped code for a character finds a word joiner: it has no
# width and is not shown.
DIAGONAL_CODE = b"\x20\x60"

# The diagonal's glyph lies within these, in thousandths of an em, around its origin.
DIAGONAL_WIDTH = 20 * EM
DIAGONAL_HEIGHT = 4 * EM

# How far a curve may be from its source, in thousandths of an em: far below a pixel at any size of a mark.
_CURVE_ERROR = 1.0
_ASCENT, _DESCENT = 1069, -293  # of Noto Sans
# The middle of a line of letters above its baseline, in em.
_MIDDLE = 0.36


@dataclass(frozen=True)
class CopyFont:
    """A TrueType font and what the PDF has to say of it, by code."""

    truetype: bytes
    glyph_of: dict[bytes, int]
    width_of: dict[bytes, int]
    text_of: dict[bytes, str]


class FontBuilding:
    """Collects the glyphs of one copy and gives each a code, in the order in which they are asked for."""

    def __init__(self) -> None:
        self._names: list[str] = [".notdef"]
        self._glyphs: dict[str, object] = {".notdef": TTGlyphPen(None).glyph()}
        self._advances: dict[str, int] = {".notdef": EM}
        self._letters: dict[tuple[int, int], str | None] = {}
        self._faces: list[object] = []
        self._codes: dict[Cluster, bytes] = {}
        self._named: dict[bytes, str] = {}

    def code(self, cluster: Cluster) -> bytes:
        """The code that draws this cluster and stands for its text."""
        if cluster not in self._codes:
            code = CODES[len(self._codes)]
            self._codes[cluster] = code
            self._named[code] = self._add(
                f"c{len(self._codes)}", [(part, 1.0, 0.0, 0.0) for part in cluster.parts]
            )
            self._advances[self._named[code]] = max(0, cluster.advance)
        return self._codes[cluster]

    def draw_diagonal(self, lines: Lines) -> None:
        """Make these lines, centred around the origin, the glyph of `DIAGONAL_CODE`."""
        scale = lines.scale
        placed = []
        for index, line in enumerate(lines.lines):
            pen = -width(list(line)) / 2
            baseline = ((len(lines.lines) - 1) / 2 - index) * LEADING * EM - EM * _MIDDLE
            for cluster in line:
                placed += [(part, scale, pen * scale, baseline * scale) for part in cluster.parts]
                pen += cluster.advance
        self._named[DIAGONAL_CODE] = self._add("diagonal", placed)
        self._advances["diagonal"] = 0

    def finish(self) -> CopyFont:
        """The font with all that was asked for. The same requests give the same bytes."""
        builder = FontBuilder(EM, isTTF=True)
        builder.font.recalcTimestamp = False
        builder.updateHead(created=0, modified=0)
        builder.setupGlyphOrder(self._names)
        builder.setupGlyf(self._glyphs)
        glyf = builder.font["glyf"]
        builder.setupHorizontalMetrics(
            {name: (self._advances.get(name, 0), getattr(glyf[name], "xMin", 0)) for name in self._names}
        )
        builder.setupHorizontalHeader(ascent=_ASCENT, descent=_DESCENT)
        builder.setupMaxp()
        written = BytesIO()
        builder.font.save(written, reorderTables=True)
        number = {name: index for index, name in enumerate(self._names)}
        return CopyFont(
            truetype=written.getvalue(),
            glyph_of={code: number[name] for code, name in self._named.items()},
            width_of={code: self._advances[name] for code, name in self._named.items()},
            text_of={code: cluster.text for cluster, code in self._codes.items()},
        )

    def _add(self, name: str, placed: list[tuple[Part, float, float, float]]) -> str:
        """A glyph composed of letters: each part scaled, then moved by (x, y). Returns its name."""
        pen = TTGlyphPen(self._glyphs)
        for part, scale, x, y in placed:
            letter = self._letter(part)
            if letter:
                pen.addComponent(
                    letter, (scale, 0, 0, scale, round(x + part.x * scale), round(y + part.y * scale))
                )
        self._names.append(name)
        self._glyphs[name] = pen.glyph()
        return name

    def _letter(self, part: Part) -> str | None:
        """The name of the glyph with this part's outline; None when it draws nothing, as a space."""
        key = (id(part.face), part.glyph)
        if key not in self._letters:
            pen = TTGlyphPen(None)
            scale = EM / part.face.units_per_em
            scaled = TransformPen(Cu2QuPen(pen, _CURVE_ERROR), (scale, 0, 0, scale, 0, 0))
            part.face.font.draw_glyph_with_pen(part.glyph, scaled)
            glyph = pen.glyph()
            self._faces.append(part.face)  # keeps the id taken
            self._letters[key] = None
            if glyph.numberOfContours:
                name = f"l{len(self._letters)}"
                self._names.append(name)
                self._glyphs[name] = glyph
                self._advances[name] = 0
                self._letters[key] = name
        return self._letters[key]
