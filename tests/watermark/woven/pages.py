"""Small pages for the tests of weaving: a content stream, and the fonts that it names."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream

WIDTH = 500
"""Of every letter of the fonts with widths of their own, in thousandths; their spaces have half of it."""


def to_unicode(pdf: Pdf, lines: Sequence[bytes]) -> Stream:
    """A ToUnicode CMap with these sections."""
    return pdf.make_stream(b"begincmap\n" + b"\n".join(lines) + b"\nendcmap")


def ascii_cmap(pdf: Pdf, size: int) -> Stream:
    """A ToUnicode CMap by which codes of `size` bytes stand for ASCII."""
    digits = 2 * size
    low, high = (f"{code:0{digits}x}".encode() for code in (32, 126))
    return to_unicode(
        pdf,
        [
            b"1 begincodespacerange <%s> <%s> endcodespacerange" % (b"0" * digits, b"f" * digits),
            b"1 beginbfrange <%s> <%s> <0020> endbfrange" % (low, high),
        ],
    )


def simple_font(pdf: Pdf, **entries: object) -> Dictionary:
    """A one-byte font with widths for ASCII. An entry given as None is left out."""
    font = Dictionary(
        Type=Name.Font,
        Subtype=Name.TrueType,
        BaseFont=Name("/AAAAAA+Sample"),
        FirstChar=32,
        LastChar=126,
        Widths=Array([WIDTH // 2, *[WIDTH] * 94]),
        Encoding=Name.WinAnsiEncoding,
        FontDescriptor=_descriptor(pdf),
    )
    return _with(font, entries)


def cid_font(
    pdf: Pdf, *, widths: object = None, descendant: dict[str, object] | None = None, **entries: object
) -> Dictionary:
    """A font of two-byte codes, which are those of ASCII. An entry given as None is left out."""
    inner = Dictionary(
        Type=Name.Font,
        Subtype=Name.CIDFontType2,
        BaseFont=Name("/AAAAAA+Sample"),
        CIDSystemInfo=Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
        DW=WIDTH,
        W=Array([32, Array([WIDTH // 2])]) if widths is None else widths,
        FontDescriptor=_descriptor(pdf),
    )
    font = Dictionary(
        Type=Name.Font,
        Subtype=Name.Type0,
        BaseFont=Name("/AAAAAA+Sample"),
        Encoding=Name("/Identity-H"),
        DescendantFonts=Array([pdf.make_indirect(_with(inner, descendant or {}))]),
        ToUnicode=ascii_cmap(pdf, 2),
    )
    return _with(font, entries)


def type3_font(pdf: Pdf, matrix: Sequence[float] = (0.01, 0, 0, 0.01, 0, 0), **entries: object) -> Dictionary:
    """A font whose letters are boxes of half an em; its space draws nothing."""
    scale = matrix[0]
    half = 0.5 / scale
    box = f"{half} 0 0 0 {half} {half} d1 0 0 {0.8 * half} {half} re f".encode()
    names = [Name(f"/g{code}") for code in range(33, 127)]
    drawn = pdf.make_stream(box)
    font = Dictionary(
        Type=Name.Font,
        Subtype=Name.Type3,
        FontBBox=Array([0, 0, 1 / scale, 1 / scale]),
        FontMatrix=Array([*matrix]),
        CharProcs=Dictionary(
            {"/space": pdf.make_stream(f"{half / 2} 0 d0".encode()), **{str(n): drawn for n in names}}
        ),
        Encoding=Dictionary(Type=Name.Encoding, Differences=Array([32, Name.space, *names])),
        FirstChar=32,
        LastChar=126,
        Widths=Array([half / 2, *[half] * 94]),
        Resources=Dictionary(),
        ToUnicode=ascii_cmap(pdf, 1),
    )
    return _with(font, entries)


def _with(dictionary: Dictionary, entries: dict[str, object]) -> Dictionary:
    for name, value in entries.items():
        if value is None:
            del dictionary[Name("/" + name)]
        else:
            dictionary[Name("/" + name)] = value
    return dictionary


def _descriptor(pdf: Pdf) -> pikepdf.Object:
    return pdf.make_indirect(
        Dictionary(
            Type=Name.FontDescriptor,
            FontName=Name("/AAAAAA+Sample"),
            Flags=32,
            FontBBox=Array([0, -200, 1000, 800]),
            ItalicAngle=0,
            Ascent=800,
            Descent=-200,
            CapHeight=700,
            StemV=80,
        )
    )


def new_document() -> Pdf:
    """A document that has no page yet."""
    return pikepdf.new()


def resources(pdf: Pdf) -> Dictionary:
    """Fonts: F1 (Helvetica), S (one byte), C (two bytes), T (Type 3, boxes)."""
    helvetica = Dictionary(
        Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding
    )
    fonts = {"F1": helvetica, "S": simple_font(pdf), "C": cid_font(pdf), "T": type3_font(pdf)}
    return Dictionary(Font=Dictionary({f"/{name}": pdf.make_indirect(font) for name, font in fonts.items()}))


def add_page(
    pdf: Pdf, contents: bytes | Sequence[bytes], given: Dictionary | None = None, **entries: object
) -> None:
    """Append a page with this content, or these streams of content, and entries."""
    streams = [contents] if isinstance(contents, bytes) else contents
    page = Dictionary(
        Type=Name.Page,
        MediaBox=Array([0, 0, 595, 842]),
        Resources=given if given is not None else resources(pdf),
        Contents=Array([pdf.make_stream(stream) for stream in streams]),
        **entries,
    )
    pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))


def written(pdf: Pdf) -> bytes:
    """The document's bytes."""
    output = BytesIO()
    pdf.save(output)
    return output.getvalue()


def page_of(contents: bytes | Sequence[bytes], **entries: object) -> bytes:
    """A document of one page with this content and the usual fonts."""
    with new_document() as pdf:
        add_page(pdf, contents, **entries)
        return written(pdf)


def form(pdf: Pdf, content: bytes, given: Dictionary | None = None, **entries: object) -> pikepdf.Object:
    """A form XObject with this content."""
    stream = pdf.make_stream(content)
    stream.stream_dict = Dictionary(
        Type=Name.XObject,
        Subtype=Name.Form,
        BBox=Array([-2000, -2000, 2000, 2000]),
        Resources=given if given is not None else resources(pdf),
        **entries,
    )
    return stream
