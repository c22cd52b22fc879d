"""Every operand can be turned into every text of its length, and every slot filled, by flipping bits of the stream."""

import os
import random
import re
import zlib
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pikepdf import Pdf

from tests.shared_folder import require_shared
from tests.watermark.flate.inflating import Inflater
from watermark.flate import deflate as module
from watermark.flate.deflate import MAX_SLOT, SlottedStream, deflate
from watermark.woven.operand import ALPHABET, MAX_WIDTH

Ranges = list[tuple[int, int]]


def laid(parts: list[tuple[str, bytes]]) -> tuple[bytes, Ranges, Ranges]:
    """The content these parts make, and where its slots and operands lie."""
    content = bytearray()
    found: dict[str, Ranges] = {"slot": [], "operand": [], "": []}
    for kind, data in parts:
        found[kind].append((len(content), len(content) + len(data)))
        content += data
    return bytes(content), found["slot"], found["operand"]


def mask(stream: SlottedStream, index: int, old: bytes, new: bytes) -> tuple[int, bytes]:
    """What XORed into `data`, and where, turns this operand's text into another."""
    book = stream.books[stream.book_of[index]]
    value = 0
    for place, (was, becomes) in enumerate(zip(old, new, strict=True)):
        change = book.codes[ALPHABET.index(was)] ^ book.codes[ALPHABET.index(becomes)]
        value |= change << (place * book.length)
    value <<= stream.bits[index] & 7
    assert value < 1 << 64
    return stream.bits[index] >> 3, value.to_bytes(8, "little").rstrip(b"\0")


def changed(
    stream: SlottedStream,
    content: bytes,
    slots: Ranges,
    operands: Ranges,
    text: Callable[[bytes], bytes],
    filling: int = 0,
) -> tuple[bytes, bytes]:
    """The stream and the content with another text for each operand's, and this byte in all slots."""
    data, expected = bytearray(stream.data), bytearray(content)
    for (start, stop), offset in zip(slots, stream.offsets, strict=True):
        data[offset : offset + stop - start] = expected[start:stop] = bytes([filling]) * (stop - start)
    used: set[int] = set()
    for index, (start, stop) in enumerate(operands):
        if stream.bits[index] < 0:
            continue
        new = text(content[start:stop])
        place, flipped = mask(stream, index, content[start:stop], new)
        for at, byte in enumerate(flipped, place):
            data[at] ^= byte
        expected[start:stop] = new
        length = stream.books[stream.book_of[index]].length
        touched = range(stream.bits[index] >> 3, (stream.bits[index] + (stop - start) * length - 1 >> 3) + 1)
        assert used.isdisjoint(touched)
        used.update(touched)
    data[-4:] = zlib.adler32(expected).to_bytes(4, "big")
    return bytes(data), bytes(expected)


def check(content: bytes, slots: Ranges, operands: Ranges, seed: int = 0) -> SlottedStream:
    """The stream, which holds what was put into it and takes what is put into it later."""
    chance = random.Random(seed)
    stream = deflate(content, slots, chance.randbytes, operands)
    assert len(stream.bits) == len(stream.book_of) == len(stream.operands_after) == len(operands)
    assert stream.operands_after == tuple(len(content) - stop for _, stop in operands)
    assert stream.after == tuple(len(content) - stop for _, stop in slots)
    assert stream.adler_of_zeros == int.from_bytes(stream.data[-4:], "big")
    assert all(4 <= book.length <= 7 and len(set(book.codes)) == len(ALPHABET) for book in stream.books)
    assert all(max(book.codes) < 1 << book.length for book in stream.books)
    data, expected = changed(stream, content, slots, operands, bytes)
    assert data == stream.data  # zeros and the texts as they stand
    for text in (
        lambda old: bytes(chance.choices(ALPHABET, k=len(old))),
        *(lambda old, one=one: bytes([one]) * len(old) for one in ALPHABET),
    ):
        data, expected = changed(stream, content, slots, operands, text, chance.randrange(256))
        assert zlib.decompress(data) == expected
    if len(content) < 5000:
        assert Inflater(data[2:-4]).run() == expected
    return stream


TEXT = st.text(ALPHABET.decode(), min_size=1, max_size=MAX_WIDTH).map(str.encode)
PARTS = st.lists(
    st.one_of(
        st.tuples(st.just("operand"), TEXT),
        st.tuples(st.just("slot"), st.binary(max_size=40)),
        st.tuples(st.just(""), st.binary(max_size=30)),
        st.tuples(st.just(""), TEXT),
        st.tuples(st.just(""), st.sampled_from([b"[(Seal)", b"(mark)]TJ\n", b"0 0 Td", bytes(range(256))])),
    ),
    max_size=30,
)


@given(PARTS, st.integers(0, 2**32))
@example([], 0)
@example([("", b"x")], 0)
@example([("operand", b"-")], 0)
@example([("operand", ALPHABET[:8])], 0)
@example([("operand", b"12"), ("operand", b"34"), ("operand", b"56.7")], 0)
@example([("slot", bytes(9)), ("operand", b"1"), ("slot", b"")], 0)
@example([("operand", b"1.5"), ("slot", bytes(9)), ("slot", bytes(3)), ("operand", b" -12")], 0)
@example([("", ALPHABET * 40), ("operand", b"12"), ("", ALPHABET)], 0)
@example([("", bytes(range(256)) * 3), ("operand", b"12"), ("", bytes(range(256)))], 0)
def test_every_operand_takes_every_text_and_every_slot_every_byte(
    parts: list[tuple[str, bytes]], seed: int
) -> None:
    check(*laid(parts), seed)


def words(count: int, operand: str = "operand") -> list[tuple[str, bytes]]:
    """Parts such as a page of text has them."""
    chance = random.Random(count)
    vocabulary = [bytes(chance.choices(b"etaoinshrdlu", k=chance.randrange(2, 9))) for _ in range(300)]
    parts = []
    for number in range(count):
        parts.append(("", b"(%s)" % chance.choice(vocabulary)))
        parts.append((operand, b"%4d" % chance.randrange(-400, -200)))
        if number % 9 == 0:
            parts.append(("", b"]TJ\n0 -%d Td\n[" % (number % 13)))
    return parts


def test_several_blocks_beyond_the_window_have_each_its_book() -> None:
    mixed = [("", bytes(random.Random(2).choices(b"\x00\x01\xfe\xffABCD", k=9000)))]
    content, slots, operands = laid(
        [*words(6000), ("slot", bytes(70)), *mixed, *mixed, *words(400), *mixed, ("operand", b"7")]
    )
    assert len(content) > 3 * 32768
    stream = check(content, slots, operands)
    assert len(stream.books) > 2
    assert len({book.length for book in stream.books}) > 1
    assert min(stream.bits) >= 0


def test_content_is_coded_in_pieces_that_no_operand_straddles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PIECE", 50)
    content, slots, operands = laid([*words(100), ("slot", bytes(60)), *words(90), ("slot", bytes(5))])
    stream = check(content, slots, operands)
    assert len(stream.books) > 20


def test_operands_that_would_share_a_byte_are_told_and_the_first_of_them_can_change() -> None:
    content, slots, operands = laid([("", b"a" * 50), *[("operand", b"1")] * 40, ("", b"b" * 50)])
    stream = check(content, slots, operands)
    assert stream.bits[0] >= 0
    assert all(min(pair) < 0 for pair in pairwise(stream.bits))
    assert sum(bit >= 0 for bit in stream.bits) >= 10


def test_operands_apart_all_can_change() -> None:
    assert min(check(*laid(words(2000))).bits) >= 0


def test_without_operands_the_stream_is_as_small_as_zlibs() -> None:
    content, _, _ = laid(words(3000, ""))
    stream = deflate(content, [], os.urandom)
    assert (stream.bits, stream.books, stream.book_of, stream.operands_after) == ((), (), (), ())
    assert stream.data == zlib.compress(content, 9)


def test_a_few_operands_cost_little() -> None:
    content, _, operands = laid(words(3000))
    assert len(check(content, [], operands[::500]).data) < 1.01 * len(zlib.compress(content, 9))


@pytest.mark.parametrize(
    ("parts", "size"),
    [
        # Six bytes are zlib's frame, two the operand and the end; the header tells long runs of no code in short.
        ([("operand", b"12")], 25),
        # The stored block has a header of four bytes, and what ends the stream takes ten bits.
        ([("operand", b"12"), ("slot", bytes(5))], 37),
        # Three characters in fixed codes: no second header.
        ([("operand", b"12"), ("slot", bytes(5)), ("", b"abc")], 40),
    ],
)
def test_short_streams_are_short(parts: list[tuple[str, bytes]], size: int) -> None:
    assert len(check(*laid(parts)).data) <= size


@pytest.mark.parametrize("noise", [bytes, lambda length: b"\xff" * length, lambda length: b"a" * length])
def test_no_noise_lets_a_match_into_an_operand(noise: Callable[[int], bytes]) -> None:
    parts = [("", b"\x80" * 40 + b"\xe1" * 20 + b"\xff" * 30), ("operand", b"-1.25")] * 60
    content, slots, operands = laid([*parts, ("slot", bytes(30)), *parts])
    stream = deflate(content, slots, noise, operands)
    data, expected = changed(stream, content, slots, operands, lambda old: b"9" * len(old), 0x80)
    assert zlib.decompress(data) == expected


@pytest.mark.parametrize(
    ("content", "slots", "operands", "message"),
    [
        (b"abc12", [], [(2, 5)], "no operand"),
        (b"123456789", [], [(0, 9)], "no operand"),
        (b"123", [], [(1, 1)], "no operand"),
        (b"12345", [], [(0, 3), (2, 5)], "hold byte 2"),
        (b"12345", [(1, 4)], [(3, 5)], "hold byte 3"),
        (b"12345", [], [(3, 5), (0, 2)], "order"),
        (bytes(MAX_SLOT + 2), [(0, MAX_SLOT + 1)], [], "longer"),
    ],
)
def test_what_is_no_slot_or_operand_is_an_error(
    content: bytes, slots: Ranges, operands: Ranges, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        deflate(content, slots, os.urandom, operands)


NUMBER = re.compile(rb"(?<=[)>])-?[0-9.]{2,5}(?=[(<])")


@pytest.mark.corpus
@pytest.mark.parametrize(
    "name",
    [
        "ASVS__OWASP_Application_Security_Verification_Standard_4.0.3-en.pdf",
        "public-pentesting-reports__X41-OSTIF-Gitlab-Git-Security-Audit-20230117-public.pdf",
    ],
)
def test_pages_of_real_reports_keep_their_size_with_a_few_operands(name: str) -> None:
    sizes, originals = 0, 0
    with Pdf.open(require_shared("corpus") / name) as pdf:
        for page in list(pdf.pages)[10:20]:
            page.contents_coalesce()
            content = page.Contents.read_bytes()
            found = [match.span() for match in NUMBER.finditer(content)]
            sizes += len(check(content, [], found[:: max(1, len(found) // 10)]).data)
            originals += len(zlib.compress(content, 9))
    assert sizes < 1.05 * originals
