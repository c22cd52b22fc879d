"""Questionnaires as tables: which column is which, which rows are questions, and for which criteria each asks.

A table is what a sheet of a workbook or a CSV file holds, as text. Rows and columns count from 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.citing import NAMED_IN_ERRORS, Report, cite, item_in_words, spellings, unknown_criteria
from service.errors import DomainError, invalid
from service.workbooks import MAX_COLUMNS

HEADER_ROWS = 30
"""Rows in which the header is looked for: a title and instructions stand above it."""

MAX_ITEM = 60
"""Characters of an item: it is a number or a short code."""

ITEM_HEADERS = (
    *("item", "item no", "item number", "question id", "question no", "question number"),
    *("#", "id", "no", "nr", "number", "ref", "reference"),
)
CRITERIA_HEADERS = (
    *("criteria", "criterion", "soc 2 criteria", "soc 2 criterion", "soc2 criteria", "tsc", "tsc criteria"),
    *("trust services criteria", "trust service criteria", "aicpa tsc", "soc 2", "soc2"),
)
CITATION_HEADER = "citation"
"""Headers that are known, the likelier first; letter case and punctuation do not matter."""

_NOTHING = frozenset({"", "-", "–", "—", "n/a", "na", "none"})
"""What people write where no criterion fits."""

_SPLIT = re.compile(r"[,;\n\r]")
_WORDS = re.compile(r"[^\w#]+")


@dataclass(frozen=True)
class Columns:
    """Where questions stand, as the caller says: columns by their headers, a sheet by its name. None: looked for."""

    item: str | None = None
    criteria: str | None = None
    sheet: str | None = None


@dataclass(frozen=True)
class Table:
    """The cells that hold something, as text; `formulas` are those that compute it."""

    name: str
    cells: Mapping[int, Mapping[int, str]]  # by row, by column
    formulas: frozenset[tuple[int, int]] = frozenset()

    def place(self, row: int, column: int) -> str:
        """Where a cell is, for people: `Questions!C4`."""
        letters, left = "", column
        while left:
            left, letter = divmod(left - 1, 26)
            letters = chr(ord("A") + letter) + letters
        return f"{self.name}!{letters}{row}" if self.name else f"{letters}{row}"


@dataclass(frozen=True)
class Answers:
    """What is to be written into a table: in one column, by row. The header is among them where it is new."""

    column: int
    like: int  # the column whose look the new cells take
    texts: Mapping[int, str]
    cited: int
    open: int  # questions that name no criteria, so that nothing is cited for them


def answers(table: Table, columns: Columns, report: Report) -> Answers | None:
    """The citation of each question that names criteria; None for a table that is no questionnaire.

    Raises `DomainError` (invalid): a criterion that the report does not have, an item that cannot be, a formula where
    something has to be read or written.
    """
    found = header(table, columns)
    if found is None:
        return None
    row, item, criteria = found
    named = {_plain(text): column for column, text in table.cells[row].items()}
    column = named.get(CITATION_HEADER) or 1 + max(max(cells) for cells in table.cells.values() if cells)
    if column > MAX_COLUMNS:
        raise invalid("body", f"{_at(table)}has no column left for citations: it has at most {MAX_COLUMNS}.")
    known, unknown = spellings(report), []
    texts = {} if CITATION_HEADER in named else {row: CITATION_HEADER.capitalize()}
    cited = still_open = 0
    for number in sorted(place for place in table.cells if place > row):
        cells = table.cells[number]
        _check_plain(table, number, [place for place in (item, criteria, column) if place is not None])
        asked = _asked(cells.get(criteria, ""))
        if not asked:
            still_open += bool(item is not None and cells.get(item, "").strip())
            continue
        unknown += [
            f"{one} ({table.place(number, criteria)})" for one in asked if one.casefold() not in known
        ]
        label = _item(table, number, item)
        spelled = [known[one.casefold()] for one in asked if one.casefold() in known]
        texts[number] = cite(report, item_in_words(label), spelled).sentence
        cited += 1
    if unknown:
        raise unknown_criteria(report, unknown)
    return Answers(column, criteria, texts, cited, still_open)


def header(table: Table, columns: Columns) -> tuple[int, int | None, int] | None:
    """The row of the header, the column of the items if there is one, and the column of the criteria; None without one.

    Raises `DomainError` (invalid) for two columns that have the same header.
    """
    if columns.sheet is not None and columns.sheet != table.name:
        return None
    for row in sorted(table.cells)[:HEADER_ROWS]:
        if row > HEADER_ROWS:
            return None
        criteria = _column(table, row, columns.criteria, CRITERIA_HEADERS, "criteria_column")
        item = _column(table, row, columns.item, ITEM_HEADERS, "item_column")
        # A column of criteria alone may be a sheet that explains how answers are rated: that is asked for by name.
        if criteria is not None and (item is not None or (columns.criteria and not columns.item)):
            return row, item, criteria
    return None


def not_a_questionnaire(columns: Columns) -> DomainError:
    """The refusal of a file in which no table has the columns that are needed."""
    if columns.sheet:
        return invalid(
            "sheet", f"No sheet “{columns.sheet[:80]}” with a header for its criteria is in the file."
        )
    if columns.criteria or columns.item:
        named = " and ".join(f"“{name[:80]}”" for name in (columns.item, columns.criteria) if name)
        where = "criteria_column" if columns.criteria else "item_column"
        return invalid(where, f"No row among the first {HEADER_ROWS} of a sheet has the header {named}.")
    return invalid(
        "criteria_column",
        f"No row among the first {HEADER_ROWS} of a sheet has headers such as No. for the items and TSC for their "
        "criteria: name the columns, by their headers.",
    )


def _column(table: Table, row: int, named: str | None, usual: Sequence[str], where: str) -> int | None:
    for wanted in [_plain(named)] if named else usual:
        found = [column for column, text in table.cells[row].items() if _plain(text) == wanted]
        if len(found) > 1:
            places = " and ".join(table.place(row, column) for column in found[:NAMED_IN_ERRORS])
            raise invalid(where, f"{places} have the same header: rename one of them.")
        if found:
            return found[0]
    return None


def _asked(text: str) -> list[str]:
    parts = [" ".join(part.split()) for part in _SPLIT.split(text)]
    return list(dict.fromkeys(part for part in parts if part.casefold() not in _NOTHING))


def _item(table: Table, row: int, column: int | None) -> str:
    text = " ".join(table.cells[row].get(column, "").split()) if column is not None else ""
    if len(text) > MAX_ITEM or not text.isprintable():
        where = table.place(row, column or 1)
        detail = (
            f"{where} is no item: an item has at most {MAX_ITEM} characters. Name the column of the items."
        )
        raise invalid("item_column", detail)
    return text


def _check_plain(table: Table, row: int, columns: Sequence[int]) -> None:
    for column in columns:
        if (row, column) in table.formulas:
            detail = f"{table.place(row, column)} holds a formula, which is not computed here: paste it as a value."
            raise invalid("body", detail)


def _plain(text: str) -> str:
    return " ".join(_WORDS.sub(" ", text.casefold()).split())


def _at(table: Table) -> str:
    return f"Sheet “{table.name}” " if table.name else "The file "
