"""Recognises bytes of a report wherever they turn up: any run of `WINDOW` of them, not only a planted word."""

from __future__ import annotations

import base64
import secrets
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO

import pikepdf
from pikepdf import Name
from reportlab.pdfgen.canvas import Canvas

WINDOW = 16
"""Bytes of a run: 16 equal ones by chance do not happen, and a leak of fewer tells nothing."""

DISTINCT = 8
"""Different bytes that a run needs: zeros, spaces and rules are in every file."""

SYNTAX = (b"stream", b"endobj", b" obj", b"xref", b"/Type", b"/Length", b"/Filter")
"""Words of every PDF: a run that holds one is mostly such words, which the copy's own font, too, is written with."""


@dataclass(frozen=True)
class Report:
    """A PDF of which nearly every run of bytes is its own, and words that stand in its text."""

    pdf: bytes
    words: tuple[str, ...]


def recognizable_report(pages: int = 3) -> Report:
    """Pages of random words, the first one uncompressed, and two images of random bytes, one deflated."""
    words = tuple(secrets.token_hex(8) for _ in range(120 * pages))
    written = BytesIO()
    canvas = Canvas(written, pagesize=(595, 842))
    for number in range(pages):
        canvas.setFont("Times-Roman", 10.5)
        for line in range(40):
            at = 120 * number + 3 * line
            canvas.drawString(60, 780 - 15 * line, " ".join(words[at : at + 3]))
        canvas.showPage()
    canvas.save()
    with pikepdf.open(BytesIO(written.getvalue())) as made:
        for page in made.pages:
            plain = page.Contents.read_bytes()
            page.Contents = pikepdf.Stream(made, plain)
            if page.index:
                page.Contents.write(zlib.compress(plain), filter=Name.FlateDecode)
        for name, noise in (("/Raw", None), ("/Deflated", Name.FlateDecode)):
            data = secrets.token_bytes(64 * 64 * 3)
            image = pikepdf.Stream(made, data)
            if noise is not None:
                image.write(zlib.compress(data), filter=noise)
            image.update(
                {
                    "/Type": Name.XObject,
                    "/Subtype": Name.Image,
                    "/Width": 64,
                    "/Height": 64,
                    "/BitsPerComponent": 8,
                    "/ColorSpace": Name.DeviceRGB,
                }
            )
            made.pages[0].add_resource(image, Name.XObject, Name(name))
            drawn = made.pages[0].Contents.read_bytes() + f"q 64 0 0 64 450 60 cm {name} Do Q\n".encode()
            made.pages[0].Contents = pikepdf.Stream(made, drawn)
        saved = BytesIO()
        made.save(saved, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return Report(saved.getvalue(), words)


def runs(data: bytes) -> Iterator[bytes]:
    """Every run of the data that can be recognised."""
    for at in range(len(data) - WINDOW + 1):
        run = data[at : at + WINDOW]
        if len(set(run)) >= DISTINCT and not any(word in run for word in SYNTAX):
            yield run


def runs_of_report(report: Report) -> set[bytes]:
    """Runs of the file, of its inflated streams, and of its words in base64."""
    found = set(runs(report.pdf))
    with pikepdf.open(BytesIO(report.pdf)) as opened:
        for thing in opened.objects:
            if isinstance(thing, pikepdf.Stream):
                found.update(runs(thing.read_bytes()))
    for word in report.words:
        for shift in range(3):  # base64 looks different by where in a group of three a word begins
            encoded = base64.b64encode(bytes(shift) + word.encode())
            found.update(runs(encoded[4 : len(encoded) - 4]))
    return found


def first_known(known: set[bytes], pieces: Iterable[bytes]) -> bytes | None:
    """The first of the known runs in the pieces, read one after the other as one text; None if there is none."""
    data = b"".join(pieces)
    return next(
        (data[at : at + WINDOW] for at in range(len(data) - WINDOW + 1) if data[at : at + WINDOW] in known),
        None,
    )
