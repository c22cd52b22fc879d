"""What of a report's metadata its copies keep."""

import re
from dataclasses import dataclass

import pikepdf
from pikepdf import Dictionary, Stream, String

_MOST_TITLE = 500


@dataclass(frozen=True)
class Kept:
    """What of the source's metadata a copy keeps: its title, and that it claims to be accessible (PDF/UA)."""

    title: str
    xmp: str


def read_kept(document: pikepdf.Pdf) -> Kept:
    info = document.trailer.get("/Info")
    title = info.get("/Title") if isinstance(info, Dictionary) else None
    text = str(title) if isinstance(title, String) else ""
    printable = "".join(character for character in text if character.isprintable())[:_MOST_TITLE]
    metadata = document.Root.get("/Metadata")
    xmp = ""
    if isinstance(metadata, Stream):
        try:
            part = re.search(rb"pdfuaid:part(?:>|=[\"'])([12])", metadata.read_bytes())
        except pikepdf.PdfError:
            part = None
        if part:
            xmp = (
                "<rdf:Description rdf:about='' xmlns:pdfuaid='http://www.aiim.org/pdfua/ns/id/'>"
                f"<pdfuaid:part>{part[1].decode()}</pdfuaid:part></rdf:Description>"
            )
    return Kept(printable, xmp)
