"""Questionnaires as tables: which column is which, which rows are questions, and for which criteria each asks.

A table is what a sheet of a workbook or a CSV file holds, as text. Rows and columns count from 1.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
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
    """The cells that hold something, as text; `formulas` are those that compute it, `unshown` those of which people see
    something else. `merged` are cells that are shown as one, which holds what the first has.
    """

    name: str
    cells: Mapping[int, Mapping[int, str]]  # by row, by column
    formulas: frozenset[tuple[int, int]] = frozenset()
    unshown: frozenset[tuple[int, int]] = frozenset()
    merged: Sequence[tuple[int, int, int, int]] = ()  # top, left, bottom, right
    hidden: frozenset[int] = frozenset()  # columns

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

    Raises `DomainError` (invalid): a criterion that the report does not have, an item that cannot be or is shown
    otherwise, a formula where something has to be read or written, no column in which a citation is seen.
    """
    found = header(table, columns)
    if found is None:
        return None
    row, item, criteria = found
    given = {_plain(text): column for column, text in table.cells[row].items()}.get(CITATION_HEADER)
    known, unknown = spellings(report), []
    texts: dict[int, str] = {}
    still_open = 0
    for number in sorted(place for place in table.cells if place > row):
        cells = table.cells[number]
        _check_plain(table, number, [place for place in (item, criteria, given) if place is not None])
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
    if unknown:
        raise unknown_criteria(report, unknown)
    cited = len(texts)
    if given is None:
        texts = {row: CITATION_HEADER.capitalize(), **texts}
        column = _free_column(table, list(texts))
    else:
        column = given
        _check_seen(table, row, column, list(texts))
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


def _free_column(table: Table, rows: Sequence[int]) -> int:
    """The first column right of all cells that hold something in which each of these rows, in order, is seen."""
    unseen = _unseen(table, rows)
    last = max(max(cells) for cells in table.cells.values() if cells)
    for column in range(last + 1, MAX_COLUMNS + 1):
        if column not in unseen:
            return column
    detail = (
        f"{_at(table)}has no column left for citations: right of what is filled, all columns up to {MAX_COLUMNS} are "
        "hidden or merged. Show one."
    )
    raise invalid("body", detail)


def _check_seen(table: Table, row: int, column: int, rows: Sequence[int]) -> None:
    if rows and column in _unseen(table, rows):
        detail = (
            f"What is written below {table.place(row, column)} would not be seen: its column is hidden, or cells of it "
            "are merged with others and not the first of them. Show it, or undo that."
        )
        raise invalid("body", detail)


def _unseen(table: Table, rows: Sequence[int]) -> set[int]:
    """The columns in which something that is written into these rows, in order, is not seen."""
    unseen = set(table.hidden)
    for top, left, bottom, right in table.merged:
        inside = bisect_left(rows, top), bisect_right(rows, bottom)
        if inside[0] < inside[1]:
            is_first = rows[inside[1] - 1] == top  # what is in the first cell of all is seen
            unseen.update(range(max(left, 1) + is_first, min(right, MAX_COLUMNS) + 1))
    return unseen


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
    if column is not None and (row, column) in table.unshown:
        detail = (
            f"{table.place(row, column)} is shown in a way that is not known here, as dates and percentages are, so "
            "its item is not: make it text, or give it the format Number without a separator of thousands."
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
