"""Reading the access log: filters, and pages by cursor. Each pull is itself an entry; exports are in `exporting`.

A pull fixes the size of the log first; its own entry comes after that size. What entries mean is in `audit`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, get_args

from crypto import canonical, identifiers
from crypto.errors import IdentifierInvalid
from service.archives import Archives
from service.audit import KINDS, PERSONAL_FIELDS, Actor, Clock, Details, Outcome, Random, entry, timestamp
from service.errors import invalid
from service.ports import Database
from service.records import InboxEntry, LoggedEntry, LogState
from service.sequencer import LOG

ERASED = "(erased)"
"""What stands for people in place of a value that was erased."""

MAX_PAGE = 500
"""Entries of one page of the API."""


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

    def said(self) -> dict[str, str]:
        """What was asked for, by name; identifiers only, nothing personal."""
        given = {item.name: getattr(self, item.name) for item in fields(self)}
        return {
            name: timestamp(value) if isinstance(value, datetime) else str(value)
            for name, value in given.items()
            if value is not None
        }

    def describe(self) -> str:
        """The filter as one canonical line for the entry of the pull."""
        return canonical.encode(self.said()).decode()

    def is_time_only(self) -> bool:
        """Whether every entry of its time is chosen."""
        return self.said().keys() <= {"since", "until"}


@dataclass(frozen=True)
class LogPage:
    """Some entries, the index after which the next page begins (None: there is none), and the fixed size."""

    entries: list[LoggedEntry]
    next_after: int | None
    size: int


class Log:
    """Reads the log."""

    def __init__(self, database: Database, archives: Archives, clock: Clock, random: Random) -> None:
        self._database = database
        self._archives = archives
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
        entries = self._archives.filled(found[: min(limit, MAX_PAGE)])
        return LogPage(entries, entries[-1].index if more else None, fixed)

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
            records.add(pulled(actor, chosen, form, size, now, self._random))
        return size


def pulled(
    actor: Actor, chosen: LogFilter, form: str, size: int, now: datetime, random: Random
) -> InboxEntry:
    """The entry of a pull of the log as it was at `size`."""
    details: Details = {"format": form, "filter": chosen.describe(), "size": size}
    return entry("log.pulled", actor, now, random, details=details)


def shown(logged: LoggedEntry) -> dict[str, Any]:
    """An entry as the API shows it: index, the leaf's exact bytes as a string, and the revealed values."""
    return {"index": logged.index, "leaf": logged.leaf.decode(), "revealed": logged.revealed}


def flat(logged: LoggedEntry) -> Mapping[str, object]:
    """An entry as one flat row: the leaf's fields, and the revealed values under their names."""
    body = json.loads(logged.leaf)
    row: dict[str, object] = {"index": logged.index, **body}
    row.pop("commitments", None)
    if "details" in row:
        row["details"] = json.dumps(row["details"], ensure_ascii=False)
    for name in PERSONAL_FIELDS & logged.revealed.keys():
        row[name] = logged.revealed[name].get("value", ERASED)
    return row


def _check_identifier(where: str, text: str, prefix: str) -> None:
    try:
        identifiers.parse_id(text, prefix)
    except IdentifierInvalid as error:
        raise invalid(where, f"Name a {where} by its id, {prefix}_…; list them to find it.") from error
