"""Where cells stand in the XML of one worksheet, and cells put into it; every other byte stays what it is.

Runs in the confined child. A library that reads a workbook and writes it anew loses what it does not know, such as
lists to choose from and pictures; so the cells are put into the text itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape

from service.workbooks import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, WorkbookRefusal, WorkbookRefused

_TAG = re.compile(rb"<[^<>\"']*(?:\"[^\"]*\"[^<>\"']*|'[^']*'[^<>\"']*)*>")
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_ROW = re.compile(r"[1-9][0-9]{0,6}")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FILLING = frozenset({"v", "is", "f"})
_TRUE = frozenset({"1", "true"})


@dataclass
class Cell:
    """A cell's element: its column, and its place in bytes."""

    column: int
    start: int
    end: int
    style: str | None
    filled: bool = False


@dataclass
class Row:
    """A row's element; `inside` is where its cells end, None for an element without content."""

    start: int
    inside: int | None = None
    cells: list[Cell] = field(default_factory=list)


@dataclass
class Layout:
    """A worksheet: its rows by number (none below `MAX_ROWS`), and what its names begin with."""

    rows: dict[int, Row]
    prefix: str
    dimension: tuple[int, int] | None
    merged: list[tuple[int, int, int, int]]
    """Cells that are shown as one: their first row and column, and their last."""
    hidden: set[int]
    """Columns that are not shown, of the first `MAX_COLUMNS`."""


def layout(xml: bytes) -> Layout:
    """Read where everything is. Raises `WorkbookRefused` for what is beyond the limits, or no worksheet."""
    return _Reader(xml).read()


def put(xml: bytes, column: int, like: int, texts: Mapping[int, str]) -> bytes:
    """The worksheet with these texts in one column, by row. They look like the cells of the column `like`.

    Raises `WorkbookRefused` when one of the rows is not there.
    """
    found = layout(xml)
    edits: list[tuple[int, int, bytes]] = []
    for number, text in texts.items():
        row = found.rows.get(number)
        if row is None:
            raise WorkbookRefused(WorkbookRefusal.DAMAGED)
        edits.append(_edit(xml, found, number, row, column, like, text))
    if found.dimension:
        start, end = found.dimension
        edits.append((start, end, _dimension(found, column, xml[start:end])))
    pieces, done = [], 0
    for start, end, new in sorted(edits):
        pieces += [xml[done:start], new]
        done = end
    return b"".join([*pieces, xml[done:]])


def reference(column: int, row: int) -> str:
    """`C4`."""
    letters = ""
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row}"


class _Reader:
    def __init__(self, xml: bytes) -> None:
        self._xml = xml
        self._stack: list[str] = []
        self._rows: dict[int, Row] = {}
        self._prefix = ""
        self._dimension: tuple[int, int] | None = None
        self._merged: list[tuple[int, int, int, int]] = []
        self._hidden: set[int] = set()
        self._number = self._column = self._cells = 0
        self._row: Row | None = None
        self._cell: Cell | None = None

    def read(self) -> Layout:
        parser = expat.ParserCreate()
        parser.XmlDeclHandler = self._declared
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = lambda name, given: self._begin(parser.CurrentByteIndex, name, given)
        parser.EndElementHandler = lambda name: self._end(parser.CurrentByteIndex)
        try:
            parser.Parse(self._xml, True)
        except expat.ExpatError as error:
            raise WorkbookRefused(WorkbookRefusal.DAMAGED) from error
        return Layout(self._rows, self._prefix, self._dimension, self._merged, self._hidden)

    def _declared(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.casefold() != "utf-8":
            raise WorkbookRefused(WorkbookRefusal.DAMAGED)

    def _doctype(self, *declared: object) -> None:
        raise WorkbookRefused(WorkbookRefusal.DOCUMENT_TYPE)

    def _begin(self, at: int, name: str, given: Mapping[str, str]) -> None:
        prefix, _, local = name.rpartition(":")
        parent = self._stack[-2:]
        if not self._stack:
            self._prefix = f"{prefix}:" if prefix else ""
        elif parent == ["worksheet"] and local == "dimension":
            self._dimension = at, self._tag_end(at)
        elif parent == ["worksheet", "cols"] and local == "col":
            self._hide(given)
        elif parent == ["worksheet", "mergeCells"] and local == "mergeCell":
            self._merge(given)
        elif parent == ["worksheet", "sheetData"] and local == "row":
            self._begin_row(at, given)
        elif parent == ["sheetData", "row"] and local == "c":
            self._begin_cell(at, given)
        elif parent == ["row", "c"] and local in _FILLING:
            self._fill()
        self._stack.append(local)

    def _end(self, at: int) -> None:
        """The end of an element, at its end tag; of one that has none (`<c/>`), behind it."""
        local = self._stack.pop()
        alone = self._xml[at - 2 : at] == b"/>"
        if local == "c" and self._stack[-1:] == ["row"] and self._cell is not None:
            alone = alone and at == self._tag_end(self._cell.start)
            self._cell.end, self._cell = at if alone else self._tag_end(at), None
        elif local == "row" and self._row is not None and self._stack[-1:] == ["sheetData"]:
            alone = alone and at == self._tag_end(self._row.start)
            self._row.inside, self._row = None if alone else at, None

    def _begin_row(self, at: int, given: Mapping[str, str]) -> None:
        number = int(_matched(_ROW, given["r"])[0]) if "r" in given else self._number + 1
        if number <= self._number:
            raise WorkbookRefused(WorkbookRefusal.DAMAGED)
        self._number, self._column, self._row = number, 0, Row(at)
        if number <= MAX_ROWS:
            self._rows[number] = self._row

    def _begin_cell(self, at: int, given: Mapping[str, str]) -> None:
        column = self._column + 1
        if "r" in given:
            found = _matched(_REFERENCE, given["r"])
            column = _column_number(found[1])
            if int(found[2]) != self._number:
                raise WorkbookRefused(WorkbookRefusal.DAMAGED)
        if column <= self._column or self._row is None:
            raise WorkbookRefused(WorkbookRefusal.DAMAGED)
        self._column, self._cell = column, Cell(column, at, at, given.get("s"))
        self._cells += 1
        if self._cells > MAX_CELLS:
            raise WorkbookRefused(WorkbookRefusal.TOO_MANY_CELLS)
        self._row.cells.append(self._cell)

    def _fill(self) -> None:
        if self._number > MAX_ROWS:
            raise WorkbookRefused(WorkbookRefusal.TOO_MANY_ROWS, reference(self._column, self._number))
        if self._column > MAX_COLUMNS:
            raise WorkbookRefused(WorkbookRefusal.TOO_MANY_COLUMNS, reference(self._column, self._number))
        if self._cell is not None:
            self._cell.filled = True

    def _hide(self, given: Mapping[str, str]) -> None:
        if given.get("hidden") in _TRUE or float(given.get("width", 1)) == 0:
            self._hidden.update(range(max(int(given["min"]), 1), min(int(given["max"]), MAX_COLUMNS) + 1))

    def _merge(self, given: Mapping[str, str]) -> None:
        first, _, last = given["ref"].partition(":")
        (left, top), (right, bottom) = (
            (_column_number(found[1]), int(found[2]))
            for found in (_matched(_REFERENCE, place) for place in (first, last or first))
        )
        self._merged.append((top, left, bottom, right))
        if len(self._merged) > MAX_CELLS:
            raise WorkbookRefused(WorkbookRefusal.TOO_MANY_CELLS)

    def _tag_end(self, start: int) -> int:
        found = _TAG.match(self._xml, start)
        if found is None:
            raise WorkbookRefused(WorkbookRefusal.DAMAGED)
        return found.end()


def _edit(
    xml: bytes, found: Layout, number: int, row: Row, column: int, like: int, text: str
) -> tuple[int, int, bytes]:
    styles = {cell.column: cell.style for cell in row.cells}
    style = styles.get(column) or styles.get(like)
    made = _cell(found.prefix, reference(column, number), style, text)
    for cell in row.cells:
        if cell.column == column:
            return cell.start, cell.end, made
        if cell.column > column:
            return cell.start, cell.start, made
    if row.inside is not None:
        return row.inside, row.inside, made
    raise WorkbookRefused(WorkbookRefusal.DAMAGED)  # a row without a cell holds no question


def _cell(prefix: str, place: str, style: str | None, text: str) -> bytes:
    look = f' s="{escape(style, {chr(34): "&quot;"})}"' if style else ""
    said = escape(_NO_XML.sub("\ufffd", text))
    return (
        f'<{prefix}c r="{place}"{look} t="inlineStr"><{prefix}is><{prefix}t xml:space="preserve">{said}'
        f"</{prefix}t></{prefix}is></{prefix}c>"
    ).encode()


def _dimension(found: Layout, column: int, before: bytes) -> bytes:
    """What readers trust to be the size of the sheet."""
    filled = [
        (number, cell.column) for number, row in found.rows.items() for cell in row.cells if cell.filled
    ]
    last_row = max(number for number, _ in filled)
    last_column = max(column, *(place for _, place in filled))
    close = "/>" if before.endswith(b"/>") else ">"
    return f'<{found.prefix}dimension ref="A1:{reference(last_column, last_row)}"{close}'.encode()


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number


def _matched(form: re.Pattern[str], text: str) -> re.Match[str]:
    found = form.fullmatch(text)
    if found is None:
        raise WorkbookRefused(WorkbookRefusal.DAMAGED)
    return found
