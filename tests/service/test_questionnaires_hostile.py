"""Hostile workbooks: refused with the reason, by a child that could do nothing else; this process parses none."""

from __future__ import annotations

import io
import subprocess
import sys
import time
import zipfile

import pytest
from openpyxl import Workbook

from service.adapters import confined_sheets
from service.errors import DomainError, Problem
from service.questionnaires import Questionnaires
from service.questions import Columns
from service.workbooks import MAX_CELLS, MAX_INFLATED, MAX_PARTS, MAX_ROWS, WorkbookRefusal
from tests.service.citing_cases import (
    QUESTIONS,
    a_cited_document,
    in_this_process,
    parts_of,
    with_parts,
    with_shared_strings,
    xlsx_of,
)
from tests.service_fixture import Service
from watermark.errors import SandboxUnavailable

GOOD = xlsx_of(QUESTIONS)
SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def refused(service: Service, content: bytes) -> DomainError:
    """Why it is refused."""
    document = a_cited_document(service)
    with pytest.raises(DomainError) as caught:
        service.sealmark.questionnaires.cite(document.id, "xlsx", content, Columns())
    return caught.value


def a_sheet(rows: str, more: str = "") -> bytes:
    """The workbook with these rows in its only sheet, and more behind them."""
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData>{more}</worksheet>'
    return with_parts(GOOD, {SHEET: sheet.encode()})


def a_relation(kind: str, target: str) -> bytes:
    """The workbook whose sheet leads somewhere else."""
    text = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r" Type="{RELATIONS}/{kind}" Target="{target}" TargetMode="External"/></Relationships>'
    )
    return with_parts(GOOD, {"xl/worksheets/_rels/sheet1.xml.rels": text.encode()})


def an_encrypted_one() -> bytes:
    """Its parts claim to be encrypted."""
    made = bytearray(GOOD)
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = -1
        while (start := made.find(signature, start + 1)) >= 0:
            made[start + at] |= 1
    return bytes(made)


def one_that_repeats_a_part() -> bytes:
    made = io.BytesIO(GOOD)
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr(SHEET.upper(), b"<worksheet/>")
    return made.getvalue()


def laughs() -> bytes:
    """A billion laughs."""
    lines = ['<!ENTITY a "ha">'] + [
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    sheet = f"<!DOCTYPE x [{''.join(lines)}]><worksheet><sheetData>&i;</sheetData></worksheet>"
    return with_parts(GOOD, {SHEET: sheet.encode()})


def shared_text() -> bytes:
    """A text of 32,000 characters that 2,000 cells share."""
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 2001))
    return with_shared_strings(GOOD, ["x" * 32_000], cells)


HOSTILE = {
    "no zip": (b"PK nothing", WorkbookRefusal.NOT_A_WORKBOOK),
    "a zip of something": (with_parts(GOOD, {})[:-30], WorkbookRefusal.NOT_A_WORKBOOK),
    "a zip without a workbook": (
        with_parts(b"PK\x05\x06" + b"\0" * 18, {"word/document.xml": b"<x/>"}),
        WorkbookRefusal.NOT_A_WORKBOOK,
    ),
    "a pdf": (b"%PDF-1.7 a report", WorkbookRefusal.NOT_A_WORKBOOK),
    "an old or encrypted workbook": (b"\xd0\xcf\x11\xe0" + b"\0" * 600, WorkbookRefusal.NEEDS_PASSWORD),
    "encrypted parts": (an_encrypted_one(), WorkbookRefusal.DAMAGED),
    "a part twice": (one_that_repeats_a_part(), WorkbookRefusal.DAMAGED),
    "broken XML": (with_parts(GOOD, {SHEET: b"<worksheet><sheetData>"}), WorkbookRefusal.DAMAGED),
    "XML in UTF-16": (with_parts(GOOD, {SHEET: "<worksheet/>".encode("utf-16")}), WorkbookRefusal.DAMAGED),
    "XML in an encoding of old": (
        with_parts(GOOD, {SHEET: b'<?xml version="1.0" encoding="ISO-8859-1"?><worksheet/>'}),
        WorkbookRefusal.DAMAGED,
    ),
    "cells out of order": (
        a_sheet('<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row>'),
        WorkbookRefusal.DAMAGED,
    ),
    "rows out of order": (a_sheet('<row r="2"/><row r="1"/>'), WorkbookRefusal.DAMAGED),
    "a cell of another row": (a_sheet('<row r="2"><c r="A3"><v>1</v></c></row>'), WorkbookRefusal.DAMAGED),
    "a cell that cannot be": (a_sheet('<row r="2"><c r="A0"><v>1</v></c></row>'), WorkbookRefusal.DAMAGED),
    "a zip bomb": (
        with_parts(GOOD, {"xl/media/image1.png": b"\0" * (MAX_INFLATED + 1)}),
        WorkbookRefusal.TOO_LARGE_UNPACKED,
    ),
    "too many parts": (
        with_parts(GOOD, {f"xl/media/{n}.png": b"" for n in range(MAX_PARTS)}),
        WorkbookRefusal.TOO_MANY_PARTS,
    ),
    "a billion laughs": (laughs(), WorkbookRefusal.DOCUMENT_TYPE),
    "one row too many": (
        a_sheet(f'<row r="{MAX_ROWS + 1}"><c r="A{MAX_ROWS + 1}"><v>1</v></c></row>'),
        WorkbookRefusal.TOO_MANY_ROWS,
    ),
    "the last column of all": (
        a_sheet('<row r="1"><c r="XFD1"><v>1</v></c></row>'),
        WorkbookRefusal.TOO_MANY_COLUMNS,
    ),
    "too many cells": (
        a_sheet("".join(f"<row>{'<c/>' * 200}</row>" for _ in range(MAX_CELLS // 200 + 1))),
        WorkbookRefusal.TOO_MANY_CELLS,
    ),
    "too many merged cells": (
        a_sheet("", "<mergeCells>" + '<mergeCell ref="A1:B1"/>' * (MAX_CELLS + 1) + "</mergeCells>"),
        WorkbookRefusal.TOO_MANY_CELLS,
    ),
    "merged cells that cannot be": (
        a_sheet("", '<mergeCells><mergeCell ref="A0:B1"/></mergeCells>'),
        WorkbookRefusal.DAMAGED,
    ),
    "a text that many cells share": (shared_text(), WorkbookRefusal.TOO_MUCH_TEXT),
    "macros": (with_parts(GOOD, {"xl/vbaProject.bin": b"macros"}), WorkbookRefusal.ACTIVE_CONTENT),
    "a workbook that is said to hold macros": (
        with_parts(
            GOOD,
            {
                "[Content_Types].xml": parts_of(GOOD)["[Content_Types].xml"].replace(
                    b"spreadsheetml.sheet.main", b"vnd.ms-excel.sheet.macroEnabled.main"
                )
            },
        ),
        WorkbookRefusal.ACTIVE_CONTENT,
    ),
    "an embedded file": (with_parts(GOOD, {"xl/embeddings/x.bin": b"x"}), WorkbookRefusal.ACTIVE_CONTENT),
    "a data connection": (with_parts(GOOD, {"xl/connections.xml": b"<x/>"}), WorkbookRefusal.ACTIVE_CONTENT),
    "a link to another workbook": (
        with_parts(GOOD, {"xl/externalLinks/externalLink1.xml": b"<externalLink/>"}),
        WorkbookRefusal.EXTERNAL_LINK,
    ),
    "a picture from elsewhere": (
        a_relation("image", "https://evil.example/x.png"),
        WorkbookRefusal.EXTERNAL_LINK,
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_workbook_is_refused_with_the_reason(service: Service, name: str) -> None:
    content, reason = HOSTILE[name]
    document = a_cited_document(service)
    with pytest.raises(DomainError) as caught:
        Questionnaires(service.sealmark.citations, in_this_process).cite(
            document.id, "xlsx", content, Columns()
        )
    assert (caught.value.problem, caught.value.fields["reason"]) == (Problem.FILE_REFUSED, reason)


@pytest.mark.parametrize("name", ["no zip", "a zip bomb", "a billion laughs", "a text that many cells share"])
def test_the_child_refuses_it_as_well(service: Service, name: str) -> None:
    content, reason = HOSTILE[name]
    assert refused(service, content).fields["reason"] == reason


@pytest.mark.parametrize(
    "name", [name for name, (_, why) in HOSTILE.items() if why != WorkbookRefusal.TOO_MUCH_TEXT]
)
def test_it_is_refused_when_it_is_to_be_written_too(name: str) -> None:
    content, reason = HOSTILE[name]
    sheet = {"part": SHEET, "column": 5, "like": 3, "texts": {"3": "Citation"}}
    facts, payload = in_this_process("write", content, {"sheets": [sheet]})
    assert payload == b""
    assert facts["refused"] == reason


def test_a_place_that_is_not_in_the_workbook_is_refused() -> None:
    empty = a_sheet('<row r="1"><c r="A1"><v>1</v></c></row><row r="2"/>')
    for content, part, row in (
        (GOOD, SHEET, "6000"),
        (GOOD, "xl/worksheets/sheet9.xml", "3"),
        (GOOD, "xl/styles.xml", "3"),
        (empty, SHEET, "2"),
    ):
        sheet = {"part": part, "column": 5, "like": 3, "texts": {row: "Citation"}}
        facts, _ = in_this_process("write", content, {"sheets": [sheet]})
        assert facts["refused"] == WorkbookRefusal.DAMAGED


def test_an_ordinary_link_is_none_of_those(service: Service) -> None:
    document = a_cited_document(service)
    linked = a_relation("hyperlink", "https://acme.example/")
    assert service.sealmark.questionnaires.cite(document.id, "xlsx", linked, Columns()).cited == 2


@pytest.mark.parametrize("column", ["A", "C"])
def test_a_formula_is_refused_where_it_would_have_to_be_computed(service: Service, column: str) -> None:
    def more(book: Workbook) -> None:
        book["Questions"][f"{column}5"] = '=WEBSERVICE("https://evil.example/")'

    error = refused(service, xlsx_of(QUESTIONS, more=more))
    assert error.problem == Problem.INVALID
    assert f"Questions!{column}5 holds a formula" in error.detail


def test_a_sheet_that_lies_about_its_size_costs_nothing(service: Service) -> None:
    document = a_cited_document(service)
    sheet = parts_of(GOOD)[SHEET].replace(b'ref="A1:D7"', b'ref="A1:XFD1048576"')
    began = time.monotonic()
    found = service.sealmark.questionnaires.cite(
        document.id, "xlsx", with_parts(GOOD, {SHEET: sheet}), Columns()
    )
    assert found.cited == 2
    assert time.monotonic() - began < 10
    assert b'ref="A1:E7"' in parts_of(found.content)[SHEET]


def test_empty_rows_with_a_format_far_below_are_no_reason_to_refuse(service: Service) -> None:
    document = a_cited_document(service)
    sheet = parts_of(GOOD)[SHEET].replace(b"</sheetData>", b'<row r="1048576" ht="9"/></sheetData>')
    found = service.sealmark.questionnaires.cite(
        document.id, "xlsx", with_parts(GOOD, {SHEET: sheet}), Columns()
    )
    assert b'<row r="1048576" ht="9"/></sheetData>' in parts_of(found.content)[SHEET]


def test_the_largest_sheet_is_read_and_written_within_the_childs_time(service: Service) -> None:
    document = a_cited_document(service)
    text = '<c r="{}{}" t="inlineStr"><is><t>{}</t></is></c>'
    rows = [f'<row r="1">{text.format("A", 1, "No.")}{text.format("B", 1, "TSC")}</row>']
    rows += [
        f'<row r="{n}">{text.format("A", n, n)}{text.format("B", n, "CC6.1")}</row>'
        for n in range(2, MAX_ROWS + 1)
    ]
    began = time.monotonic()
    found = service.sealmark.questionnaires.cite(document.id, "xlsx", a_sheet("".join(rows)), Columns())
    assert found.cited == MAX_ROWS - 1
    assert time.monotonic() - began < confined_sheets.CHILD_SECONDS


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]x",
        b"[1]",
        b'[{"name": "a", "part": "b"}]',
        b'[{"name": "a", "part": "b", "rows": [[1, [[1]]]], "merged": [], "hidden": []}]',
        b'[{"name": "a", "part": "b", "rows": [], "merged": [[1, 2]], "hidden": []}]',
        b'[{"name": "a", "part": "b", "rows": [], "merged": [], "hidden": ["x"]}]',
    ],
)
def test_what_a_child_answers_that_was_taken_over_is_refused(service: Service, payload: bytes) -> None:
    document = a_cited_document(service)
    questionnaires = Questionnaires(service.sealmark.citations, lambda task, content, given: ({}, payload))
    with pytest.raises(DomainError) as caught:
        questionnaires.cite(document.id, "xlsx", GOOD, Columns())
    assert caught.value.fields["reason"] == WorkbookRefusal.DAMAGED


def test_merged_cells_beyond_all_numbers_of_a_child_that_was_taken_over_cost_nothing(
    service: Service,
) -> None:
    _, payload = in_this_process("read", GOOD, {})
    far = payload.replace(b'"merged": []', b'"merged": [[1, -%d, 9, %d]]' % (10**15, 10**15))
    assert far != payload
    document = a_cited_document(service)
    questionnaires = Questionnaires(service.sealmark.citations, lambda task, content, given: ({}, far))
    with pytest.raises(DomainError) as caught:
        questionnaires.cite(document.id, "xlsx", GOOD, Columns())
    assert caught.value.problem == Problem.INVALID


def test_a_place_that_the_child_names_is_cut_and_holds_nothing_that_a_terminal_obeys(
    service: Service,
) -> None:
    document = a_cited_document(service)
    facts = {"refused": "external-link", "where": "\x1b[31m" + "x" * 500}
    questionnaires = Questionnaires(service.sealmark.citations, lambda task, content, given: (facts, b""))
    with pytest.raises(DomainError) as caught:
        questionnaires.cite(document.id, "xlsx", GOOD, Columns())
    assert "\x1b" not in caught.value.detail
    assert len(caught.value.detail) < 300


def test_where_no_child_can_be_confined_workbooks_are_not_read_and_csv_is(service: Service) -> None:
    def away(task: str, content: bytes, given: object) -> tuple[dict[str, object], bytes]:
        raise SandboxUnavailable("no filter")

    document = a_cited_document(service)
    questionnaires = Questionnaires(service.sealmark.citations, away)
    with pytest.raises(DomainError) as caught:
        questionnaires.cite(document.id, "xlsx", GOOD, Columns())
    assert caught.value.problem == Problem.UNAVAILABLE
    assert questionnaires.cite(document.id, "csv", b"No.,TSC\n1,CC6.1\n", Columns()).cited == 1


def test_the_process_of_the_web_loads_no_reader_of_workbooks() -> None:
    program = "import service.web.application, service.cli, sys; print('openpyxl' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_calls_wait_for_each_other_and_not_for_ever(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confined_sheets, "PATIENCE", 0.01)
    sheets = confined_sheets.ConfinedSheets(False)
    with sheets._free, pytest.raises(DomainError) as caught:
        sheets("read", GOOD, {})
    assert caught.value.problem == Problem.BUSY
    assert sheets("read", GOOD, {})[1]
