"""The encoded template reads back as it was written, byte for byte as TEMPLATE.md says, and nothing else is read."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest

from watermark import template as module
from watermark.template import (
    HEADER_SIZE,
    Frame,
    Slot,
    SlotTable,
    Stream,
    TailPlan,
    TemplateError,
    table_range,
)
from watermark.woven.table import Weave

# Two words, two operands; see "Worked bytes".
COLUMNS = bytes.fromhex(
    "04 0008040c020a060e0109 050d03  00000000000006 00433c  0000000000000000  0000000000000000  ff001e0e  0304  0001"
    "0000000000003f32  0000000000005100  0000000000000000  0000000000000001  0000000000000101"
)
STORED = bytes.fromhex("7801 015800a7ff") + COLUMNS + zlib.adler32(COLUMNS).to_bytes(4, "big")
WEAVE = Weave.decode(bytes.fromhex("00000002 00000002 00000001") + STORED)

TABLE = SlotTable(
    body_length=1000,
    frames=(Frame(8000, 6, False, 10),),
    slots=(Slot(100, 10, 0, 0, 300), Slot(500, 30, 1, None, 0)),
    streams=(Stream(400, 0x12345678),),
    tail=TailPlan(5, 6, 20, 700),
    title="Ä",
    xmp="",
    encoded_length=0,
    weave=WEAVE,
)


def test_a_table_reads_back_as_it_was_written() -> None:
    encoded = TABLE.encode()
    decoded = SlotTable.decode(encoded + b"body")
    assert decoded == SlotTable(**{**TABLE.__dict__, "encoded_length": len(encoded) - HEADER_SIZE})
    assert decoded.body_offset == len(encoded)
    assert decoded.encode() == encoded


def test_the_worked_bytes_of_the_format_are_what_the_code_writes() -> None:
    text = Path(module.__file__).with_name("TEMPLATE.md").read_text()
    block = text.split("```hex\n")[1].split("```")[0]
    worked = bytes.fromhex("".join(re.sub(r"#.*", "", line) for line in block.splitlines()).replace(" ", ""))
    assert worked == TABLE.encode()


def test_the_header_says_where_the_table_lies() -> None:
    encoded = TABLE.encode()
    assert table_range(encoded[:HEADER_SIZE]) == (HEADER_SIZE, len(encoded))


@pytest.mark.parametrize("length", range(len(TABLE.encode())))
def test_a_table_cut_at_any_byte_is_refused(length: int) -> None:
    with pytest.raises(TemplateError):
        SlotTable.decode(TABLE.encode()[:length])


def test_another_magic_format_or_an_unknown_critical_section_is_refused() -> None:
    encoded = TABLE.encode()
    for changed in (
        b"X" + encoded[1:],
        encoded[:9] + b"\2" + encoded[10:],
        encoded[:12] + b"\xff\xff\xff\xff" + encoded[16:],
        encoded[:HEADER_SIZE] + b"\0\x63" + encoded[HEADER_SIZE + 2 :],
    ):
        with pytest.raises(TemplateError):
            SlotTable.decode(changed)


def _with_section(section: bytes) -> bytes:
    encoded = TABLE.encode()
    table = encoded[HEADER_SIZE:] + section
    return encoded[:12] + len(table).to_bytes(4, "big") + encoded[16:HEADER_SIZE] + table


def test_an_unknown_section_that_is_not_critical_is_passed_over_and_a_double_one_refused() -> None:
    assert SlotTable.decode(_with_section(b"\0\x63\0\0\0\0\0\2ab")).slots == TABLE.slots
    with pytest.raises(TemplateError):
        SlotTable.decode(_with_section(b"\0\1\0\1\0\0\0\0"))


@pytest.mark.parametrize(
    "slots",
    [
        (Slot(100, 10, 0, 7, 0),),
        (Slot(100, 10, 0, None, 0), Slot(105, 10, 0, None, 0)),
        (Slot(995, 10, 0, None, 0),),
    ],
    ids=["no-such-stream", "overlapping", "beyond-the-body"],
)
def test_impossible_slots_are_refused(slots: tuple[Slot, ...]) -> None:
    with pytest.raises(TemplateError):
        SlotTable.decode(SlotTable(**{**TABLE.__dict__, "slots": slots}).encode())


def test_a_template_without_a_weave_has_no_words() -> None:
    plain = SlotTable(**{**TABLE.__dict__, "weave": None})
    decoded = SlotTable.decode(plain.encode())
    assert (decoded.weave, decoded.words) == (None, 0)
    assert len(plain.encode()) == len(TABLE.encode()) - 8 - len(WEAVE.encoded)
    assert TABLE.words == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"body_length": 210, "slots": (), "streams": (Stream(0, 0),)},
        {"slots": (Slot(201, 1, 0, None, 0),)},
        {"slots": (Slot(0, 201, 0, None, 0),)},
        {"slots": (Slot(0, 9, 0, None, 0), Slot(211, 30, 0, None, 0))},
        {"streams": (Stream(198, 0),)},
        {"streams": (), "slots": ()},
    ],
    ids=[
        "beyond-the-body",
        "in-a-slot",
        "begins-in-a-slot",
        "ends-in-a-slot",
        "in-a-checksum",
        "no-such-stream",
    ],
)
def test_operands_that_flip_what_is_not_theirs_are_refused(changed: dict[str, object]) -> None:
    with pytest.raises(TemplateError):
        SlotTable.decode(SlotTable(**{**TABLE.__dict__, **changed}).encode())  # type: ignore[arg-type]


def test_operands_may_stand_next_to_slots_and_at_the_end_of_the_body() -> None:
    slots = (Slot(190, 10, 0, None, 0), Slot(202, 7, 0, None, 0))
    changed = {"body_length": 212, "slots": slots, "streams": (Stream(0, 0),)}
    table = SlotTable(**{**TABLE.__dict__, **changed})  # type: ignore[arg-type]
    assert SlotTable.decode(table.encode()).slots == slots
