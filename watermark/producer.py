"""Which kind of software made a PDF, as a closed class: the text that the file states may name people."""

import pikepdf
from pikepdf import Dictionary, String

_PRODUCERS = (
    ("word", ("word", "office", "excel", "powerpoint")),
    ("google-docs", ("google docs", "skia")),
    ("acrobat", ("acrobat", "distiller", "adobe pdf", "indesign")),
    ("tex", ("tex",)),
    ("libreoffice", ("libreoffice", "openoffice")),
    ("fop", ("fop",)),
    ("weasyprint", ("weasyprint",)),
    ("itext", ("itext", "lowagie")),
    ("quartz", ("quartz",)),
    ("ghostscript", ("ghostscript",)),
)
PRODUCERS = frozenset(kind for kind, _ in _PRODUCERS) | {"other", "unknown"}


def producer_of(pdf: pikepdf.Pdf) -> str:
    """One of `PRODUCERS`: `other` for software that is not listed, `unknown` where the file names none."""
    info = pdf.trailer.get("/Info")
    value = info.get("/Producer") if isinstance(info, Dictionary) else None
    text = str(value).lower() if isinstance(value, String) else ""
    for kind, words in _PRODUCERS:
        if any(word in text for word in words):
            return kind
    return "other" if text else "unknown"
