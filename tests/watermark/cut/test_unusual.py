"""What real files hold seldom and hostile ones at will: a cut keeps of it what it can read, and never fails for it.

Each case changes the report, whose pages 2 and 5 are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Object, String

from tests.watermark.cut.documents import KEPT, OMITTED, SECRET, canaries, report, word
from watermark.cut.document import cut_pdf

WORD = f"{SECRET}Unusual"

Case = Callable[[pikepdf.Pdf], None]


def changed(case: Case) -> bytes:
    """The report after this."""
    with pikepdf.open(BytesIO(report())) as pdf:
        case(pdf)
        written = BytesIO()
        pdf.save(written, compress_streams=False)
    return written.getvalue()


@contextmanager
def cut(case: Case) -> Iterator[pikepdf.Pdf]:
    """The cut of the report after this."""
    with pikepdf.open(BytesIO(cut_pdf(changed(case), KEPT))) as pdf:
        yield pdf


def listed(pdf: pikepdf.Pdf, page: int) -> Array:
    return pdf.pages[page - 1].obj.Annots


# The structure.


def figure(pdf: pikepdf.Pdf, held: object) -> None:
    """A last child of page 2's section that holds this."""
    section = pdf.Root.StructTreeRoot.K.K[1]
    made = Dictionary(Type=Name.StructElem, S=Name.Figure, P=section, Pg=pdf.pages[1].obj, Alt=String(WORD))
    made["/K"] = held
    section.K.append(made)


def mark_in_a_form(pdf: pikepdf.Pdf, page: int) -> None:
    form = pdf.pages[1].obj.Resources.XObject[f"/Fm{page}"]
    form.write(b"/P <</MCID 0>> BDC EMC " + form.read_bytes())
    figure(pdf, Dictionary(Type=Name.MCR, Pg=pdf.pages[1].obj, Stm=form, MCID=0))


def test_a_mark_in_a_form_stays_with_its_element_and_leads_back_to_it() -> None:
    with cut(lambda pdf: mark_in_a_form(pdf, 2)) as pdf:
        found = pdf.Root.StructTreeRoot.K[0].K[0].K[-1]
        assert (found.S, str(found.Alt)) == (Name.Figure, WORD)
        form = pdf.pages[0].obj.Resources.XObject.Fm2
        assert found.K[0].Stm.objgen == form.objgen
        parents = pikepdf.NumberTree(pdf.Root.StructTreeRoot.ParentTree)
        assert parents[int(form.StructParents)][0].objgen == found.objgen


def mark_without_a_number(pdf: pikepdf.Pdf) -> None:
    figure(pdf, Dictionary(Type=Name.MCR, Pg=pdf.pages[1].obj, MCID=String("0")))


def mark_in_what_is_no_form(pdf: pikepdf.Pdf) -> None:
    figure(pdf, Dictionary(Type=Name.MCR, Pg=pdf.pages[1].obj, Stm=Dictionary(), MCID=0))


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(mark_without_a_number, id="without-a-number"),
        pytest.param(mark_in_what_is_no_form, id="in-no-form"),
        pytest.param(lambda pdf: mark_in_a_form(pdf, OMITTED[0]), id="in-a-form-of-another-page"),
    ],
)
def test_a_mark_that_stands_on_no_kept_page_goes_with_its_element(case: Case, tmp_path: Path) -> None:
    source = changed(case)
    assert WORD in canaries(source, tmp_path)
    assert canaries(cut_pdf(source, KEPT), tmp_path) == set()


def test_a_structure_of_omitted_pages_alone_goes_and_the_cut_is_not_said_to_be_tagged() -> None:
    def case(pdf: pikepdf.Pdf) -> None:
        document = pdf.Root.StructTreeRoot.K
        document["/K"] = Array([document.K[0]])

    with cut(case) as pdf:
        assert not {"/StructTreeRoot", "/MarkInfo"} & set(pdf.Root.keys())


def test_a_structure_without_roles_of_its_own_has_none_in_the_cut() -> None:
    def case(pdf: pikepdf.Pdf) -> None:
        del pdf.Root.StructTreeRoot["/RoleMap"]

    with cut(case) as pdf:
        assert "/RoleMap" not in pdf.Root.StructTreeRoot


def test_roles_that_stand_for_roles_are_followed_so_far_and_no_further() -> None:
    def case(pdf: pikepdf.Pdf) -> None:
        roles = pdf.Root.StructTreeRoot.RoleMap
        roles["/P"] = Name.R0
        for number in range(200):
            roles[f"/R{number}"] = Name(f"/R{number + 1}")

    with cut(case) as pdf:
        roles = pdf.Root.StructTreeRoot.RoleMap
        assert roles.P == Name.R0
        assert "/R40" in roles
        assert "/R60" not in roles


# Layers.


def test_layers_keep_how_they_are_shown() -> None:
    def case(pdf: pikepdf.Pdf) -> None:
        default = pdf.Root.OCProperties.D
        default["/BaseState"] = Name.OFF
        default["/ListMode"] = Name.VisiblePages
        del default["/Order"]

    with cut(case) as pdf:
        default = pdf.Root.OCProperties.D
        assert (default.BaseState, default.ListMode) == (Name.OFF, Name.VisiblePages)
        assert [str(group.Name) for group in default.ON] == [word(page, "Layer") for page in KEPT]
        assert "/Order" not in default


def test_layers_of_which_nobody_says_how_they_are_shown_are_shown() -> None:
    def case(pdf: pikepdf.Pdf) -> None:
        del pdf.Root.OCProperties["/D"]

    with cut(case) as pdf:
        assert len(pdf.Root.OCProperties.OCGs) == len(KEPT)
        assert list(pdf.Root.OCProperties.D.keys()) == []


def test_lists_of_layers_too_deep_to_be_read_go_with_their_headings(tmp_path: Path) -> None:
    def case(pdf: pikepdf.Pdf) -> None:
        order = Array([pdf.Root.OCProperties.OCGs[1]])
        for _ in range(60):
            order = Array([String(WORD), order])
        pdf.Root.OCProperties.D["/Order"] = order

    source = changed(case)
    assert WORD in canaries(source, tmp_path)
    assert canaries(cut_pdf(source, KEPT), tmp_path) == set()


def test_of_the_uses_of_layers_those_of_kept_ones_stay() -> None:
    def case(pdf: pikepdf.Pdf) -> None:
        events = [
            Dictionary(Event=Name.Print, Category=Array([Name.Print]), OCGs=Array([group]))
            for group in pdf.Root.OCProperties.OCGs
        ]
        pdf.Root.OCProperties.D["/AS"] = Array([String(WORD), *events])

    with cut(case) as pdf:
        events = list(pdf.Root.OCProperties.D.AS)
        assert [[str(group.Name) for group in event.OCGs] for event in events] == [
            [word(page, "Layer")] for page in KEPT
        ]
        assert {str(event.Event) for event in events} == {"/Print"}


# Links and notes.


def link(pdf: pikepdf.Pdf, **entries: Any) -> None:
    """A last annotation of page 2."""
    entries = {f"/{key}": value for key, value in entries.items()}
    place = {"/Type": Name.Annot, "/Subtype": Name.Link, "/Rect": Array([300, 300, 320, 320])}
    listed(pdf, 2).append(pdf.make_indirect(Dictionary({**place, "/NM": String("added"), **entries})))


def added(pdf: pikepdf.Pdf) -> list[Object]:
    return [item for item in pdf.pages[0].obj.get("/Annots", []) if item.get("/NM") == "added"]


@pytest.mark.parametrize("view", [(), (Name.Spiral, 3), (7,)])
def test_a_link_whose_view_no_reader_knows_shows_the_whole_page(view: tuple[object, ...]) -> None:
    with cut(lambda pdf: link(pdf, Dest=Array([pdf.pages[4].obj, *view]))) as pdf:
        (found,) = added(pdf)
        assert found.Dest[0].objgen == pdf.pages[1].obj.objgen
        assert list(found.Dest)[1:] == [Name.Fit]


def test_a_link_to_the_next_page_stays() -> None:
    """It names no page: it leads on from wherever it stands."""
    with cut(lambda pdf: link(pdf, A=Dictionary(S=Name.Named, N=Name.NextPage))) as pdf:
        (found,) = added(pdf)
        assert (str(found.A.S), str(found.A.N)) == ("/Named", "/NextPage")


@pytest.mark.parametrize("page", [99, -1, String("second"), Name.Second, Array([1])])
def test_a_link_to_a_page_that_is_not_there_goes(page: object) -> None:
    with cut(lambda pdf: link(pdf, Dest=Array([page, Name.Fit]))) as pdf:
        assert added(pdf) == []


@pytest.mark.parametrize("action", [{"S": Name.Named, "N": String("x")}, {"S": Name.URI, "URI": 7}, {}])
def test_a_link_whose_action_cannot_be_read_goes(action: dict[str, Any]) -> None:
    said = Dictionary({f"/{key}": value for key, value in action.items()})
    with cut(lambda pdf: link(pdf, A=said)) as pdf:
        assert added(pdf) == []


def test_a_stamp_that_also_led_to_an_omitted_page_stays_and_leads_nowhere() -> None:
    def case(pdf: pikepdf.Pdf) -> None:
        target = Array([pdf.pages[OMITTED[0] - 1].obj, Name.Fit])
        link(pdf, Subtype=Name.Stamp, Dest=target, A=Dictionary(S=Name.GoTo, D=target))

    with cut(case) as pdf:
        (found,) = added(pdf)
        assert not {"/A", "/Dest"} & set(found.keys())


def test_an_answer_to_a_note_of_an_omitted_page_stays_without_it_and_its_window_goes(tmp_path: Path) -> None:
    def case(pdf: pikepdf.Pdf) -> None:
        note = listed(pdf, OMITTED[0])[9]
        link(pdf, Subtype=Name.Text, IRT=note, Contents=String("PUBLICAnswer"))
        link(pdf, Subtype=Name.Popup, Parent=note)

    with cut(case) as pdf:
        (found,) = added(pdf)
        assert str(found.Contents) == "PUBLICAnswer"
        assert "/IRT" not in found
    assert canaries(cut_pdf(changed(case), KEPT), tmp_path) == set()


def test_a_page_whose_only_annotation_was_the_window_of_a_note_elsewhere_has_none() -> None:
    def case(pdf: pikepdf.Pdf) -> None:
        note = listed(pdf, OMITTED[0])[9]
        pdf.pages[1].obj["/Annots"] = Array()
        link(pdf, Subtype=Name.Popup, Parent=note)

    with cut(case) as pdf:
        assert "/Annots" not in pdf.pages[0].obj


# The outline.


def test_an_outline_of_omitted_pages_alone_goes() -> None:
    def case(pdf: pikepdf.Pdf) -> None:
        with pdf.open_outline() as outline:
            outline.root[:] = [pikepdf.OutlineItem(WORD, page - 1) for page in OMITTED]

    with cut(case) as pdf:
        assert "/Outlines" not in pdf.Root


def test_entries_of_the_outline_keep_their_color_and_style() -> None:
    def case(pdf: pikepdf.Pdf) -> None:
        with pdf.open_outline() as outline:
            outline.root[:] = [pikepdf.OutlineItem("red", 1), pikepdf.OutlineItem("odd", 4)]
        red, odd = pdf.Root.Outlines.First, pdf.Root.Outlines.Last
        red["/C"], red["/F"] = Array([1, 0, 0]), 2
        odd["/C"], odd["/F"] = Array([Array([String(WORD)]), 0, 0]), String(WORD)

    with cut(case) as pdf:
        red, odd = pdf.Root.Outlines.First, pdf.Root.Outlines.Last
        assert (list(red.C), red.F) == ([1, 0, 0], 2)
        assert not {"/C", "/F"} & set(odd.keys())


# Fields.


def test_a_field_that_stands_above_itself_is_one_field() -> None:
    def case(pdf: pikepdf.Pdf) -> None:
        top = pdf.Root.AcroForm.Fields[0]
        top["/Parent"] = top

    with cut(case) as pdf:
        (top,) = pdf.Root.AcroForm.Fields
        assert "/Parent" not in top
        assert [str(field.T) for field in top.Kids] == [word(page, "Field") for page in KEPT]


def test_a_form_without_resources_gets_none() -> None:
    def case(pdf: pikepdf.Pdf) -> None:
        del pdf.Root.AcroForm["/DR"]

    with cut(case) as pdf:
        assert "/DR" not in pdf.Root.AcroForm
        assert len(pdf.Root.AcroForm.Fields[0].Kids) == len(KEPT)


# What draws a page.


def drawing(pdf: pikepdf.Pdf, content: bytes) -> None:
    """Let page 2 draw this, too."""
    contents = pdf.pages[1].obj.Contents
    contents.write(contents.read_bytes() + b"\n" + content)


def test_the_color_space_that_an_image_in_the_content_names_stays() -> None:
    with cut(lambda pdf: drawing(pdf, b"BI /W 1 /H 1 /BPC 8 /CS /Cs2 ID \0\nEI")) as pdf:
        assert list(pdf.pages[0].obj.Resources.ColorSpace.keys()) == ["/Cs2"]


def test_a_font_that_is_not_named_keeps_none() -> None:
    with cut(lambda pdf: drawing(pdf, b"BT 9 Tf ET")) as pdf:
        assert list(pdf.pages[0].obj.Resources.Font.keys()) == ["/F1"]


def test_resources_that_are_none_go() -> None:
    def case(pdf: pikepdf.Pdf) -> None:
        pdf.pages[1].obj.Resources["/Shading"] = String(WORD)

    with cut(case) as pdf:
        assert "/Shading" not in pdf.pages[0].obj.Resources


def test_what_editors_keep_in_a_form_goes(tmp_path: Path) -> None:
    def case(pdf: pikepdf.Pdf) -> None:
        form = pdf.pages[1].obj.Resources.XObject.Fm2
        form["/PieceInfo"] = Dictionary(Editor=Dictionary(Private=String(WORD)))
        form["/OPI"] = Dictionary(F=String(WORD))
        pdf.pages[1].obj.Resources.ExtGState.Gs2["/Metadata"] = pdf.make_stream(WORD.encode())

    source = changed(case)
    assert WORD in canaries(source, tmp_path)
    assert canaries(cut_pdf(source, KEPT), tmp_path) == set()


# The document as a whole.


@pytest.mark.parametrize("page", [5, OMITTED[0]])
def test_opening_leads_where_it_led_if_that_is_kept(page: int) -> None:
    def case(pdf: pikepdf.Pdf) -> None:
        target = Array([pdf.pages[page - 1].obj, Name.Fit])
        pdf.Root["/OpenAction"] = Dictionary(S=Name.GoTo, D=target)

    with cut(case) as pdf:
        if page in KEPT:
            assert pdf.Root.OpenAction[0].objgen == pdf.pages[1].obj.objgen
        else:
            assert "/OpenAction" not in pdf.Root


def test_the_profile_that_colors_are_meant_for_stays_without_what_is_not_known(tmp_path: Path) -> None:
    def case(pdf: pikepdf.Pdf) -> None:
        profile = pdf.make_stream(b"a profile", {"/N": 3})
        intent = Dictionary(Type=Name.OutputIntent, S=Name.GTS_PDFA1, DestOutputProfile=profile)
        intent["/Info"], intent["/Private"] = String("for print"), String(WORD)
        pdf.Root["/OutputIntents"] = Array([String(WORD), intent])

    with cut(case) as pdf:
        (intent,) = pdf.Root.OutputIntents
        assert intent.S == Name.GTS_PDFA1
        assert intent.DestOutputProfile.read_bytes() == b"a profile"
    assert canaries(cut_pdf(changed(case), KEPT), tmp_path) == set()
