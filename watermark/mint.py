"""Mint: all that makes a copy its recipient's own, made once and kept in the copy's row."""

import struct
from dataclasses import dataclass

from watermark.mark import Mark
from watermark.template import SlotTable, TemplateError

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


def mint(table: SlotTable, mark: Mark) -> Fill:
    """The fill that makes a copy of this template for this mark. Raises `Unmarkable`."""
    raise NotImplementedError
