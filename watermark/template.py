"""The encoded template: a header, a slot table and a finished PDF body. `TEMPLATE.md` states every byte.

Of a version only the table stays in memory; the body is read by ranges each time it is stamped.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from watermark.errors import TemplateError as TemplateError  # so that readers of templates find it here
from watermark.woven.table import Weave

MAGIC = b"SMTPL\r\n\x1a"
FORMAT = 1
HEADER = struct.Struct(">8sHHIQ8x")
HEADER_SIZE = HEADER.size

# A table of 2,000 pages takes 200 KB, and 4 MB more with a million operands woven; whatever claims more was not made
# by this module.
MAX_TABLE_SIZE = 64 * 1024 * 1024

_SECTION = struct.Struct(">HHI")
_FRAME = struct.Struct(">IHBxI")
_SLOT = struct.Struct(">QIIII")
_STREAM = struct.Struct(">QI")
_TAIL = struct.Struct(">IIIQ")

_FRAMES, _SLOTS, _STREAMS, _TAIL_SECTION, _TITLE, _XMP, _WEAVE = range(1, 8)
# A stamper that does not know a section with this flag must not stamp.
_CRITICAL = 1
_NO_STREAM = 0xFFFFFFFF


@dataclass(frozen=True)
class Frame:
    """The room that a footer has on pages of one kind, in em of the footer's type size.

    `width` is in hundredths of an em, `lines` how many lines fit, `boxed` whether a pale box lies behind the text,
    `capacity` the exact length in bytes of the value that fills it.
    """

    width: int
    lines: int
    boxed: bool
    capacity: int


@dataclass(frozen=True)
class Slot:
    """A stretch of the body that a copy fills: `length` bytes at `offset` get value number `value`.

    In a deflated stream, `stream` numbers its record and `after` is how many bytes follow the slot in the inflated
    stream, modulo 65521; outside of one, `stream` is None.
    """

    offset: int
    length: int
    value: int
    stream: int | None
    after: int


@dataclass(frozen=True)
class Stream:
    """A deflated stream of which something differs between copies.

    `adler_offset` is where its Adler-32 lies, `adler_of_zeros` what that is when every slot holds zeros and every
    woven operand the text of bits (0, 0).
    """

    adler_offset: int
    adler_of_zeros: int


@dataclass(frozen=True)
class TailPlan:
    """What the copy's tail must fit: numbers of its objects and where the cross-reference stream begins."""

    font_object: int
    metadata_object: int
    first_new_object: int
    xref_offset: int


@dataclass(frozen=True)
class SlotTable:
    """All that stamping and minting need to know of a template besides its body.

    Values are numbered: one a frame, then the identifier, then the cross-reference rows of the font, of the metadata
    and of the tail's new objects.
    """

    body_length: int
    frames: tuple[Frame, ...]
    slots: tuple[Slot, ...]
    streams: tuple[Stream, ...]
    tail: TailPlan
    title: str
    xmp: str
    encoded_length: int
    weave: Weave | None = None

    @property
    def words(self) -> int:
        """How many bits a copy's woven code has; 0 in a template without one."""
        return 0 if self.weave is None else self.weave.words

    @property
    def body_offset(self) -> int:
        """Where the body begins in the encoded template."""
        return HEADER_SIZE + self.encoded_length

    def encode(self) -> bytes:
        """Header and table; the body follows them. `encoded_length` is not read."""
        sections = [
            (_FRAMES, b"".join(_FRAME.pack(f.width, f.lines, f.boxed, f.capacity) for f in self.frames)),
            (
                _SLOTS,
                b"".join(
                    _SLOT.pack(
                        s.offset, s.length, s.value, _NO_STREAM if s.stream is None else s.stream, s.after
                    )
                    for s in self.slots
                ),
            ),
            (_STREAMS, b"".join(_STREAM.pack(s.adler_offset, s.adler_of_zeros) for s in self.streams)),
            (
                _TAIL_SECTION,
                _TAIL.pack(
                    self.tail.font_object,
                    self.tail.metadata_object,
                    self.tail.first_new_object,
                    self.tail.xref_offset,
                ),
            ),
            (_TITLE, self.title.encode()),
            (_XMP, self.xmp.encode()),
        ]
        if self.weave is not None:
            sections.append((_WEAVE, self.weave.encoded))
        table = b"".join(_SECTION.pack(kind, _CRITICAL, len(data)) + data for kind, data in sections)
        return HEADER.pack(MAGIC, FORMAT, 0, len(table), self.body_length) + table

    @classmethod
    def decode(cls, encoded: bytes) -> "SlotTable":
        """The table of header and table bytes (anything after them is not read). Raises `TemplateError`."""
        start, stop = table_range(encoded)
        if len(encoded) < stop:
            raise TemplateError("The template's table is cut short. Compile the version again.")
        body_length: int = HEADER.unpack_from(encoded)[4]
        found: dict[int, bytes] = {}
        for kind, data in _sections(encoded[start:stop]):
            if kind in found:
                raise TemplateError("The template's table holds a section twice. Compile the version again.")
            found[kind] = data
        try:
            table = cls(
                body_length=body_length,
                frames=tuple(Frame(w, n, bool(b), c) for w, n, b, c in _FRAME.iter_unpack(found[_FRAMES])),
                slots=tuple(
                    Slot(o, n, v, None if s == _NO_STREAM else s, a)
                    for o, n, v, s, a in _SLOT.iter_unpack(found[_SLOTS])
                ),
                streams=tuple(Stream(o, a) for o, a in _STREAM.iter_unpack(found[_STREAMS])),
                tail=TailPlan(*_TAIL.unpack(found[_TAIL_SECTION])),
                title=found[_TITLE].decode(),
                xmp=found[_XMP].decode(),
                encoded_length=stop - start,
                weave=Weave.decode(found[_WEAVE]) if _WEAVE in found else None,
            )
        except (KeyError, struct.error, UnicodeDecodeError) as error:
            raise TemplateError("The template's table is damaged. Compile the version again.") from error
        table._check()
        return table

    def _check(self) -> None:
        position = 0
        for slot in self.slots:
            if slot.offset < position or slot.offset + slot.length > self.body_length:
                raise TemplateError(
                    "The template's slots overlap or leave its body. Compile the version again."
                )
            if slot.stream is not None and slot.stream >= len(self.streams):
                raise TemplateError("A slot of the template names no stream. Compile the version again.")
            position = slot.offset + slot.length
        if self.weave is not None:
            taken = [(slot.offset, slot.offset + slot.length) for slot in self.slots]
            taken += [(stream.adler_offset, stream.adler_offset + 4) for stream in self.streams]
            self.weave.check_places(self.body_length, len(self.streams), sorted(taken))


def table_range(header: bytes) -> tuple[int, int]:
    """First and past-the-last byte of the table, from the first `HEADER_SIZE` bytes. Raises `TemplateError`."""
    if len(header) < HEADER_SIZE:
        raise TemplateError("The template is shorter than its header. Compile the version again.")
    magic, version, _, length, _ = HEADER.unpack_from(header)
    if magic != MAGIC:
        raise TemplateError("These bytes are no template.")
    if version != FORMAT:
        raise TemplateError(
            f"The template has format {version}; this version of Sealmark stamps format {FORMAT}."
        )
    if length > MAX_TABLE_SIZE:
        raise TemplateError("The template's table is too large to be one. Compile the version again.")
    return HEADER_SIZE, HEADER_SIZE + length


def _sections(table: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(table):
        if len(table) - position < _SECTION.size:
            raise TemplateError("The template's table is cut short. Compile the version again.")
        kind, flags, length = _SECTION.unpack_from(table, position)
        position += _SECTION.size
        if len(table) - position < length:
            raise TemplateError("The template's table is cut short. Compile the version again.")
        if kind in range(_FRAMES, _WEAVE + 1):
            yield kind, table[position : position + length]
        elif flags & _CRITICAL:
            raise TemplateError("The template needs a newer Sealmark: it holds a kind of slot unknown here.")
        position += length
