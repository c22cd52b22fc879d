"""Exports of the log, streamed: NDJSON that proves itself (`crypto/FORMAT.md`, "Log export"), CSV for people, OCSF for
a SIEM.

An export stands on a published checkpoint and ends where that ends; the entry of the pull comes after it. Memory does
not grow with the log.
"""

from __future__ import annotations

import csv
import heapq
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Literal, get_args

from crypto import logexport
from crypto.logexport import Scope, Step
from crypto.merkle import inclusion_proof
from service import ocsf
from service.archives import Archives
from service.audit import Actor, Clock, Random
from service.checkpoints import Checkpoints
from service.errors import invalid, not_found
from service.log import LogFilter, flat, pulled
from service.ports import Database, Records
from service.records import LogCheckpoint, LoggedEntry, LogState
from service.sequencer import LOG
from service.tree import from_nodes

Form = Literal["ndjson", "csv", "ocsf"]

PAGE = 1000
"""Entries of one query: some hundred KB of memory, whatever the length of the log."""

MAX_HELD = 16
"""Sizes of one export that consistency is proven with."""

CSV_COLUMNS = (
    "index", "sequenced", "time", "kind", "outcome", "reason", "actor_type", "actor", "request", "share", "link",
    "document", "version", "template", "copy", "delivery", "nda", "recipient", "name", "mail", "company",
    "address", "agent", "purpose", "reference", "details",
)  # fmt: skip
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet run a cell as a formula (FORMATS.md, HTTP)."""


@dataclass(frozen=True)
class _Range:
    """What one export holds."""

    checkpoint: LogCheckpoint
    first: int
    stop: int
    said: Mapping[str, str]
    wheres: Sequence[Mapping[str, Any]]  # entries meet all conditions of one of them
    whole: bool


class Exports:
    """Exports entries, and proves single ones."""

    def __init__(
        self, database: Database, checkpoints: Checkpoints, archives: Archives, clock: Clock, random: Random
    ) -> None:
        self._database = database
        self._checkpoints = checkpoints
        self._archives = archives
        self._clock = clock
        self._random = random

    def export(
        self, actor: Actor, chosen: LogFilter, form: Form, held: Sequence[int] = ()
    ) -> Iterator[bytes]:
        """All entries of the filter as a stream of lines. `held`: sizes of checkpoints that the reader has.

        When it returns, the pull is an entry. Raises `DomainError` (invalid), `DatabaseUnavailable`, `StoreError`.
        """
        if form not in get_args(Form):
            raise invalid("format", f"An export is one of {', '.join(get_args(Form))}.")
        chosen.where()
        checkpoint = self._checkpoints.cover()
        if len(held) > MAX_HELD or not all(0 <= size <= checkpoint.size for size in held):
            raise invalid(
                "held",
                f"Name at most {MAX_HELD} sizes, none beyond the {checkpoint.size} entries of the log. A checkpoint "
                "of more entries than the log has shows that its end was cut off.",
            )
        with self._database.write() as records:
            records.add(pulled(actor, chosen, form, checkpoint.size, self._clock(), self._random))
        chosen_range = self._range(checkpoint, chosen)
        if form == "ndjson":
            return self._ndjson(chosen_range, held)
        entries = self._entries(chosen_range)
        return _csv(entries) if form == "csv" else map(ocsf.line, entries)

    def chosen(
        self, checkpoint: LogCheckpoint, said: Mapping[str, str], *wheres: Mapping[str, Any]
    ) -> Iterator[bytes]:
        """A filtered export under this published checkpoint, of the entries that meet all conditions of one `where`.

        No entry may meet two of them. `said` is the filter that it states, which all entries must meet, too; it names
        more than a time. This records no pull: the caller does.
        """
        return self._ndjson(_Range(checkpoint, 0, checkpoint.size, said, wheres, whole=False), ())

    def proof(self, entry_id: str) -> str:
        """A c2sp.org/tlog-proof of this entry under a published checkpoint. Raises `DomainError` (not-found)."""
        with self._database.read() as records:
            found = records.find(LoggedEntry, id=entry_id, limit=1)
        if not found:
            raise not_found("entry", entry_id)
        checkpoint = self._checkpoints.cover()
        with self._database.read() as records:
            return from_nodes(
                records, lambda read: logexport.entry_proof(found[0].index, checkpoint.note, read)
            )

    def _range(self, checkpoint: LogCheckpoint, chosen: LogFilter) -> _Range:
        with self._database.read() as records:
            bounds = [
                checkpoint.size if not found else min(found[0].index, checkpoint.size)
                for found in (
                    records.find(LoggedEntry, order="index", limit=1, sequenced__ge=moment)
                    if moment
                    else None
                    for moment in (chosen.since, chosen.until)
                )
            ]
        first = bounds[0] if chosen.since else 0
        said, wheres = chosen.said(), [chosen.where()]
        return _Range(checkpoint, first, max(first, bounds[1]), said, wheres, chosen.is_time_only())

    def _ndjson(self, what: _Range, held: Sequence[int]) -> Iterator[bytes]:
        scope = Scope(what.checkpoint.note, what.first, what.stop, what.said, what.whole)
        with self._database.read() as records:
            chain, edges = steps(records, what.checkpoint.size), _edges(records, what)
            yield from_nodes(
                records, lambda read: logexport.header(scope, read, chain=chain, held=held, edges=edges)
            )
        count = 0
        for page in self._pages(what):
            count += len(page)
            if what.whole:
                yield b"".join(logexport.entry_line(e.index, e.leaf, e.leaf_hash, e.revealed) for e in page)
                continue
            size, indices = what.checkpoint.size, [entry.index for entry in page]
            with self._database.read() as records:
                proofs = from_nodes(records, lambda read: [inclusion_proof(i, size, read) for i in indices])  # noqa: B023
            for entry, proof in zip(page, proofs, strict=True):
                yield logexport.entry_line(entry.index, entry.leaf, entry.leaf_hash, entry.revealed, proof)
        yield logexport.footer(count)

    def _entries(self, what: _Range) -> Iterator[LoggedEntry]:
        for page in self._pages(what):
            yield from page

    def _pages(self, what: _Range) -> Iterator[list[LoggedEntry]]:
        """The entries in order of their index."""
        if len(what.wheres) == 1:
            yield from self._found(what, what.wheres[0])
            return
        streams = (chain.from_iterable(self._found(what, where)) for where in what.wheres)
        merged = heapq.merge(*streams, key=lambda logged: logged.index)
        while page := list(islice(merged, PAGE)):
            yield page

    def _found(self, what: _Range, where: Mapping[str, Any]) -> Iterator[list[LoggedEntry]]:
        after = what.first - 1
        while True:
            with self._database.read() as records:
                found = records.find(
                    LoggedEntry, order="index", limit=PAGE, index__gt=after, index__lt=what.stop, **where
                )
            if found:
                yield self._archives.filled(found)
            if len(found) < PAGE:
                return
            after = found[-1].index


def steps(records: Records, size: int) -> list[Step]:
    """The entries that name a new log key or a new origin, each under the first checkpoint over it, in their order.

    Of the first `size` entries, and checkpoints of no more.
    """
    state = records.get(LogState, LOG)
    named = records.find(
        LoggedEntry, order="index", index__lt=size, kind__in=["key.rotated", "log.recovered"]
    )
    bodies = [(entry, json.loads(entry.leaf)["details"]) for entry in named]
    recovered = [details for entry, details in bodies if entry.kind == "log.recovered"]
    origin = recovered[0]["lost_origin"] if recovered else state.origin if state else None
    found = []
    for entry, details in bodies:
        if entry.kind == "log.recovered":
            origin = details["origin"]
        elif details["purpose"] != "log":
            continue
        over = records.find(
            LogCheckpoint, origin=origin, size__gt=entry.index, size__le=size, limit=1, order="size"
        )
        found += [Step(over[0].note, over[0].size, entry.index, entry.leaf)] if over else []
    return found


def _edges(records: Records, what: _Range) -> list[tuple[int, bytes]]:
    """The entries beside a whole range of time."""
    if not what.whole:
        return []
    before = [what.first - 1] if "since" in what.said and what.first else []
    after = [what.stop] if "until" in what.said and what.stop < what.checkpoint.size else []
    return [(e.index, e.leaf) for e in records.find(LoggedEntry, order="index", index__in=[*before, *after])]


def _csv(entries: Iterator[LoggedEntry]) -> Iterator[bytes]:
    """RFC 4180 for people; cells that a spreadsheet would run are quoted against it. The proof is the NDJSON."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(CSV_COLUMNS)
    for logged in entries:
        row = flat(logged)
        writer.writerow([harmless(str(row.get(column, ""))) for column in CSV_COLUMNS])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def harmless(cell: str) -> str:
    """The cell of a CSV file, quoted against spreadsheets that would run it."""
    return "'" + cell if cell.startswith(FORMULA_STARTS) else cell
