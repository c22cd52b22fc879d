"""Whole questionnaires: each question that names criteria is cited, and nothing else is touched."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment
from openpyxl.worksheet.datavalidation import DataValidation

from service.errors import DomainError, Problem
from service.questionnaires import Form, Questionnaires
from service.questions import Columns
from service.workbooks import MAX_BYTES, MAX_COLUMNS, MAX_ROWS
from tests.service.citing_cases import (
    QUESTIONS,
    a_cited_document,
    csv_of,
    in_this_process,
    parts_of,
    values_of,
    with_parts,
    with_shared_strings,
    xlsx_of,
)
from tests.service_fixture import OPERATOR, Service

ANY = Columns()


def cited(service: Service, form: Form, content: bytes, columns: Columns = ANY, **changes: Any) -> bytes:
    """The questionnaire with its citations."""
    document = a_cited_document(service, **changes)
    questionnaires = Questionnaires(service.sealmark.citations, in_this_process)
    return questionnaires.cite(document.id, form, content, columns).content


def refused(service: Service, form: Form, content: bytes, columns: Columns = ANY) -> DomainError:
    """Why it is refused."""
    with pytest.raises(DomainError) as caught:
        cited(service, form, content, columns)
    return caught.value


def sentences(service: Service) -> dict[str, str]:
    """What the questions of `QUESTIONS` are to be answered with."""
    document = service.sealmark.documents.list()[0]
    one = service.sealmark.citations.cite(document.id, items="45", criteria=["CC6.1"])
    two = service.sealmark.citations.cite(document.id, items="A.2", criteria=["CC6.2", "CC7.2"])
    return {"45": one.sentence, "A.2": two.sentence}


def rows_of(content: bytes, between: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=between))


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_a_csv_file_comes_back_with_its_rows_and_a_column_of_citations(
    service: Service, between: str
) -> None:
    rows = rows_of(cited(service, "csv", csv_of(QUESTIONS, between), ANY), between)
    said = sentences(service)
    given = rows_of(csv_of(QUESTIONS, between), between)
    assert [row[:4] for row in rows] == [row[:4] for row in given]
    assert [row[4:] for row in rows] == [[], [], ["Citation"], [said["45"]], [said["A.2"]], [], []]


def test_how_many_questions_are_cited_and_left_open_is_told(service: Service) -> None:
    document = a_cited_document(service)
    found = service.sealmark.questionnaires.cite(document.id, "csv", csv_of(QUESTIONS), ANY)
    assert (found.cited, found.open) == (2, 2)


@pytest.mark.parametrize("between", [";", "\t"])
def test_a_csv_file_whose_prose_is_full_of_commas_is_read(service: Service, between: str) -> None:
    rows = [
        ["Please, answer in full, without a word of praise, by Friday"],
        ["No.", "Question", "TSC"],
        [45, "Is access, to systems, data, code, and backups, restricted?", "CC6.1"],
        ["A.2", "Are alerts, events, logs, and incidents looked at, daily?", "CC6.2, CC7.2"],
    ]
    made = rows_of(cited(service, "csv", csv_of(rows, between)), between)
    said = sentences(service)
    assert [row[3:] for row in made] == [[], ["Citation"], [said["45"]], [said["A.2"]]]


def test_of_two_headers_in_a_csv_file_the_one_with_commas_counts(service: Service) -> None:
    made = rows_of(cited(service, "csv", b"No.,Not No.;Ref;TSC;,TSC\r\n45,x,CC6.1\r\n"))
    assert made[1] == ["45", "x", "CC6.1", sentences(service)["45"]]


def test_a_csv_file_without_a_known_header_is_not_called_damaged(service: Service) -> None:
    content = b'"Kennung";"Frage, ausf\xc3\xbchrlich"\r\n"1";"ja, ""nein"""\r\n'
    assert refused(service, "csv", content).fields["where"] == "criteria_column"


def test_a_header_that_repeats_itself_is_refused_whatever_stands_between_its_cells(service: Service) -> None:
    assert "A1 and C1 have the same header" in refused(service, "csv", b"TSC;No.;TSC\nCC6.1;1;CC6.2\n").detail


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_a_csv_file_runs_as_a_formula(service: Service, start: str) -> None:
    content = f'No.,TSC,Answer\r\n45,CC6.1,"{start}1+cmd|calc"\r\n'.encode()
    rows = rows_of(cited(service, "csv", content))
    assert rows[1][2] == f"'{start}1+cmd|calc"
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)


def test_a_wording_cannot_make_a_formula_of_a_csv_cell(service: Service) -> None:
    document = a_cited_document(service)
    service.sealmark.documents.change(OPERATOR, document.id, citation="=HYPERLINK {kind} {period} {address}")
    found = service.sealmark.questionnaires.cite(document.id, "csv", csv_of(QUESTIONS), ANY)
    assert rows_of(found.content)[3][4].startswith("'=HYPERLINK")


def test_a_workbook_comes_back_with_a_column_of_citations_that_are_text(service: Service) -> None:
    made = cited(service, "xlsx", xlsx_of(QUESTIONS))
    said = sentences(service)
    assert [row[4] for row in values_of(made)] == [
        None,
        None,
        "Citation",
        said["45"],
        said["A.2"],
        None,
        None,
    ]
    sheet = load_workbook(io.BytesIO(made))["Questions"]
    assert {sheet.cell(row, 5).data_type for row in (3, 4, 5)} <= {"s", "inlineStr"}
    assert sheet.dimensions == "A1:E7"


def test_a_wording_cannot_make_a_formula_of_a_workbooks_cell(service: Service) -> None:
    document = a_cited_document(service)
    service.sealmark.documents.change(
        OPERATOR, document.id, citation="=<f>1+1</f> & {kind} {period} {address}"
    )
    found = service.sealmark.questionnaires.cite(document.id, "xlsx", xlsx_of(QUESTIONS), ANY)
    cell = load_workbook(io.BytesIO(found.content))["Questions"]["E4"]
    raw = parts_of(found.content)["xl/worksheets/sheet1.xml"]
    assert b'<c r="E4" t="inlineStr"><is><t xml:space="preserve">=&lt;f&gt;1+1&lt;/f&gt; &amp; SOC 2' in raw
    assert cell.value.startswith("=<f>1+1</f> & SOC 2 Type II report")


def _everything(book: Workbook) -> None:
    """What people put into questionnaires beside questions."""
    sheet = book["Questions"]
    choice = DataValidation(type="list", formula1='"yes,no"')
    choice.add("D4:D7")
    sheet.add_data_validation(choice)
    sheet["C4"].alignment = Alignment(wrap_text=True)
    sheet["D7"] = "=COUNTA(D4:D6)"
    sheet["A4"].hyperlink = "https://acme.example/45"
    sheet.merge_cells("A1:D1")
    sheet.column_dimensions["B"].width = 60
    other = book.create_sheet("Instructions")
    other["B2"] = "Answer in full."
    other["B3"] = "=1+1"
    book.create_sheet("Hidden").sheet_state = "hidden"


def test_every_other_byte_of_a_workbook_stays_what_it_is(service: Service) -> None:
    given = with_parts(xlsx_of(QUESTIONS, more=_everything), {"xl/media/image1.png": b"\x89PNG a picture"})
    document = a_cited_document(service)
    made = service.sealmark.questionnaires.cite(document.id, "xlsx", given, ANY).content
    before, after = parts_of(given), parts_of(made)
    assert list(after) == list(before)
    questions = "xl/worksheets/sheet1.xml"
    assert [name for name in before if after[name] != before[name]] == [questions]
    assert [row[:4] for row in values_of(made)] == [tuple(row[:4]) for row in values_of(given)]
    assert b"<f>COUNTA(D4:D6)</f>" in after[questions]
    for part in (b"<dataValidation ", b"<hyperlink ", b"<mergeCell ", b"<cols>"):
        assert after[questions].count(part) == before[questions].count(part) > 0
    sheet = load_workbook(io.BytesIO(made))["Questions"]
    assert sheet["E4"].alignment.wrap_text
    new = after[questions].replace(b'ref="A1:E7"', b'ref="A1:D7"')
    for row in (3, 4, 5):
        start = new.index(b'<c r="E%d"' % row)
        new = new[:start] + new[new.index(b"</c>", start) + 4 :]
    assert new == before[questions]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_questionnaire_that_is_cited_again_says_the_same_once(service: Service, form: Form) -> None:
    document = a_cited_document(service)
    cite = service.sealmark.questionnaires.cite
    given = csv_of(QUESTIONS) if form == "csv" else xlsx_of(QUESTIONS)
    once = cite(document.id, form, given, ANY).content
    twice = cite(document.id, form, once, ANY).content
    assert twice == once


def test_citations_go_into_the_column_of_that_name_wherever_it_stands(service: Service) -> None:
    rows = [["No.", "Citation", "TSC", "Notes"], [45, "old", "CC6.1", "kept"], [46, "theirs", None, "kept"]]
    made = values_of(cited(service, "xlsx", xlsx_of(rows)))
    assert made[0] == ("No.", "Citation", "TSC", "Notes")
    assert made[1] == (45, sentences(service)["45"], "CC6.1", "kept")
    assert made[2] == (46, "theirs", None, "kept")


def items_in(made: bytes) -> list[str]:
    """As which item each question of a workbook is cited."""
    sheet = load_workbook(io.BytesIO(made))["Questions"]
    sentences_below = [row[-1] for row in sheet.iter_rows(min_row=2, values_only=True)]
    return [str(one).partition("for item ")[2].partition(":")[0] for one in sentences_below]


def in_formats(*codes: str) -> Callable[[Workbook], None]:
    """Gives the items below the header these formats."""

    def more(book: Workbook) -> None:
        for row, code in enumerate(codes, 2):
            book["Questions"].cell(row, 1).number_format = code

    return more


def test_an_item_is_cited_as_the_sheet_shows_it(service: Service) -> None:
    rows = [["No.", "TSC"], [1.1, "CC6.1"], [1.1, "CC7.2"], [7, "CC6.1"], [12, "CC6.1"], ["1.10", "CC6.1"]]
    formats = in_formats("0.0", "0.00", "000", "General", "0.0")
    document = a_cited_document(service)
    made = service.sealmark.questionnaires.cite(document.id, "xlsx", xlsx_of(rows, more=formats), ANY)
    assert items_in(made.content) == ["1.1", "1.10", "007", "12", "1.10"]


def test_an_item_of_a_filled_series_has_no_digits_that_nobody_sees(service: Service) -> None:
    """1.1 + 0.1 + 0.1 is stored with 17 digits and shown as 1.3."""
    rows = [["No.", "TSC"], [1.1 + 0.1 + 0.1, "CC6.1"]]
    assert items_in(cited(service, "xlsx", xlsx_of(rows))) == ["1.3"]


@pytest.mark.parametrize(
    "code", ["d. mmm", '"Q"0', "0%", "#,##0", "# ?/?", "[h]:mm", '"$"#,##0_);("$"#,##0)', "0;(0)"]
)
def test_an_item_in_a_format_that_is_not_known_is_refused_with_its_cell(service: Service, code: str) -> None:
    rows = [["No.", "TSC"], [44, None], [45, "CC6.1"], [46, "CC6.1"]]
    error = refused(service, "xlsx", xlsx_of(rows, more=in_formats(code, "0", code)))
    assert error.fields["where"] == "item_column"
    assert "Questions!A4 is shown in a way that is not known here" in error.detail


def test_an_item_in_a_format_that_each_language_reads_otherwise_is_refused(service: Service) -> None:
    """The built-in format 30 has no code: a date in East Asia, a number elsewhere."""
    given = xlsx_of([["No.", "TSC"], [45, "CC6.1"]], more=in_formats("0.000"))
    styles = parts_of(given)["xl/styles.xml"]
    renumbered = re.sub(rb'<xf numFmtId="164"', b'<xf numFmtId="30"', styles)
    assert renumbered != styles
    error = refused(service, "xlsx", with_parts(given, {"xl/styles.xml": renumbered}))
    assert "Questions!A2 is shown in a way" in error.detail


def test_the_formats_of_other_columns_do_not_matter(service: Service) -> None:
    def more(book: Workbook) -> None:
        book["Questions"]["C2"] = date(2026, 1, 1)

    rows = [["No.", "TSC", "Answered"], [45, "CC6.1", None]]
    made = values_of(cited(service, "xlsx", xlsx_of(rows, more=more)))
    assert made[1][3] == sentences(service)["45"]


def test_new_citations_stand_right_of_merged_and_hidden_columns(service: Service) -> None:
    def more(book: Workbook) -> None:
        sheet = book["Questions"]
        for cells in ("A1:XFD1", "D3:E3", "D4:E4", "D5:F5", "A6:XFD6"):
            sheet.merge_cells(cells)
        sheet.column_dimensions["G"].hidden = True

    document = a_cited_document(service)
    made = service.sealmark.questionnaires.cite(document.id, "xlsx", xlsx_of(QUESTIONS, more=more), ANY)
    said = sentences(service)
    rows = values_of(made.content)
    assert [row[7] for row in rows[2:5]] == ["Citation", said["45"], said["A.2"]]
    assert [row[4:7] for row in rows[2:5]] == [(None, None, None)] * 3


def test_a_sheet_with_no_column_left_that_is_shown_is_refused(service: Service) -> None:
    given = xlsx_of([["No.", "TSC"], [45, "CC6.1"]])
    sheet = parts_of(given)["xl/worksheets/sheet1.xml"]
    for width in (b'hidden="1"', b'hidden="true"', b'width="0" customWidth="1"'):
        hidden = sheet.replace(
            b"<sheetData>", b'<cols><col min="3" max="16384" ' + width + b"/></cols><sheetData>"
        )
        error = refused(service, "xlsx", with_parts(given, {"xl/worksheets/sheet1.xml": hidden}))
        assert "Sheet “Questions” has no column left for citations" in error.detail


CITED = [["No.", "TSC", "Note", "Citation", None], [45, "CC6.1"], [46, None], ["A.2", "CC6.2, CC7.2"]]


def test_a_column_of_citations_that_is_merged_cells_is_filled_in_their_first(service: Service) -> None:
    def more(book: Workbook) -> None:
        for cells in ("D1:E1", "D2:E3", "D4:E4"):
            book["Questions"].merge_cells(cells)

    made = values_of(cited(service, "xlsx", xlsx_of(CITED, more=more)))
    said = sentences(service)
    assert [row[3] for row in made] == ["Citation", said["45"], None, said["A.2"]]


@pytest.mark.parametrize("cells", ["C4:D4", "D3:D4", "D2:D4", "hidden"])
def test_a_column_of_citations_that_would_not_be_seen_is_refused(service: Service, cells: str) -> None:
    def more(book: Workbook) -> None:
        if cells == "hidden":
            book["Questions"].column_dimensions["D"].hidden = True
        else:
            book["Questions"].merge_cells(cells)

    error = refused(service, "xlsx", xlsx_of(CITED, more=more))
    assert "below Questions!D1 would not be seen" in error.detail


def test_every_sheet_with_criteria_is_cited_and_no_other(service: Service) -> None:
    def more(book: Workbook) -> None:
        sheet = book.create_sheet("More")
        for row in (["Ref", "Criteria"], ["45", "CC6.1"]):
            sheet.append(row)
        book.create_sheet("Plain").append(["No.", "Text"])

    given = xlsx_of(QUESTIONS, more=more)
    made = cited(service, "xlsx", given)
    assert values_of(made, "More") == [
        ("Ref", "Criteria", "Citation"),
        ("45", "CC6.1", sentences(service)["45"]),
    ]
    assert values_of(made, "Plain") == values_of(given, "Plain")


def test_a_sheet_that_only_rates_answers_is_no_questionnaire_and_one_sheet_may_be_named(
    service: Service,
) -> None:
    def more(book: Workbook) -> None:
        rows = {
            "Rating": (["Rating", "Criteria"], ["good", "All of it is there."]),
            "Second": (["No.", "TSC"], [1, "ISO A.5.1"]),
        }
        for name, both in rows.items():
            sheet = book.create_sheet(name)
            for row in both:
                sheet.append(row)

    given = xlsx_of(QUESTIONS, more=more)
    made = cited(service, "xlsx", given, Columns(sheet="Questions"))
    assert values_of(made)[3][4] == sentences(service)["45"]
    assert values_of(made, "Second") == values_of(given, "Second")
    assert values_of(made, "Rating") == values_of(given, "Rating")
    assert "ISO A.5.1 (Second!B2)" in refused(service, "xlsx", given).detail
    assert refused(service, "xlsx", given, Columns(sheet="Third")).fields["where"] == "sheet"


def test_the_caller_names_columns_with_unusual_headers(service: Service) -> None:
    rows = [["Kennung", "Frage", "Kriterien"], ["45", "Zugriff?", "CC6.1"]]
    assert refused(service, "csv", csv_of(rows)).fields["where"] == "criteria_column"
    made = rows_of(cited(service, "csv", csv_of(rows), Columns("kennung", "Kriterien")))
    assert made[1][3].count("item 45") == 1
    assert "item" not in rows_of(cited(service, "csv", csv_of(rows), Columns(None, "Kriterien")))[1][3]
    error = refused(service, "csv", csv_of(rows), Columns("Nummer", "Kriterien"))
    assert "“Nummer” and “Kriterien”" in error.detail


def test_two_columns_of_one_header_are_refused_with_their_places(service: Service) -> None:
    error = refused(service, "xlsx", xlsx_of([["TSC", "No.", "TSC"], ["CC6.1", 1, "CC6.2"]]))
    assert "Questions!A1 and Questions!C1" in error.detail


def test_unknown_criteria_are_refused_with_their_cells_and_nothing_is_answered(service: Service) -> None:
    rows = [["No.", "TSC"], [1, "CC6.1"], [2, "CC9.9"], [3, "CC6.1, P1.1"]]
    for form, content in (("csv", csv_of(rows)), ("xlsx", xlsx_of(rows))):
        error = refused(service, form, content)
        assert (error.problem, error.fields["where"]) == (Problem.INVALID, "criteria")
        place = "Questions!" if form == "xlsx" else ""
        assert f"CC9.9 ({place}B3), P1.1 ({place}B4)" in error.detail


def test_what_is_no_item_is_refused_with_its_cell(service: Service) -> None:
    error = refused(service, "csv", csv_of([["Item", "TSC"], ["x" * 61, "CC6.1"]]))
    assert error.fields["where"] == "item_column"
    assert "A2 is no item" in error.detail


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("Nr;Kriterium;ü".encode("latin-1"), "not-utf-8"),
        (b"No.,TSC\r\n1,\0", "not-utf-8"),
        (b'No.,TSC\r\n1,"CC6.1', "damaged"),
        (b"No.,TSC" + b"," * MAX_COLUMNS, "too-many-columns"),
        (b"No.,TSC\n" + b"1,\n" * MAX_ROWS, "too-many-rows"),
        (b"No.,TSC\n1," + b"x" * 200_000, "damaged"),
    ],
    ids=["latin-1", "NUL", "open quote", "columns", "rows", "long cell"],
)
def test_a_csv_file_that_cannot_be_is_refused_with_the_reason(
    service: Service, content: bytes, reason: str
) -> None:
    error = refused(service, "csv", content)
    assert (error.problem, error.fields["reason"]) == (Problem.FILE_REFUSED, reason)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_one_byte_too_many_is_too_large(service: Service, form: Form) -> None:
    assert refused(service, form, b"x" * (MAX_BYTES + 1)).problem == Problem.TOO_LARGE


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_empty_file_is_refused(service: Service, form: Form) -> None:
    assert refused(service, form, b"").problem in {Problem.INVALID, Problem.FILE_REFUSED}


def test_texts_that_cells_share_are_understood_and_stay_shared(service: Service) -> None:
    strings = ["No.", "TSC", "CC6.1"]
    sheet = (
        '<row r="1" spans="1:2"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
        '<row r="2" spans="1:2"><c r="A2"><v>45.0</v></c><c r="B2" t="s"><v>2</v></c></row>'
    )
    given = with_shared_strings(xlsx_of([["x"]]), strings, sheet)
    made = cited(service, "xlsx", given)
    assert values_of(made) == [("No.", "TSC", "Citation"), (45, "CC6.1", sentences(service)["45"])]
    assert parts_of(made)["xl/sharedStrings.xml"] == parts_of(given)["xl/sharedStrings.xml"]


def test_rows_without_places_and_a_prefix_for_names_are_understood(service: Service) -> None:
    given = xlsx_of([["No.", "TSC"], [45, "CC6.1"]])
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    text = '<x:c t="inlineStr"><x:is><x:t>{}</x:t></x:is></x:c>'
    sheet = (
        f'<x:worksheet xmlns:x="{main}"><x:dimension ref="A1:B2"></x:dimension><x:sheetData>'
        f'<x:row>{text.format("No.")}{text.format("TSC")}<x:c a="&gt;>"/></x:row>'
        f"<x:row><x:c><x:v>45</x:v></x:c>{text.format('CC6.1')}<x:c/><x:c s='0'/></x:row><x:row/>"
        "</x:sheetData></x:worksheet>"
    )
    made = cited(service, "xlsx", with_parts(given, {"xl/worksheets/sheet1.xml": sheet.encode()}))
    assert [row[:3] for row in values_of(made)] == [
        ("No.", "TSC", "Citation"),
        (45, "CC6.1", sentences(service)["45"]),
    ]


def test_what_a_sheet_holds_beside_its_cells_changes_nothing(service: Service) -> None:
    """Widths, a declaration, a picture, and rows that an extension keeps for itself."""
    given = xlsx_of(
        [["No.", "TSC", "Citation", "Answer"], [45, "CC6.1", None, True], [True, "n/a", None, "no"]]
    )
    sheet = parts_of(given)["xl/worksheets/sheet1.xml"]
    sheet = b'<?xml version="1.0" encoding="UTF-8"?>' + sheet[sheet.index(b"<worksheet") :]
    sheet = sheet.replace(b"<sheetData>", b'<cols><col min="1" max="2" width="30"/></cols><sheetData>')
    sheet = sheet.replace(
        b"</worksheet>",
        b"<extLst><ext uri='{x}' xmlns:x='urn:x'><x:row><x:c><x:v>1</x:v></x:c></x:row></ext></extLst></worksheet>",
    )
    picture = b"\x89PNG not looked at"
    given = with_parts(given, {"xl/worksheets/sheet1.xml": sheet, "xl/media/image1.png": picture})
    made = cited(service, "xlsx", given)
    assert values_of(made) == [
        ("No.", "TSC", "Citation", "Answer"),
        (45, "CC6.1", sentences(service)["45"], True),
        (True, "n/a", None, "no"),
    ]
    assert parts_of(made)["xl/media/image1.png"] == picture
    assert (
        b"<extLst><ext uri='{x}' xmlns:x='urn:x'><x:row><x:c><x:v>1</x:v></x:c></x:row></ext></extLst>"
        in parts_of(made)["xl/worksheets/sheet1.xml"]
    )
