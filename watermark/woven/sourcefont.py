"""The fonts of an uploaded PDF, as far as weaving needs them: how wide each code is, and which codes are spaces."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase._fontdata import widthsByFontGlyph

from watermark.woven.strings import string_bytes

_SPACES = frozenset({" ", "\u00a0", "\u2002", "\u2003", "\u2009", "\u202f", "\t"})
_SPACE_NAMES = frozenset({"space", "nbspace", "uni0020", "uni00A0", "nonbreakingspace"})
_HEX = re.compile(rb"<([0-9A-Fa-f\s]*)>|(\[)|(\])")
_BLOCKS = (b"bfchar", b"bfrange")
# A CMap that builds on another one, or writes downwards.
_BUILT_OR_DOWNWARDS = re.compile(rb"usecmap|/WMode\s+1")
# A range of codes longer than this is no font's; nor are so many widths, said once or again.
_MOST_CODES = 65536
_MOST_WIDTHS = 4 * _MOST_CODES
# No letter is so many em wide.
_WIDEST = 1000.0
# Bytes of a CMap: those of whole Chinese fonts have about 300 KB.
_MOST_CMAP = 4 * 1024 * 1024
_DEFAULT_CID_WIDTH = 1000.0  # ISO 32000-1, table 117
_ENCODINGS = frozenset({"StandardEncoding", "WinAnsiEncoding", "MacRomanEncoding"})
_STANDARD = {
    "Arial": "Helvetica",
    "CourierNew": "Courier",
    "TimesNewRoman": "Times-Roman",
}


@dataclass(frozen=True)
class SourceFont:
    """Codes of `code_size` bytes: their widths in text space units for a type size of 1, and which are spaces."""

    code_size: int
    widths: dict[int, float]
    other_width: float
    spaces: frozenset[int]

    def width(self, code: int) -> float:
        """How far this code moves on."""
        return self.widths.get(code, self.other_width)


def read_font(font: object) -> SourceFont | None:
    """What is known of this font; None where its codes or widths cannot be told, or it writes downwards."""
    if not isinstance(font, Dictionary):
        return None
    try:
        found = _composite(font) if font.get(Name.Subtype) == Name.Type0 else _simple(font)
    except (
        pikepdf.PdfError,
        ValueError,
        TypeError,
        AttributeError,
        LookupError,
        ArithmeticError,
        RuntimeError,
    ):
        return None
    if found and all(abs(width) < _WIDEST for width in (found.other_width, *found.widths.values())):
        return found
    return None


def _composite(font: Dictionary) -> SourceFont | None:
    encoding = font.get(Name.Encoding)
    if isinstance(encoding, Stream):
        if not _is_two_byte_identity(encoding):
            return None
    elif encoding != Name("/Identity-H"):
        return None
    descendants = font.get(Name.DescendantFonts)
    if not isinstance(descendants, Array) or len(descendants) != 1:
        return None
    cid_font = descendants[0]
    if not isinstance(cid_font, Dictionary):
        return None
    default = cid_font.get(Name.DW)
    other = float(default) if default is not None else _DEFAULT_CID_WIDTH
    widths = _cid_widths(cid_font.get(Name.W))
    return SourceFont(2, widths, other / 1000, _mapped_spaces(font.get(Name.ToUnicode)))


def _is_two_byte_identity(encoding: Stream) -> bool:
    """Whether an embedded CMap is the identity over two bytes, as some producers write it out."""
    data = encoding.read_bytes()[:_MOST_CMAP]
    spaces = [block for kind, block in _blocks(data) if kind == b"codespacerange"]
    ranges = re.findall(rb"<(\w+)>\s*<(\w+)>\s*(\d+)", data)
    return (
        encoding.get(Name.WMode, 0) == 0
        and encoding.get(Name.UseCMap) is None
        and not _BUILT_OR_DOWNWARDS.search(data)
        and [group.lower() for group in re.findall(rb"<(\w+)>", b"".join(spaces))] == [b"0000", b"ffff"]
        and [(low.lower(), high.lower(), cid) for low, high, cid in ranges] == [(b"0000", b"ffff", b"0")]
    )


def _cid_widths(array: object) -> dict[int, float]:
    widths: dict[int, float] = {}
    if not isinstance(array, Array):
        return widths
    items = list(array)
    position = said = 0
    while position + 1 < len(items):
        first = int(items[position])
        following = items[position + 1]
        if isinstance(following, Array):
            for index, width in enumerate(following):
                widths[first + index] = float(width) / 1000
            position += 2
            continue
        last = min(int(following), first + _MOST_CODES)
        said += max(0, last - first)
        if said > _MOST_WIDTHS:
            raise ValueError("no font says its widths again and again")
        every = float(items[position + 2]) / 1000
        widths.update(dict.fromkeys(range(first, last + 1), every))
        position += 3
    return widths


def _simple(font: Dictionary) -> SourceFont | None:
    spaces = _encoded_spaces(font)
    to_unicode = font.get(Name.ToUnicode)
    if isinstance(to_unicode, Stream):
        spaces = _mapped_spaces(to_unicode) or spaces
    array = font.get(Name.Widths)
    if not isinstance(array, Array):
        return _standard(font, spaces)
    scale = 0.001
    if font.get(Name.Subtype) == Name.Type3:
        matrix = [float(value) for value in font.FontMatrix]
        if matrix[1] or matrix[2] or matrix[0] <= 0:
            return None
        scale = matrix[0]
    first = int(font.get(Name.FirstChar, 0))
    widths = {first + index: float(width) * scale for index, width in enumerate(array)}
    descriptor = font.get(Name.FontDescriptor)
    missing = descriptor.get(Name.MissingWidth, 0) if isinstance(descriptor, Dictionary) else 0
    return SourceFont(1, widths, float(missing) * scale, spaces)


def _standard(font: Dictionary, spaces: frozenset[int]) -> SourceFont | None:
    """One of the fourteen fonts that every reader has, which files may name without widths."""
    name = str(font.get(Name.BaseFont, "/"))[1:]
    family, _, style = name.partition(",")
    base = _STANDARD.get(family, family) if not style else ""
    if base not in widthsByFontGlyph or isinstance(font.get(Name.Encoding), Dictionary):
        return None
    encoding = str(font.get(Name.Encoding, "/StandardEncoding"))[1:]
    if base in {"Symbol", "ZapfDingbats"}:
        encoding = f"{base}Encoding"
    elif encoding not in _ENCODINGS:
        return None
    known = pdfmetrics.Font(f"sealmark-{base}", base, encoding)
    return SourceFont(1, {code: width / 1000 for code, width in enumerate(known.widths)}, 0.0, spaces)


def _encoded_spaces(font: Dictionary) -> frozenset[int]:
    """The codes that the font's encoding calls space. Code 32 is one in every standard encoding."""
    spaces = {32} if font.get(Name.Subtype) != Name.Type3 else set()
    encoding = font.get(Name.Encoding)
    differences = encoding.get(Name.Differences) if isinstance(encoding, Dictionary) else None
    if isinstance(differences, Array):
        code = 0
        for item in differences:
            if isinstance(item, Name):
                is_space = str(item)[1:] in _SPACE_NAMES
                (spaces.add if is_space else spaces.discard)(code)
                code += 1
            else:
                code = int(item)
    return frozenset(spaces)


def _mapped_spaces(cmap: object) -> frozenset[int]:
    """The codes that a ToUnicode CMap maps to a space."""
    if not isinstance(cmap, Stream):
        return frozenset()
    spaces: set[int] = set()
    for kind, block in _blocks(cmap.read_bytes()[:_MOST_CMAP]):
        if kind not in _BLOCKS:
            continue
        items: list[bytes | list[bytes]] = []
        inner: list[bytes] | None = None
        for text, opening, closing in _HEX.findall(block):
            if opening:
                inner = []
                items.append(inner)
            elif closing:
                inner = None
            else:
                (items if inner is None else inner).append(string_bytes(b"<%s>" % text))
        step = 2 if kind == b"bfchar" else 3
        for index in range(0, len(items) - step + 1, step):
            spaces.update(_spaces_of(items[index : index + step]))
    return frozenset(spaces)


def _blocks(cmap: bytes) -> Iterator[tuple[bytes, bytes]]:
    """What stands between `beginX` and `endX` in a CMap, with X."""
    for part in cmap.split(b"begin")[1:]:
        block, ending, rest = part.partition(b"end")
        kind = rest.split(maxsplit=1)[:1]
        if ending and kind and block.startswith(kind[0]):
            yield kind[0], block[len(kind[0]) :]


def _spaces_of(entry: list[bytes | list[bytes]]) -> list[int]:
    """The codes of one bfchar or bfrange entry that stand for a space."""
    first, target = entry[0], entry[-1]
    if isinstance(first, list):
        return []
    low = int.from_bytes(first, "big")
    if len(entry) == 2 and not isinstance(target, list):
        return [low] if _text(target) in _SPACES else []
    if isinstance(target, list):
        return [low + index for index, text in enumerate(target) if _text(text) in _SPACES]
    last = entry[1]
    high = int.from_bytes(last, "big") if not isinstance(last, list) else low
    if not target:
        return []
    begin = int.from_bytes(target, "big")
    return [
        low + ord(space) - begin
        for space in _SPACES
        if 0 <= ord(space) - begin <= min(high - low, _MOST_CODES)
    ]


def _text(data: bytes) -> str:
    return data.decode("utf-16-be", "replace")
