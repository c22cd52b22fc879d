"""The copy's tail: the objects that follow the template's body, and the cross-reference rows that point to them.

Font, CID font, descriptor, font file, ToUnicode, glyph map, XMP and Info. The cross-reference stream itself lies at
the end of the body, so that its size does not matter to a copy: its rows for these objects are slots.
"""

import zlib
from xml.sax.saxutils import escape

from watermark.copyfont import DIAGONAL_CODE, CopyFont
from watermark.mark import Printed
from watermark.template import SlotTable

# A row of the cross-reference stream: PNG filter type, then type, offset and generation (/W [1 4 2]).
ROW_WIDTHS = (1, 4, 2)
ROW_LENGTH = 1 + sum(ROW_WIDTHS)
# CID font, descriptor, font file, ToUnicode, glyph map, Info.
NEW_OBJECTS = 6

_PRODUCER = "Sealmark"
_SYMBOLIC = 4  # PDF 32000-1, table 123: glyphs outside of the standard Latin set
_TEXTS_A_BLOCK = 100  # PDF 32000-1, 9.10.3: entries of one bfchar


def xref_row(offset: int) -> bytes:
    """The row of an object at this offset, its PNG filter None."""
    return b"\0\1" + offset.to_bytes(ROW_WIDTHS[1], "big") + b"\0\0"


def write_tail(table: SlotTable, font: CopyFont, mark: Printed) -> tuple[bytes, bytes, bytes, bytes]:
    """The tail, and the rows of the font object, of the metadata object and of the new objects."""
    plan = table.tail
    first = plan.first_new_object
    cid_font, descriptor, font_file, to_unicode, glyph_map, info = range(first, first + NEW_OBJECTS)
    name = _font_name(mark)
    objects = {
        plan.font_object: b"<</Type/Font/Subtype/Type0/BaseFont/%s/Encoding/Identity-H"
        b"/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>" % (name, cid_font, to_unicode),
        cid_font: b"<</Type/Font/Subtype/CIDFontType2/BaseFont/%s/CIDSystemInfo"
        b"<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor %d 0 R/CIDToGIDMap %d 0 R/DW 0/W[%s]>>"
        % (name, descriptor, glyph_map, _widths(font)),
        descriptor: b"<</Type/FontDescriptor/FontName/%s/Flags %d/FontBBox[-10000 -2400 10000 2400]/ItalicAngle 0"
        b"/Ascent 1069/Descent -293/CapHeight 714/StemV 80/FontFile2 %d 0 R>>" % (name, _SYMBOLIC, font_file),
        font_file: _stream(font.truetype, b"/Length1 %d" % len(font.truetype)),
        to_unicode: _stream(_to_unicode(font)),
        glyph_map: _stream(_glyph_map(font)),
        plan.metadata_object: _plain_stream(_xmp(table, mark), b"/Type/Metadata/Subtype/XML"),
        info: _info(table, mark),
    }
    tail = bytearray()
    rows = {}
    for number, body in objects.items():
        rows[number] = xref_row(table.body_length + len(tail))
        tail += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    tail += b"startxref\n%d\n%%%%EOF\n" % plan.xref_offset
    new = b"".join(rows[number] for number in range(first, first + NEW_OBJECTS))
    return bytes(tail), rows[plan.font_object], rows[plan.metadata_object], new


def _font_name(mark: Printed) -> bytes:
    """A subset's tag (PDF 32000-1, 9.6.4) out of the copy's id, and the name of the design."""
    return bytes(65 + byte % 26 for byte in mark.copy_id[-6:].encode()) + b"+NotoSans"


def _widths(font: CopyFont) -> bytes:
    return b"".join(
        b"%d[%d]" % (int.from_bytes(code, "big"), width) for code, width in sorted(font.width_of.items())
    )


def _glyph_map(font: CopyFont) -> bytes:
    """CIDToGIDMap: two bytes for every CID up to the last in use."""
    last = max(int.from_bytes(code, "big") for code in font.glyph_of)
    glyphs = bytearray(2 * last + 2)
    for code, glyph in font.glyph_of.items():
        cid = int.from_bytes(code, "big")
        glyphs[2 * cid : 2 * cid + 2] = glyph.to_bytes(2, "big")
    return bytes(glyphs)


def _to_unicode(font: CopyFont) -> bytes:
    entries = [
        b"<%s><%s>\n" % (code.hex().encode(), text.encode("utf-16-be").hex().encode())
        for code, text in sorted(font.text_of.items())
    ]
    # Without an entry that says so, pypdf takes the code for a character.
    entries.append(b"<%s><>\n" % DIAGONAL_CODE.hex().encode())
    blocks = [entries[index : index + _TEXTS_A_BLOCK] for index in range(0, len(entries), _TEXTS_A_BLOCK)]
    return (
        b"/CIDInit/ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n"
        b"/CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n"
        b"1 begincodespacerange\n<0000><ffff>\nendcodespacerange\n"
        + b"".join(b"%d beginbfchar\n%sendbfchar\n" % (len(block), b"".join(block)) for block in blocks)
        + b"endcmap\nCMapName currentdict/CMap defineresource pop\nend\nend\n"
    )


def _xmp(table: SlotTable, mark: Printed) -> bytes:
    """XMP of the copy (ISO 16684-1): its id as document and instance, the report's title, what `table.xmp` keeps."""
    title = (
        f"<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>{escape(table.title)}</rdf:li></rdf:Alt></dc:title>"
        if table.title
        else ""
    )
    day = mark.issued.isoformat()
    return (
        "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>\n"
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        "<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' "
        "xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmlns:xmpMM='http://ns.adobe.com/xap/1.0/mm/' "
        "xmlns:pdf='http://ns.adobe.com/pdf/1.3/'>"
        f"<dc:format>application/pdf</dc:format><dc:identifier>{mark.copy_id}</dc:identifier>{title}"
        f"<xmp:CreateDate>{day}</xmp:CreateDate><xmp:ModifyDate>{day}</xmp:ModifyDate>"
        f"<xmpMM:DocumentID>{mark.copy_id}</xmpMM:DocumentID><xmpMM:InstanceID>{mark.copy_id}</xmpMM:InstanceID>"
        f"<pdf:Producer>{_PRODUCER}</pdf:Producer></rdf:Description>{table.xmp}</rdf:RDF></x:xmpmeta>\n"
        "<?xpacket end='r'?>"
    ).encode()


def _info(table: SlotTable, mark: Printed) -> bytes:
    title = b"/Title<feff%s>" % table.title.encode("utf-16-be").hex().encode() if table.title else b""
    day = b"(D:%s000000Z)" % mark.issued.strftime("%Y%m%d").encode()
    return b"<<%s/Producer(%s)/CreationDate%s/ModDate%s/Copy(%s)>>" % (
        title,
        _PRODUCER.encode(),
        day,
        day,
        mark.copy_id.encode(),
    )


def _stream(data: bytes, entries: bytes = b"") -> bytes:
    packed = zlib.compress(data, 9)
    return b"<</Filter/FlateDecode/Length %d%s>>\nstream\n%s\nendstream" % (len(packed), entries, packed)


def _plain_stream(data: bytes, entries: bytes) -> bytes:
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(data), data)
