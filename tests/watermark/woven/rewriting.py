"""What may be done to a copy that leaves its words where they are."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pikepdf
import pypdf
import pytest

from tests.watermark.builders import report


def saved(pdf: pikepdf.Pdf) -> bytes:
    written = BytesIO()
    pdf.save(written)
    return written.getvalue()


def pages_by_pypdf(pdf: bytes, which: slice) -> bytes:
    writer = pypdf.PdfWriter()
    for page in list(pypdf.PdfReader(BytesIO(pdf)).pages)[which]:
        writer.add_page(page)
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


def only_page(pdf: bytes, index: int) -> bytes:
    with pikepdf.open(BytesIO(pdf)) as opened, pikepdf.new() as other:
        other.pages.append(opened.pages[index])
        return saved(other)


def rewritten(program: str, *options: str) -> Callable[[bytes, Path], bytes]:
    """What a program makes of a PDF."""

    def run(pdf: bytes, folder: Path) -> bytes:
        if not shutil.which(program):
            pytest.skip(f"install {'mupdf-tools' if program == 'mutool' else program} to rewrite with it")
        before, after = folder / "before.pdf", folder / "after.pdf"
        before.write_bytes(pdf)
        done = subprocess.run([program, *options, before, after], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr[-300:]
        return after.read_bytes()

    return run


def by_pikepdf(pdf: bytes, _: Path) -> bytes:
    with pikepdf.open(BytesIO(pdf)) as opened:
        return saved(opened)


def by_pypdf(pdf: bytes, _: Path) -> bytes:
    return pages_by_pypdf(pdf, slice(None))


def pages_reversed(pdf: bytes, _: Path) -> bytes:
    return pages_by_pypdf(pdf, slice(None, None, -1))


def merged(pdf: bytes, _: Path) -> bytes:
    """Behind the pages of another file."""
    with pikepdf.open(BytesIO(report(1, (612, 792)))) as other, pikepdf.open(BytesIO(pdf)) as opened:
        other.pages.extend(opened.pages)
        return saved(other)


def made_a_form(pdf: bytes, _: Path) -> bytes:
    """Each page drawn as one object on a larger page, with a margin."""
    with pikepdf.open(BytesIO(pdf)) as opened, pikepdf.new() as other:
        for page in opened.pages:
            form = other.copy_foreign(page.as_form_xobject())
            other.add_blank_page(page_size=(700, 1000))
            new = other.pages[-1]
            new.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(A=form))
            new.Contents = other.make_stream(b"1 0 0 1 31.3 17.7 cm /A Do")
        return saved(other)


def without_mark_strings(pdf: bytes, _: Path) -> bytes:
    """With nothing shown in the mark's font, and every page turned and cut."""
    with pikepdf.open(BytesIO(pdf)) as opened:
        for page in opened.pages:
            own = {
                key for key, font in page.Resources.Font.items() if "+NotoSans" in str(font.get("/BaseFont"))
            }
            kept, font = [], ""
            for instruction in pikepdf.parse_content_stream(page):
                if str(instruction.operator) == "Tf":
                    font = str(instruction.operands[0])
                if not (font in own and str(instruction.operator) in {"Tj", "'"}):
                    kept.append(instruction)
            page.Contents = opened.make_stream(pikepdf.unparse_content_stream(kept))
            page.Rotate, page.CropBox = 90, pikepdf.Array([50, 50, 400, 700])
        return saved(opened)


REWRITES: dict[str, Callable[[bytes, Path], bytes]] = {
    "as-it-was": lambda pdf, _: pdf,
    "qpdf-uncompressed": rewritten("qpdf", "--object-streams=disable", "--stream-data=uncompress"),
    "qpdf-linearized": rewritten("qpdf", "--linearize"),
    "mutool": rewritten("mutool", "clean", "-gggg", "-z"),
    "pikepdf": by_pikepdf,
    "pypdf": by_pypdf,
    "reversed": pages_reversed,
    "merged": merged,
}
SANITIZED = rewritten("mutool", "clean", "-gggg", "-z", "-s")
