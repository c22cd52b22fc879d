"""What must hold of the log and of the records that it tells of, whenever one looks: read in one transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from crypto import merkle
from service.app import Sealmark
from service.records import Delivery, InboxEntry, LoggedEntry, LogState, Send, Share, TreeNode
from service.sequencer import LOG


@dataclass(frozen=True)
class Log:
    """All entries, those with a place in the tree and those that still wait for one, as the leaves say them."""

    logged: list[LoggedEntry]
    leaves: list[dict[str, Any]]
    sends: list[Send]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The leaves of this kind."""
        return [leaf for leaf in self.leaves if leaf["kind"] == kind]


def require_whole(sealmark: Sealmark) -> Log:
    """The log, of which all that `AssertionError` could say is untrue.

    Indices from 0 without a gap, no id twice, every leaf hash and every stored node as its leaves give them and none
    besides, the root as the state says it; as many downloads taken from each share as deliveries and entries of a
    grant; an entry of its beginning for each send, and of its end for each that ended.
    """
    with sealmark.database.read() as records:
        logged = records.find(LoggedEntry, order="index")
        waiting = records.find(InboxEntry, order="position")
        state = records.get(LogState, LOG)
        nodes = {node.key: node.hash for node in records.find(TreeNode)}
        shares, deliveries, sends = records.find(Share), records.find(Delivery), records.find(Send)
    _require_tree(logged, state, nodes)
    ids = Counter(entry.id for entry in (*logged, *waiting))
    assert [name for name, count in ids.items() if count > 1] == [], "an entry is there twice"
    leaves = [json.loads(entry.leaf) for entry in (*logged, *waiting)]
    assert [leaf["id"] for leaf in leaves] == list(ids), "a leaf says another id than its row"
    log = Log(logged, leaves, sends)

    taken = {share.id: share.downloads_taken for share in shares if share.downloads_taken}
    granted = log.of("download.granted")
    assert Counter(leaf["share"] for leaf in granted) == taken, "entries of grants and downloads taken differ"
    assert Counter(leaf["delivery"] for leaf in granted) == Counter(d.id for d in deliveries)
    begun = Counter(leaf["delivery"] for leaf in log.of("download.begun"))
    assert begun == Counter(send.delivery_id for send in sends), "entries that sending began and sends differ"
    ended = Counter((leaf["delivery"], leaf["outcome"]) for leaf in log.of("download.ended"))
    assert ended == Counter((send.delivery_id, send.outcome) for send in sends if send.outcome)
    return log


def _require_tree(logged: Iterable[LoggedEntry], state: LogState | None, nodes: dict[str, bytes]) -> None:
    size = state.size if state else 0
    entries = list(logged)
    assert [entry.index for entry in entries] == list(range(size)), (
        "an index is missing, or there are too many"
    )
    assert all(entry.leaf_hash == merkle.leaf_hash(entry.leaf) for entry in entries), (
        "a leaf has another hash"
    )
    level, row = 0, [merkle.leaf_hash(entry.leaf) for entry in entries]
    expected = {}
    while row:
        expected |= {f"{level}:{index}": value for index, value in enumerate(row)}
        row = [merkle.node_hash(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)]
        level += 1
    assert nodes == expected, "the stored nodes are not those of the leaves"
    if state is not None:
        root = merkle.root(size, lambda level, index: expected.get(f"{level}:{index}"))
        assert state.root == root, "the state has another root than its leaves"
