"""The log's tree: RFC 6962 section 2.1, kept as the hashes of its perfect subtrees.

Node (level, index) covers the leaves index * 2^level up to (index + 1) * 2^level and never changes, so an
append only adds nodes. Proofs are made from the same nodes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crypto.errors import TreeBroken
from crypto.lengths import check_length

HASH_SIZE = 32
"""Bytes of every hash here: SHA-256."""

ReadNode = Callable[[int, int], bytes | None]
"""(level, index) → the stored hash, or None where there is none."""


@dataclass(frozen=True, slots=True)
class Node:
    """The hash of one perfect subtree."""

    level: int
    index: int
    hash: bytes


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def empty_root() -> bytes:
    """The root of a tree without leaves: SHA-256 of nothing."""
    return hashlib.sha256().digest()


def append_nodes(size: int, leaf_hashes: Sequence[bytes], read_node: ReadNode) -> tuple[list[Node], int]:
    """The nodes to store when these leaves follow the first `size` ones, in order, and the new size.

    Level 0, the leaf hashes themselves, is among them. `read_node` is asked for stored nodes only, at most
    one a level. Raises `TreeBroken` when one of them is missing, `WrongLength` for what is no hash.
    """
    nodes: list[Node] = []
    added: dict[tuple[int, int], bytes] = {}
    for leaf, value in enumerate(leaf_hashes, size):
        check_length("a leaf hash", value, HASH_SIZE)
        level, index = 0, leaf
        while True:
            nodes.append(Node(level, index, value))
            added[level, index] = value
            if index % 2 == 0:
                break
            left = added.get((level, index - 1)) or _stored(read_node, level, index - 1)
            level, index, value = level + 1, index // 2, node_hash(left, value)
    return nodes, size + len(leaf_hashes)


def root(size: int, read_node: ReadNode) -> bytes:
    """The root hash of the first `size` leaves. Raises `TreeBroken` when a node is missing.

    The perfect subtrees of a tree stand for the set bits of its size; it joins them from the right.
    """
    result: bytes | None = None
    for level in range(size.bit_length()):
        if size >> level & 1:
            subtree = _stored(read_node, level, (size >> level) - 1)
            result = subtree if result is None else node_hash(subtree, result)
    return empty_root() if result is None else result


def _stored(read_node: ReadNode, level: int, index: int) -> bytes:
    value = read_node(level, index)
    if value is None or len(value) != HASH_SIZE:
        raise TreeBroken(f"node {level}:{index} of the log's tree is missing: restore the database")
    return value
