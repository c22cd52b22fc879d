"""Bits written one after another, the first into the lowest bit of a byte, as deflate has them (RFC 1951, 3.1.1)."""

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

_SPREAD = 7  # bytes that a value of 48 bits lies in, wherever in a byte it begins


class BitWriter:
    """Grows `data`; `position` counts the bits written, so that the last byte may be begun only."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)
        self.position = 8 * len(data)

    def put(self, values: IntArray, sizes: IntArray) -> IntArray:
        """Append each value in as many bits, at most 48. Returns the position of each one's first bit."""
        begun = self.position & 7
        ends = begun + np.cumsum(sizes)
        places = ends - sizes
        total = (int(ends[-1]) + 7) >> 3 if len(ends) else 0
        shifted = values << (places & 7)
        packed = np.zeros(total + _SPREAD)
        for index in range(_SPREAD):
            part = shifted >> (8 * index) & 0xFF
            packed += np.bincount((places >> 3) + index, part, total + _SPREAD)
        written = packed[:total].astype(np.uint8).tobytes()
        if begun and written:
            self.data[-1] |= written[0]
            written = written[1:]
        self.data += written
        first = self.position
        self.position += int(ends[-1]) - begun if len(ends) else 0
        return places + (first - begun)

    def put_bytes(self, data: bytes) -> int:
        """Append whole bytes from the next byte boundary on. Returns where in `data` they begin."""
        begin = len(self.data)
        self.data += data
        self.position = 8 * len(self.data)
        return begin
