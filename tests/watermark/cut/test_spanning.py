"""What is said of several pages together stays where all of them are kept, and goes where one is omitted.

Each case lets the report say a word of page 2, which is kept, together with another page. That there is nothing else to
find is `test_cut`'s to show.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Object, String

from tests.watermark.cut.documents import KEPT, SECRET, canaries, report
from watermark.cut.document import cut_pdf

OTHER_KEPT, OMITTED = 5, 3
WORD = f"{SECRET}Spanning"

Case = Callable[[pikepdf.Pdf, int], None]


def changed(case: Case, other: int) -> bytes:
    """The report when this is said of page 2 and the other."""
    with pikepdf.open(BytesIO(report())) as pdf:
        case(pdf, other)
        written = BytesIO()
        pdf.save(written, compress_streams=False)
    return written.getvalue()


# Layers.


def groups(pdf: pikepdf.Pdf, other: int) -> tuple[Object, Object]:
    listed = pdf.Root.OCProperties.OCGs
    return listed[1], listed[other - 1]


def heading_of_layers(pdf: pikepdf.Pdf, other: int) -> None:
    pdf.Root.OCProperties.D["/Order"] = Array([Array([String(WORD), *groups(pdf, other)])])


def heading_of_lists_of_layers(pdf: pikepdf.Pdf, other: int) -> None:
    lists = [Array([group]) for group in groups(pdf, other)]
    pdf.Root.OCProperties.D["/Order"] = Array([Array([String(WORD), *lists])])


def text_between_layers(pdf: pikepdf.Pdf, other: int) -> None:
    own, others = groups(pdf, other)
    pdf.Root.OCProperties.D["/Order"] = Array([Array([own, String(WORD), others])])


def text_among_layers_that_exclude_each_other(pdf: pikepdf.Pdf, other: int) -> None:
    pdf.Root.OCProperties.D["/RBGroups"] = Array([Array([String(WORD), *groups(pdf, other)])])


def text_among_uses_of_layers(pdf: pikepdf.Pdf, other: int) -> None:
    event = Dictionary(Event=Name.View, Category=Array([Name.View, String(WORD)]))
    event["/OCGs"] = Array(groups(pdf, other))
    pdf.Root.OCProperties.D["/AS"] = Array([event])


# Structure.


def section(pdf: pikepdf.Pdf, page: int) -> Object:
    """Holds a heading, a paragraph and a link of this page."""
    return pdf.Root.StructTreeRoot.K.K[page - 1]


def element(pdf: pikepdf.Pdf, parent: Object, kind: Object, **entries: Any) -> Object:
    """A new last child."""
    entries = {f"/{key}": value for key, value in entries.items()}
    made = pdf.make_indirect(Dictionary({"/Type": Name.StructElem, "/S": kind, "/P": parent, **entries}))
    parent.K.append(made)
    return made


def element_with_a_child_without_content(pdf: pikepdf.Pdf, other: int) -> None:
    section(pdf, 2)["/ActualText"] = String(WORD)
    element(pdf, section(pdf, 2), Name.Figure, Pg=pdf.pages[other - 1].obj)


def element_with_a_grandchild_without_content(pdf: pikepdf.Pdf, other: int) -> None:
    section(pdf, 2)["/ActualText"] = String(WORD)
    child = element(pdf, section(pdf, 2), Name.Div, Pg=pdf.pages[1].obj, K=Array())
    element(pdf, child, Name.Figure, Pg=pdf.pages[other - 1].obj)


def element_with_a_child_of_words_alone(pdf: pikepdf.Pdf, other: int) -> None:
    section(pdf, 2)["/ActualText"] = String(WORD)
    element(pdf, section(pdf, 2), Name.Figure, Alt=String("a child of no page"))


def element_with_a_child_that_is_anothers(pdf: pikepdf.Pdf, other: int) -> None:
    for page in (2, other):
        section(pdf, page)["/ActualText"] = String(WORD)
    section(pdf, 2).K.append(section(pdf, other).K[0])


def figures_that_draw_the_same_form(pdf: pikepdf.Pdf, other: int) -> None:
    page = pdf.pages[other - 1].obj
    held = Dictionary(Type=Name.OBJR, Obj=page.Resources.XObject.Both, Pg=page)
    element(pdf, section(pdf, other), Name.Figure, Alt=String(WORD), K=held)


def figure_of_no_page_that_draws_a_form(pdf: pikepdf.Pdf, other: int) -> None:
    held = Dictionary(Type=Name.OBJR, Obj=pdf.pages[other - 1].obj.Resources.XObject.Both)
    element(pdf, section(pdf, other), Name.Figure, Alt=String(WORD), K=held)


def headers_of_a_cell(pdf: pikepdf.Pdf, other: int) -> None:
    section(pdf, other).K[1]["/ID"] = String(WORD)
    section(pdf, 2).K[1]["/A"] = Dictionary(O=Name.Table, Headers=Array([String(WORD)]))


def header_of_a_cell_that_lost_its_identifier(pdf: pikepdf.Pdf, other: int) -> None:
    table = pdf.Root.StructTreeRoot.K.K[-1]  # of all pages
    table["/ID"] = String(WORD)
    section(pdf, 2).K[1]["/A"] = Dictionary(O=Name.Table, Headers=Array([String(WORD)]))


def list_that_continues_another(pdf: pikepdf.Pdf, other: int) -> None:
    section(pdf, other).K[1]["/ID"] = String(WORD)
    section(pdf, 2).K[1]["/A"] = Array([Dictionary(O=Name.List, ContinuedFrom=String(WORD)), 0])


def roles_of_a_namespace(pdf: pikepdf.Pdf, other: int) -> None:
    roles = Dictionary({f"/{WORD}": Name.P})
    space = pdf.make_indirect(
        Dictionary(Type=Name.Namespace, NS=String("https://example.com/"), RoleMapNS=roles)
    )
    section(pdf, 2).K[1]["/A"] = Dictionary(O=Name.NSO, NS=space)


def text_of_a_class(pdf: pikepdf.Pdf, other: int, *, value: object) -> None:
    pdf.Root.StructTreeRoot.ClassMap["/Both"] = Array([Dictionary(O=Name.Table, Summary=value)])
    for page in (2, other):
        section(pdf, page).K[1]["/C"] = Name.Both


# Fields.


def field(pdf: pikepdf.Pdf, parent: Object | None, **entries: Any) -> Object:
    entries = {f"/{key}": value for key, value in entries.items()}
    made = pdf.make_indirect(Dictionary({**entries, "/Kids": Array()}))
    if parent is None:
        pdf.Root.AcroForm.Fields.append(made)
    else:
        made["/Parent"] = parent
        parent.Kids.append(made)
    return made


def widget(pdf: pikepdf.Pdf, page: int, parent: Object | None, **entries: Any) -> Object:
    entries = {f"/{key}": value for key, value in entries.items()}
    place = {"/Type": Name.Annot, "/Subtype": Name.Widget, "/Rect": Array([300, 300, 320, 320])}
    made = pdf.make_indirect(Dictionary({**place, **entries}))
    pdf.pages[page - 1].obj.Annots.append(made)
    if parent is not None:
        made["/Parent"] = parent
        parent.Kids.append(made)
    return made


def field_of_two_widgets(pdf: pikepdf.Pdf, other: int, *, key: str) -> None:
    top = field(pdf, None, FT=Name.Ch, T=String("choice"), **{key: Array([String(WORD)])})
    for page in (2, other):
        widget(pdf, page, top)


def field_above_a_field_of_two_widgets(pdf: pikepdf.Pdf, other: int) -> None:
    top = field(pdf, None, T=String("outer"), TU=String(WORD))
    inner = field(pdf, top, FT=Name.Tx, T=String("inner"))
    for page in (2, other):
        widget(pdf, page, inner)


def name_above_two_fields(pdf: pikepdf.Pdf, other: int) -> None:
    top = field(pdf, None, T=String(WORD))
    for page in (2, other):
        widget(pdf, page, top, FT=Name.Tx, T=String(f"of {page}"))


def field_that_only_its_widgets_know(pdf: pikepdf.Pdf, other: int) -> None:
    top = field(pdf, None, FT=Name.Tx, T=String("text"), V=String(WORD))
    for page in (2, other):
        widget(pdf, page, top)
    top["/Kids"] = Array([top.Kids[0]])


def field_with_a_widget_on_no_page(pdf: pikepdf.Pdf, other: int) -> None:
    top = field(pdf, None, T=String("outer"), TU=String(WORD))
    inner = field(pdf, top, FT=Name.Tx, T=String("inner"))
    widget(pdf, 2, inner)
    inner.Kids.append(pdf.make_indirect(Dictionary(Subtype=Name.Widget, Parent=inner)))


def widget_that_is_the_field_of_others(pdf: pikepdf.Pdf, other: int) -> None:
    first = widget(pdf, 2, None, FT=Name.Tx, T=String("text"), V=String(WORD), Kids=Array())
    pdf.Root.AcroForm.Fields.append(first)
    widget(pdf, other, first)


# The outline.


def heading(pdf: pikepdf.Pdf, *below: int) -> Object:
    """A last entry that leads nowhere, above entries of these pages."""
    with pdf.open_outline() as outline:
        made = pikepdf.OutlineItem(WORD)
        made.children.extend(pikepdf.OutlineItem("below", page - 1) for page in below)
        outline.root.append(made)
    return pdf.Root.Outlines.Last


def heading_of_entries(pdf: pikepdf.Pdf, other: int) -> None:
    heading(pdf, 2, other)


def entry_that_leads_to_an_element(pdf: pikepdf.Pdf, other: int) -> None:
    heading(pdf, 2)["/SE"] = section(pdf, other)


def entry_that_leads_by_a_script(pdf: pikepdf.Pdf, other: int) -> None:
    heading(pdf, 2)["/A"] = Dictionary(S=Name.JavaScript, JS=String(f"this.pageNum = {other - 1}"))


def heading_of_an_entry_that_cannot_be_read(pdf: pikepdf.Pdf, other: int) -> None:
    direct = Dictionary(Title=String("below"), Dest=Array([pdf.pages[other - 1].obj, Name.Fit]))
    heading(pdf, 2).First["/Next"] = direct


def heading_of_an_entry_too_deep_to_be_read(pdf: pikepdf.Pdf, other: int) -> None:
    item = heading(pdf, 2).First
    for page in (*[2] * 200, other):
        dest = Array([pdf.pages[page - 1].obj, Name.Fit])
        item["/First"] = pdf.make_indirect(Dictionary(Title=String("below"), Dest=dest))
        item = item.First


STAY_WHERE_ALL_STAYS: dict[str, Case] = {
    case.__name__: case
    for case in (
        heading_of_layers,
        heading_of_lists_of_layers,
        element_with_a_child_without_content,
        element_with_a_grandchild_without_content,
        figures_that_draw_the_same_form,
        headers_of_a_cell,
        list_that_continues_another,
        field_above_a_field_of_two_widgets,
        name_above_two_fields,
        field_that_only_its_widgets_know,
        widget_that_is_the_field_of_others,
        heading_of_entries,
    )
} | {
    f"field_of_two_widgets-{key}": partial(field_of_two_widgets, key=key)
    for key in ("TU", "TM", "V", "DV", "RV", "Opt", "TI", "I")
}

GO: dict[str, Case] = {
    case.__name__: case
    for case in (
        text_between_layers,
        text_among_layers_that_exclude_each_other,
        text_among_uses_of_layers,
        element_with_a_child_of_words_alone,
        element_with_a_child_that_is_anothers,
        figure_of_no_page_that_draws_a_form,
        header_of_a_cell_that_lost_its_identifier,
        roles_of_a_namespace,
        field_with_a_widget_on_no_page,
        entry_that_leads_to_an_element,
        entry_that_leads_by_a_script,
        heading_of_an_entry_that_cannot_be_read,
        heading_of_an_entry_too_deep_to_be_read,
    )
} | {
    f"text_of_a_class-{name}": partial(text_of_a_class, value=value)
    for name, value in {
        "text": String(WORD),
        "texts": Array([Name.Row, String(WORD)]),
        "list": Array([Array([String(WORD)])]),
        "dictionary": Dictionary(N=String(WORD)),
    }.items()
}


@pytest.mark.parametrize("name", [*STAY_WHERE_ALL_STAYS, *GO])
def test_what_is_said_of_a_kept_and_an_omitted_page_goes(name: str, tmp_path: Path) -> None:
    source = changed((STAY_WHERE_ALL_STAYS | GO)[name], OMITTED)
    assert WORD in canaries(source, tmp_path)
    assert canaries(cut_pdf(source, KEPT), tmp_path) == set()


@pytest.mark.parametrize("name", STAY_WHERE_ALL_STAYS)
def test_what_is_said_of_kept_pages_stays(name: str, tmp_path: Path) -> None:
    source = changed(STAY_WHERE_ALL_STAYS[name], OTHER_KEPT)
    assert canaries(cut_pdf(source, KEPT), tmp_path) == {WORD}


def test_no_text_between_layers_becomes_their_heading(tmp_path: Path) -> None:
    assert canaries(cut_pdf(changed(text_between_layers, OTHER_KEPT), KEPT), tmp_path) == set()


def attributes_in_cut(case: Case, other: int) -> str:
    """What the paragraph of page 2, the first of the cut, then has as its attributes."""
    with pikepdf.open(BytesIO(cut_pdf(changed(case, other), KEPT))) as pdf:
        return bytes(pdf.Root.StructTreeRoot.K[0].K[0].K[1].A.unparse()).decode()


@pytest.mark.parametrize("other", [OTHER_KEPT, OMITTED])
def test_the_attributes_of_a_cell_stay_and_its_headers_with_the_cells_they_name(other: int) -> None:
    def case(pdf: pikepdf.Pdf, other: int) -> None:
        headers_of_a_cell(pdf, other)
        section(pdf, 2).K[1].A["/Scope"] = Name.Row

    attributes = attributes_in_cut(case, other)
    assert "/Scope /Row" in attributes
    assert ("/Headers" in attributes) == (other == OTHER_KEPT)


def test_attributes_keep_their_revisions() -> None:
    def case(pdf: pikepdf.Pdf, other: int) -> None:
        section(pdf, 2).K[1]["/A"] = Array([Dictionary(O=Name.Layout, SpaceAfter=3), 7])

    assert attributes_in_cut(case, OMITTED).split()[-2:] == ["7", "]"]


def test_a_child_that_says_nothing_and_names_no_page_costs_no_words(tmp_path: Path) -> None:
    """Empty cells of a table, as real producers write them."""

    def case(pdf: pikepdf.Pdf, other: int) -> None:
        section(pdf, 2)["/ActualText"] = String(WORD)
        element(pdf, section(pdf, 2), Name.TD)

    assert canaries(cut_pdf(changed(case, OMITTED), KEPT), tmp_path) == {WORD}


@pytest.mark.parametrize("other", [OTHER_KEPT, OMITTED])
def test_no_reader_is_asked_to_draw_fields_without_their_values(other: int) -> None:
    def case(pdf: pikepdf.Pdf, other: int) -> None:
        field_of_two_widgets(pdf, other, key="V")
        pdf.Root.AcroForm["/NeedAppearances"] = True

    with pikepdf.open(BytesIO(cut_pdf(changed(case, other), KEPT))) as pdf:
        assert ("/NeedAppearances" in pdf.Root.AcroForm) == (other == OTHER_KEPT)


def test_a_field_of_kept_widgets_keeps_its_name_and_one_without_a_name_gets_none() -> None:
    def case(pdf: pikepdf.Pdf, other: int) -> None:
        field_of_two_widgets(pdf, other, key="V")
        name_above_two_fields(pdf, other)
        del pdf.Root.AcroForm.Fields[-1]["/T"]

    with pikepdf.open(BytesIO(cut_pdf(changed(case, OMITTED), KEPT))) as pdf:
        _, choice, nameless = pdf.Root.AcroForm.Fields
        assert choice.T == "choice"
        assert "/T" not in nameless


def test_fields_below_a_group_that_lost_its_name_keep_names_of_their_own() -> None:
    def case(pdf: pikepdf.Pdf, other: int) -> None:
        for _ in range(2):
            name_above_two_fields(pdf, other)

    with pikepdf.open(BytesIO(cut_pdf(changed(case, OMITTED), KEPT))) as pdf:
        tops = list(pdf.Root.AcroForm.Fields)
        assert len({str(top.T) for top in tops}) == len(tops)
        assert [str(kid.T) for top in tops[1:] for kid in top.Kids] == ["of 2", "of 2"]
