"""The log's tree as it is stored: reading its nodes, and what is made from them, in few queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from crypto.logcheck import HASH_SIZE
from crypto.merkle import ReadNode
from service.ports import Records
from service.records import TreeNode

T = TypeVar("T")

NODES = 500
"""Nodes of one query: below what databases take as parameters of a statement."""


def node_key(level: int, index: int) -> str:
    """Under which a node is stored."""
    return f"{level}:{index}"


def read_nodes(records: Records) -> ReadNode:
    """Reads nodes one by one, each once."""
    known: dict[tuple[int, int], bytes | None] = {}

    def read(level: int, index: int) -> bytes | None:
        if (level, index) not in known:
            node = records.get(TreeNode, node_key(level, index))
            known[level, index] = None if node is None else node.hash
        return known[level, index]

    return read


def from_nodes(records: Records, make: Callable[[ReadNode], T]) -> T:
    """What `make` makes of the stored nodes. It runs twice: first to learn which nodes it reads, whatever they hold.

    Raises what `make` raises; `TreeBroken` where a node is missing.
    """
    wanted: list[str] = []

    def note(level: int, index: int) -> bytes:
        wanted.append(node_key(level, index))
        return bytes(HASH_SIZE)

    make(note)
    found: dict[str, bytes] = {}
    keys = list(dict.fromkeys(wanted))
    for start in range(0, len(keys), NODES):
        nodes = records.find(TreeNode, key__in=keys[start : start + NODES])
        found.update({node.key: node.hash for node in nodes})
    return make(lambda level, index: found.get(node_key(level, index)))
