"""PDFs made for the tests, each named for what is odd about it; and the ways from them to a copy."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from datetime import date
from io import BytesIO

import numpy as np
import pikepdf
from numpy.typing import NDArray
from pikepdf import Array, Dictionary, Name
from reportlab.lib.colors import Color
from reportlab.pdfgen.canvas import Canvas

from watermark.compile import compile_pdf
from watermark.mark import Mark
from watermark.mint import Fill, mint, unsafe_bare_fill
from watermark.stamp import stamp
from watermark.template import SlotTable
from watermark.woven.code import copy_bits

COPY_ID = "cpy_0123456789abcdefghjkmnpqrs"
ANA = Mark("Ana Lima", "ana.lima@acme.example", "Acme Incorporated", date(2026, 11, 23), COPY_ID)
SEED = {"seed": "00" * 16}
WEAVE_KEY = bytes(range(32))

NAMES = {
    "latin": "Ana Lima",
    "arabic": "محمد علي الهاشمي",
    "hebrew": "שלום כהן",
    "devanagari": "अनुष्का शर्मा",
    "thai": "สมชาย ใจดี",
    "chinese": "张伟",
    "japanese": "山田 太郎です",
    "korean": "김민수",
    "greek": "Ελένη Παπαδοπούλου",
    "cyrillic": "Нина Ковалёва",
}


def report(pages: int = 3, size: tuple[float, float] = (595, 842)) -> bytes:
    """Pages of text, each with a heading, paragraphs and a rule, as reportlab writes them; with an outline."""
    written = BytesIO()
    canvas = Canvas(written, pagesize=size)
    canvas.setTitle("A report & more")
    for page in range(1, pages + 1):
        canvas.bookmarkPage(f"p{page}")
        canvas.addOutlineEntry(f"Section {page}", f"p{page}")
        canvas.setFont("Helvetica-Bold", 16)
        canvas.drawString(60, size[1] - 50, f"Section {page}")
        canvas.setFont("Times-Roman", 10.5)
        for line in range(int((size[1] - 150) / 14)):
            canvas.drawString(
                60, size[1] - 80 - 14 * line, f"Line {line} of page {page} tells what was tested."
            )
        canvas.line(60, 60, size[0] - 60, 60)
        canvas.showPage()
    canvas.save()
    return written.getvalue()


def dark(level: float) -> bytes:
    """A page that is one grey from edge to edge, with white text."""
    written = BytesIO()
    canvas = Canvas(written, pagesize=(595, 842))
    canvas.setFillColor(Color(level, level, level))
    canvas.rect(0, 0, 595, 842, fill=1, stroke=0)
    canvas.setFillColor(Color(1, 1, 1))
    canvas.drawString(60, 700, "White on dark")
    canvas.save()
    return written.getvalue()


def with_content(content: bytes, **entries: object) -> bytes:
    """One page with this content, Helvetica as F1, and these entries in its page."""
    with pikepdf.new() as pdf:
        font = pdf.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
        page = Dictionary(
            Type=Name.Page,
            MediaBox=Array([0, 0, 595, 842]),
            Resources=Dictionary(Font=Dictionary(F1=font)),
            Contents=pdf.make_stream(content),
        )
        for name, value in entries.items():
            page[Name("/" + name)] = value
        pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
        written = BytesIO()
        pdf.save(written)
        return written.getvalue()


TEXT = b"BT /F1 12 Tf 72 700 Td (First line) Tj 0 -20 Td (Second line) Tj ET\n"

ODD_PAGES: dict[str, bytes] = {
    "rotated-90": with_content(TEXT, Rotate=90),
    "rotated-180": with_content(TEXT, Rotate=180),
    "rotated-270": with_content(TEXT, Rotate=-90),
    "cropped": with_content(TEXT, CropBox=Array([50, 300, 450, 800])),
    "box-off-origin": with_content(
        b"q 1 0 0 1 -500 1000 cm\n" + TEXT + b"Q", MediaBox=Array([-500, 1000, 95, 1842])
    ),
    "inverted-box": with_content(TEXT, MediaBox=Array([595, 842, 0, 0])),
    "user-unit": with_content(TEXT, UserUnit=2.5),
    "small": with_content(b"BT /F1 9 Tf 10 50 Td (Small) Tj ET", MediaBox=Array([0, 0, 144, 72])),
    "huge": with_content(TEXT, MediaBox=Array([0, 0, 14400, 14400])),
    "unbalanced-q": with_content(b"q q 0.5 0 0 0.5 100 100 cm\n" + TEXT),
    "stray-Q": with_content(b"Q Q " + TEXT + b"Q 0 0 1 rg " + TEXT + b"Q"),
    "scaled-without-q": with_content(b".24 0 0 -.24 0 842 cm 1 0 0 RG\n" + TEXT),
    "clipped-without-q": with_content(b"100 100 50 50 re W n\n" + TEXT),
    "open-text": with_content(b"BT /F1 12 Tf 72 700 Td (Never closed) Tj"),
    "open-marked-content": with_content(b"/P <</MCID 0>> BDC " + TEXT),
    "all-marked-content": with_content(b"/Artifact BMC " + TEXT + b"EMC"),
    "covered-afterwards": with_content(TEXT + b"1 g 0 0 595 842 re f\n" + TEXT),
    "broken-string": with_content(TEXT + b"BT /F1 12 Tf (never closed Tj ET"),
    "inline-image": with_content(
        TEXT
        + b"q 40 0 0 40 72 500 cm BI /W 4 /H 4 /BPC 8 /CS /G ID "
        + b"Q EI(\\\xff)<>"
        + bytes(6)
        + b" EI Q\n"
        + TEXT
    ),
    "broken-at-once": with_content(b"BT /F1 12 Tf 72 700 Td (never closed Tj ET"),
    "operands-that-are-none": with_content(b"(x) cm 1 0 0 x 9 9 cm BT /F1 Tf x Td 9 (y) TD TL ET\n" + TEXT),
    "matrix-of-zeros": with_content(TEXT + b"0 0 0 0 0 0 cm\n" + TEXT),
    "clipped-by-a-tilted-square": with_content(
        b"q .8 .6 -.6 .8 0 0 cm -9 -9 2000 2000 re W n\n" + TEXT + b"Q"
    ),
    "states-beyond-all-bounds": with_content(b"q " * 10_001 + TEXT),
    "no-content": with_content(b""),
    "state-left-behind": with_content(TEXT + b"3 Tr 50 Tz 9 Tc 4 Ts [9 9] 0 d 7 w 0 1 0 rg\n" + TEXT),
}


def template_of(pdf: bytes) -> bytes:
    """The encoded template of this PDF, compiled in this process."""
    return compile_pdf(pdf, SEED)[1]


def reading(template: bytes, piece: int = 16384) -> Callable[[int, int], Iterator[memoryview]]:
    """A reader of ranges of the template, in pieces of one size."""

    def read(start: int, stop: int) -> Iterator[memoryview]:
        view = memoryview(template)
        for position in range(start, stop, piece):
            yield view[position : min(stop, position + piece)]

    return read


def copy_of(template: bytes, mark: Mark = ANA) -> bytes:
    """The whole copy for this mark."""
    table = SlotTable.decode(template)
    bits = bits_of(table, mark)
    return b"".join(stamp(table, mint(table, mark), reading(template), bits=bits))


def bare_copy_of(template: bytes, mark: Mark = ANA) -> bytes:
    """The same copy without its visible mark, to tell the mark's ink from that of moved words."""
    table = SlotTable.decode(template)
    bits = bits_of(table, mark)
    return b"".join(stamp(table, unsafe_bare_fill(table), reading(template), bits=bits))


def bits_of(table: SlotTable, mark: Mark = ANA) -> NDArray[np.uint8] | None:
    """The copy's woven code under `WEAVE_KEY`; None for a template in which no word moves."""
    return copy_bits(WEAVE_KEY, mark.copy_id, table.words) if table.words else None


def table_and_fill(template: bytes, mark: Mark = ANA) -> tuple[SlotTable, Fill]:
    """What stamping needs besides the template."""
    table = SlotTable.decode(template)
    return table, mint(table, mark)


def inflated_streams(pdf: bytes) -> Iterator[tuple[int, bytes]]:
    """Every flate stream of the file by object number, inflated here, its Adler-32 and end checked by zlib."""
    with pikepdf.open(BytesIO(pdf)) as opened:
        for thing in opened.objects:
            if isinstance(thing, pikepdf.Stream) and thing.get("/Filter") == Name.FlateDecode:
                inflater = zlib.decompressobj()
                data = inflater.decompress(thing.read_raw_bytes())
                if not inflater.eof or inflater.unused_data:
                    raise ValueError("a stream does not end where its data does")
                yield thing.objgen[0], data
