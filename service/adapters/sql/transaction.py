"""The records of one SQL transaction: `service.ports.Records` for any record that has a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from itertools import groupby
from operator import attrgetter, ge, gt, itemgetter, le, lt
from typing import Any, TypeVar

from sqlalchemy import JSON, Column, ColumnElement, Connection, Table, delete, insert, select, update

from service.adapters.sql.refusals import translated
from service.adapters.sql.tables import TABLES
from service.ports import EntryGuard
from service.records import InboxEntry

R = TypeVar("R")

COMPARISONS = {"lt": lt, "le": le, "gt": gt, "ge": ge}


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
            self._run(insert(table), [values for _, _, values in group], changes=True)

    def get(self, kind: type[R], key: str | int, /, *, lock: bool = False) -> R | None:
        """See `Records.get`."""
        table = TABLES[kind]
        query = select(table).where(_key(table) == key)
        if lock:
            query = query.with_for_update(key_share=True)  # rows that refer to it may still come
        row = self._run(query, changes=lock).first()
        return None if row is None else kind(*row)

    def find(
        self, kind: type[R], /, *, order: str = "", limit: int | None = None, lock: bool = False, **where: Any
    ) -> list[R]:
        """See `Records.find`. What is absent comes before all values, descending after them."""
        table = TABLES[kind]
        query = select(table).where(*_conditions(table, where)).order_by(*_order(table, order)).limit(limit)
        if lock:
            query = query.with_for_update(key_share=True, skip_locked=True)
        return [kind(*row) for row in self._run(query, changes=lock)]

    def change(self, record: R, *, expect: Mapping[str, Any] | None = None, **values: Any) -> R | None:
        """See `Records.change`. One statement; `expect` takes the operators of `find` too."""
        kind = type(record)
        table = TABLES[kind]
        key = _key(table)
        if not values or key.name in values:
            raise ValueError(f"name the values of {table.name} to change, but not its key {key.name}")
        query = (
            update(table)
            .where(key == getattr(record, key.name), *_conditions(table, expect or {}))
            .values({_column(table, name): value for name, value in values.items()})
            .returning(*table.columns)
        )
        row = self._run(query, changes=True).first()
        return None if row is None else kind(*row)

    def remove(self, kind: type[object], /, **where: Any) -> int:
        """See `Records.remove`."""
        table = TABLES[kind]
        if not where:
            raise ValueError(f"name at least one condition: this would remove all of {table.name}")
        removed: int = self._run(delete(table).where(*_conditions(table, where)), changes=True).rowcount
        return removed

    def close(self) -> None:
        """Refuse to commit what a caught error left half done."""
        if self._broken:
            raise RuntimeError(
                "a call in this transaction failed: let its error leave the block, then begin anew"
            )

    def _run(self, statement: Any, rows: list[dict[str, Any]] | None = None, *, changes: bool) -> Any:
        self.close()
        if changes and not self._writable:
            raise RuntimeError(
                "this transaction reads only: lock, add, change and remove belong into write()"
            )
        self._broken = True
        with translated():
            result = self._connection.execute(statement, rows)
        self._broken = False
        return result


@cache
def _key(table: Table) -> Column[Any]:
    """The column of the record's key: the first one."""
    return next(iter(table.columns))


@cache
def _reader(table: Table) -> attrgetter[tuple[Any, ...]]:
    return attrgetter(*table.columns.keys())


def _stored(record: object) -> tuple[Table, bool, dict[str, Any]]:
    """The record's table, whether the database gives its number, and its values."""
    table = TABLES[type(record)]
    values = dict(zip(table.columns.keys(), _reader(table)(record), strict=True))
    numbered = table.autoincrement_column
    given = numbered is not None and values[numbered.name] is None
    if given and numbered is not None:
        del values[numbered.name]
    return table, given, values


def _column(table: Table, name: str) -> Column[Any]:
    column = table.columns.get(name)
    if column is None:
        raise ValueError(f"{table.name} has no field {name!r}: {', '.join(table.columns.keys())}")
    return column


def _order(table: Table, order: str) -> Iterable[ColumnElement[Any]]:
    if order:
        column = _column(table, order.removeprefix("-"))
        ordered = column.desc() if order.startswith("-") else column.asc()
        if column.nullable:
            ordered = ordered.nulls_last() if order.startswith("-") else ordered.nulls_first()
        yield ordered
    yield _key(table).asc()


def _conditions(table: Table, where: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    return [_condition(table, name, value) for name, value in where.items()]


def _condition(table: Table, name: str, value: Any) -> ColumnElement[bool]:
    field, _, operator = name.partition("__")
    column: ColumnElement[Any] = _column(table, field)
    if isinstance(column.type, JSON):
        raise ValueError(f"{table.name}.{field} cannot be searched")
    if operator in ("", "ne"):
        same = column.is_(None) if value is None else column == value
        if not operator:
            return same
        return column.is_not(None) if value is None else column.is_distinct_from(value)
    values = list(value) if operator == "in" else [value]
    if None in values:
        raise ValueError(f"{name}: ask for what is absent with {field}=None")
    if operator == "in":
        return column.in_(values)
    if operator not in COMPARISONS:
        raise ValueError(f"{name}: the operators are ne, in, {', '.join(COMPARISONS)}")
    compared: ColumnElement[bool] = COMPARISONS[operator](column, value)
    return compared
