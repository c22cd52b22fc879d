"""What a workbook (XLSX) may be to be read here: its limits, and each reason for which one is refused, in words.

Known to both sides: `service.sheets` reads it in the confined child, which answers with these codes.
"""

from __future__ import annotations

from enum import StrEnum

from service.errors import DomainError, Problem

MIB = 1024 * 1024

MAX_BYTES = 10 * MIB
"""Of a questionnaire, as it is sent: the largest in use have some hundred KB; pictures make the rest."""

MAX_ROWS = 20_000
"""Rows of a sheet, and of a CSV file: ten times the longest questionnaires in use."""

MAX_COLUMNS = 200
"""Columns of a sheet, and of a CSV file; questionnaires have a dozen, and spreadsheets up to 16,384."""

MAX_INFLATED = 64 * MIB
"""Of all parts of a workbook, unpacked. XML deflates to a tenth; what grows more than this is a bomb."""

MAX_PARTS = 2000
"""Parts of a workbook: some for each sheet and picture."""

MAX_CELLS = 400_000
"""Cells of a sheet, empty ones with a format among them: 20 columns of the longest sheet."""

MAX_TEXT = 16 * MIB
"""Characters of all cells together. A text that is shared by many cells counts in each."""

MAX_WHERE = 120
"""Characters of a place that the child names."""


class WorkbookRefusal(StrEnum):
    """Why a workbook is not read. A closed list: it is part of the API."""

    NOT_A_WORKBOOK = "not-a-workbook"
    NEEDS_PASSWORD = "needs-password"  # noqa: S105  # a code, not a password
    DAMAGED = "damaged"
    TOO_MANY_PARTS = "too-many-parts"
    TOO_LARGE_UNPACKED = "too-large-unpacked"
    ACTIVE_CONTENT = "active-content"
    EXTERNAL_LINK = "external-link"
    DOCUMENT_TYPE = "document-type"
    TOO_MANY_ROWS = "too-many-rows"
    TOO_MANY_COLUMNS = "too-many-columns"
    TOO_MANY_CELLS = "too-many-cells"
    TOO_MUCH_TEXT = "too-much-text"
    TOO_COSTLY = "too-costly"


_WORDS = {
    WorkbookRefusal.NOT_A_WORKBOOK: "The file is no XLSX workbook. Save it as .xlsx, or as CSV, and send that.",
    WorkbookRefusal.NEEDS_PASSWORD: (
        "The workbook is in an old format or needs a password. Save it as .xlsx without one."
    ),
    WorkbookRefusal.DAMAGED: "The workbook is damaged. Open it, save it as a new .xlsx, and send that.",
    WorkbookRefusal.TOO_MANY_PARTS: (
        f"The workbook has more than {MAX_PARTS} parts. Send the sheets of questions alone."
    ),
    WorkbookRefusal.TOO_LARGE_UNPACKED: (
        f"The workbook unpacks to more than {MAX_INFLATED} bytes. Send the sheets of questions alone."
    ),
    WorkbookRefusal.ACTIVE_CONTENT: (
        "The workbook has macros, controls, embedded files or data connections. Save it as .xlsx without them."
    ),
    WorkbookRefusal.EXTERNAL_LINK: (
        "The workbook links to other files. Break the links (their values stay), save it, and send that."
    ),
    WorkbookRefusal.DOCUMENT_TYPE: "The workbook declares XML entities, which no spreadsheet program writes.",
    WorkbookRefusal.TOO_MANY_ROWS: f"A sheet has something below row {MAX_ROWS}. Split it, or delete what is there.",
    WorkbookRefusal.TOO_MANY_COLUMNS: (
        f"A sheet has something right of column {MAX_COLUMNS}. Delete what is there."
    ),
    WorkbookRefusal.TOO_MANY_CELLS: f"A sheet has more than {MAX_CELLS} cells. Split it.",
    WorkbookRefusal.TOO_MUCH_TEXT: f"The workbook's cells hold more than {MAX_TEXT} characters. Split it.",
    WorkbookRefusal.TOO_COSTLY: "Reading the workbook took more memory or time than is allowed. Split it.",
}


class WorkbookRefused(Exception):
    """A workbook that is not read, on the child's side. `where` is a place in it."""

    def __init__(self, reason: WorkbookRefusal, where: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.where = where


def refusal(reason: WorkbookRefusal, where: str = "") -> DomainError:
    """The refusal of a workbook. The place comes from the file: it is cut, and only what prints is said."""
    place = "".join(letter for letter in where[:MAX_WHERE] if letter.isprintable())
    detail = f"{_WORDS[reason]} The place: {place}" if place else _WORDS[reason]
    return DomainError(Problem.FILE_REFUSED, detail, reason=reason)
