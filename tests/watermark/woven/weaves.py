"""Made-up templates with woven words, and what a copy of them must be, worked out bit by bit."""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from watermark.template import SlotTable, Stream, TailPlan
from watermark.woven.operand import ALPHABET, Operand
from watermark.woven.table import PlacedOperand, Weave


@dataclass(frozen=True)
class Codes:
    """A book, as weaving gets it from the deflater."""

    length: int
    codes: tuple[int, ...]


@dataclass(frozen=True)
class WovenBody:
    """A template whose body is noise but for its operands; `contents` are its streams inflated, every bit 0."""

    table: SlotTable
    body: bytes
    books: list[Codes]
    woven: list[PlacedOperand]
    contents: list[bytes]

    @property
    def template(self) -> bytes:
        """The encoded template."""
        return self.table.encode() + self.body

    def copy(self, bits: NDArray[np.uint8]) -> bytes:
        """The body of the copy with these bits."""
        copy = bytearray(self.body)
        contents = [bytearray(content) for content in self.contents]
        for operand in self.woven:
            text = operand.operand.text(*self.bits_of(operand, bits))
            write_text(copy, operand, self.books[operand.book], text)
            content = contents[operand.stream]
            place = len(content) - operand.after - len(text)
            content[place : place + len(text)] = text
        for stream, content in zip(self.table.streams, contents, strict=True):
            at = stream.adler_offset
            copy[at : at + 4] = zlib.adler32(content).to_bytes(4, "big")
        return bytes(copy)

    def bits_of(self, operand: PlacedOperand, bits: NDArray[np.uint8]) -> tuple[int, int]:
        """The bits of the words on the operand's sides."""
        left, right = operand.left_word, operand.right_word
        return (int(bits[left]) if left >= 0 else 0, int(bits[right]) if right >= 0 else 0)


def write_text(data: bytearray, woven: PlacedOperand, book: Codes, text: bytes) -> None:
    """Write the codes of the text, bit by bit."""
    for index, character in enumerate(text):
        for bit in range(book.length):
            place = woven.bit + index * book.length + bit
            value = book.codes[ALPHABET.index(character)] >> bit & 1
            data[place // 8] = data[place // 8] & ~(1 << place % 8) | value << place % 8


def an_operand(chance: random.Random) -> Operand:
    """Any operand that fits its own width."""
    decimals = chance.choice((0, 0, 0, 1, 2, 3))
    largest = chance.choice((5, 60, 400, 9000))
    base, left, right = (chance.randint(-largest, largest) for _ in range(3))
    for width in range(1, 9):
        operand = Operand(base, left, right, width, decimals)
        try:
            for pair in ((0, 0), (0, 1), (1, 0), (1, 1)):
                operand.text(*pair)
        except ValueError:
            continue
        return operand
    raise AssertionError("an operand too wide")


def a_woven_body(seed: int, streams: int = 3, operands: int = 40, gap: int = 60, start: int = 0) -> WovenBody:
    """Streams one after another with so many operands each, about `gap` bits apart; `start` bytes come before."""
    chance = random.Random(seed)
    books, woven, contents, adlers = [], [], [], []
    bit, word = 8 * start, 0
    for number in range(streams):
        books.append(_codes(chance))
        bit += chance.randrange(64)
        pieces: list[bytes] = [chance.randbytes(chance.randrange(9))]
        first = len(woven)
        for _ in range(operands):
            bit += chance.randrange(2 * gap + 1)
            operand = an_operand(chance)
            left, right = chance.choice(
                ((word, word + 1), (word, word + 1), (-1, word), (word, -1), (-1, -1))
            )
            woven.append(PlacedOperand(bit, number, operand, left, right, number, sum(map(len, pieces))))
            word = max(word, right)
            bit += operand.width * books[-1].length
            pieces += [operand.text(0, 0), chance.randbytes(chance.randrange(3000))]
        content = b"".join(pieces)
        for index in range(first, len(woven)):
            before, width = woven[index].after, woven[index].operand.width
            woven[index] = replace(woven[index], after=len(content) - before - width)
        contents.append(content)
        bit += 7 & -bit
        adlers.append(bit // 8)
        bit += 32
    body = bytearray(chance.randbytes(bit // 8 + 20))
    for operand in woven:
        write_text(body, operand, books[operand.book], operand.operand.text(0, 0))
    records = tuple(Stream(at, zlib.adler32(content)) for at, content in zip(adlers, contents, strict=True))
    for at, content in zip(adlers, contents, strict=True):
        body[at : at + 4] = zlib.adler32(content).to_bytes(4, "big")
    weave = Weave.build(word + 1, books, woven)
    table = SlotTable(len(body), (), (), records, TailPlan(1, 2, 3, 0), "", "", 0, weave)
    return WovenBody(SlotTable.decode(table.encode()), bytes(body), books, woven, contents)


def _codes(chance: random.Random) -> Codes:
    length = chance.randint(4, 7)
    return Codes(length, tuple(chance.sample(range(1 << length), len(ALPHABET))))
