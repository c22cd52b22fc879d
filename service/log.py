"""Reading the access log: filters, pages by cursor, exports as a stream. Each pull is itself an entry.

A pull fixes the size of the log first; its own entry comes after that size. What entries mean is in `audit`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, get_args

from crypto import canonical, identifiers
from crypto.errors import IdentifierInvalid
from service.audit import KINDS, PERSONAL_FIELDS, Actor, Clock, Details, Outcome, Random, entry, timestamp
from service.errors import invalid
from service.ports import Database
from service.records import LoggedEntry, LogState
from service.sequencer import LOG

PAGE = 1000
"""Entries of one query of an export: some hundred KB of memory, whatever the length of the log."""

MAX_PAGE = 500
"""Entries of one page of the API."""

CSV_COLUMNS = (
    "index", "sequenced", "time", "kind", "outcome", "reason", "actor_type", "actor", "request", "share", "link",
    "document", "version", "template", "copy", "delivery", "nda", "recipient", "name", "mail", "company",
    "address", "agent", "purpose", "reference", "details",
)  # fmt: skip
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet run a cell as a formula (FORMATS.md, HTTP)."""


@dataclass(frozen=True)
class LogFilter:
    """Which entries; all conditions hold together. `since` and `until` bound `sequenced`: [since, until)."""

    since: datetime | None = None
    until: datetime | None = None
    kind: str | None = None
    document: str | None = None
    recipient: str | None = None
    share: str | None = None
    outcome: str | None = None

    def where(self) -> dict[str, Any]:
        """The conditions for `Records.find`.

        Raises `DomainError` (invalid) for a kind or outcome that does not exist and for what is no identifier: the
        filter enters the pull's leaf, which cannot be erased, so nothing personal may stand in it.
        """
        if self.kind is not None and self.kind not in KINDS:
            raise invalid("kind", f"There is no such kind of entry. Kinds: {', '.join(KINDS)}.")
        if self.outcome is not None and self.outcome not in get_args(Outcome):
            raise invalid("outcome", f"There is no such outcome. Outcomes: {', '.join(get_args(Outcome))}.")
        for name, prefix in (("document", "doc"), ("recipient", "rcp"), ("share", "shr")):
            if getattr(self, name) is not None:
                _check_identifier(name, getattr(self, name), prefix)
        named = {"kind", "document", "recipient", "share", "outcome"}
        found = {name: getattr(self, name) for name in named if getattr(self, name) is not None}
        if self.since is not None:
            found["sequenced__ge"] = self.since
        if self.until is not None:
            found["sequenced__lt"] = self.until
        return found

    def describe(self) -> str:
        """The filter as one canonical line for the entry of the pull; identifiers only, nothing personal."""
        said = {
            item.name: getattr(self, item.name)
            for item in fields(self)
            if getattr(self, item.name) is not None
        }
        plain = {name: timestamp(v) if isinstance(v, datetime) else str(v) for name, v in said.items()}
        return canonical.encode(plain).decode()


@dataclass(frozen=True)
class LogPage:
    """Some entries, the index after which the next page begins (None: there is none), and the fixed size."""

    entries: list[LoggedEntry]
    next_after: int | None
    size: int


class Log:
    """Reads the log."""

    def __init__(self, database: Database, clock: Clock, random: Random) -> None:
        self._database = database
        self._clock = clock
        self._random = random

    def page(
        self,
        actor: Actor,
        chosen: LogFilter,
        *,
        after: int | None = None,
        limit: int = 100,
        size: int | None = None,
    ) -> LogPage:
        """One page of entries in order of their index, those after `after`, below `size`.

        The first page (no `size`) fixes the size, and the following ones name it. Each page is recorded as a pull:
        else whoever names a size would read without an entry.
        """
        where = chosen.where()
        pulled = self._pull(actor, chosen, "page")
        fixed = pulled if size is None else min(size, pulled)
        if after is not None:
            where["index__gt"] = after
        with self._database.read() as records:
            found = records.find(
                LoggedEntry, order="index", limit=min(limit, MAX_PAGE) + 1, index__lt=fixed, **where
            )
        more = len(found) > min(limit, MAX_PAGE)
        entries = found[: min(limit, MAX_PAGE)]
        return LogPage(entries, entries[-1].index if more else None, fixed)

    def export(self, actor: Actor, chosen: LogFilter, form: Literal["ndjson", "csv"]) -> Iterator[bytes]:
        """All entries of the filter as a stream of lines; memory does not grow with the log."""
        chosen.where()
        size = self._pull(actor, chosen, form)
        return (
            ndjson(self._entries(chosen, size)) if form == "ndjson" else as_csv(self._entries(chosen, size))
        )

    def size(self) -> int:
        """How many entries have their place."""
        with self._database.read() as records:
            state = records.get(LogState, LOG)
        return state.size if state else 0

    def _pull(self, actor: Actor, chosen: LogFilter, form: str) -> int:
        now = self._clock()
        with self._database.write() as records:
            state = records.get(LogState, LOG)
            size = state.size if state else 0
            details: Details = {
                "format": form, "filter": chosen.describe(), "size": size,
            }  # fmt: skip
            records.add(entry("log.pulled", actor, now, self._random, details=details))
        return size

    def _entries(self, chosen: LogFilter, size: int) -> Iterator[LoggedEntry]:
        after = -1
        while True:
            with self._database.read() as records:
                found = records.find(
                    LoggedEntry, order="index", limit=PAGE, index__gt=after, index__lt=size, **chosen.where()
                )
            yield from found
            if len(found) < PAGE:
                return
            after = found[-1].index


def shown(logged: LoggedEntry) -> dict[str, Any]:
    """An entry as the API shows it: index, the leaf's exact bytes as a string, and the revealed values."""
    return {"index": logged.index, "leaf": logged.leaf.decode(), "revealed": logged.revealed}


def ndjson(entries: Iterator[LoggedEntry]) -> Iterator[bytes]:
    """One JSON object a line, as `shown`."""
    for logged in entries:
        yield json.dumps(shown(logged), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def as_csv(entries: Iterator[LoggedEntry]) -> Iterator[bytes]:
    """RFC 4180 for people; cells that a spreadsheet would run are quoted against it. The proof is the NDJSON."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(CSV_COLUMNS)
    for logged in entries:
        row = flat(logged)
        writer.writerow([_harmless(str(row.get(column, ""))) for column in CSV_COLUMNS])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def flat(logged: LoggedEntry) -> Mapping[str, object]:
    """An entry as one flat row: the leaf's fields, and the revealed values under their names."""
    body = json.loads(logged.leaf)
    row: dict[str, object] = {"index": logged.index, **body}
    row.pop("commitments", None)
    if "details" in row:
        row["details"] = json.dumps(row["details"], ensure_ascii=False)
    for name in PERSONAL_FIELDS & logged.revealed.keys():
        row[name] = logged.revealed[name]["value"]
    return row


def _check_identifier(where: str, text: str, prefix: str) -> None:
    try:
        identifiers.parse_id(text, prefix)
    except IdentifierInvalid as error:
        raise invalid(where, f"Name a {where} by its id, {prefix}_…; list them to find it.") from error


def _harmless(cell: str) -> str:
    return "'" + cell if cell.startswith(FORMULA_STARTS) else cell
