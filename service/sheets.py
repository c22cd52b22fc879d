"""Reads questionnaires in XLSX, and puts citations into them. Runs in the confined child only (`watermark.sandbox`).

Nothing of a workbook is computed or followed: formulas are told from values, links are not opened. Each task answers
with facts, and with a payload that `service.questionnaires` reads: the tables as JSON, or the workbook.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from openpyxl import load_workbook
from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

from service import sheetcells
from service.numberformats import shown
from service.workbooks import MAX_INFLATED, MAX_PARTS, MAX_TEXT, WorkbookRefusal, WorkbookRefused

Answer = tuple[dict[str, Any], bytes]

_OLE = b"\xd0\xcf\x11\xe0"  # an old .xls, or a workbook that is encrypted
_ENCRYPTED = 0x1  # a flag of zip
_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})  # what OPC allows

_ACTIVE = re.compile(
    r"(?i)(.*/)?(vbaproject.*|macrosheets/.*|activex/.*|ctrlprops/.*|embeddings/.*|connections\.xml|querytables/.*"
    r"|customui/.*|webextensions/.*|volatiledependencies\.xml)"
)
_LINKED = re.compile(r"(?i)(.*/)?externallinks/.*")
_XML = re.compile(r"(?i).*\.(xml|rels|vml)")
_RELATION = re.compile(rb"<(?:[\w.-]+:)?Relationship\b[^>]*>")
_OUTWARD = re.compile(rb"TargetMode\s*=\s*[\"']External[\"']")
_HYPERLINK = re.compile(rb"Type\s*=\s*[\"'][^\"']*/hyperlink[\"']")


def read_task(data: bytes, parameters: dict[str, Any]) -> Answer:
    """The tables of a workbook: for each sheet its name, part, and cells `[row, [[column, text, formula, shown], …]]`,
    where `shown` is whether people see that text; its merged cells `[top, left, bottom, right]`, and hidden columns.
    """
    return _answered(lambda: ({}, json.dumps(_tables(data)).encode()))


def write_task(data: bytes, parameters: dict[str, Any]) -> Answer:
    """The workbook with `parameters["sheets"]` written: for each a part, a column, a column it looks like, texts."""
    return _answered(lambda: ({}, _written(data, parameters["sheets"])))


def _answered(work: Callable[[], Answer]) -> Answer:
    try:
        return work()
    except WorkbookRefused as refused:
        return {"refused": str(refused.reason), "where": refused.where}, b""
    except MemoryError:
        return {"refused": str(WorkbookRefusal.TOO_COSTLY), "where": ""}, b""
    except (
        Exception
    ):  # whatever a parser makes of hostile bytes: the file is to blame, and nothing of it is told
        return {"refused": str(WorkbookRefusal.DAMAGED), "where": ""}, b""


def _tables(data: bytes) -> list[dict[str, Any]]:
    with _opened(data) as archive:
        _check_parts(archive)
    book = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
    left = MAX_TEXT
    tables = []
    for sheet in book.worksheets:
        part = sheet._worksheet_path
        with _opened(data) as archive:
            filled = sheetcells.layout(archive.read(part))
        places = [(n, cell.column) for n, row in filled.rows.items() for cell in row.cells if cell.filled]
        last_row, last_column = (
            (max(numbers, default=0) for numbers in zip(*places, strict=True)) if places else (0, 0)
        )
        sheet.reset_dimensions()
        rows = []
        for cells in sheet.iter_rows(max_row=last_row, max_col=last_column) if places else ():
            found = [(cell, *_text(cell)) for cell in _real(cells)]
            left -= sum(len(text) for _, text, _ in found)
            if left < 0:
                raise WorkbookRefused(WorkbookRefusal.TOO_MUCH_TEXT, sheet.title)
            if found:
                row = [[cell.column, text, cell.data_type == "f", seen] for cell, text, seen in found]
                rows.append([found[0][0].row, row])
        hidden = sorted(filled.hidden)
        tables.append(
            {"name": sheet.title, "part": part, "rows": rows, "merged": filled.merged, "hidden": hidden}
        )
    return tables


def _real(cells: Any) -> Iterator[Any]:
    return (cell for cell in cells if cell.value is not None)


def _text(cell: Any) -> tuple[str, bool]:
    """The cell's value, and whether people see it so: not where its format is none that is known (dates, money, …)."""
    value = cell.value
    if isinstance(value, bool):
        return str(value).upper(), True
    if isinstance(value, (int, float)):
        text = shown(value, _format(cell))
        return (str(value), False) if text is None else (text, True)
    return str(value), isinstance(value, str) and cell.data_type != "e"


def _format(cell: Any) -> str:
    """The code of the cell's format; empty for one that depends on the reader's language."""
    number = cell.style_array.numFmtId
    known = number >= BUILTIN_FORMATS_MAX_SIZE or number in BUILTIN_FORMATS
    return str(cell.number_format) if known else ""


def _written(data: bytes, sheets: list[dict[str, Any]]) -> bytes:
    wanted = {sheet["part"]: sheet for sheet in sheets}
    made = io.BytesIO()
    with _opened(data) as archive, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as written:
        _check_parts(archive)
        for info in archive.infolist():
            content = archive.read(info)
            sheet = wanted.pop(info.filename, None)
            if sheet is not None:
                texts = {int(row): text for row, text in sheet["texts"].items()}
                content = sheetcells.put(content, sheet["column"], sheet["like"], texts)
            copied = zipfile.ZipInfo(info.filename, info.date_time)
            copied.compress_type = info.compress_type
            copied.external_attr = info.external_attr
            written.writestr(copied, content)
    if wanted:
        raise WorkbookRefused(WorkbookRefusal.DAMAGED)
    return made.getvalue()


def _opened(data: bytes) -> zipfile.ZipFile:
    if data.startswith(_OLE):
        raise WorkbookRefused(WorkbookRefusal.NEEDS_PASSWORD)
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise WorkbookRefused(WorkbookRefusal.NOT_A_WORKBOOK) from error


def _check_parts(archive: zipfile.ZipFile) -> None:
    """Raise `WorkbookRefused` unless every part is small enough, passive and within the workbook.

    Sizes are those that the directory claims: `zipfile` inflates no more than that.
    """
    parts = archive.infolist()
    names = [part.filename for part in parts]
    if len(parts) > MAX_PARTS:
        raise WorkbookRefused(WorkbookRefusal.TOO_MANY_PARTS)
    if "[Content_Types].xml" not in names or not any(
        re.fullmatch(r"(?i)xl/workbook\d*\.xml", n) for n in names
    ):
        raise WorkbookRefused(WorkbookRefusal.NOT_A_WORKBOOK)
    if len({name.casefold() for name in names}) != len(names):
        raise WorkbookRefused(WorkbookRefusal.DAMAGED)
    if sum(part.file_size for part in parts) > MAX_INFLATED:
        raise WorkbookRefused(WorkbookRefusal.TOO_LARGE_UNPACKED)
    for part in parts:
        if part.flag_bits & _ENCRYPTED or part.compress_type not in _COMPRESSIONS:
            raise WorkbookRefused(WorkbookRefusal.DAMAGED, part.filename)
        if _ACTIVE.fullmatch(part.filename):
            raise WorkbookRefused(WorkbookRefusal.ACTIVE_CONTENT, part.filename)
        if _LINKED.fullmatch(part.filename):
            raise WorkbookRefused(WorkbookRefusal.EXTERNAL_LINK, part.filename)
        if _XML.fullmatch(part.filename):
            _check_xml(part.filename, _content(archive, part))


def _content(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(part)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise WorkbookRefused(WorkbookRefusal.DAMAGED, part.filename) from error


def _check_xml(name: str, xml: bytes) -> None:
    if b"\0" in xml:  # UTF-16, in which the checks below would see nothing
        raise WorkbookRefused(WorkbookRefusal.DAMAGED, name)
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        raise WorkbookRefused(WorkbookRefusal.DOCUMENT_TYPE, name)
    if name.lower().endswith(".rels"):
        for relation in _RELATION.findall(xml):
            if _OUTWARD.search(relation) and not _HYPERLINK.search(relation):
                raise WorkbookRefused(WorkbookRefusal.EXTERNAL_LINK, name)
    if name == "[Content_Types].xml" and re.search(rb"(?i)macroEnabled|vbaProject", xml):
        raise WorkbookRefused(WorkbookRefusal.ACTIVE_CONTENT, name)


_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_SMALLEST = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="s" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="t" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets><sheet name="A" sheetId="1" r:id="s"/></sheets>'
        "</workbook>"
    ),
    "xl/styles.xml": (
        f'<styleSheet xmlns="{_SHEET}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
        '<cellXfs count="2"><xf/><xf numFmtId="14"/></cellXfs></styleSheet>'
    ),
    "xl/worksheets/sheet1.xml": (
        f'<worksheet xmlns="{_SHEET}"><dimension ref="A1:C1"/><sheetData><row r="1"><c r="A1" s="1"><v>4</v></c>'
        '<c r="B1" t="inlineStr"><is><t>b</t></is></c><c r="C1"><f>A1</f></c></row></sheetData></worksheet>'
    ),
}


def _smallest() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in _SMALLEST.items():
            archive.writestr(name, text)
    return made.getvalue()


WARM_UP = (_smallest(),)
"""A workbook with a date, a text and a formula: what reads them is loaded before the child is confined."""
