"""A report that is cited, and questionnaires that ask for it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openpyxl import Workbook, load_workbook

from service import sheets
from service.records import Document, Kind
from tests.service.acting import a_document, a_version
from tests.service_fixture import URL, Service

FACTS: dict[str, Any] = {
    "period_start": "2025-01-01",
    "period_end": "2025-12-31",
    "controls": [
        {"id": "AC-01", "criteria": ["CC6.1", "CC6.2"], "pages": [12, 13, 14]},
        {"id": "AC-02", "criteria": ["CC6.1"], "pages": [20]},
        {"id": "OP-07", "criteria": ["CC7.2"], "pages": [31]},
    ],
    "exceptions": [
        {
            "control": "OP-07",
            "criterion": "CC7.3",
            "deviation": "Two of 25 alerts were not looked at.",
            "remediated": True,
            "pages": [33],
        }
    ],
}

QUESTIONS: list[list[Any]] = [
    ["Vendor questionnaire of Acme"],
    [],
    ["No.", "Question", "TSC", "Answer"],
    [45, "Is access restricted?", "CC6.1", None],
    ["A.2", "Is it reviewed, and are alerts looked at?", "cc6.2; CC7.2", "yes"],
    [47, "Do you have a dog?", "n/a", None],
    [48, "Do you like it?", None, None],
]


def a_cited_document(service: Service, **changes: Any) -> Document:
    """A SOC 2 Type II report that is ready, with controls and an exception."""
    document = a_document(service, **changes)
    facts = (
        {**FACTS, "period_start": None, "period_end": None} if changes.get("kind") == Kind.OTHER else FACTS
    )
    version = a_version(service, document, **facts)
    assert version.state == "ready", version
    return document


def in_this_process(task: str, content: bytes, parameters: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """What the child would answer, for tests whose subject is not its confinement; as JSON would bring it."""
    chosen = sheets.read_task if task == "read" else sheets.write_task
    facts, payload = chosen(content, json.loads(json.dumps(parameters)))
    return json.loads(json.dumps(facts)), payload


def address(document: Document) -> str:
    """The address that lasts."""
    return f"{URL}/r/{document.id}"


def csv_of(rows: Sequence[Sequence[Any]], between: str = ",") -> bytes:
    """The rows as CSV; no cell of them needs quotes but those with the delimiter."""
    lines = []
    for row in rows:
        cells = ["" if cell is None else str(cell) for cell in row]
        lines.append(between.join(f'"{cell}"' if between in cell else cell for cell in cells))
    return ("\r\n".join(lines) + "\r\n").encode()


def xlsx_of(rows: Sequence[Sequence[Any]], *, more: Callable[[Workbook], None] | None = None) -> bytes:
    """The rows as a workbook; `more` adds to it."""
    book = Workbook()
    sheet = book.active
    sheet.title = "Questions"
    for row in rows:
        sheet.append(list(row))
    if more:
        more(book)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def values_of(data: bytes, sheet: str = "Questions") -> list[tuple[Any, ...]]:
    """What a workbook's sheet holds."""
    return list(load_workbook(io.BytesIO(data))[sheet].values)


def parts_of(data: bytes) -> dict[str, bytes]:
    """The parts of a workbook by name."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_parts(data: bytes, parts: Mapping[str, bytes], level: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The workbook with these parts, in place of its own where there are such."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", level) as archive:
        for name, content in {**parts_of(data), **parts}.items():
            archive.writestr(name, content)
    return made.getvalue()


def with_shared_strings(data: bytes, strings: Sequence[str], sheet: str) -> bytes:
    """The workbook with this sheet, whose cells share these texts, as spreadsheet programs store them."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    shared = "".join(f"<si><t>{text}</t></si>" for text in strings)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    types = parts_of(data)["[Content_Types].xml"].decode()
    override = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    return with_parts(
        data,
        {
            "[Content_Types].xml": types.replace("</Types>", override).encode(),
            "xl/sharedStrings.xml": f'<sst xmlns="{main}">{shared}</sst>'.encode(),
            "xl/worksheets/sheet1.xml": (
                f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>'.encode()
            ),
        },
    )
