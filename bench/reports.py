"""The reports that are measured: the project's own sample, and real ones where the shared folder is there."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from pathlib import Path

import pikepdf

from service.demo.report import make_report

PROJECT = Path(__file__).resolve().parent.parent

SAMPLE = "sample report"


@dataclass(frozen=True)
class Report:
    """A PDF to measure with, and what the table calls it."""

    name: str
    pdf: bytes


def sample() -> Report:
    """The report that `make demo` lends, the same bytes every time."""
    return Report(SAMPLE, make_report())


def long_reports() -> list[Report]:
    """The real reports of 30 pages and more in the shared folder (SEALMARK_SHARED); none where it is missing."""
    corpus = (PROJECT / os.environ.get("SEALMARK_SHARED", "../shared")).resolve() / "corpus"
    manifest = corpus / "MANIFEST.csv"
    if not manifest.is_file():
        return []
    with manifest.open(newline="", encoding="utf-8") as file:
        names = [row["file"] for row in csv.DictReader(file) if row["category"] == "report-long"]
    return [Report(_short(name), (corpus / name).read_bytes()) for name in sorted(names)]


def filled_up(report: Report, size: int, *, page_bytes: int) -> Report:
    """The report with as many pages added, each one picture of noise of about `page_bytes`, as make it `size` bytes.

    Noise, since it cannot be compressed: what is added stays in every copy.
    """
    with pikepdf.open(io.BytesIO(report.pdf)) as document:
        missing = size - len(report.pdf)
        while missing > 0:
            missing -= _add_picture(document, min(page_bytes, missing))
        buffer = io.BytesIO()
        document.save(buffer)
    return Report(f"{report.name}, filled up to {size / 1e6:g} MB", buffer.getvalue())


def _add_picture(document: pikepdf.Pdf, size: int) -> int:
    """Add a page with a grey picture of about `size` bytes of noise; returns how many it is."""
    width = 500
    height = max(1, size // width)
    picture = pikepdf.Stream(
        document,
        os.urandom(width * height),
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=width,
        Height=height,
        ColorSpace=pikepdf.Name.DeviceGray,
        BitsPerComponent=8,
    )
    document.add_blank_page(page_size=(595, 842))
    page = document.pages[-1]
    name = page.add_resource(picture, pikepdf.Name.XObject)
    page.Contents = pikepdf.Stream(document, b"q 495 0 0 642 50 150 cm %s Do Q" % str(name).encode())
    return width * height


def _short(name: str) -> str:
    """The part of a file's name after its repository, cut to what a table bears."""
    return name.split("__", 1)[-1].removesuffix(".pdf")[:32].rstrip(" _-")
