"""Proves that a copy carries its mark on every page: whoever leaves it out is no rival."""

from __future__ import annotations

from typing import Any

import pypdfium2

from watermark.mark import Mark


class NotMarked(Exception):
    """A copy lacks its mark on a page; its time is worth nothing."""


def require_marked(who: str, pdf: bytes, mark: Mark, pages: int) -> None:
    """Raise `NotMarked` unless PDFium reads mail and copy id on each of that many pages.

    Spaces do not count: lines are broken in each mark at other places.
    """
    document: Any = pypdfium2.PdfDocument(pdf)
    try:
        if len(document) != pages:
            raise NotMarked(f"{who}: {len(document)} pages instead of {pages}")
        for number in range(pages):
            text = "".join(document[number].get_textpage().get_text_bounded().split())
            for part in (mark.mail, mark.copy_id):
                if part not in text:
                    raise NotMarked(f"{who}: page {number + 1} does not carry {part}")
    finally:
        document.close()
