"""A template is one PDF in which every page carries the mark inside its own content, and nothing else has changed."""

from __future__ import annotations

import re
import shutil
import subprocess
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pikepdf
import pypdf
import pypdfium2 as pdfium
import pytest

from tests.watermark.builders import (
    COPY_ID,
    ODD_PAGES,
    SEED,
    TEXT,
    copy_of,
    inflated_streams,
    report,
    template_of,
    with_content,
)
from watermark import compile as module
from watermark.compile import compile_pdf
from watermark.content import read_content
from watermark.errors import RefusalReason, Refused
from watermark.flate.deflate import MAX_SLOT, deflate
from watermark.placing import Chance
from watermark.template import HEADER_SIZE, SlotTable
from watermark.verify import PageFinding, without_mark

BOX = (0.0, 0.0, 595.0, 842.0)


def _contents(pdf: bytes) -> list[bytes]:
    with pikepdf.open(BytesIO(pdf)) as opened:
        return [page.Contents.read_bytes() for page in opened.pages]


def test_the_same_seed_gives_the_same_template_and_another_moves_the_marks() -> None:
    pdf = report(3)
    first, again = template_of(pdf), template_of(pdf)
    other = compile_pdf(pdf, {"seed": "ff" * 16})[1]
    assert first == again
    assert _contents(copy_of(first)) != _contents(copy_of(other))


def test_facts_say_what_was_found_and_done() -> None:
    facts, template = compile_pdf(report(3), SEED)
    assert facts["pages"] == 3
    assert facts["format"] == 1
    assert facts["removed"]["info"] == 1
    assert facts["verified"]["pages"] == 3
    assert facts["sizes"]["template"] == len(template)


def test_each_page_carries_the_mark_within_its_own_drawing_at_a_place_of_its_own() -> None:
    places = set()
    for content in _contents(copy_of(template_of(report(6)))):
        place = re.search(rb"\.2 g BT 1\.3 TL", content)
        assert place
        places.add(round(place.start() / len(content), 2))
        assert not content.rstrip().endswith(b"ET")
    assert len(places) > 3


def test_the_mark_stands_outside_of_marked_content() -> None:
    pdf = with_content(b"".join(b"/P <</MCID %d>> BDC " % n + TEXT + b"EMC\n" for n in range(5)))
    content = _contents(copy_of(template_of(pdf)))[0]
    before = content[: content.index(b".2 g BT 1.3 TL")]
    assert before.count(b"BDC") == before.count(b"EMC")


def test_every_byte_of_the_pages_own_content_stays() -> None:
    pdf = with_content(TEXT * 4 + b"% a comment (\n<</odd [1 2]>> pop\n" + TEXT)
    original = _contents(pdf)[0]
    content = _contents(copy_of(template_of(pdf)))[0]
    position = 0
    for token in original.split():
        position = content.index(token, position) + len(token)


def test_text_outline_and_page_count_stay_as_they_were() -> None:
    pdf = report(4)
    copy = copy_of(template_of(pdf))
    for before, after in zip(
        pypdf.PdfReader(BytesIO(pdf)).pages, pypdf.PdfReader(BytesIO(copy)).pages, strict=True
    ):
        assert without_mark(after.extract_text(), COPY_ID) == without_mark(before.extract_text(), "")
    first, second = (pdfium.PdfDocument(data) for data in (pdf, copy))
    for page in range(4):
        texts = [document[page].get_textpage().get_text_bounded() for document in (first, second)]
        assert without_mark(texts[1], COPY_ID) == without_mark(texts[0], "")
    assert [item.get_title() for item in second.get_toc()] == [item.get_title() for item in first.get_toc()]


@pytest.mark.parametrize("mode", [[], ["-raw"]], ids=["default", "raw"])
def test_poppler_reads_the_same_text(mode: list[str], tmp_path: Path) -> None:
    if not shutil.which("pdftotext"):
        pytest.skip("install poppler-utils to compare with poppler")
    pdf = report(4)
    texts = []
    for name, data in (("before", pdf), ("after", copy_of(template_of(pdf)))):
        path = tmp_path / name
        path.write_bytes(data)
        done = subprocess.run(["pdftotext", *mode, path, "-"], capture_output=True, check=True)
        assert not done.stderr
        texts.append(done.stdout.decode().split("\f"))
    assert [without_mark(text, COPY_ID) for text in texts[1]] == [without_mark(text, "") for text in texts[0]]
    assert all(COPY_ID in text for text in texts[1][:-1])


@pytest.mark.parametrize("oddity", ODD_PAGES)
def test_copies_of_odd_pages_are_sound_for_every_reader(oddity: str, tmp_path: Path) -> None:
    copy = copy_of(template_of(ODD_PAGES[oddity]))
    assert list(inflated_streams(copy))
    assert len(pypdf.PdfReader(BytesIO(copy), strict=True).pages) == 1
    if not shutil.which("qpdf"):
        pytest.skip("install qpdf to check with it")
    path = tmp_path / "copy.pdf"
    path.write_bytes(copy)
    checked = subprocess.run(["qpdf", "--check", path], capture_output=True, check=False)
    broken = oddity in {"broken-string", "broken-at-once"}  # the source's own content has no end there
    assert checked.returncode == (3 if broken else 0), checked.stdout + checked.stderr


def changed(pdf: bytes, case: Callable[[pikepdf.Pdf], None]) -> bytes:
    """The PDF after this."""
    with pikepdf.open(BytesIO(pdf)) as document:
        case(document)
        written = BytesIO()
        document.save(written)
    return written.getvalue()


@pytest.mark.parametrize("looped", [False, True])
def test_a_page_for_which_no_resources_are_found_is_marked(looped: bool) -> None:
    def case(document: pikepdf.Pdf) -> None:
        del document.pages[0].obj["/Resources"]
        if looped:
            document.Root.Pages["/Parent"] = document.Root.Pages

    copy = copy_of(template_of(changed(with_content(b"1 0 0 rg 9 9 99 99 re f"), case)))
    assert COPY_ID in pypdf.PdfReader(BytesIO(copy)).pages[0].extract_text()


def fonts_of(copy: bytes) -> dict[str, str]:
    """The base font of each font that the first page has, by name; empty for that of the diagonal, which has none."""
    with pikepdf.open(BytesIO(copy)) as document:
        fonts = document.pages[0].Resources.Font
        return {name: str(font.get("/BaseFont", "")) for name, font in fonts.items()}


def test_no_font_of_a_page_gives_its_name_to_the_mark() -> None:
    def case(document: pikepdf.Pdf) -> None:
        fonts = document.pages[0].Resources.Font
        fonts["/F9999"] = fonts["/F10000"] = fonts.F1

    found = fonts_of(copy_of(template_of(changed(with_content(TEXT.replace(b"F1 ", b"F10000 ")), case))))
    assert [name for name, font in found.items() if font == "/Helvetica"] == ["/F1", "/F10000", "/F9999"]
    assert len(found) == 5


def test_text_in_a_font_that_the_page_lacks_is_not_drawn_with_the_marks() -> None:
    pdf = with_content(TEXT + b"BT /F2 12 Tf 72 500 Td (Other words) Tj ET")
    copy = copy_of(template_of(pdf))
    assert "/F2" not in fonts_of(copy)
    assert "Other words" in pdfium.PdfDocument(copy)[0].get_textpage().get_text_bounded()


@pytest.mark.parametrize("before", [b"", TEXT])
def test_a_page_that_breaks_off_over_the_only_places_of_its_mark_is_refused(before: bytes) -> None:
    """What follows the broken string is lost, so nothing can be drawn after it."""
    with pytest.raises(Refused) as caught:
        compile_pdf(with_content(before + b"/P BMC 1 g 0 0 595 842 re f\n(never closed"), SEED)
    assert caught.value.reason == RefusalReason.CANNOT_MARK


def test_a_page_whose_mark_stays_hidden_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = PageFinding(footer_read=True, text_unchanged=True, footer_seen=False, diagonal_seen=True)
    monkeypatch.setattr(module, "judge_page", lambda *_: hidden)
    with pytest.raises(Refused) as caught:
        compile_pdf(report(1), SEED)
    assert caught.value.reason == RefusalReason.CANNOT_MARK


def test_an_opaque_annotation_over_the_whole_page_is_refused() -> None:
    with pikepdf.open(BytesIO(report(1))) as document:
        appearance = document.make_stream(b"1 g 0 0 595 842 re f")
        appearance.stream_dict = pikepdf.Dictionary(
            Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 595, 842]
        )
        stamp = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Stamp,
            Rect=[0, 0, 595, 842],
            F=4,
            AP=pikepdf.Dictionary(N=appearance),
        )
        document.pages[0].Annots = document.make_indirect([document.make_indirect(stamp)])
        written = BytesIO()
        document.save(written)
    with pytest.raises(Refused):
        compile_pdf(written.getvalue(), SEED)


def test_equal_pages_and_pages_that_share_content_each_get_their_own() -> None:
    with pikepdf.open(BytesIO(report(1))) as document:
        for _ in range(3):
            document.pages.append(document.pages[0])
        written = BytesIO()
        document.save(written)
    contents = _contents(copy_of(template_of(written.getvalue())))
    assert len(contents) == 4
    assert all(content.count(b".2 g BT 1.3 TL") == 1 for content in contents)


def test_the_body_begins_where_the_table_ends() -> None:
    template = template_of(report(1))
    table = SlotTable.decode(template)
    assert template[table.body_offset :].startswith(b"%PDF-")
    assert len(template) == HEADER_SIZE + table.encoded_length + table.body_length


def test_places_are_found_only_where_a_mark_can_stand() -> None:
    def offsets(content: bytes) -> list[bytes]:
        return [content[: place.offset] for place in read_content(content, BOX, frozenset()).places]

    assert offsets(b"0 0 9 9 re f") == [b"0 0 9 9 re f"]
    assert offsets(b"BT (x) Tj ET") == [b"BT (x) Tj ET"]
    assert offsets(b"BT (x) Tj") == []
    assert offsets(b"/P BMC 0 0 9 9 re f EMC") == [b"/P BMC 0 0 9 9 re f EMC"]
    assert offsets(b"q 0 0 9 9 re W n 0 0 5 5 re f Q") == [b"q 0 0 9 9 re W n 0 0 5 5 re f Q"]
    assert len(offsets(b"q 0 0 595 842 re W n 0 0 5 5 re f Q")) == 3
    assert offsets(b"(Q ET f) pop") == []
    assert offsets(b"((a) Q \\( f) pop f") == [b"((a) Q \\( f) pop f"]


def test_a_place_within_a_line_of_text_is_told_from_one_between_lines() -> None:
    content = b"BT 1 0 0 1 9 700 Tm (a) Tj ET BT 1 0 0 1 50 700 Tm (b) Tj ET BT 1 0 0 1 9 600 Tm (c) Tj ET"
    found = read_content(b"/F 9 Tf " + content, BOX, frozenset())
    assert [place.between_lines for place in found.places] == [False, True, True]


def test_marks_never_part_a_line_of_text() -> None:
    pairs = b"".join(
        b"BT /F1 9 Tf 1 0 0 1 60 %d Tm (left) Tj ET BT /F1 9 Tf 1 0 0 1 200 %d Tm (right) Tj ET\n" % (y, y)
        for y in range(800, 100, -14)
    )
    for seed in range(4):
        copy = copy_of(compile_pdf(with_content(pairs), {"seed": f"{seed:02x}" * 16})[1])
        content = _contents(copy)[0]
        for start in (content.index(b" 1 Tf [( ) "), content.index(b".2 g BT 1.3 TL")):
            assert content[:start].count(b"(left)") == content[:start].count(b"(right)")


def test_slots_may_hold_anything_without_changing_what_surrounds_them() -> None:
    content = bytes(range(256)) * 40 + bytes(300) + b"tail " * 500 + bytes(range(128, 256)) * 60
    slots = [(10240, 10540), (len(content) - 4, len(content))]
    stream = deflate(content, slots, Chance(b"seed").noise)
    for filling in (b"\xff", b"A"):
        data = bytearray(stream.data)
        expected = bytearray(content)
        for (start, stop), offset in zip(slots, stream.offsets, strict=True):
            data[offset : offset + stop - start] = filling * (stop - start)
            expected[start:stop] = filling * (stop - start)
        data[-4:] = zlib.adler32(expected).to_bytes(4, "big")
        assert zlib.decompress(bytes(data)) == expected


def test_noise_that_meets_the_content_never_lets_a_match_into_a_slot() -> None:
    content = bytes(400) + b"\x80" * 4000
    stream = deflate(content, [(100, 400)], lambda length: bytes(length))
    data = bytearray(stream.data)
    data[stream.offsets[0] : stream.offsets[0] + 300] = b"z" * 300
    assert zlib.decompressobj(-15).decompress(bytes(data[2:-4]))[400:] == b"\x80" * 4000


def test_a_slot_longer_than_a_stored_block_is_an_error() -> None:
    with pytest.raises(ValueError, match="longer"):
        deflate(bytes(MAX_SLOT + 2), [(0, MAX_SLOT + 1)], bytes)


def test_a_form_that_says_much_of_itself_is_woven() -> None:
    with pikepdf.open(BytesIO(with_content(b"/X Do"))) as document:
        form = document.make_stream(TEXT)
        font = document.pages[0].Resources.Font.F1
        form.stream_dict = pikepdf.Dictionary(
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Form,
            BBox=[0, 0, 595, 842],
            Odd=pikepdf.Dictionary(Length=5),
            Resources=pikepdf.Dictionary(
                Font=pikepdf.Dictionary({f"/F{number}": font for number in range(1, 200)})
            ),
        )
        document.pages[0].Resources.XObject = pikepdf.Dictionary(X=form)
        written = BytesIO()
        document.save(written)
    facts, template = compile_pdf(written.getvalue(), SEED)
    assert facts["weave"]["pages"][0]["woven"] == SlotTable.decode(template).words > 0
    assert list(inflated_streams(copy_of(template)))
