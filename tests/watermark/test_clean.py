"""What acts, hides or tells about its author is gone from the saved file; what is read is still there."""

from io import BytesIO

import pikepdf
import pytest
from pikepdf import Dictionary, Name

from tests.shared_folder import require_shared
from tests.watermark.hostile import HOSTILE, PAGE, plain, stream, wrong_types
from watermark.clean import clean, dictionaries, name_text


def cleaned(data: bytes) -> tuple[dict[str, int], pikepdf.Pdf]:
    """What was removed, and the file as it is after saving and opening again."""
    written = BytesIO()
    with pikepdf.open(BytesIO(data), suppress_warnings=True) as opened:
        removed = clean(opened)
        opened.save(written, encryption=False, qdf=True, static_id=True)
    return removed, pikepdf.open(written)


def page_with(entries: bytes) -> bytes:
    return PAGE[:-2] + entries + b">>"


def annotated(annotation: bytes, *more: bytes) -> bytes:
    return plain(page_with(b"/Annots[5 0 R]"), b"<</Type/Annot/Rect[0 0 9 9]" + annotation + b">>", *more)


def cataloged(entries: bytes, *more: bytes) -> bytes:
    return plain(PAGE, *more, catalog=b"<</Type/Catalog/Pages 2 0 R" + entries + b">>")


ACTIONS = {
    "javascript": b"<</S/JavaScript/JS(evil)>>",
    "launch": b"<</S/Launch/F(evil)>>",
    "submit-form": b"<</S/SubmitForm/F(evil)>>",
    "import-data": b"<</S/ImportData/F(evil)>>",
    "remote-goto": b"<</S/GoToR/F(evil)/D[0/Fit]>>",
    "embedded-goto": b"<</S/GoToE/F(evil)/D[0/Fit]>>",
    "rich-media": b"<</S/Rendition/JS(evil)>>",
    "unsafe-uri": b"<</S/URI/URI(java\nscript:evil)>>",
    "other-action": b"<</S/Named/N/evil>>",
}


@pytest.mark.parametrize("code", ACTIONS)
@pytest.mark.parametrize(
    "place",
    [b"/Subtype/Link/A %s", b"/Subtype/Link/PA %s", b"/Subtype/Link/AA<</U %s>>",
     b"/Subtype/Link/A<</S/GoTo/D[3 0 R/Fit]/Next %s>>", b"/Subtype/Link/A<</S/GoTo/D[3 0 R/Fit]/Next[%s]>>"],
)  # fmt: skip
def test_an_action_that_acts_is_gone_wherever_it_hangs(code: str, place: bytes) -> None:
    removed, after = cleaned(annotated(place.replace(b"%s", ACTIONS[code])))
    assert removed[code] == 1
    assert b"evil" not in after.pages[0].Annots[0].unparse(resolved=True)


@pytest.mark.parametrize(
    "action",
    [b"<</S/GoTo/D[3 0 R/Fit]>>", b"<</S/URI/URI(https://example.example/a)>>", b"<</S/URI/URI(mailto:a@b.example)>>",
     b"<</S/Named/N/NextPage>>", b"<</S/Thread/D 0>>"],
)  # fmt: skip
def test_moving_and_web_links_stay(action: bytes) -> None:
    removed, after = cleaned(annotated(b"/Subtype/Link/A " + action))
    assert removed == {}
    assert after.pages[0].Annots[0].A.S in (Name.GoTo, Name.URI, Name.Named, Name.Thread)


@pytest.mark.parametrize(
    ("action", "code"),
    [(b"<</S/Thread/F(evil)>>", "other-action"), (b"<</S/URI/URI 5>>", "unsafe-uri"),
     (b"<</S/URI/URI(http://[evil)>>", "unsafe-uri"), (b"<</S/#8d>>", "other-action")],
)  # fmt: skip
def test_an_odd_action_is_gone(action: bytes, code: str) -> None:
    removed, after = cleaned(annotated(b"/Subtype/Link/A " + action))
    assert removed == {code: 1}
    assert "/A" not in after.pages[0].Annots[0]


def test_an_action_that_only_a_structure_tree_reaches_is_emptied() -> None:
    data = cataloged(b"/Odd 5 0 R/StructTreeRoot<</K 6 0 R>>", b"<</A 6 0 R>>", b"<</S/JavaScript/JS(evil)>>")
    _, after = cleaned(data)
    assert len(after.Root.StructTreeRoot.K) == 0


@pytest.mark.parametrize(
    ("action", "kept"),
    [(b"[3 0 R/Fit]", True), (b"<</S/GoTo/D[3 0 R/Fit]/Next<</S/JavaScript/JS(evil)>>>>", True),
     (b"<</S/JavaScript/JS(evil)>>", False), (b"<</S/GoTo/D(name)>>", False), (b"7", False)],
)  # fmt: skip
def test_a_document_opens_at_its_page_and_does_nothing_else(action: bytes, kept: bool) -> None:
    removed, after = cleaned(cataloged(b"/OpenAction " + action))
    assert ("/OpenAction" in after.Root) is kept
    assert ("open-action" in removed) is not kept
    if kept:
        assert list(after.Root.OpenAction)[1] == Name.Fit


def test_outlines_lose_their_actions_and_keep_their_titles() -> None:
    removed, after = cleaned(HOSTILE["outline-loop"][0]())
    assert removed["javascript"] == 5_000
    assert str(after.Root.Outlines.First.Title) == "x"
    assert "/A" not in after.Root.Outlines.First


@pytest.mark.parametrize("subtype", [b"FileAttachment", b"RichMedia", b"3D", b"Screen", b"Movie", b"Sound"])
def test_annotations_that_carry_files_or_media_are_gone(subtype: bytes) -> None:
    data = annotated(b"/Subtype/" + subtype + b"/FS<</Type/Filespec/EF<</F 6 0 R>>>>", stream(b"evil"))
    removed, after = cleaned(data)
    assert len(after.pages[0].Annots) == 0
    assert removed
    assert not [
        item for item in after.objects if isinstance(item, pikepdf.Stream) and b"evil" in item.read_bytes()
    ]


def test_embedded_and_associated_files_are_gone() -> None:
    data = cataloged(
        b"/Names<</EmbeddedFiles<</Names[(a)5 0 R]>>/JavaScript<</Names[(a)<</S/JavaScript/JS(evil)>>]>>/Dests<<>>>>"
        b"/AF[5 0 R]/Collection<<>>/Odd 5 0 R/Other<</AF 5 0 R>>",
        b"<</Type/Filespec/F(a)/EF<</F 6 0 R>>>>",
        stream(b"evil"),
    )
    removed, after = cleaned(data)
    assert removed["embedded-files"] >= 3
    assert removed["portfolio"] == 1
    assert set(after.Root.Names.keys()) == {"/Dests"}
    assert "/AF" not in after.Root
    assert "/AF" not in after.Root.Other
    assert "/EF" not in after.Root.Odd


def test_a_stream_that_lies_in_another_file_is_cut_off_from_it() -> None:
    data = plain(content=b"<</Length 2/F(evil.pdf)>>stream\nqQ\nendstream")
    removed, after = cleaned(data)
    assert removed == {"external-files": 1}
    assert "/F" not in after.pages[0].Contents


def test_signatures_are_gone_and_their_appearance_stays() -> None:
    data = plain(
        page_with(b"/Annots[5 0 R]"),
        b"<</FT/Sig/T(s)/Type/Annot/Subtype/Widget/Rect[0 0 9 9]/V 6 0 R/Lock<<>>/AP<</N 7 0 R>>>>",
        b"<</Type/Sig/ByteRange[0 1 2 3]/Contents<00>>>",
        stream(b"q Q", b"/Subtype/Form/BBox[0 0 9 9]"),
        catalog=b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[5 0 R]/SigFlags 3/XFA[(a)(b)]>>/Perms<</DocMDP 6 0 R>>"
        b"/Odd 6 0 R>>",
    )
    removed, after = cleaned(data)
    widget = after.pages[0].Annots[0]
    assert removed == {"signatures": 3, "xfa": 1}
    assert set(after.Root.AcroForm.keys()) == {"/Fields"}
    assert "/V" not in widget
    assert isinstance(widget.AP.N, pikepdf.Stream)
    assert len(after.Root.Odd) == 0


def test_metadata_of_the_author_is_gone_everywhere() -> None:
    data = plain(
        page_with(b"/Metadata 5 0 R/PieceInfo<</X<</LastModified(x)>>>>/Thumb 6 0 R"),
        stream(b"<x/>", b"/Type/Metadata/Subtype/XML"),
        stream(b"x"),
        b"<</Author(Somebody)>>",
        catalog=b"<</Type/Catalog/Pages 2 0 R/Metadata 5 0 R>>",
    ).replace(b"/Root 1 0 R", b"/Root 1 0 R/Info 7 0 R")
    removed, after = cleaned(data)
    assert removed == {"info": 1, "metadata": 2, "private-data": 1, "thumbnails": 1}
    assert "/Info" not in after.trailer
    assert not {"/Metadata", "/PieceInfo", "/Thumb"} & set(after.pages[0].obj.keys())


def test_resources_that_are_called_like_dangers_stay() -> None:
    resources = (
        b"<</Font<</A 5 0 R/AA 5 0 R/AF 5 0 R/Metadata 5 0 R/Next 5 0 R>>"
        b"/XObject<</Thumb 6 0 R>>/ColorSpace<</AF[/ICCBased 6 0 R]>>>>"
    )
    data = plain(
        PAGE.replace(b"/Resources<<>>", b"/Resources" + resources),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        stream(b"x", b"/N 3"),
    )
    removed, after = cleaned(data)
    assert removed == {}
    assert {key: len(value) for key, value in after.pages[0].Resources.items()} == {
        "/Font": 5, "/XObject": 1, "/ColorSpace": 1,
    }  # fmt: skip


def test_wrong_types_are_no_crash() -> None:
    removed, after = cleaned(wrong_types())
    assert len(after.pages) == 1
    assert "/OpenAction" not in after.Root
    assert removed


def test_encryption_ends_with_the_saved_file() -> None:
    data = require_shared("corpus", "pdf.js__issue7665.pdf").read_bytes()
    removed, after = cleaned(data)
    assert removed["encryption"] == 1
    assert not after.is_encrypted


def test_names_that_are_not_utf8_can_be_read() -> None:
    with pikepdf.open(BytesIO(plain(page_with(b"/X/#8dY")))) as opened:
        assert name_text(opened.pages[0].obj.get("/X")) == "/\udc8dY"
    assert name_text(5) == ""


def test_every_dictionary_is_seen_once() -> None:
    with pikepdf.open(BytesIO(plain(page_with(b"/X[<</Y<</Z 1>>>>]")))) as opened:
        seen = [item for item in dictionaries(opened) if "/Z" in item]
    assert len(seen) == 1
    assert isinstance(seen[0], Dictionary)


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("file", "codes"),
    [("pdfbox__testPDFPackage.pdf", {"portfolio", "embedded-files", "javascript"}),
     ("pdf.js__xfa_issue14315.pdf", {"xfa", "javascript"}),
     ("qpdf__minimal-signed-restricted.pdf", {"signatures", "encryption"}),
     ("PDF101__launch-page.pdf", {"launch"}),
     ("PDF101__01-via-submit-form.pdf", {"submit-form"})],
)  # fmt: skip
def test_a_real_file_is_cleaned(file: str, codes: set[str]) -> None:
    removed, after = cleaned(require_shared("corpus", file).read_bytes())
    assert codes <= set(removed)
    again = clean(after)
    assert again == {} or set(again) <= {"info", "metadata"}


def test_a_page_that_is_not_among_the_documents_is_emptied() -> None:
    hidden = b"<</Type/Page/Parent 2 0 R" + b"/MediaBox[0 0 612 792]/Contents 6 0 R/Resources<<>>>>"
    for entries, found in (
        (b"/Dests<</x[5 0 R/Fit]>>", 1),
        (b"/Names<</Templates<</Names[(a) 5 0 R]>>>>/Odd 5 0 R", 2),
    ):
        removed, after = cleaned(cataloged(entries, hidden, stream(b"evil")))
        assert removed == {"private-data": found}
        assert len(after.pages) == 1
        assert "/Contents" in after.pages[0]
        assert not [
            item
            for item in after.objects
            if isinstance(item, pikepdf.Stream) and b"evil" in item.read_bytes()
        ]


@pytest.mark.parametrize("entries", [b"/Type/Metadata/Subtype/XML", b"/Type/EmbeddedFile"])
def test_metadata_and_files_are_emptied_whatever_refers_to_them(entries: bytes) -> None:
    _, after = cleaned(cataloged(b"/Odd[<</Deep 5 0 R>>]", stream(b"evil", entries)))
    assert after.Root.Odd[0].Deep.read_bytes() == b""


def test_metadata_that_does_not_say_so_is_gone() -> None:
    removed, after = cleaned(plain(page_with(b"/Metadata 5 0 R"), stream(b"<rdf:RDF>evil</rdf:RDF>")))
    assert removed == {"metadata": 1}
    assert "/Metadata" not in after.pages[0]


def test_paths_of_included_files_are_gone() -> None:
    traces = b"/PTEX.FileName(/home/evil/a.pdf)/PTEX.InfoDict<</Author(evil)>>/PTEX.PageNumber 1"
    entries = b"/Subtype/Form/BBox[0 0 9 9]" + traces
    removed, after = cleaned(
        plain(PAGE.replace(b"/Resources<<>>", b"/Resources<</XObject<</X 5 0 R>>>>"), stream(b"q Q", entries))
    )
    assert removed == {"machine-metadata": 1}
    assert not [key for key in after.pages[0].Resources.XObject.X if key.startswith("/PTEX")]


@pytest.mark.parametrize("kind", [b"/Subtype/PS", b"/Subtype/Form/Subtype2/PS/BBox[0 0 9 9]"])
def test_programs_for_printers_are_gone(kind: bytes) -> None:
    removed, after = cleaned(cataloged(b"/Odd 5 0 R", stream(b"evil", kind)))
    assert removed == {"other-action": 1}
    assert after.Root.Odd.read_bytes() == b""


def test_a_signature_that_covers_nothing_is_gone() -> None:
    data = plain(
        page_with(b"/Annots[5 0 R]"),
        b"<</Type/Annot/Subtype/Widget/Rect[0 0 9 9]/Parent 7 0 R>>",
        b"<</Type/Sig/Filter/Adobe.PPKLite/Contents<00>/Name(evil)>>",
        b"<</FT/Sig/V 6 0 R/Kids[5 0 R]>>",
        catalog=b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[7 0 R]>>/Odd 6 0 R>>",
    )
    removed, after = cleaned(data)
    assert removed == {"signatures": 2}
    assert len(after.Root.Odd) == 0


@pytest.mark.parametrize(
    "uri", [rb"(\\\\evil\\share)", b"(//evil/share)", b"<FEFF002F002F0065>", b"( file:///evil)"]
)
def test_links_to_files_of_other_machines_are_gone(uri: bytes) -> None:
    removed, after = cleaned(annotated(b"/Subtype/Link/A<</S/URI/URI " + uri + b">>"))
    assert removed == {"unsafe-uri": 1}
    assert "/A" not in after.pages[0].Annots[0]


@pytest.mark.parametrize(("base", "kept"), [(b"(https://a.example/)", True), (b"(javascript:evil)", False)])
def test_relative_links_have_a_base_on_the_web_or_none(base: bytes, kept: bool) -> None:
    _, after = cleaned(cataloged(b"/URI<</Base " + base + b">>"))
    assert ("/URI" in after.Root) is kept
