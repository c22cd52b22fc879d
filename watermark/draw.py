"""Draw pages of a copy, by PDFium: the task `draw` of the sandbox. Runs in the child process; `drawn` asks for it."""

from __future__ import annotations

import math
from contextlib import closing
from io import BytesIO
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw
from PIL import Image

from watermark.drawn import DOTS_AN_INCH, MOST_LABEL, MOST_PIXELS, MOST_SIDE, MOST_TEXT
from watermark.errors import RefusalReason, Refused

# Text drawn by PDFium has few colours, so zlib's fastest level is within a tenth of its best, in a fifth of the time.
PNG_LEVEL = 1
# Letters stay clean to the eye; scans take a third of their PNG.
JPEG_QUALITY = 85
# JPEG blurs the edges of letters, so it is taken only where it saves as much: on pages that are mostly a picture.
JPEG_SAVES = 2


def draw_task(pdf: bytes, parameters: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Draw `many` pages from page `first` (from 1) on, or the last one where the document ends before.

    Facts: the document's `count` of pages; of each page its `number`, `label`, `text` and whether that is `whole`,
    `picture` (`form`, `width`, `height`, `size`) or None. Payload: the pictures, one behind the other.
    Raises `Refused`.
    """
    try:
        opened = pdfium.PdfDocument(pdf)
    except pdfium.PdfiumError as error:
        password = getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD
        raise Refused(RefusalReason.NEEDS_PASSWORD if password else RefusalReason.DAMAGED) from error
    with closing(opened) as document:
        count = len(document)
        if count == 0:
            raise Refused(RefusalReason.NO_PAGES)
        first = min(int(parameters["first"]), count)
        pages, pictures = [], []
        for number in range(first, min(count, first + int(parameters["many"]) - 1) + 1):
            facts, picture = _draw(document, number)
            pages.append(facts)
            pictures.append(picture)
        return {"count": count, "pages": pages}, b"".join(pictures)


def _draw(document: pdfium.PdfDocument, number: int) -> tuple[dict[str, Any], bytes]:
    """The facts of a page, and its picture; empty where PDFium cannot draw it."""
    facts: dict[str, Any] = {"number": number, "label": "", "text": "", "whole": True, "picture": None}
    try:
        with closing(document[number - 1]) as page:
            facts["label"] = document.get_page_label(number - 1)[:MOST_LABEL]
            image = _image(page)
            form, picture = _encoded(image)
            facts["text"], facts["whole"] = _text(page)
    except pdfium.PdfiumError:
        return facts, b""
    facts["picture"] = {"form": form, "width": image.width, "height": image.height, "size": len(picture)}
    return facts, picture


def _image(page: pdfium.PdfPage) -> Image.Image:
    """The page on white, with its annotations."""
    with closing(page.render(scale=_scale(*page.get_size()))) as bitmap:
        image: Image.Image = bitmap.to_pil()
        return image.convert("RGB")


def _scale(width: float, height: float) -> float:
    """Pixels a point: `DOTS_AN_INCH`, or as many as keep the picture within its limits."""
    usual = DOTS_AN_INCH / 72
    if not (width > 0 and height > 0 and math.isfinite(width * height)):
        raise pdfium.PdfiumError("a page has an area")
    # A pixel less each way, since PDFium rounds up.
    most = math.sqrt(MOST_PIXELS / (width * height))
    return min(usual, most, (MOST_SIDE - 1) / max(width, height))


def _encoded(image: Image.Image) -> tuple[str, bytes]:
    """The picture as it is sent: PNG, or JPEG where that is less than half."""
    png, jpeg = BytesIO(), BytesIO()
    image.save(png, "PNG", compress_level=PNG_LEVEL)
    image.save(jpeg, "JPEG", quality=JPEG_QUALITY)
    if JPEG_SAVES * jpeg.tell() < png.tell():
        return "jpeg", jpeg.getvalue()
    return "png", png.getvalue()


def _text(page: pdfium.PdfPage) -> tuple[str, bool]:
    """The page's text in the order of its content, and whether that is all of it."""
    with closing(page.get_textpage()) as text:
        found = text.get_text_bounded()
    return found[:MOST_TEXT], len(found) <= MOST_TEXT
