"""The sequencer: moves entries from the inbox into the tree, in order, each batch in one transaction.

Any number of processes may put entries into the inbox, and any number may try to move them; one at a time does,
because the move holds the row of the log's state until it is durable. That lock is the fence: who loses its
connection loses the lock and the move with it, which a lease in a row of its own would have to check for.

In the same transaction the entries become the events that other systems are told of (`service/events.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from crypto import canonical, merkle
from service import events
from service.audit import Clock, timestamp
from service.ports import Database, Records, Taken
from service.records import InboxEntry, LoggedEntry, LogState, TreeNode
from service.tree import node_key, read_nodes

LOG = "log"
BATCH = 500
"""Entries of one transaction: at a thousand a second a transaction stays far below the lock's time-out."""


class Sequencer:
    """Gives entries their place."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def run_once(self) -> int:
        """Move one batch; returns how many entries it had. Raises `DatabaseUnavailable`; then nothing moved."""
        with self._database.read() as records:
            if not records.find(InboxEntry, limit=1):
                return 0
        try:
            return self._move_batch()
        except Taken:  # another process made the row of a new log at the same moment: now it is there
            return self._move_batch()

    def _move_batch(self) -> int:
        with self._database.write() as records:
            state = locked_state(records)
            batch = records.find(InboxEntry, order="position", limit=BATCH)
            if not batch:
                return 0
            self._move(records, state, batch)
        return len(batch)

    def lag(self) -> float:
        """Seconds that the oldest entry of the inbox has waited; 0 when there is none."""
        with self._database.read() as records:
            waiting = records.find(InboxEntry, order="position", limit=1)
        if not waiting:
            return 0.0
        made = datetime.fromisoformat(str(_body(waiting[0].leaf)["time"]))
        return max(0.0, (self._clock() - made).total_seconds())

    def _move(self, records: Records, state: LogState, batch: list[InboxEntry]) -> None:
        now = max(self._clock(), state.sequenced)
        logged = [_place(waiting, state.size + offset, now) for offset, waiting in enumerate(batch)]
        read_node = read_nodes(records)
        nodes, size = merkle.append_nodes(state.size, [item.leaf_hash for item in logged], read_node)
        made = {(node.level, node.index): node.hash for node in nodes}
        root = merkle.root(size, lambda level, index: made.get((level, index)) or read_node(level, index))
        records.add(*logged)
        records.add(*(TreeNode(node_key(node.level, node.index), node.hash) for node in nodes))
        records.change(state, size=size, root=root, sequenced=now)
        told = events.of_entries(records, logged, now)
        if told:
            records.add(*told)
        records.remove(InboxEntry, id__in=[waiting.id for waiting in batch])


def locked_state(records: Records) -> LogState:
    """The state of the log, held until the transaction ends: nobody else moves, signs or recovers meanwhile."""
    found = records.get(LogState, LOG, lock=True)
    if found is None:
        found = LogState(LOG, 0, merkle.EMPTY_ROOT, datetime.fromtimestamp(0, UTC))
        records.add(found)
    return found


def _place(waiting: InboxEntry, index: int, now: datetime) -> LoggedEntry:
    body = _body(waiting.leaf)
    body["sequenced"] = timestamp(now)
    leaf = canonical.encode(body)
    searched: dict[str, Any] = {
        name: body.get(name) for name in ("document", "version", "share", "recipient", "nda", "outcome")
    }
    return LoggedEntry(
        index=index,
        id=waiting.id,
        leaf=leaf,
        leaf_hash=merkle.leaf_hash(leaf),
        revealed=waiting.revealed,
        kind=str(body["kind"]),
        time=datetime.fromisoformat(str(body["time"])),
        sequenced=now,
        **searched,
    )


def _body(leaf: bytes) -> dict[str, Any]:
    body = canonical.decode(leaf)
    if not isinstance(body, Mapping):
        raise TypeError("a leaf is a JSON object")
    return dict(body)
