"""The log: export of the whole, its check by an outsider, and one proof, from the tables of the service in SQLite."""

from __future__ import annotations

import hashlib
import json
import os
import random
import sqlite3
import statistics
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.figures import MILLISECONDS, Figure, alone
from bench.memory import peak
from bench.timing import milliseconds
from crypto import canonical, commitments, identifiers, logexport, merkle, notes
from crypto.logcheck import Checkpoint, check_file
from service.adapters.sql.database import SqlDatabase
from service.adapters.sql.migrate import migrate
from service.audit import Actor, entry, timestamp
from service.ports import Records
from service.records import LoggedEntry, TreeNode

ORIGIN = "reports.lender.example/log_bench"
SECRET = hashlib.sha256(b"the bench's signing key").digest()
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
EVERY = timedelta(seconds=7)
BATCH = 5000
"""Entries that are stored at a time while the log is made, which is not measured."""

PAGE = 1000
"""Entries of one query of the export, as the service's own has."""

PROOFS = 300
"""Entries, drawn at random, of which each is proven once."""


def measure(entries: int, note: Callable[[str], None]) -> list[Figure]:
    """Seconds and peak memory of export and check, each in a fresh process, and the median of a proof."""
    with tempfile.TemporaryDirectory(prefix="sealmark-bench-") as made:
        folder = Path(made)
        text = notes.checkpoint_text(ORIGIN, entries, fill(folder, entries))
        (folder / "checkpoint").write_text(notes.note(text, notes.sign(text, ORIGIN, SECRET)))
        export_seconds, export_peak = _fresh(_export, folder)
        size = (folder / "export.ndjson").stat().st_size
        check_seconds, check_peak = _fresh(_check, folder)
        proof, _ = _fresh(_prove, folder)
    note(f"the log's export has {size / 1e6:.0f} MB, {size / entries:.0f} bytes an entry")
    return [
        alone(f"log: export of {entries:,} entries", export_seconds, "s"),
        alone("log: memory of that process at its peak", export_peak / 1e6, "MB"),
        alone(f"log: check of {entries:,} entries", check_seconds, "s"),
        alone("log: memory of that process at its peak, too", check_peak / 1e6, "MB"),
        alone(f"log: one proof among {entries:,}, median", proof, MILLISECONDS),
    ]


def fill(folder: Path, count: int) -> bytes:
    """Make a database of the service with a log of so many entries in it; returns the root hash."""
    path = folder / "sealmark.db"
    migrate(f"sqlite:///{path}")
    edge: dict[int, tuple[int, bytes]] = {}

    def read_node(level: int, index: int) -> bytes | None:
        known, value = edge[level]
        return value if known == index else None

    with sqlite3.connect(path) as database:
        database.execute("PRAGMA synchronous=OFF")
        database.execute("PRAGMA cache_size=-200000")
        for begin in range(0, count, BATCH):
            rows = list(_rows(begin, min(count, begin + BATCH)))
            nodes, _ = merkle.append_nodes(begin, [row["leaf_hash"] for row in rows], read_node)
            edge.update({node.level: (node.index, node.hash) for node in nodes})
            columns = ", ".join(f'"{name}"' for name in rows[0])
            places = ", ".join(f":{name}" for name in rows[0])
            database.executemany(f"INSERT INTO entries ({columns}) VALUES ({places})", rows)
            database.executemany(
                "INSERT INTO tree_nodes (key, hash) VALUES (?, ?)",
                [(f"{node.level}:{node.index}", node.hash) for node in nodes],
            )
    database.close()
    with _database(folder).read() as records:
        return merkle.root(count, _reader(records))


def _rows(begin: int, end: int) -> Iterator[dict[str, Any]]:
    """Entries of granted downloads, as the service makes them: three personal values, the references of a delivery."""
    references = {
        name: identifiers.new_id(name[:3], bytes(16)) for name in ("share", "document", "version", "delivery")
    }
    actor = Actor(
        "recipient", request="req_bench", address="192.0.2.7", agent="Mozilla/5.0 (X11; Linux x86_64) " * 3
    )
    personal = {"mail": "ana.example@acme.example"}
    details = {"number": 1, "limit": 5}
    model = entry(
        "download.granted",
        actor,
        BEGIN,
        os.urandom,
        details=details,
        personal=personal,
        link="0" * 64,
        **references,
    )
    body: dict[str, Any] = json.loads(model.leaf)
    for index in range(begin, end):
        seed, moment = hashlib.sha256(b"entry %d" % index).digest(), BEGIN + index * EVERY
        revealed = {}
        for name, shown in model.revealed.items():
            salt = hashlib.sha256(seed + name.encode()).digest()
            revealed[name] = {"value": shown["value"], "salt": salt.hex()}
            body["commitments"][name] = commitments.commit(name, shown["value"], salt)
        body["id"], body["time"] = identifiers.new_id("ent", seed[:16]), timestamp(moment)
        body["sequenced"] = body["time"]
        leaf = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
        if index == begin and leaf != canonical.encode(body):
            raise AssertionError("the leaf is not spelled as the service does")
        time = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        yield {
            "index": index, "id": body["id"], "leaf": leaf, "leaf_hash": merkle.leaf_hash(leaf),
            "revealed": json.dumps(revealed), "kind": body["kind"], "time": time, "sequenced": time,
            "share": body["share"], "document": body["document"], "version": body["version"], "outcome": "ok",
        }  # fmt: skip


def _export(folder: Path) -> tuple[float, int]:
    begin = perf_counter()
    checkpoint = (folder / "checkpoint").read_text()
    size = Checkpoint.decode(checkpoint).size
    scope = logexport.Scope(checkpoint, 0, size, {}, whole=True)
    with _database(folder).read() as records, (folder / "export.ndjson").open("wb") as file:
        file.write(logexport.header(scope, _reader(records)))
        for first in range(0, size, PAGE):
            found = records.find(LoggedEntry, order="index", index__ge=first, index__lt=first + PAGE)
            file.writelines(logexport.entry_line(e.index, e.leaf, e.leaf_hash, e.revealed) for e in found)
        file.write(logexport.footer(size))
    return perf_counter() - begin, peak()


def _check(folder: Path) -> tuple[float, int]:
    begin = perf_counter()
    report = check_file(folder / "export.ndjson", [notes.public_key(ORIGIN, SECRET).encode()])
    if report.problems or report.withheld or not report.whole:
        raise AssertionError(report)
    return perf_counter() - begin, peak()


def _prove(folder: Path) -> tuple[float, int]:
    checkpoint, draw, database = (folder / "checkpoint").read_text(), random.Random(7), _database(folder)
    size = Checkpoint.decode(checkpoint).size

    def prove(index: int) -> str:
        with database.read() as records:
            return logexport.entry_proof(index, checkpoint, _reader(records))

    prove(0)
    return statistics.median(
        milliseconds(partial(prove, draw.randrange(size))) for _ in range(PROOFS)
    ), peak()


def _database(folder: Path) -> SqlDatabase:
    return SqlDatabase(f"sqlite:///{folder / 'sealmark.db'}")


def _reader(records: Records) -> merkle.ReadNode:
    def read_node(level: int, index: int) -> bytes | None:
        node = records.get(TreeNode, f"{level}:{index}")
        return node.hash if node else None

    return read_node


def _fresh(task: Callable[[Path], tuple[float, int]], folder: Path) -> tuple[float, int]:
    """What the task gives in a process of its own, which has done nothing else."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(task, folder).result()
