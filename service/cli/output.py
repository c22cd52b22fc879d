"""Answers on standard output: for people as lines and tables, with `--json` as one JSON document."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

import click

from service.audit import timestamp

MAX_LIST = 1000
"""Records of one list: what a person or a script looks through at a time; the next begin with `--after`."""

_INTERNAL = frozenset({"evidence_id", "original_id", "secret_hash", "template_id", "wrapped_key"})
"""Fields of records that lead to nothing on this side."""

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Answer in JSON on standard output, with nothing else there."
)
limit_option = click.option(
    "--limit",
    type=click.IntRange(1, MAX_LIST),
    default=100,
    show_default=True,
    help="At most so many, in order of their id.",
)
after_option = click.option(
    "--after", metavar="ID", help="Only those after this id: for the next part of a list."
)


def as_dict(record: Any) -> dict[str, Any]:
    """A record's fields as JSON-able values; times are RFC 3339 in UTC."""
    return {f.name: _value(getattr(record, f.name)) for f in fields(record) if f.name not in _INTERNAL}


def answer(values: Mapping[str, Any], as_json: bool) -> None:
    """One thing. For people: a line a field; absent ones are left out."""
    if as_json:
        click.echo(json.dumps(dict(values), ensure_ascii=False))
        return
    said = {name: _text(value) for name, value in values.items() if value not in (None, [], {}, "")}
    width = max((len(name) for name in said), default=0)
    for name, text in said.items():
        click.echo(f"{name.replace('_', ' '):<{width}}  {text}")


def answer_list(
    noun: str, rows: Sequence[Mapping[str, Any]], columns: Iterable[str], limit: int, as_json: bool
) -> None:
    """A list whose `rows` were asked with one more than `limit`, to know whether there are more."""
    shown = rows[:limit]
    following = shown[-1]["id"] if len(rows) > limit else None
    if as_json:
        answer({"items": list(shown), "next": following}, as_json)
        return
    table(shown, list(columns))
    if not shown:
        note(f"no {noun.replace('_', ' ')}")
    if following:
        note(f"there are more: --after {following}")


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Aligned columns under their names."""
    if not rows:
        return
    cells = [[name.replace("_", " ") for name in columns]]
    cells += [[_text(row.get(name)) for name in columns] for row in rows]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    for row in cells:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def note(text: str) -> None:
    """A line for people, beside the answer."""
    click.echo(plain(text), err=True)


def plain(text: str) -> str:
    """The text on one line, without characters that a terminal would obey."""
    return "".join("\ufffd" if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else c for c in text)


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, date):
        return value.isoformat()
    return value


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return plain(" ".join(str(item) for item in value))
    if isinstance(value, dict):
        return plain(json.dumps(value, ensure_ascii=False))
    return plain(str(value))
