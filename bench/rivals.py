"""How others mark a PDF: each takes the cleaned report, unsealed and in memory, and gives the marked one's bytes.

Each hashes what it made, as a copy is hashed. Where a library leaves a choice, the quicker one was taken.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pikepdf
from pypdf import PdfReader, PdfWriter
from pypdf.generic import RectangleObject

from bench.mark_pages import MarkPages

PYPDF = "pypdf merge_page"
PIKEPDF = "pikepdf add_overlay"
QPDF = "qpdf --overlay (a process each)"

NO_QPDF = "qpdf is not installed and was left out (apt install qpdf)"

MEMORY_FOLDER = Path("/dev/shm")
"""Where qpdf's input lies if it is there, so that no disk slows it."""


class Rival(ABC):
    """One way to mark; made for one report and one mark, then run many times."""

    @abstractmethod
    def copy(self) -> bytes:
        """The marked report, hashed."""


class PypdfMerge(Rival):
    """The recipe of pypdf's documentation: https://pypdf.readthedocs.io/en/stable/user/add-watermark.html"""

    def __init__(self, report: bytes, marks: MarkPages) -> None:
        self._report = report
        self._kinds = marks.kinds
        self._marks = list(PdfReader(io.BytesIO(marks.own)).pages)
        for page, geometry in zip(self._marks, marks.geometries, strict=True):
            # merge_page clips to the mark's own boxes, and not every page begins at the origin.
            page.mediabox = RectangleObject(geometry.box)
            page.cropbox = page.trimbox = page.mediabox

    def copy(self) -> bytes:
        writer = PdfWriter(clone_from=PdfReader(io.BytesIO(self._report)))
        for page, kind in zip(writer.pages, self._kinds, strict=True):
            page.merge_page(self._marks[kind], over=True)
        buffer = io.BytesIO()
        writer.write(buffer)
        return _hashed(buffer.getvalue())


class PikepdfOverlay(Rival):
    """pikepdf's `Page.add_overlay`, the mark turned into a form once for each kind of page."""

    def __init__(self, report: bytes, marks: MarkPages) -> None:
        self._report = report
        self._kinds = marks.kinds
        self._marks = marks.upright

    def copy(self) -> bytes:
        with (
            pikepdf.open(io.BytesIO(self._report)) as document,
            pikepdf.open(io.BytesIO(self._marks)) as marks,
        ):
            forms = [page.as_form_xobject() for page in marks.pages]
            for page, kind in zip(document.pages, self._kinds, strict=True):
                page.add_overlay(forms[kind], pikepdf.Rectangle(page.trimbox))
            buffer = io.BytesIO()
            document.save(buffer)
        return _hashed(buffer.getvalue())


class QpdfOverlay(Rival):
    """The program `qpdf --overlay`, started for each copy as a service would that has no library."""

    def __init__(self, program: str, report: bytes, marks: MarkPages, folder: Path) -> None:
        source, overlay = folder / "report.pdf", folder / "marks.pdf"
        source.write_bytes(report)
        overlay.write_bytes(_page_for_page(marks))
        # One kind of page: its one mark is repeated. More: the mark has a page for each page.
        repeat = ["--from=", "--repeat=1"] if len(marks.geometries) == 1 else []
        self._command = [program, "--warning-exit-0", str(source)]
        self._command += ["--overlay", str(overlay), *repeat, "--", "-"]

    def copy(self) -> bytes:
        made = subprocess.run(self._command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        return _hashed(made.stdout)


@contextmanager
def rivals(report: bytes, marks: MarkPages) -> Iterator[dict[str, Rival]]:
    """All that can run here, by name; qpdf's files are gone afterwards."""
    found: dict[str, Rival] = {PYPDF: PypdfMerge(report, marks), PIKEPDF: PikepdfOverlay(report, marks)}
    program = shutil.which("qpdf")
    memory = str(MEMORY_FOLDER) if MEMORY_FOLDER.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="sealmark-bench-", dir=memory) as folder:
        if program is not None:
            found[QPDF] = QpdfOverlay(program, report, marks, Path(folder))
        yield found


def _page_for_page(marks: MarkPages) -> bytes:
    """The upright marks in the order of the report's pages, each kind's content stored once."""
    if len(marks.geometries) == 1:
        return marks.upright
    with pikepdf.open(io.BytesIO(marks.upright)) as kinds, pikepdf.new() as ordered:
        for kind in marks.kinds:
            ordered.pages.append(kinds.pages[kind])
        buffer = io.BytesIO()
        ordered.save(buffer)
    return buffer.getvalue()


def _hashed(pdf: bytes) -> bytes:
    hashlib.sha256(pdf).digest()
    return pdf
