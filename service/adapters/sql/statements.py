"""The statements of `Records`: one object for each shape, made once; only the values differ from call to call.

A shape is a table with the names of its conditions. There are as many as the program has kinds of calls, so they are
kept for good: making a statement anew costs more than SQLite needs to run it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from operator import attrgetter, ge, gt, le, lt
from typing import Any

from sqlalchemy import (
    JSON,
    BindParameter,
    Column,
    ColumnElement,
    Delete,
    Insert,
    Select,
    Table,
    Update,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from service.adapters.sql.types import Whole

COMPARISONS = {"lt": lt, "le": le, "gt": gt, "ge": ge}

Shape = tuple[tuple[str, bool], ...]
"""The name of each condition, and whether it asks for what is absent."""

KEY, LIMIT = "the_key", "the_limit"
WHERE, SET = "where_", "set_"
"""Names of values, or how they begin: no column is called so, which SQLAlchemy does not allow in an update."""


def filled_up(values: list[Any]) -> list[Any]:
    """The same set of values, the last one repeated: lists of few lengths are few statements to prepare and plan."""
    length = 1
    while length < len(values):
        length *= 4 if length < 16 else 2
    return values + values[-1:] * (length - len(values))


@cache
def reader(table: Table) -> attrgetter[tuple[Any, ...]]:
    """Reads the values of the table's columns from a record."""
    return attrgetter(*table.columns.keys())


@cache
def insertion(table: Table) -> Insert:
    """Takes the values of all columns by their names."""
    return insert(table)


def get(table: Table, key: str | int, *, lock: bool) -> tuple[Select[Any], dict[str, Any]]:
    """The row with this key."""
    return _get(table, lock), {KEY: key}


def find(
    table: Table, where: Mapping[str, Any], *, order: str, limit: int | None, lock: bool
) -> tuple[Select[Any], dict[str, Any]]:
    """The rows that meet the conditions."""
    shape, values = _given(table, where)
    if limit is not None:
        values[LIMIT] = limit
    return _find(table, shape, order, limit is not None, lock), values


def change(
    table: Table, record: object, values: Mapping[str, Any], expect: Mapping[str, Any]
) -> tuple[Update, dict[str, Any]]:
    """Sets values of the record's row if it meets what is expected, and gives the row."""
    key = _key(table)
    if not values or key.name in values:
        raise ValueError(f"name the values of {table.name} to change, but not its key {key.name}")
    shape, bound = _given(table, expect)
    bound |= {SET + name: value for name, value in values.items()}
    bound[KEY] = getattr(record, key.name)
    return _change(table, shape, tuple(values)), bound


def remove(table: Table, where: Mapping[str, Any]) -> tuple[Delete, dict[str, Any]]:
    """Deletes the rows that meet the conditions."""
    shape, values = _given(table, where)
    return _remove(table, shape), values


@cache
def _get(table: Table, lock: bool) -> Select[Any]:
    query = select(table).where(_is_key(table))
    # Rows that refer to it may still come.
    return query.with_for_update(key_share=True) if lock else query


@cache
def _find(table: Table, shape: Shape, order: str, limited: bool, lock: bool) -> Select[Any]:
    query = select(table).where(*_conditions(table, shape)).order_by(*_order(table, order))
    if limited:
        query = query.limit(bindparam(LIMIT, type_=Whole))
    return query.with_for_update(key_share=True, skip_locked=True) if lock else query


@cache
def _change(table: Table, shape: Shape, names: tuple[str, ...]) -> Update:
    columns = {name: _column(table, name) for name in names}
    return (
        update(table)
        .where(_is_key(table), *_conditions(table, shape))
        .values({column: bindparam(SET + name, type_=column.type) for name, column in columns.items()})
        .returning(*table.columns)
    )


@cache
def _remove(table: Table, shape: Shape) -> Delete:
    return delete(table).where(*_conditions(table, shape))


@cache
def _key(table: Table) -> Column[Any]:
    """The column of the record's key: the first one."""
    return next(iter(table.columns))


def _is_key(table: Table) -> ColumnElement[bool]:
    key = _key(table)
    return key == bindparam(KEY, type_=key.type)


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


def _given(table: Table, where: Mapping[str, Any]) -> tuple[Shape, dict[str, Any]]:
    """The shape of these conditions, and the values that they compare with."""
    shape, values = [], {}
    for name, value in where.items():
        field, _, operator = name.partition("__")
        absent = value is None and operator in ("", "ne")
        shape.append((name, absent))
        if absent:
            continue
        if operator == "in":
            value = filled_up(list(value))
        if value is None or (operator == "in" and None in value):
            raise ValueError(f"{name}: ask for what is absent with {field}=None")
        values[WHERE + name] = value
    return tuple(shape), values


def _conditions(table: Table, shape: Shape) -> list[ColumnElement[bool]]:
    return [_condition(table, name, absent) for name, absent in shape]


def _condition(table: Table, name: str, absent: bool) -> ColumnElement[bool]:
    field, _, operator = name.partition("__")
    column: ColumnElement[Any] = _column(table, field)
    if isinstance(column.type, JSON):
        raise ValueError(f"{table.name}.{field} cannot be searched")
    if absent:
        return column.is_not(None) if operator else column.is_(None)
    value: BindParameter[Any] = bindparam(WHERE + name, type_=column.type, expanding=operator == "in")
    if operator == "":
        return column == value
    if operator == "ne":
        return column.is_distinct_from(value)
    if operator == "in":
        return column.in_(value)
    if operator not in COMPARISONS:
        raise ValueError(f"{name}: the operators are ne, in, {', '.join(COMPARISONS)}")
    compared: ColumnElement[bool] = COMPARISONS[operator](column, value)
    return compared
