"""Nothing of the omitted pages remains; what is kept reads, looks and leads as before."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pypdf
import pytest
from pikepdf import Dictionary, Name

from tests.watermark.builders import ANA, SEED, copy_of
from tests.watermark.cut.documents import KEPT, PAGES, SECRET, canaries, report, word
from tests.watermark.readers import pictures, texts
from watermark.clean import clean
from watermark.cut import document as cutting
from watermark.cut.document import compile_cut, cut_pdf
from watermark.errors import RefusalReason, Refused
from watermark.sandbox import run_in_child


@pytest.fixture(scope="module")
def source() -> bytes:
    return report()


@pytest.fixture(scope="module")
def cut(source: bytes) -> bytes:
    return cut_pdf(source, KEPT)


def opened(pdf: bytes) -> pikepdf.Pdf:
    return pikepdf.open(BytesIO(pdf))


def test_the_source_holds_a_canary_in_every_place(source: bytes, tmp_path: Path) -> None:
    """Else the tests below would find none for a wrong reason."""
    found = {re.sub(r"\d+$", "", name.removeprefix(SECRET)) for name in canaries(source, tmp_path)}
    assert found >= {
        *("Text", "More", "Inline", "Image", "Form", "Layer", "State", "Thumb", "Piece", "Dest", "LinkTo"),
        *(
            "Next",
            "ByNumber",
            "Note",
            "Author",
            "Title",
            "Mixed",
            "Document",
            "Table",
            "Summary",
            "Sect",
            "Alt",
        ),
        *(
            "Actual",
            "Expansion",
            "Id",
            "Class",
            "Labels",
            "Field",
            "Tooltip",
            "Value",
            "Appearance",
            "Thread",
        ),
        *("Attachment", "Answers", "Xmp", "Keywords", "Catalog"),
    }


def test_nothing_of_omitted_pages_remains_in_a_cut(cut: bytes, tmp_path: Path) -> None:
    assert canaries(cut, tmp_path) == set()


def test_nothing_of_omitted_pages_remains_in_a_copy_of_a_cut(source: bytes, tmp_path: Path) -> None:
    facts, template = compile_cut(source, {**SEED, "pages": KEPT})
    copy = copy_of(template)
    assert facts["pages"] == len(KEPT) == facts["verified"]["pages"]
    assert canaries(copy, tmp_path) == set()
    assert ANA.name in pypdf.PdfReader(BytesIO(copy)).pages[1].extract_text()


def test_the_child_makes_the_same_cut(source: bytes) -> None:
    made = run_in_child("cut", [source], {**SEED, "pages": KEPT})
    assert made.payload == compile_cut(source, {**SEED, "pages": KEPT})[1]


def test_no_page_of_the_source_is_reached(cut: bytes) -> None:
    with opened(cut) as pdf:
        pages = [
            thing
            for thing in pdf.objects
            if isinstance(thing, Dictionary) and thing.get("/Type") == Name.Page
        ]
        assert len(pages) == len(pdf.pages) == len(KEPT)


def test_kept_pages_read_and_look_as_before(source: bytes, cut: bytes, tmp_path: Path) -> None:
    before, after = texts(source, tmp_path), texts(cut, tmp_path)
    for reader, read in before.items():
        assert [read[page - 1] for page in KEPT] == after[reader], reader
    drawn = list(pictures(source))
    for page, picture in zip(KEPT, pictures(cut), strict=True):
        assert (drawn[page - 1] == picture).all()


def test_links_between_kept_pages_lead_there_and_others_are_gone(cut: bytes) -> None:
    with opened(cut) as pdf:
        page = pdf.pages[0].obj
        links = [item for item in page.Annots if item.Subtype == Name.Link]
        contents = [str(item.Contents) for item in links if "/Contents" in item]
        assert contents == [word(2, "LinkTo"), word(5, "LinkTo")]
        numbers = {pdf.pages[number].obj.objgen: number for number in range(len(KEPT))}
        assert [numbers[item.Dest[0].objgen] for item in links if "/Dest" in item] == [0, 1]
        actions = [item.A for item in links if "/A" in item]
        assert [str(action.S) for action in actions] == ["/GoTo", "/URI"]
        assert numbers[actions[0].D[0].objgen] == 1
        assert "/Next" not in actions[0]
        assert "/Names" not in pdf.Root


def test_the_outline_keeps_what_leads_to_kept_pages_and_moves_it_up(cut: bytes) -> None:
    with opened(cut) as pdf, pdf.open_outline() as outline:
        found = [(item.title, [child.title for child in item.children]) for item in outline.root]
    assert found == [
        (word(2, "Title"), []),
        (word(5, "Title"), []),
        ("PUBLICWhole", ["PUBLICBelow"]),
    ]
    read = pypdf.PdfReader(BytesIO(cut))
    first: Any = read.outline[0]
    second: Any = read.outline[1]
    assert [read.get_destination_page_number(item) for item in (first, second)] == [0, 1]


def test_kept_pages_keep_their_printed_numbers(source: bytes, cut: bytes) -> None:
    before = pypdf.PdfReader(BytesIO(source)).page_labels
    assert before == ["i", "ii", "iii", "A-7", "A-8", "A-9"]
    assert pypdf.PdfReader(BytesIO(cut)).page_labels == [before[page - 1] for page in KEPT]
    unlabelled = pikepdf.open(BytesIO(source))
    del unlabelled.Root["/PageLabels"]
    written = BytesIO()
    unlabelled.save(written)
    assert pypdf.PdfReader(BytesIO(cut_pdf(written.getvalue(), KEPT))).page_labels == ["2", "5"]


def test_the_structure_keeps_the_words_of_kept_pages_and_those_of_no_other(cut: bytes) -> None:
    with opened(cut) as pdf:
        root = pdf.Root.StructTreeRoot
        document = root.K[0]
        assert str(document.S) == "/Document"
        assert "/T" not in document
        sections = [item for item in document.K if Name.Sect == item.S]
        assert [str(item.T) for item in sections] == [word(page, "Sect") for page in KEPT]
        heading, paragraph, linked = sections[0].K
        assert str(heading.Alt) == word(2, "Alt")
        assert str(root.RoleMap[str(heading.S)]) == "/H1"
        assert (str(paragraph.ActualText), str(paragraph.E)) == (word(2, "Actual"), word(2, "Expansion"))
        assert root.ClassMap[str(paragraph.C)].SpaceAfter == 2
        assert [str(name) for name in root.IDTree.Names[::2]] == [word(page, "Id") for page in KEPT]
        assert linked.K[0].Obj.objgen in {item.objgen for item in pdf.pages[0].obj.Annots}
        table = document.K[-1]
        assert str(table.S) == "/Table"
        assert not {"/ActualText", "/A"} & set(table.keys())
        assert len(table.K) == len(KEPT)
        parents = pikepdf.NumberTree(root.ParentTree)
        for page in pdf.pages:
            held = parents[int(page.obj.StructParents)]
            assert [str(item.S) for item in held][1:] == ["/P", "/Table"]
            assert str(held[0].P.S) == "/Sect"
        assert parents[int(linked.K[0].Obj.StructParent)].objgen == linked.objgen


def test_layers_and_fields_of_kept_pages_stay(cut: bytes) -> None:
    with opened(cut) as pdf:
        groups = pdf.Root.OCProperties.OCGs
        assert [str(group.Name) for group in groups] == [word(page, "Layer") for page in KEPT]
        (top,) = pdf.Root.AcroForm.Fields
        assert [str(field.T) for field in top.Kids] == [word(page, "Field") for page in KEPT]
        assert set(pdf.Root.AcroForm.DR.keys()) == {"/Font"}
    assert set(pypdf.PdfReader(BytesIO(cut)).get_form_text_fields()) == {word(page, "Field") for page in KEPT}


def test_a_form_that_all_pages_draw_loses_what_it_does_not_use(cut: bytes) -> None:
    with opened(cut) as pdf:
        both = pdf.pages[0].obj.Resources.XObject.Both
        assert set(both.Resources.XObject.keys()) == {"/In"}


def test_a_cut_of_a_cut_and_of_all_pages_is_a_cut(source: bytes, cut: bytes) -> None:
    with opened(cut_pdf(cut, [2])) as again:
        assert len(again.pages) == 1
    with opened(cut_pdf(source, list(range(1, PAGES + 1)))) as whole:
        assert len(whole.pages) == PAGES


def test_bytes_of_an_older_state_of_the_file_are_not_carried_over(source: bytes, tmp_path: Path) -> None:
    """Behind the end of the file, as an incremental update leaves them, and in objects that nothing refers to."""
    left = source + b"\n%CANARYTrailing\n"
    with opened(left) as pdf:
        pdf.make_indirect(Dictionary(Left=pikepdf.String("CANARYUnreferenced")))
    assert canaries(cut_pdf(left, KEPT), tmp_path) == set()


@pytest.mark.parametrize("pages", [[], [0], [PAGES + 1], [1, 99]])
def test_pages_that_the_file_does_not_have_are_refused(source: bytes, pages: list[int]) -> None:
    with pytest.raises(Refused) as caught:
        cut_pdf(source, pages)
    assert caught.value.reason == RefusalReason.NO_PAGES


def test_the_proof_refuses_what_still_reaches_an_omitted_page(
    source: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a rule forgets: here a layer holds the content of a page."""
    monkeypatch.setattr(
        cutting, "kept_layers", lambda document, shown: Dictionary(Kept=document.pages[0].Contents)
    )
    with pytest.raises(Refused) as caught:
        cut_pdf(source, KEPT)
    assert caught.value.reason == RefusalReason.CANNOT_CUT


def test_what_a_cut_has_lost_is_not_cleanings_to_find(cut: bytes) -> None:
    with opened(cut) as pdf:
        assert set(clean(pdf)) <= {"info"}
