"""People in a CSV file: who is shared with, a row each; and the file that tells what came of each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from service.batch_rows import Person
from service.batches import MAX_ROWS
from service.cli.failures import RefusedHere
from service.delimiters import delimiter
from service.exporting import harmless

COLUMNS = ("mail", "name", "company", "purpose")
NEEDED = ("mail", "name")

MAX_BYTES = 16 * 1024 * 1024
"""Of a file: ten thousand rows with the longest names and purposes that are usual."""

RESULT_COLUMNS = ("line", *COLUMNS[:3], "share", "problem", "link", "link_expires_at")


@dataclass(frozen=True)
class Listed:
    """The people of a file, and the line of each."""

    people: Sequence[Person]
    lines: Sequence[int]


def read_people(path: Path) -> Listed:
    """The people of a CSV file in UTF-8 whose first line names its columns.

    They may come in any order, with commas, semicolons or tabs between them: whichever the needed names are found with.
    Other columns are left alone, and so are empty lines. Raises `RefusedHere` for a file that cannot be read so.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise RefusedHere(f"{path} has more than {MAX_BYTES} bytes: share in several files.")
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise RefusedHere(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise RefusedHere(f"{path} is not in UTF-8: save it as CSV in UTF-8.") from None
    between = delimiter(text, lambda rows: sum(name in _names(rows[0]) for name in NEEDED) if rows else 0, 1)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=between, strict=True)
    try:
        return _people(reader, path)
    except csv.Error:
        raise RefusedHere(f"{path}, line {reader.line_num + 1}: this is no CSV.") from None


def _people(reader: csv.DictReader[str], path: Path) -> Listed:
    names = _names(reader.fieldnames or [])
    reader.fieldnames = names
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise RefusedHere(
            f"{path} has no column {missing[0]!r}: its first line names them: {', '.join(COLUMNS)}; the last two may "
            "be left out."
        )
    doubled = [name for name in COLUMNS if names.count(name) > 1]
    if doubled:
        raise RefusedHere(f"{path} has two columns {doubled[0]!r}: leave the one that is meant.")
    people: list[Person] = []
    lines: list[int] = []
    for row in reader:
        values = {name: (row.get(name) or "").strip() for name in COLUMNS}
        more: Sequence[str] = row.get(None) or []  # what no column is named for
        if not any(values.values()) and not any(more):
            continue
        if more:
            raise RefusedHere(
                f"{path}, line {reader.line_num}: this row has more cells than there are columns. A cell with the "
                "separator in it stands in quotes."
            )
        if len(people) == MAX_ROWS:
            raise RefusedHere(f"{path} has more than {MAX_ROWS} people: share in several files.")
        people.append(Person(values["mail"], values["name"], values["company"], values["purpose"] or None))
        lines.append(reader.line_num)
    if not people:
        raise RefusedHere(f"{path} names nobody.")
    return Listed(people, lines)


def _names(first: Sequence[str]) -> list[str]:
    """The names of columns as they are written in the first line."""
    return [name.strip().lower() for name in first]


def results(rows: Iterable[Mapping[str, object]]) -> str:
    """What came of each row as CSV. No cell is run as a formula by a spreadsheet."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(RESULT_COLUMNS)
    for row in rows:
        found = (row.get(name) for name in RESULT_COLUMNS)
        writer.writerow([harmless("" if value is None else str(value)) for value in found])
    return written.getvalue()
