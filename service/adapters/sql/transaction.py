"""The records of one SQL transaction: `service.ports.Records` for any record that has a table."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import Connection, Table

from service.adapters.sql import statements
from service.adapters.sql.refusals import translated
from service.adapters.sql.tables import TABLES
from service.ports import EntryGuard
from service.records import InboxEntry

R = TypeVar("R")


class SqlRecords:
    """`Records` over an open transaction. When a call has raised, the transaction can only be left."""

    def __init__(self, connection: Connection, *, writable: bool, guard: EntryGuard | None = None) -> None:
        self._connection = connection
        self._writable = writable
        self._guard = guard
        self._broken = False

    def add(self, *records: object) -> None:
        """See `Records.add`. Neighbours of one kind are sent as one batch."""
        if self._guard is not None and any(isinstance(record, InboxEntry) for record in records):
            self._guard.require()
        for (table, _), group in groupby(map(_stored, records), key=itemgetter(0, 1)):
            self._run(statements.insertion(table), [values for _, _, values in group], changes=True)

    def get(self, kind: type[R], key: str | int, /, *, lock: bool = False) -> R | None:
        """See `Records.get`."""
        row = self._run(*statements.get(TABLES[kind], key, lock=lock), changes=lock).first()
        return None if row is None else kind(*row)

    def find(
        self, kind: type[R], /, *, order: str = "", limit: int | None = None, lock: bool = False, **where: Any
    ) -> list[R]:
        """See `Records.find`. What is absent comes before all values, descending after them."""
        query = statements.find(TABLES[kind], where, order=order, limit=limit, lock=lock)
        return [kind(*row) for row in self._run(*query, changes=lock)]

    def change(self, record: R, *, expect: Mapping[str, Any] | None = None, **values: Any) -> R | None:
        """See `Records.change`. One statement; `expect` takes the operators of `find` too."""
        kind = type(record)
        row = self._run(*statements.change(TABLES[kind], record, values, expect or {}), changes=True).first()
        return None if row is None else kind(*row)

    def remove(self, kind: type[object], /, **where: Any) -> int:
        """See `Records.remove`."""
        table = TABLES[kind]
        if not where:
            raise ValueError(f"name at least one condition: this would remove all of {table.name}")
        removed: int = self._run(*statements.remove(table, where), changes=True).rowcount
        return removed

    def close(self) -> None:
        """Refuse to commit what a caught error left half done."""
        if self._broken:
            raise RuntimeError(
                "a call in this transaction failed: let its error leave the block, then begin anew"
            )

    def _run(self, statement: Any, values: Any, *, changes: bool) -> Any:
        self.close()
        if changes and not self._writable:
            raise RuntimeError(
                "this transaction reads only: lock, add, change and remove belong into write()"
            )
        self._broken = True
        with translated():
            result = self._connection.execute(statement, values)
        self._broken = False
        return result


def _stored(record: object) -> tuple[Table, bool, dict[str, Any]]:
    """The record's table, whether the database gives its number, and its values."""
    table = TABLES[type(record)]
    values = dict(zip(table.columns.keys(), statements.reader(table)(record), strict=True))
    numbered = table.autoincrement_column
    given = numbered is not None and values[numbered.name] is None
    if given and numbered is not None:
        del values[numbered.name]
    return table, given, values
