"""What is said of a sound PDF is true of it, and what is refused is refused for its own reason."""

from io import BytesIO

import pikepdf
import pytest

from tests.watermark.hostile import BOX, CATALOG, HOSTILE, PAGE, boxed, many_pages, pdf, plain, stream
from watermark import inspection
from watermark.errors import RefusalReason, Refused
from watermark.inspection import PdfLimits, inspect_pdf, inspect_task, page_geometry


def geometry(entries: bytes) -> inspection.PageGeometry:
    with pikepdf.open(BytesIO(plain(b"<</Type/Page/Parent 2 0 R%s/Contents 4 0 R>>" % entries))) as opened:
        return page_geometry(opened.pages[0].obj)


@pytest.mark.parametrize(
    ("entries", "box", "rotation", "unit"),
    [
        (b"/MediaBox[0 0 612 792]", (0, 0, 612, 792), 0, 1),
        (b"/MediaBox[612 792 0 0]", (0, 0, 612, 792), 0, 1),
        (b"/MediaBox[0 0 612 792]/CropBox[-9 10 600 900]", (0, 10, 600, 792), 0, 1),
        (b"/MediaBox[0 0 612 792]/CropBox(x)", (0, 0, 612, 792), 0, 1),
        (b"/MediaBox[0 0 612/x]", (0, 0, 612, 792), 0, 1),
        (b"/MediaBox[0 0 612]", (0, 0, 612, 792), 0, 1),
        (b"/MediaBox[0 0 612 792]/Rotate -450", (0, 0, 612, 792), 270, 1),
        (b"/MediaBox[0 0 612 792]/Rotate 100", (0, 0, 612, 792), 90, 1),
        (b"/MediaBox[0 0 612 792]/Rotate(x)", (0, 0, 612, 792), 0, 1),
        (b"/MediaBox[0 0 612 792]/UserUnit 1.5", (0, 0, 612, 792), 0, 1.5),
        (b"/MediaBox[0 0 612 792]/UserUnit -2", (0, 0, 612, 792), 0, 1),
    ],
)
def test_the_visible_page_is_read_as_readers_do(
    entries: bytes, box: tuple[float, ...], rotation: int, unit: float
) -> None:
    found = geometry(entries)
    assert (found.box, found.rotation, found.user_unit) == (box, rotation, unit)


def test_a_page_without_any_box_is_letter_and_says_so() -> None:
    with pikepdf.new() as pdf:
        page = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.Page))
        assert page_geometry(page) == inspection.PageGeometry(inspection.LETTER, 0, 1.0, True)


def test_a_loop_of_parents_ends() -> None:
    with pikepdf.new() as pdf:
        page = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.Page))
        page.Parent = page
        assert page_geometry(page).default_box


def test_a_turned_page_is_measured_as_it_is_shown() -> None:
    assert geometry(b"/MediaBox[0 0 100 300]/Rotate 90/UserUnit 2").size == (600, 200)


@pytest.mark.parametrize(
    ("header", "catalog", "version"),
    [
        (b"1.4", b"", "1.4"),
        (b"1.4", b"/Version/1.6", "1.6"),
        (b"1.7", b"/Version/1.3", "1.7"),
        (b"1.4", b"/Version(2.0)", "1.4"),
        (b"1.4", b"/Version/9.9evil", "1.4"),
        (b"x.y", b"", "1.2"),  # what qpdf takes it for
        (b"12.34", b"", "unknown"),
    ],
)
def test_the_version_is_the_later_one_of_header_and_catalog(
    header: bytes, catalog: bytes, version: str
) -> None:
    data = plain(catalog=b"<</Type/Catalog/Pages 2 0 R%s>>" % catalog)
    start = data.index(b"%PDF-") + 5
    found = inspect_pdf(data[:start] + header + data[start + 3 :])
    assert found.version == version


@pytest.mark.parametrize(
    ("box", "accepted"),
    [(b"[0 0 144 72]", True), (b"[0 0 143.9 72]", False), (b"[0 0 144 71.9]", False)],
)
def test_the_smallest_page_is_just_accepted(box: bytes, accepted: bool) -> None:
    if accepted:
        assert len(inspect_pdf(boxed(box)).pages) == 1
    else:
        with pytest.raises(Refused) as caught:
            inspect_pdf(boxed(box))
        assert caught.value.reason == RefusalReason.PAGE_TOO_SMALL


@pytest.mark.parametrize(
    ("parameters", "reason"), [({"max_bytes": 10}, "too-large"), ({"max_pages": 2}, "too-many-pages")]
)
def test_the_limits_come_from_the_parameters(parameters: dict[str, int], reason: str) -> None:
    with pytest.raises(Refused) as caught:
        inspect_task(many_pages(3), parameters)
    assert caught.value.reason == reason
    assert len(inspect_task(many_pages(3), {})[0]["pages"]) == 3


@pytest.mark.parametrize(
    "filters", [b"/FlateDecode", b"[/FlateDecode/ASCIIHexDecode]", b"/RunLengthDecode", b"null"]
)
def test_what_inflates_beyond_the_limit_is_too_costly(
    filters: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zlib

    data = {b"/FlateDecode": zlib.compress(bytes(5000)), b"null": bytes(5000),
            b"/RunLengthDecode": b"\x81\x00" * 50}.get(filters, zlib.compress(b"20" * 5000))  # fmt: skip
    bomb = plain(content=stream(data, b"/Filter" + filters))
    assert inspect_pdf(bomb)
    monkeypatch.setattr(inspection, "MAX_INFLATED_BYTES", 4000)
    with pytest.raises(Refused) as caught:
        inspect_pdf(bomb)
    assert caught.value.reason == RefusalReason.TOO_COSTLY


def test_images_do_not_count_as_content(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "MAX_INFLATED_BYTES", 4000)
    image = stream(bytes(5000), b"/Type/XObject/Subtype/Image/Width 50/Height 100/BitsPerComponent 8")
    assert inspect_pdf(plain(PAGE, image))


def test_a_stream_that_cannot_be_decoded_is_no_reason_to_refuse() -> None:
    assert inspect_pdf(plain(content=stream(b"no deflate", b"/Filter/FlateDecode")))


def test_the_facts_are_those_of_the_file() -> None:
    page = b"<</Type/Page/Parent 2 0 R%s/Contents 4 0 R/Resources<</Font<</F 6 0 R/G 7 0 R>>>>>>" % BOX
    whole = plain(
        page,
        b"<</Producer(Microsoft Word)>>",
        b"<</Type/Font/Subtype/TrueType>>",
        b"<</Type/Font/Subtype/#8d>>",
        b"<</First 9 0 R>>",
        b"<</Title(x)>>",
        catalog=b"<</Type/Catalog/Pages 2 0 R/Outlines 8 0 R/AcroForm<</Fields[]>>/StructTreeRoot<<>>"
        b"/OpenAction<</S/JavaScript/JS(x)>>>>",
    ).replace(b"/Root 1 0 R", b"/Root 1 0 R/Info 5 0 R")
    found = inspect_pdf(whole)
    assert (found.tagged, found.outline, found.form, found.encrypted) == (True, True, True, False)
    assert found.producer == "word"
    assert found.fonts == {"TrueType": 1, "other": 1}
    assert found.removes == {"info": 1, "open-action": 1}


@pytest.mark.parametrize(("producer", "kind"), [(b"(Somebody's own)", "other"), (b"5", "unknown")])
def test_an_unknown_producer_is_not_repeated(producer: bytes, kind: str) -> None:
    made = plain(PAGE, b"<</Producer%s>>" % producer).replace(b"/Root 1 0 R", b"/Root 1 0 R/Info 5 0 R")
    assert inspect_pdf(made).producer == kind


def test_the_default_limits_are_those_of_the_service() -> None:
    assert PdfLimits() == PdfLimits(max_bytes=100 << 20, max_pages=2000)


@pytest.mark.parametrize(
    "name",
    ["nothing", "not-a-pdf", "header-only", "unknown-encryption", "larger-than-drawable", "huge-user-unit"],
)
def test_each_refusal_has_its_own_reason(name: str) -> None:
    build, expected = HOSTILE[name]
    with pytest.raises(Refused) as caught:
        inspect_pdf(build())
    assert caught.value.reason in (expected or [])


def test_a_file_without_pages_is_refused_as_such() -> None:
    with pytest.raises(Refused) as caught:
        inspect_pdf(pdf(CATALOG, b"<</Type/Pages/Kids[]/Count 0>>"))
    assert caught.value.reason == RefusalReason.NO_PAGES


def test_a_file_with_a_user_password_is_refused_as_such() -> None:
    written = BytesIO()
    with pikepdf.open(BytesIO(plain())) as opened:
        opened.save(written, encryption=pikepdf.Encryption(owner="o", user="u", R=6))
    with pytest.raises(Refused) as caught:
        inspect_pdf(written.getvalue())
    assert caught.value.reason == RefusalReason.NEEDS_PASSWORD


@pytest.mark.parametrize("step", ["page_geometries", "clean"])
def test_damage_found_late_is_a_refusal(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise pikepdf.PdfError

    monkeypatch.setattr(inspection, step, fail)
    with pytest.raises(Refused) as caught:
        inspect_pdf(plain())
    assert caught.value.reason == RefusalReason.DAMAGED
