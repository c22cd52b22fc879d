"""Whole questionnaires: a CSV or XLSX file in, the same with a citation for each question that names criteria.

XLSX is read and written by a child process (`Sheets`); what comes back from it is untrusted, too.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from service.citations import Citations
from service.citing import Report
from service.delimiters import delimiter
from service.errors import DomainError, Problem
from service.exporting import harmless
from service.questions import HEADER_ROWS, Answers, Columns, Table, answers, header, not_a_questionnaire
from service.workbooks import MAX_BYTES, MAX_COLUMNS, MAX_ROWS, WorkbookRefusal, refusal
from watermark.errors import RefusalReason, Refused, SandboxUnavailable

Form = Literal["csv", "xlsx"]

Sheets = Callable[[Literal["read", "write"], bytes, dict[str, Any]], tuple[dict[str, Any], bytes]]
"""A task of `service.sheets` in the confined child. Raises `Refused`, `SandboxUnavailable`."""

_REFUSED = {
    RefusalReason.TOO_COSTLY: WorkbookRefusal.TOO_COSTLY,
    RefusalReason.TOO_LARGE: WorkbookRefusal.TOO_LARGE_UNPACKED,
}


@dataclass(frozen=True)
class Cited:
    """A questionnaire with its citations, and how many questions have one and how many have not."""

    content: bytes
    cited: int
    open: int


class Questionnaires:
    """Cites a document throughout a questionnaire. Keeps nothing of it."""

    def __init__(self, citations: Citations, sheets: Sheets) -> None:
        self._citations = citations
        self._sheets = sheets

    def cite(self, document_id: str, form: Form, content: bytes, columns: Columns) -> Cited:
        """The file again, all as it was but for the column *Citation*: it is added, or filled where there is one.

        The file is checked as a whole first. Raises `DomainError`: not-found, wrong-state; too-large; file-refused with
        the reason; invalid (no column of criteria, a criterion that the report does not have, …); unavailable.
        """
        report = self._citations.report(document_id)
        if len(content) > MAX_BYTES:
            raise DomainError(
                Problem.TOO_LARGE, f"A questionnaire has at most {MAX_BYTES} bytes.", limit=MAX_BYTES
            )
        return (_csv if form == "csv" else self._xlsx)(content, columns, report)

    def _xlsx(self, content: bytes, columns: Columns, report: Report) -> Cited:
        _, payload = self._run("read", content, {})
        found = []
        for name, part, table in _tables(payload):
            one = answers(table, columns, report)
            if one is not None:
                found.append((name, part, one))
        if not found:
            raise not_a_questionnaire(columns)
        sheets = [
            {"part": part, "column": one.column, "like": one.like, "texts": dict(one.texts)}
            for _, part, one in found
        ]
        _, written = self._run("write", content, {"sheets": sheets})
        return _cited(written, *(one for _, _, one in found))

    def _run(
        self, task: Literal["read", "write"], content: bytes, parameters: dict[str, Any]
    ) -> tuple[dict[str, Any], bytes]:
        try:
            facts, payload = self._sheets(task, content, parameters)
        except Refused as refused:
            raise refusal(_REFUSED.get(refused.reason, WorkbookRefusal.DAMAGED)) from refused
        except SandboxUnavailable as error:
            raise DomainError(
                Problem.UNAVAILABLE, "Workbooks cannot be read here now: send it as CSV."
            ) from error
        if "refused" in facts:
            known = {str(reason): reason for reason in WorkbookRefusal}
            reason = known.get(str(facts["refused"]), WorkbookRefusal.DAMAGED)
            raise refusal(reason, str(facts.get("where") or ""))
        return facts, payload


def _tables(payload: bytes) -> list[tuple[str, str, Table]]:
    """The tables as the child states them. Only a child whose parser was taken over states what does not fit."""
    try:
        return [
            (
                str(sheet["name"]),
                str(sheet["part"]),
                Table(
                    name=str(sheet["name"]),
                    cells={
                        int(row): {int(c): str(text) for c, text, *_ in cells} for row, cells in sheet["rows"]
                    },
                    formulas=frozenset(
                        (int(row), int(column))
                        for row, cells in sheet["rows"]
                        for column, _, formula, _ in cells
                        if formula
                    ),
                    unshown=frozenset(
                        (int(row), int(column))
                        for row, cells in sheet["rows"]
                        for column, _, _, shown in cells
                        if not shown
                    ),
                    merged=[
                        (int(top), int(left), int(bottom), int(right))
                        for top, left, bottom, right in sheet["merged"]
                    ],
                    hidden=frozenset(int(column) for column in sheet["hidden"]),
                ),
            )
            for sheet in json.loads(payload)
        ]
    except (ValueError, TypeError, KeyError) as error:
        raise refusal(WorkbookRefusal.DAMAGED) from error


def _csv(content: bytes, columns: Columns, report: Report) -> Cited:
    text = _decoded(content)
    between = delimiter(text, lambda rows: _headed(rows, columns), HEADER_ROWS)
    rows = _rows(text, between)
    found = answers(_table(rows), columns, report)
    if found is None:
        raise not_a_questionnaire(columns)
    for number, said in found.texts.items():
        row = rows[number - 1]
        row += [""] * (found.column - len(row))
        row[found.column - 1] = said
    return _cited(_written(rows, between, bom=content.startswith(b"\xef\xbb\xbf")), found)


def _headed(rows: list[list[str]], columns: Columns) -> int:
    """How well a header is found: 2, 1 where it repeats itself, which is said later, or 0."""
    try:
        return 2 if header(_table(rows), columns) else 0
    except DomainError:
        return 1


def _table(rows: list[list[str]]) -> Table:
    cells = {
        number: {column: text for column, text in enumerate(row, 1) if text}
        for number, row in enumerate(rows, 1)
    }
    return Table("", {number: row for number, row in cells.items() if row})


def _decoded(content: bytes) -> str:
    """The text of a CSV file. Raises `DomainError` (file-refused)."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _csv_refused("not-utf-8", "The file is no CSV in UTF-8: save it as “CSV UTF-8”.") from error
    if "\0" in text:
        raise _csv_refused("not-utf-8", "The file is no CSV in UTF-8: save it as “CSV UTF-8”.")
    return text


def _rows(text: str, between: str) -> list[list[str]]:
    """The rows of a CSV file with this between its cells. Raises `DomainError` (file-refused)."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=between, strict=True):
            if len(row) > MAX_COLUMNS:
                raise _csv_refused(
                    "too-many-columns", f"Row {len(rows) + 1} has more than {MAX_COLUMNS} columns."
                )
            rows.append(row)
            if len(rows) > MAX_ROWS:
                raise _csv_refused("too-many-rows", f"The file has more than {MAX_ROWS} rows. Split it.")
    except csv.Error as error:
        raise _csv_refused("damaged", f"Row {len(rows) + 1} is no CSV (RFC 4180): {error}.") from error
    return rows


def _csv_refused(reason: str, detail: str) -> DomainError:
    return DomainError(Problem.FILE_REFUSED, detail, reason=reason)


def _written(rows: list[list[str]], between: str, *, bom: bool) -> bytes:
    """RFC 4180; each cell that a spreadsheet would run is quoted against it, ours and theirs."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=between)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return buffer.getvalue().encode("utf-8-sig" if bom else "utf-8")


def _cited(content: bytes, *found: Answers) -> Cited:
    return Cited(content, sum(one.cited for one in found), sum(one.open for one in found))
