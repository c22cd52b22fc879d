"""PDF's string objects: their bytes, and strings written for bytes (ISO 32000-1, 7.3.4)."""

import re

_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|(\r\n|\r|\n)|(.))|\r\n?", re.DOTALL)
_SHORT = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_NOT_HEX = re.compile(rb"[^0-9A-Fa-f]")
_TO_ESCAPE = re.compile(rb"[\\()\r]")


def string_bytes(text: bytes) -> bytes:
    """The bytes of a string as it stands in a file, with its delimiters."""
    if text[:1] == b"<":
        digits = _NOT_HEX.sub(b"", text)
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
    inner = text[1:-1]
    if b"\\" not in inner and b"\r" not in inner:
        return inner
    return _ESCAPE.sub(_unescaped, inner)


def written_string(data: bytes, *, hexadecimal: bool) -> bytes:
    """A string object with these bytes."""
    if hexadecimal:
        return b"<%s>" % data.hex().encode()
    return b"(%s)" % _TO_ESCAPE.sub(_escaped, data)


def _unescaped(match: "re.Match[bytes]") -> bytes:
    octal, line_end, character = match.groups()
    if octal:
        return bytes((int(octal, 8) & 0xFF,))
    if line_end:
        return b""
    if character:
        return _SHORT.get(character, character)
    return b"\n"


def _escaped(match: "re.Match[bytes]") -> bytes:
    found = match.group()
    return b"\\r" if found == b"\r" else b"\\" + found
