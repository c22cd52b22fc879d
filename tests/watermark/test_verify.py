"""Verification notices what it must: a mark that is covered, missing or unread, and text that changed."""

from __future__ import annotations

from io import BytesIO

import pikepdf
import pytest

from tests.watermark.builders import ANA, COPY_ID, bare_copy_of, copy_of, report, template_of
from watermark.pages import source_pages
from watermark.sample import SAMPLE, blank_ink
from watermark.verify import Footer, Ink, PageFinding, Reader, ink, judge_page, own_strings, without_mark
from watermark.visible import PageView


@pytest.fixture(scope="module")
def template() -> bytes:
    return template_of(report(1))


def _view(pdf: bytes) -> PageView:
    with pikepdf.open(BytesIO(pdf)) as document:
        return next(source_pages(document)).view


def _judged(marked: bytes, template: bytes) -> PageFinding:
    before, bare, after = Reader(report(1)), Reader(bare_copy_of(template, SAMPLE)), Reader(marked)
    view = _view(report(1))
    footer = Footer(view.type_size * 2.4, 1, view.type_size * 1.3)
    try:
        return judge_page(before, bare, after, 0, view, footer, SAMPLE, blank_ink())
    finally:
        before.close()
        bare.close()
        after.close()


def _with_more(copy: bytes, content: bytes) -> bytes:
    with pikepdf.open(BytesIO(copy)) as document:
        document.pages[0].contents_add(content)
        written = BytesIO()
        document.save(written)
        return written.getvalue()


def test_a_copy_as_it_was_stamped_is_good(template: bytes) -> None:
    assert _judged(copy_of(template, SAMPLE), template).good


def test_a_covered_footer_is_noticed(template: bytes) -> None:
    found = _judged(_with_more(copy_of(template, SAMPLE), b"1 g 0 0 595 40 re f"), template)
    assert (found.footer_seen, found.diagonal_seen) == (False, True)
    assert not found.good


def test_a_covered_diagonal_is_noticed(template: bytes) -> None:
    with pikepdf.open(BytesIO(copy_of(template, SAMPLE))) as document:
        content = document.pages[0].Contents.read_bytes()
        diagonal = content.index(b" 1 Tf [( ) ")
        document.pages[0].Contents = document.make_stream(
            content[:diagonal] + content[diagonal:].replace(b"( )", b"", 1)
        )
        written = BytesIO()
        document.save(written)
    found = _judged(written.getvalue(), template)
    assert (found.footer_seen, found.diagonal_seen) == (True, False)


def test_no_mark_at_all_is_noticed(template: bytes) -> None:
    found = _judged(bare_copy_of(template, SAMPLE), template)
    assert found == PageFinding(
        footer_read=False, text_unchanged=True, footer_seen=False, diagonal_seen=False
    )


def test_another_recipients_mark_is_noticed(template: bytes) -> None:
    assert not _judged(copy_of(template, ANA), template).footer_read


def test_changed_text_is_noticed(template: bytes) -> None:
    more = b"BT 1 0 0 1 60 20 Tm /F1 9 Tf (A word more) Tj ET"
    assert not _judged(_with_more(copy_of(template, SAMPLE), more), template).text_unchanged


def test_own_strings_are_taken_out_and_nothing_else() -> None:
    text = f"Prepared for the board\nline\nPrepared for Ana\nLima <a@b> · {COPY_ID}\nend"
    assert without_mark(text, COPY_ID) == "Prepared for the board\nline\nend"
    assert own_strings(COPY_ID).search(text.replace(COPY_ID, "cpy_x")) is None


def test_ink_of_pages_drawn_in_different_sizes_is_none() -> None:
    small, large = Reader(report(1, (300, 300))), Reader(report(1))
    view = _view(report(1))
    assert ink(
        small.pixels(0, _view(report(1, (300, 300)))), large.pixels(0, view), view, Footer(10, 1, 10)
    ) == Ink(0, 0)
