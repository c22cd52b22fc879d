"""A second inflater (RFC 1951), slow and strict: codes are complete, matches lie in the window."""

from collections.abc import Iterable
from fractions import Fraction

_LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115]
_LENGTHS += [131, 163, 195, 227, 258]
_LENGTH_BITS = [0] * 8 + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4 + [0]
_DISTANCES = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537]
_DISTANCES += [2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577]
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
_Codes = dict[tuple[int, int], int]


class Inflater:
    """`output` after `run`, and how many blocks of each kind there were."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._position = 0
        self.output = bytearray()
        self.blocks = [0, 0, 0]

    def run(self) -> bytes:
        last = 0
        while not last:
            last, kind = self._bits(1), self._bits(2)
            self.blocks[kind] += 1
            if kind == 0:
                self._stored()
            elif kind == 1:
                literals = codes([8] * 144 + [9] * 112 + [7] * 24 + [8] * 8)
                self._coded(literals, codes([5] * 32))
            else:
                self._coded(*self._header())
        assert (self._position + 7) // 8 == len(self._raw), "bytes behind the last block"
        return bytes(self.output)

    def _bits(self, count: int) -> int:
        value = 0
        for index in range(count):
            bit = self._raw[self._position >> 3] >> (self._position & 7) & 1
            value |= bit << index
            self._position += 1
        return value

    def _symbol(self, code: _Codes) -> int:
        value = size = 0
        while (size, value) not in code or not size:
            value, size = value << 1 | self._bits(1), size + 1
            assert size < 16, "no such code"
        return code[size, value]

    def _stored(self) -> None:
        place = (self._position + 7) // 8
        size, complement = (int.from_bytes(self._raw[place + at : place + at + 2], "little") for at in (0, 2))
        assert size ^ complement == 0xFFFF
        self.output += self._raw[place + 4 : place + 4 + size]
        self._position = (place + 4 + size) * 8

    def _header(self) -> tuple[_Codes, _Codes]:
        literals, distances, told = self._bits(5) + 257, self._bits(5) + 1, self._bits(4) + 4
        lengths = [0] * 19
        for symbol in _ORDER[:told]:
            lengths[symbol] = self._bits(3)
        code = codes(lengths)
        found: list[int] = []
        while len(found) < literals + distances:
            symbol = self._symbol(code)
            if symbol < 16:
                found.append(symbol)
            elif symbol == 16:
                found += found[-1:] * (3 + self._bits(2))
            else:
                found += [0] * (3 + self._bits(3) if symbol == 17 else 11 + self._bits(7))
        assert len(found) == literals + distances
        return codes(found[:literals]), codes(found[literals:])

    def _coded(self, literals: _Codes, distances: _Codes) -> None:
        while (symbol := self._symbol(literals)) != 256:
            if symbol < 256:
                self.output.append(symbol)
                continue
            length = _LENGTHS[symbol - 257] + self._bits(_LENGTH_BITS[symbol - 257])
            number = self._symbol(distances)
            distance = _DISTANCES[number] + self._bits(max(0, number // 2 - 1))
            assert distance <= min(len(self.output), 32768)
            for _ in range(length):
                self.output.append(self.output[-distance])


def codes(lengths: Iterable[int]) -> _Codes:
    """Symbols by length and value of their codes, which fill the code space."""
    found: _Codes = {}
    value, size = 0, 0
    for length, symbol in sorted((length, symbol) for symbol, length in enumerate(lengths) if length):
        value <<= length - size
        size = length
        found[size, value] = symbol
        value += 1
    assert sum(Fraction(1, 2**size) for size, _ in found) == 1, "an incomplete code"
    return found
