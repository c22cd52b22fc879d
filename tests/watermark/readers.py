"""Every reader at hand, to compare a document before and after: texts, pictures, and what stands around them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pikepdf
import pypdf
import pypdfium2 as pdfium
from numpy.typing import NDArray
from pikepdf import Array, Dictionary, Stream

from tests.servers import missing
from watermark.verify import Reader

# Debian's mutool says so of itself, whatever it draws.
_NO_COMPLAINT = b"warning: ICC support is not available\n"

Texts = dict[str, list[str]]


def texts(pdf: bytes, folder: Path, modes: Sequence[str] = ("raw", "default")) -> Texts:
    """The text of each page by reader: pypdf, PDFium, poppler's `pdftotext` in these modes."""
    found = {
        "pypdf": [page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf)).pages],
        "PDFium": list(_pdfium_texts(pdf)),
    }
    found.update((f"pdftotext {mode}", read) for mode, read in poppler_texts(pdf, folder, modes).items())
    return found


def poppler_texts(pdf: bytes, folder: Path, modes: Iterable[str]) -> Texts:
    """The text of each page by `pdftotext`, in each of these modes: `raw`, `default`."""
    path = folder / "read.pdf"
    path.write_bytes(pdf)
    found = {}
    for mode in modes:
        flags = ["-raw"] if mode == "raw" else []
        output = _run("pdftotext", "poppler-utils", [*flags, str(path), "-"])
        found[mode] = output.decode().split("\f")[:-1]
    return found


def _pdfium_texts(pdf: bytes) -> Iterator[str]:
    document = pdfium.PdfDocument(pdf)
    for page in document:
        text = page.get_textpage()
        yield text.get_text_bounded()
        text.close()
        page.close()
    document.close()


def pictures(pdf: bytes, dots_an_inch: float = 100) -> Iterator[NDArray[np.int16]]:
    """Each page in grey, by PDFium, from the top."""
    document = pdfium.PdfDocument(pdf)
    for page in document:
        bitmap = page.render(scale=dots_an_inch / 72)
        yield (bitmap.to_numpy()[:, :, :3].sum(axis=2, dtype=np.int16) // 3).astype(np.int16)
        bitmap.close()
        page.close()
    document.close()


def assert_sound(pdf: bytes, folder: Path) -> None:
    """Fail unless every reader opens the document without a complaint, and MuPDF and poppler draw it."""
    path = folder / "sound.pdf"
    path.write_bytes(pdf)
    assert pypdf.PdfReader(BytesIO(pdf), strict=True).pages
    with pikepdf.open(path) as opened:
        assert opened.pages
        assert not opened.get_warnings()
    _run("qpdf", "qpdf", ["--check", str(path)])
    _run("pdfinfo", "poppler-utils", [str(path)])
    _run("pdftoppm", "poppler-utils", ["-r", "20", str(path), str(folder / "drawn")])
    _run("mutool", "mupdf-tools", ["draw", "-q", "-r", "20", "-o", str(folder / "drawn-%d.png"), str(path)])


def _run(program: str, package: str, arguments: list[str]) -> bytes:
    if not shutil.which(program):
        missing(program, f"apt-get install {package}")
    done = subprocess.run([program, *arguments], capture_output=True, check=False)
    assert done.returncode == 0, (program, done.stderr[-500:])
    said = done.stderr.replace(_NO_COMPLAINT, b"")
    assert not said, (program, said[-500:])
    return done.stdout


def surroundings(pdf: bytes) -> dict[str, object]:
    """What is not the pages' content: annotations, outline, tags, labels, form, as plain values to compare."""
    with pikepdf.open(BytesIO(pdf)) as opened:
        numbers = {page.objgen: index for index, page in enumerate(opened.pages)}
        reading = _Plain(numbers)
        return {
            "annotations": [reading.of(page.obj.get("/Annots")) for page in opened.pages],
            "boxes": [(reading.of(page.mediabox), reading.of(page.cropbox)) for page in opened.pages],
            "outline": _outline(pdf),
            **{
                key: reading.of(opened.Root.get(key))
                for key in ("/AcroForm", "/PageLabels", "/StructTreeRoot", "/Dests", "/Names", "/Lang")
            },
        }


def _outline(pdf: bytes) -> object:
    reader = Reader(pdf)
    try:
        return reader.outline()
    finally:
        reader.close()


class _Plain:
    """Objects as plain values; pages by their number, and an object met again by the order in which it was met."""

    def __init__(self, pages: dict[tuple[int, int], int]) -> None:
        self._pages = pages
        self._met: dict[tuple[int, int], int] = {}

    def of(self, thing: object) -> object:
        if isinstance(thing, (Array, Dictionary, Stream)) and thing.is_indirect:
            if thing.objgen in self._pages:
                return f"page {self._pages[thing.objgen]}"
            if thing.objgen in self._met:
                return f"object {self._met[thing.objgen]}"
            self._met[thing.objgen] = len(self._met)
        if isinstance(thing, Array):
            return [self.of(item) for item in thing]
        if isinstance(thing, Stream):
            return thing.read_bytes()
        if isinstance(thing, Dictionary):
            return {key: self.of(value) for key, value in thing.items()}
        return None if thing is None else str(thing)
