"""Each producer, run on this machine, and the PDF that it makes of the small report."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate, Table

from tests.servers import missing
from tests.watermark.producers import sources

_SECONDS = 240  # LibreOffice's first start takes 15 on a quiet machine


def _run(folder: Path, package: str, command: list[str]) -> bytes:
    if not shutil.which(command[0]):
        missing(command[0], f"apt-get install --no-install-recommends {package}")
    # A home of its own: these programs keep settings and caches there.
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "SOURCE_DATE_EPOCH": "0"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, check=False, timeout=_SECONDS
    )
    assert done.returncode == 0, (command, done.stdout[-1000:], done.stderr[-1000:])
    return done.stdout


def chromium(folder: Path) -> bytes:
    """Chromium's print, which Skia writes: letters placed one by one."""
    (folder / "report.html").write_text(sources.html())
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-pdf-header-footer",
        "--print-to-pdf=made.pdf",
    ]
    _run(folder, "chromium", ["chromium", *flags, "report.html"])
    return (folder / "made.pdf").read_bytes()


def libreoffice(folder: Path) -> bytes:
    """LibreOffice Writer's export."""
    (folder / "report.html").write_text(sources.html())
    command = ["soffice", f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless"]
    _run(
        folder,
        "libreoffice-writer-nogui",
        [*command, "--convert-to", "pdf:writer_web_pdf_Export", "report.html"],
    )
    return (folder / "report.pdf").read_bytes()


def wkhtmltopdf(folder: Path) -> bytes:
    """wkhtmltopdf, by Qt's printer."""
    (folder / "report.html").write_text(sources.html())
    _run(folder, "wkhtmltopdf", ["wkhtmltopdf", "-q", "report.html", "made.pdf"])
    return (folder / "made.pdf").read_bytes()


def latex(folder: Path) -> bytes:
    """pdfTeX; its base fonts are Type 3 where no others are installed."""
    (folder / "report.tex").write_text(sources.latex())
    for _ in range(2):
        _run(folder, "texlive-latex-base", ["pdflatex", "-interaction=batchmode", "report.tex"])
    return (folder / "report.pdf").read_bytes()


def fop(folder: Path) -> bytes:
    """Apache FOP."""
    (folder / "report.fo").write_text(sources.formatting_objects())
    _run(folder, "fop", ["fop", "report.fo", "made.pdf"])
    return (folder / "made.pdf").read_bytes()


def groff(folder: Path) -> bytes:
    """groff's own PDF device."""
    (folder / "report.ms").write_text(sources.troff())
    return _run(folder, "groff", ["groff", "-Tpdf", "-ms", "-t", "report.ms"])


def ghostscript(folder: Path) -> bytes:
    """Ghostscript, distilling groff's PostScript."""
    (folder / "report.ms").write_text(sources.troff())
    (folder / "report.ps").write_bytes(_run(folder, "groff", ["groff", "-Tps", "-ms", "-t", "report.ms"]))
    return _distilled(folder, "report.ps")


def ghostscript_of_a_pdf(folder: Path) -> bytes:
    """Ghostscript, writing another producer's PDF anew."""
    (folder / "report.pdf").write_bytes(reportlab(folder))
    return _distilled(folder, "report.pdf")


def _distilled(folder: Path, name: str) -> bytes:
    flags = ["-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", "-sOutputFile=made.pdf"]
    _run(folder, "ghostscript", ["gs", *flags, name])
    return (folder / "made.pdf").read_bytes()


def reportlab(folder: Path) -> bytes:
    """reportlab, as the demo's report."""
    styles = getSampleStyleSheet()
    body = styles["BodyText"]
    justified_style = body.clone("justified", alignment=TA_JUSTIFY)
    story: list[Flowable] = []
    for number, title in enumerate(sources.SECTIONS):
        justified, ragged, third, fourth = sources.paragraphs(number)
        story += [
            Paragraph(title, styles["Heading1"]),
            Paragraph(justified, justified_style),
            Paragraph(ragged, body),
            *(Paragraph(item, styles["Bullet"], bulletText="•") for item in sources.LIST),
            Table(sources.TABLE),
            Paragraph(
                f'{third} See <a href="{sources.LINK}">all of it</a>, note<super>{number}</super>.', body
            ),
            Paragraph(fourth, justified_style),
            PageBreak(),
        ]
    written = BytesIO()
    SimpleDocTemplate(written).build(story)
    return written.getvalue()


PRODUCERS: dict[str, Callable[[Path], bytes]] = {
    "Chromium": chromium,
    "LibreOffice": libreoffice,
    "wkhtmltopdf": wkhtmltopdf,
    "LaTeX": latex,
    "FOP": fop,
    "groff": groff,
    "Ghostscript": ghostscript,
    "Ghostscript-of-a-PDF": ghostscript_of_a_pdf,
    "reportlab": reportlab,
}
"""By name. Each takes an empty folder to work in."""
