"""Mint: all that makes a copy its recipient's own, made once and kept in the copy's row."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from watermark.copyfont import DIAGONAL_HEIGHT, DIAGONAL_WIDTH, FontBuilding
from watermark.fonts import Fonts, system_fonts
from watermark.layout import LEADING, Lines, diagonal, footer
from watermark.mark import COPY_ID_LENGTH, Printed, check_mark
from watermark.shaping import EM, Cluster, Part
from watermark.tail import NEW_OBJECTS, ROW_LENGTH, write_tail
from watermark.template import Frame, SlotTable, TemplateError
from watermark.visible import number

MAGIC = b"SMFIL\r\n\x1a"
STAMP_VERSION = 1

_HEADER = struct.Struct(">8sHHI")
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True)
class Fill:
    """What stamping puts into a template: its values by number, and the tail that follows the body."""

    values: tuple[bytes, ...]
    tail: bytes

    def copy_length(self, table: SlotTable) -> int:
        """Length in bytes of the copy that this fill makes of that template."""
        return table.body_length + len(self.tail)

    def encode(self) -> bytes:
        """The fill as the copy's row keeps it."""
        parts = [_HEADER.pack(MAGIC, STAMP_VERSION, 0, len(self.values))]
        for value in (*self.values, self.tail):
            parts += (_LENGTH.pack(len(value)), value)
        return b"".join(parts)

    @classmethod
    def decode(cls, encoded: bytes) -> "Fill":
        """The reverse of `encode`. Raises `TemplateError`."""
        if len(encoded) < _HEADER.size:
            raise TemplateError("These bytes are no fill.")
        magic, version, _, count = _HEADER.unpack_from(encoded)
        if magic != MAGIC:
            raise TemplateError("These bytes are no fill.")
        if version != STAMP_VERSION:
            raise TemplateError(
                f"The fill is of stamp version {version}; this Sealmark stamps {STAMP_VERSION}."
            )
        position = _HEADER.size
        parts = []
        try:
            for _ in range(count + 1):
                (length,) = _LENGTH.unpack_from(encoded, position)
                position += _LENGTH.size + length
                if position > len(encoded):
                    raise TemplateError("The fill is cut short.")
                parts.append(encoded[position - length : position])
        except struct.error as error:
            raise TemplateError("The fill is cut short.") from error
        if position != len(encoded):
            raise TemplateError("Bytes follow the fill.")
        return cls(tuple(parts[:-1]), parts[-1])


def mint(table: SlotTable, mark: Printed, fonts: Fonts | None = None) -> Fill:
    """The fill that makes a copy of this template for this mark.

    The same table, mark and library versions give the same fill. Raises `Unmarkable`.
    """
    fonts = fonts or system_fonts()
    check_mark(mark, fonts)
    building = FontBuilding()
    building.draw_diagonal(diagonal(mark, fonts, DIAGONAL_WIDTH, DIAGONAL_HEIGHT))
    footers = tuple(_footer(mark, fonts, frame, building) for frame in table.frames)
    tail, font_row, metadata_row, new_rows = write_tail(table, building.finish(), mark)
    return Fill((*footers, mark.copy_id.encode(), font_row, metadata_row, new_rows), tail)


def unsafe_bare_fill(table: SlotTable) -> Fill:
    """A fill that draws no visible mark: its footers are empty, its font and metadata free objects.

    To tell the mark's ink from that of moved words, and to learn what moves. Nobody may get such a copy.
    """
    row = bytes(ROW_LENGTH)
    footers = (b" " * frame.capacity for frame in table.frames)
    tail = b"startxref\n%d\n%%%%EOF\n" % table.tail.xref_offset
    return Fill((*footers, b"0" * COPY_ID_LENGTH, row, row, row * NEW_OBJECTS), tail)


def _footer(mark: Printed, fonts: Fonts, frame: Frame, building: FontBuilding) -> bytes:
    """The operators that draw the footer in this frame, padded with spaces to its capacity.

    A mark with more clusters than the frame has room for gets codes that stand for two of them, or three, and so on.
    """
    lines = footer(mark, fonts, frame.width * EM // 100, frame.lines)
    together = 1
    while True:
        grouped = [_grouped(line, together) for line in lines.lines]
        length = len(_footer_operators(frame, lines, [b"00" * len(line) for line in grouped]))
        if length <= frame.capacity:
            break
        together += 1
    shown = [b"".join(building.code(cluster) for cluster in line) for line in grouped]
    return _footer_operators(frame, lines, shown).ljust(frame.capacity)


def _footer_operators(frame: Frame, lines: Lines, shown: list[bytes]) -> bytes:
    scale, top = number(lines.scale), (len(shown) - 1) * LEADING * lines.scale
    box = b""
    if frame.boxed:
        width, height = lines.width / EM * lines.scale, top + LEADING * lines.scale
        box = b"1 g -.3 %s %s %s re f " % (number(-0.4 * lines.scale), number(width + 0.6), number(height))
    texts = b"(%s)Tj" % shown[0] + b"".join(b"(%s)'" % line for line in shown[1:])
    return b"%s.2 g BT %s TL %s 0 0 %s 0 %s Tm%s ET" % (
        box,
        number(LEADING),
        scale,
        scale,
        number(top),
        texts,
    )


def _grouped(line: Sequence[Cluster], together: int) -> list[Cluster]:
    """The line with up to `together` neighbours of one direction made into one cluster, its text in reading order."""
    if together == 1:
        return list(line)
    grouped: list[Cluster] = []
    counts: list[int] = []
    for cluster in line:
        if grouped and counts[-1] < together and grouped[-1].rtl == cluster.rtl:
            before = grouped[-1]
            moved = tuple(Part(p.face, p.glyph, p.x + before.advance, p.y) for p in cluster.parts)
            text = cluster.text + before.text if cluster.rtl else before.text + cluster.text
            grouped[-1] = Cluster(text, before.parts + moved, before.advance + cluster.advance, cluster.rtl)
            counts[-1] += 1
        else:
            grouped.append(cluster)
            counts.append(1)
    return grouped
