"""A report that is cited, and questionnaires that ask for it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openpyxl import Workbook, load_workbook

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
