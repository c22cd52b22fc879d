"""Stamping gives one clean PDF: the same bytes from anywhere, right checksums, no slot left empty."""

from __future__ import annotations

import itertools
import tracemalloc
import zlib
from io import BytesIO

import pytest

from tests.watermark.builders import (
    ANA,
    NAMES,
    bits_of,
    copy_of,
    inflated_streams,
    reading,
    report,
    table_and_fill,
    template_of,
)
from watermark.mark import Mark
from watermark.mint import Fill
from watermark.stamp import stamp
from watermark.template import Slot, SlotTable, Stream, TailPlan, TemplateError


@pytest.fixture(scope="module")
def template() -> bytes:
    return template_of(report(4))


def test_any_range_in_any_piece_size_is_that_part_of_the_whole_copy(template: bytes) -> None:
    table, fill = table_and_fill(template)
    bits = bits_of(table)
    whole = copy_of(template)
    assert len(whole) == fill.copy_length(table)
    edges = {
        0,
        1,
        len(whole) - 1,
        len(whole),
        table.body_length - 1,
        table.body_length,
        table.body_length + 1,
    }
    for slot in table.slots[:3]:
        edges |= {slot.offset - 1, slot.offset, slot.offset + 1, slot.offset + slot.length}
    for piece in (1009, 16384, len(template)):
        for start, stop in itertools.combinations(sorted(edges), 2):
            assert (
                b"".join(stamp(table, fill, reading(template, piece), start, stop, bits=bits))
                == whole[start:stop]
            )


def test_every_stream_of_a_copy_inflates_with_a_right_checksum(template: bytes) -> None:
    for name in (NAMES["latin"], NAMES["chinese"], "x" * 200):
        mark = Mark(name, ANA.mail, ANA.company, ANA.issued, ANA.copy_id)
        try:
            assert len(list(inflated_streams(copy_of(template, mark)))) > 6
        except zlib.error as error:  # pragma: no cover
            pytest.fail(f"{name}: {error}")


def test_only_slots_operands_checksums_and_tail_differ_between_copies(template: bytes) -> None:
    table, _ = table_and_fill(template)
    first = copy_of(template)
    second = copy_of(template, Mark("Bo", "bo@other.example", "", ANA.issued, "cpy_" + "z" * 26))
    own = set()
    for slot in table.slots:
        own.update(range(slot.offset, slot.offset + slot.length))
    for stream in table.streams:
        own.update(range(stream.adler_offset, stream.adler_offset + 4))
    assert table.weave is not None
    for offset in table.weave.offset.tolist():
        own.update(range(offset, offset + 8))
    differing = {i for i in range(table.body_length) if first[i] != second[i]}
    assert differing
    assert differing <= own


def test_a_page_without_its_own_checksum_patch_would_not_inflate(template: bytes) -> None:
    table, _ = table_and_fill(template)
    broken = bytearray(copy_of(template))
    broken[table.streams[0].adler_offset] ^= 1
    with pytest.raises((zlib.error, ValueError)):
        list(inflated_streams(bytes(broken)))


def test_adler_32_follows_for_slots_of_any_place_and_content() -> None:
    content = bytes(range(256)) * 700
    starts = (0, 5, 70000, len(content) - 8)
    zeros = bytearray(content)
    for start in starts:
        zeros[start : start + 5] = bytes(5)
    slots = tuple(
        Slot(start, 5, index, 0, (len(content) - start - 5) % 65521) for index, start in enumerate(starts)
    )
    length = len(content) + 4
    table = SlotTable(
        length, (), slots, (Stream(len(content), zlib.adler32(zeros)),), TailPlan(1, 2, 3, 0), "", "", 0
    )
    for byte in (0, 1, 255):
        fill = Fill(tuple(bytes([byte] * 5) for _ in starts), b"")
        data = table.encode() + bytes(zeros) + bytes(4)
        decoded = SlotTable.decode(data)
        copy = b"".join(stamp(decoded, fill, reading(data, 999)))
        assert int.from_bytes(copy[-4:], "big") == zlib.adler32(copy[:-4])


def test_pieces_without_a_slot_pass_through_uncopied(template: bytes) -> None:
    table, fill = table_and_fill(template)
    pieces = list(reading(template, 64)(table.body_offset, table.body_offset + table.body_length))
    stamped = list(stamp(table, fill, lambda start, stop: pieces, 0, table.body_length, bits=bits_of(table)))
    passed = sum(given is got for given, got in zip(pieces, stamped, strict=True))
    assert passed > 10


def test_memory_does_not_grow_with_the_file() -> None:
    length = 32 * 1024 * 1024
    table = SlotTable(length, (), (Slot(length - 9, 3, 0, None, 0),), (), TailPlan(1, 2, 3, 0), "", "", 0)
    fill = Fill((b"abc",), b"tail")
    piece = bytes(16384)

    tracemalloc.start()
    total = sum(map(len, stamp(table, fill, lambda start, stop: itertools.repeat(piece, length // 16384))))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total == length + 4
    assert peak < 1024 * 1024


def test_a_template_that_ends_early_or_a_foreign_fill_stops_the_copy(template: bytes) -> None:
    table, fill = table_and_fill(template)
    bits = bits_of(table)
    with pytest.raises(TemplateError):
        list(stamp(table, fill, lambda start, stop: [bytes(stop - start - 1)], bits=bits))
    with pytest.raises(TemplateError):
        list(stamp(table, Fill(fill.values[:-1], fill.tail), reading(template), bits=bits))
    with pytest.raises(TemplateError):
        list(stamp(table, Fill((b"short", *fill.values[1:]), fill.tail), reading(template), bits=bits))
    for start, stop in ((-1, 5), (5, 4), (0, fill.copy_length(table) + 1)):
        with pytest.raises(ValueError, match="lie outside"):
            list(stamp(table, fill, reading(template), start, stop, bits=bits))


def test_without_its_tail_a_copy_is_no_pdf_that_names_a_page_tree(template: bytes) -> None:
    table, _ = table_and_fill(template)
    body = copy_of(template)[: table.body_length]
    assert b"startxref" not in body
    assert BytesIO(body).read(5) == b"%PDF-"
