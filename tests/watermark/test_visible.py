"""The mark stands at the visible bottom and across the page, upright as a reader sees it, whatever the page is like."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pikepdf
import pypdfium2 as pdfium
import pytest

from tests.watermark.builders import ANA, COPY_ID, ODD_PAGES, bare_copy_of, copy_of, dark, report, template_of
from watermark.content import multiply
from watermark.inspection import page_geometry
from watermark.pages import source_pages
from watermark.verify import Reader
from watermark.visible import number, page_view


def _pixels(pdf: bytes, width: int = 600) -> np.ndarray:
    document = pdfium.PdfDocument(pdf)
    page = document[0]
    bitmap = page.render(scale=width / page.get_size()[0])
    pixels = bitmap.to_numpy()[:, :, :3].astype(int).mean(axis=2)
    document.close()
    return pixels


def _opened(pdf: bytes) -> bytes:
    """The same PDF with this module's normal boxes, so that both are drawn at one size."""
    with pikepdf.open(BytesIO(pdf)) as document:
        list(source_pages(document))
        written = BytesIO()
        document.save(written)
        return written.getvalue()


@pytest.mark.parametrize("oddity", ODD_PAGES)
def test_footer_and_diagonal_are_seen_on_odd_pages(oddity: str) -> None:
    pdf = ODD_PAGES[oddity]
    copy = copy_of(template_of(pdf))
    changed = np.abs(_pixels(copy) - _pixels(_opened(pdf))) > 5
    height, width = changed.shape[:2]
    assert changed[height // 2 :, : width // 3].any(), "footer at the bottom left"
    assert changed[: height // 2, width // 2 :].any(), "diagonal to the top right"
    # A footer stands upright: at the bottom its ink is wide and low.
    bottom = changed[-height // 6 :].reshape(-1, width)
    assert np.flatnonzero(bottom.any(axis=0))[-1] > width * 0.4
    text = pdfium.PdfDocument(copy)[0].get_textpage().get_text_bounded()
    assert COPY_ID in text
    assert ANA.mail in text


@pytest.mark.parametrize("level", [0.0, 0.2, 0.5, 0.8])
def test_both_marks_are_seen_on_dark_and_coloured_pages(level: float) -> None:
    pdf = dark(level)
    changed = np.abs(_pixels(copy_of(template_of(pdf))) - _pixels(pdf))
    height = changed.shape[0]
    assert (changed[: height * 8 // 10] > 8).sum() > 2000
    assert (changed[height * 9 // 10 :] > 60).sum() > 1000 or level > 0.75


def test_the_report_stays_readable_under_the_diagonal() -> None:
    pdf = report(1)
    template = template_of(pdf)
    before, after = _pixels(bare_copy_of(template)), _pixels(copy_of(template))
    dark_before = before < 100
    assert (after[dark_before] < 140).mean() > 0.99
    assert after[before > 250].min() > 60  # the footer's own ink is dark; nothing else is
    assert (after[: int(after.shape[0] * 0.9)][before[: int(after.shape[0] * 0.9)] > 250] > 200).all()


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_views_lead_from_the_visible_bottom_left_to_the_page(rotation: int) -> None:
    view = page_view((10, 20, 110, 220), rotation, 2.0)
    assert (view.width, view.height) == ((200, 400) if rotation % 180 == 0 else (400, 200))
    corner = multiply((1, 0, 0, 1, 0, 0), view.matrix)[4:]
    assert corner == {0: (10, 20), 90: (110, 20), 180: (110, 220), 270: (10, 220)}[rotation]


def test_numbers_are_written_without_an_exponent() -> None:
    assert [number(value) for value in (0, -0.0, 1e-9, 1e-7, 0.5, -2, 1234567.891, 1e6)] == [
        b"0",
        b"0",
        b"0",
        b"0.0000001",
        b"0.5",
        b"-2",
        b"1234567.891",
        b"1000000",
    ]


def test_the_visible_box_is_that_of_the_inspection() -> None:
    for pdf in ODD_PAGES.values():
        with pikepdf.open(BytesIO(pdf)) as document:
            expected = page_geometry(document.pages[0].obj)
            source = next(source_pages(document))
            assert source.box == expected.box
            assert (source.view.width, source.view.height) == pytest.approx(expected.size)


def test_text_that_pypdf_cannot_read_is_none_and_not_an_error() -> None:
    reader = Reader(report(1))
    assert reader.text(99) is None
    reader.close()
