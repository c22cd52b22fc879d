"""From a PDF that qpdf wrote to the template's body: where the slots lie, and a cross-reference stream of our own.

The body ends with that stream; its rows for the copy's tail are slots, and so is the file identifier. There is no
`startxref` in it: without a tail a body is no PDF.
"""

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from watermark.flate.deflate import Book, SlottedStream, deflate
from watermark.mark import COPY_ID_LENGTH
from watermark.tail import NEW_OBJECTS, ROW_LENGTH, ROW_WIDTHS
from watermark.template import Slot, Stream, TailPlan
from watermark.woven.table import PlacedOperand
from watermark.woven.weave import WovenOperand

_STREAM_START = b">>\nstream\n"
_LENGTH = re.compile(rb"/Length (\d+)")
_NUMBER = re.compile(rb"\A(\d+) 0 obj")
_IN_FILE, _IN_STREAM = 1, 2
_NONE, _UP = 0, 2  # PNG row filters


@dataclass(frozen=True)
class CopyStream:
    """A stream of which something differs between copies, as it went into the file.

    `data` are the deflated bytes of `stream`, made different from every other page's in its slots. The slots have
    these `lengths` and are filled by `values`, by number. The operands move the words from number `first_word` on.
    """

    stream: SlottedStream
    data: bytes
    lengths: tuple[int, ...] = ()
    values: tuple[int, ...] = ()
    operands: tuple[WovenOperand, ...] = ()
    first_word: int = 0


@dataclass(frozen=True)
class Body:
    """The body's bytes and what the slot table says of them."""

    data: bytes
    slots: tuple[Slot, ...]
    streams: tuple[Stream, ...]
    tail: TailPlan
    placed: tuple[PlacedOperand, ...]
    books: tuple[Book, ...]


@dataclass(frozen=True)
class _Written:
    """A file as qpdf wrote it: rows (type, offset or stream, index) by object number, and the catalog's number."""

    data: bytes
    rows: "np.ndarray[tuple[int, int], np.dtype[np.int64]]"
    root: int
    xref_number: int


def make_body(
    written: bytes,
    pages: list[CopyStream],
    font: bytes,
    metadata: bytes,
    first_value: int,
    noise: Callable[[int], bytes],
) -> Body:
    """Turn the file `written` into a body.

    `font` and `metadata` are the raw bytes of the streams that stand in for the copy's own objects: they are cut out.
    Values from `first_value` on are the identifier's and the cross-reference rows'.
    """
    source = _read(written)
    starts = [(int(row[1]), number) for number, row in enumerate(source.rows) if row[0] == _IN_FILE]
    starts.sort()
    stops = [start for start, _ in starts[1:]] + [len(written)]
    wanted: dict[int, list[tuple[bytes, int]]] = {}
    for index, data in enumerate([*(page.data for page in pages), font, metadata]):
        wanted.setdefault(len(data), []).append((data, index))

    rows = source.rows.copy()
    kept = [memoryview(written)[: starts[0][0]]]
    position = len(kept[0])
    slots: list[Slot] = []
    streams: list[Stream] = []
    placed: list[PlacedOperand] = []
    books: list[Book] = []
    cut: dict[int, int] = {}
    for (start, number), stop in zip(starts, stops, strict=True):
        if number == source.xref_number:
            continue
        found = _stream_of(written, start, stop, wanted)
        if found and found[0] >= len(pages):
            cut[found[0] - len(pages)] = number
            continue
        rows[number, 1] = position
        if found:
            page = pages[found[0]]
            begin = position + found[1] - start
            placed += _placed(page, begin, len(books), len(streams))
            books += page.stream.books
            _add_slots(page.stream, page.lengths, page.values, begin, slots, streams)
        kept.append(memoryview(written)[start:stop])
        position += stop - start
    if len(streams) != len(pages) or len(cut) != 2:
        raise ValueError("a stream was not written as it was given")

    size = len(rows)
    plan = TailPlan(cut[0], cut[1], size, position)
    rows[source.xref_number] = (_IN_FILE, position, 0)
    table = _rows(rows, (plan.font_object, plan.metadata_object))
    bounds = [
        (number * ROW_LENGTH, (number + 1) * ROW_LENGTH)
        for number in (plan.font_object, plan.metadata_object)
    ]
    bounds.append((size * ROW_LENGTH, (size + NEW_OBJECTS) * ROW_LENGTH))
    values = dict(zip(bounds, range(first_value + 1, first_value + 4), strict=True))
    ordered = sorted(bounds)
    packed = deflate(table, ordered, noise)
    head = b"%d 0 obj\n<</Type/XRef/Size %d/W[%d %d %d]/Root %d 0 R/Info %d 0 R/ID[(" % (
        source.xref_number,
        size + NEW_OBJECTS,
        *ROW_WIDTHS,
        source.root,
        size + NEW_OBJECTS - 1,
    )
    blank = b" " * COPY_ID_LENGTH
    rest = b")]/Filter/FlateDecode/DecodeParms<</Predictor 15/Columns %d>>/Length %d>>\nstream\n" % (
        sum(ROW_WIDTHS),
        len(packed.data),
    )
    first_id = position + len(head)
    second_id = first_id + COPY_ID_LENGTH + 2
    slots += [Slot(place, COPY_ID_LENGTH, first_value, None, 0) for place in (first_id, second_id)]
    opening = head + blank + b")(" + blank + rest
    lengths = tuple(stop - start for start, stop in ordered)
    numbers = tuple(values[bound] for bound in ordered)
    _add_slots(packed, lengths, numbers, position + len(opening), slots, streams)
    data = b"".join([*kept, opening, packed.data, b"\nendstream\nendobj\n"])
    slots.sort(key=lambda slot: slot.offset)
    return Body(data, tuple(slots), tuple(streams), plan, tuple(placed), tuple(books))


def _placed(page: CopyStream, begin: int, first_book: int, stream: int) -> Iterator[PlacedOperand]:
    """The operands of a stream whose data lies at `begin` of the body."""

    def number(word: int | None) -> int:
        return -1 if word is None else page.first_word + word

    found = page.stream
    for operand, bit, book, after in zip(
        page.operands, found.bits, found.book_of, found.operands_after, strict=True
    ):
        yield PlacedOperand(
            8 * begin + bit,
            first_book + book,
            operand.operand,
            number(operand.left),
            number(operand.right),
            stream,
            after,
        )


def _add_slots(
    stream: SlottedStream,
    lengths: tuple[int, ...],
    values: tuple[int, ...],
    position: int,
    slots: list[Slot],
    streams: list[Stream],
) -> None:
    """Append the records of a stream whose data lies at `position` of the body."""
    for offset, after, length, value in zip(stream.offsets, stream.after, lengths, values, strict=True):
        slots.append(Slot(position + offset, length, value, len(streams), after % 65521))
    streams.append(Stream(position + len(stream.data) - 4, stream.adler_of_zeros))


def _stream_of(
    written: bytes, start: int, stop: int, wanted: dict[int, list[tuple[bytes, int]]]
) -> tuple[int, int] | None:
    """Which wanted stream the object [start, stop) holds, and where its data begins; None for any other object."""
    end = written.find(_STREAM_START, start, stop)
    if end < 0:
        return None
    begin = end + len(_STREAM_START)
    # Dictionaries within the stream's own may have such an entry, too.
    for length in set(_LENGTH.findall(written, start, end)):
        same = wanted.get(int(length), [])
        for data, index in same:
            if written.startswith(data, begin):
                same.remove((data, index))
                return index, begin
    return None


def _read(written: bytes) -> _Written:
    """The cross-reference stream that qpdf put at the end: uncompressed or with PNG's Up filter throughout."""
    offset = int(written[written.rindex(b"startxref") + len("startxref") :].split()[0])
    number = int(_match(_NUMBER, written[offset : offset + 20])[1])
    begin = written.index(b"stream\n", offset) + len(b"stream\n")
    entries = written[offset:begin]
    length = int(_match(re.compile(rb"/Length (\d+)"), entries)[1])
    widths = [int(value) for value in _match(re.compile(rb"/W \[ (\d+) (\d+) (\d+) \]"), entries).groups()]
    root = int(_match(re.compile(rb"/Root (\d+) 0 R"), entries)[1])
    data = written[begin : begin + length]
    if b"/FlateDecode" in entries:
        data = zlib.decompress(data)
    columns = sum(widths)
    if b"/Predictor" in entries:
        table = np.frombuffer(data, np.uint8).reshape(-1, columns + 1)
        if not (table[:, 0] == _UP).all():
            raise ValueError("qpdf wrote its cross-reference stream in a way unknown here")
        bytes_of = np.cumsum(table[:, 1:], axis=0, dtype=np.uint8)
    else:
        bytes_of = np.frombuffer(data, np.uint8).reshape(-1, columns)
    rows = np.zeros((len(bytes_of), 3), np.int64)
    column = 0
    for field, width in enumerate(widths):
        for _ in range(width):
            rows[:, field] = rows[:, field] << 8 | bytes_of[:, column]
            column += 1
    return _Written(written, rows, root, number)


def _match(pattern: "re.Pattern[bytes]", data: bytes) -> "re.Match[bytes]":
    found = pattern.search(data)
    if found is None:
        raise ValueError("qpdf wrote its cross-reference stream in a way unknown here")
    return found


def _rows(rows: "np.ndarray[tuple[int, int], np.dtype[np.int64]]", slotted: tuple[int, ...]) -> bytes:
    """The cross-reference stream's data: each row with its PNG filter, then blank rows for the tail's new objects.

    Rows refer to the row above (Up), which packs well; not a slot's row and the one after it, whose bytes would else
    depend on a slot.
    """
    size = len(rows)
    plain = np.zeros((size + NEW_OBJECTS, sum(ROW_WIDTHS)), np.uint8)
    column = 0
    for field, width in enumerate(ROW_WIDTHS):
        for byte in range(width):
            plain[:size, column] = rows[:, field] >> (8 * (width - 1 - byte)) & 0xFF
            column += 1
    table = np.zeros((size + NEW_OBJECTS, ROW_LENGTH), np.uint8)
    table[:, 1:] = plain
    table[1:, 1:] -= plain[:-1]
    table[:, 0] = _UP
    for number in (*slotted, *range(size, size + NEW_OBJECTS)):
        for row in (number, number + 1):
            if row < len(table):
                table[row, 0] = _NONE
                table[row, 1:] = plain[row]
    return table.tobytes()
