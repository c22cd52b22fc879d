"""Pages drawn in the child: as PDFium draws them, within limits, and nothing that the child says is believed unseen."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pikepdf import Array
from PIL import Image

from tests.shared_folder import require_shared
from tests.watermark.builders import ODD_PAGES, TEXT, report, with_content
from tests.watermark.hostile import HOSTILE
from tests.watermark.readers import pictures
from watermark import drawn
from watermark.drawn import DRAW_LIMITS, MOST_PAGES, MOST_PIXELS, MOST_SIDE, draw_pages
from watermark.errors import RefusalReason, Refused
from watermark.sandbox import ChildLimits, ChildResult

QUICK = ChildLimits(
    memory_bytes=DRAW_LIMITS.memory_bytes, cpu_seconds=20, wall_seconds=60.0, output_bytes=64 << 20
)


def image(page: drawn.DrawnPage) -> Image.Image:
    assert page.picture is not None
    opened = Image.open(BytesIO(page.picture.data))
    assert opened.format == {"png": "PNG", "jpeg": "JPEG"}[page.picture.form]
    assert opened.size == (page.picture.width, page.picture.height)
    return opened


def test_pages_are_drawn_at_110_dots_an_inch_with_their_text() -> None:
    pdf = report(3)
    answer = draw_pages([pdf], 2, 2)
    assert (answer.count, [page.number for page in answer.pages]) == (3, [2, 3])
    expected = list(pictures(pdf, 110))
    for page in answer.pages:
        grey = np.asarray(image(page).convert("RGB")).sum(axis=2, dtype=np.int16) // 3
        assert page.picture is not None
        assert page.picture.form == "png"
        assert (grey == expected[page.number - 1]).all()
        assert f"Section {page.number}\nLine 0 of page {page.number} tells what was tested." in page.text
        assert page.whole
    assert image(answer.pages[0]).size == (910, 1287)


def test_beyond_the_end_the_last_page_is_drawn_and_the_number_of_pages_said() -> None:
    answer = draw_pages([report(2)], 40, 4)
    assert (answer.count, [page.number for page in answer.pages]) == (2, [2])


def test_never_more_pages_than_a_call_may_hold() -> None:
    assert len(draw_pages([report(MOST_PAGES + 2)], 1, 100).pages) == MOST_PAGES


def test_a_page_that_is_a_picture_is_a_jpeg_of_less_than_half_the_size() -> None:
    noise = Image.effect_noise((600, 600), 90).convert("RGB")
    scan = BytesIO()
    noise.save(scan, "PDF", resolution=72)
    (page,) = draw_pages([scan.getvalue()], 1).pages
    assert page.picture is not None
    assert page.picture.form == "jpeg"
    png = BytesIO()
    image(page).save(png, "PNG")
    assert 2 * len(page.picture.data) < len(png.getvalue())
    assert page.text == ""


@pytest.mark.parametrize("box", [[0, 0, 14400, 14400], [0, 0, 144, 900_000], [0, 0, 900_000, 144]])
def test_a_huge_page_is_drawn_with_fewer_dots_and_stays_within_the_pixels(box: list[int]) -> None:
    (page,) = draw_pages([with_content(TEXT, MediaBox=Array(box))], 1).pages
    width, height = image(page).size
    assert (width - 1) * (height - 1) <= MOST_PIXELS
    assert max(width, height) <= MOST_SIDE


@pytest.mark.parametrize("name", ODD_PAGES)
def test_odd_pages_are_drawn_as_they_are_shown(name: str) -> None:
    (page,) = draw_pages([ODD_PAGES[name]], 1).pages
    assert image(page).size > (1, 1)


def test_printed_page_numbers_come_along() -> None:
    import pikepdf

    with pikepdf.open(BytesIO(report(3))) as pdf:
        pdf.Root.PageLabels = pikepdf.Dictionary(
            Nums=Array([0, pikepdf.Dictionary(S=pikepdf.Name.r), 2, pikepdf.Dictionary(S=pikepdf.Name.D)])
        )
        written = BytesIO()
        pdf.save(written)
    assert [page.label for page in draw_pages([written.getvalue()], 1, 3).pages] == ["i", "ii", "1"]


def test_what_is_no_pdf_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        draw_pages([b"no PDF"], 1)
    assert refused.value.reason == RefusalReason.DAMAGED


def test_a_copy_beyond_the_limit_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        draw_pages([report(1)], 1, limits=ChildLimits(input_bytes=100))
    assert refused.value.reason == RefusalReason.TOO_LARGE


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_drawn_or_gets_a_typed_end(name: str) -> None:
    build, _ = HOSTILE[name]
    failed: str | None = None
    pages: tuple[drawn.DrawnPage, ...] = ()
    try:
        pages = draw_pages([build()], 1, 4, limits=QUICK).pages
    except Refused as refused:
        failed = refused.where
    assert failed is None or failed.startswith("the child ended")
    assert all(page.picture is None or image(page) for page in pages)


@pytest.mark.corpus
def test_a_long_real_report_is_drawn_to_its_last_page() -> None:
    name = "ASVS__OWASP_Application_Security_Verification_Standard_4.0.3-en.pdf"
    pdf = require_shared("corpus", name).read_bytes()
    for first in range(1, 72, MOST_PAGES):
        answer = draw_pages([pdf], first, MOST_PAGES)
        assert answer.count == 71
        assert all(page.picture and len(page.picture.data) < 500_000 for page in answer.pages)


PNG = b"\x89PNG\r\n\x1a\n and so on"


def answered(**changes: Any) -> ChildResult:
    picture = {"form": "png", "width": 9, "height": 9, "size": len(PNG), **changes.pop("picture", {})}
    page = {
        "number": 1,
        "label": "",
        "text": "",
        "whole": True,
        "picture": picture,
        **changes.pop("page", {}),
    }
    facts = {"count": 1, "pages": [page], **changes}
    return ChildResult(facts, PNG)


@pytest.mark.parametrize(
    "changes",
    [
        {"count": 0},
        {"count": "many"},
        {"pages": []},
        {"pages": [{}]},
        {"page": {"number": 2}},
        {"picture": {"form": "jpeg"}},
        {"picture": {"size": len(PNG) + 1}},
        {"picture": {"size": 0}},
        {"picture": {"width": 10**9}},
        {"picture": {"height": None}},
    ],
    ids=str,
)
def test_an_answer_that_no_child_of_ours_gives_is_refused(
    changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawn, "run_in_child", lambda *_, **__: answered(**changes))
    with pytest.raises(Refused) as refused:
        draw_pages([b""], 1)
    assert refused.value.reason == RefusalReason.DAMAGED


def test_a_page_that_cannot_be_drawn_says_so_and_the_others_are_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good = answered().facts["pages"][0] | {"number": 2}
    bad = {"number": 1, "label": "", "text": "", "whole": True, "picture": None}
    monkeypatch.setattr(
        drawn, "run_in_child", lambda *_, **__: ChildResult({"count": 2, "pages": [bad, good]}, PNG)
    )
    assert [page.picture is None for page in draw_pages([b""], 1, 2).pages] == [True, False]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\r\ntwo\rthree\n\n four ", "one\ntwo\nthree\nfour"),
        ("hy\ufffe\r\nphen and\u0002", "hy-\nphen and-"),
        ("\u202edesrever\u202c \u2067x\u2069", "desrever x"),
        ("\x00\x07\ud800\ue000a\tb", "a b"),
        ("سلام שלום 漢字 é", "سلام שלום 漢字 é"),
    ],
)
def test_the_text_is_lines_without_what_is_no_text(
    text: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawn, "run_in_child", lambda *_, **__: answered(page={"text": text}))
    assert draw_pages([b""], 1).pages[0].text == shown
