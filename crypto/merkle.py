"""The log's tree: RFC 6962 section 2.1, kept as the hashes of its perfect subtrees.

Node (level, index) covers the leaves index * 2^level up to (index + 1) * 2^level and never changes, so an
append only adds nodes. Proofs are made from the same nodes, and checked by `logcheck`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crypto.errors import TreeBroken
from crypto.lengths import check_length
from crypto.logcheck import EMPTY_ROOT, HASH_SIZE, Tree, leaf_hash, node_hash, perfect

__all__ = [
    "EMPTY_ROOT", "Node", "append_nodes", "consistency_proof", "cover", "inclusion_proof", "leaf_hash", "node_hash",
    "root",
]  # fmt: skip

ReadNode = Callable[[int, int], bytes | None]
"""(level, index) → the stored hash, or None where there is none."""


@dataclass(frozen=True, slots=True)
class Node:
    """The hash of one perfect subtree."""

    level: int
    index: int
    hash: bytes


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
    """The root hash of the first `size` leaves. Raises `TreeBroken` when a node is missing."""
    return _subtree(0, size, read_node)


def inclusion_proof(index: int, size: int, read_node: ReadNode) -> list[bytes]:
    """The hashes, from leaf to root, that prove leaf `index` in the tree of `size` (RFC 6962 section 2.1.1).

    At most one subtree a level is read. Raises `TreeBroken` when a node is missing, `ValueError` unless
    0 <= index < size.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    proof: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            proof.append(_subtree(middle, stop, read_node))
            stop = middle
        else:
            proof.append(_subtree(start, middle, read_node))
            start = middle
    return proof[::-1]


def consistency_proof(old: int, size: int, read_node: ReadNode) -> list[bytes]:
    """The hashes that prove the tree of `old` leaves a beginning of the tree of `size` (RFC 6962 section 2.1.2).

    Raises `TreeBroken` when a node is missing, `ValueError` unless 0 <= old <= size.
    """
    if not 0 <= old <= size:
        raise ValueError(f"no tree of {old} in a tree of {size}")
    if old in (0, size):
        return []
    proof: list[bytes] = []
    start, stop = 0, size
    while stop != old:
        middle = start + _split(stop - start)
        if old <= middle:
            proof.append(_subtree(middle, stop, read_node))
            stop = middle
        else:
            proof.append(_subtree(start, middle, read_node))
            start = middle
    if start:  # else the old root itself is the beginning, and known
        proof.append(_subtree(start, stop, read_node))
    return proof[::-1]


def cover(start: int, stop: int, read_node: ReadNode, highest: int = 64) -> list[bytes]:
    """The hashes of the largest perfect subtrees, up to a level, that cover the leaves [start, stop), left to right.

    With the leaves before and after they give the root (`logcheck.Tree`). Raises `TreeBroken`.
    """
    return [_stored(read_node, level, index) for level, index in perfect(start, stop, highest)]


def _split(size: int) -> int:
    """The largest power of two below `size`, which is at least 2."""
    return 1 << (size - 1).bit_length() - 1


def _subtree(start: int, stop: int, read_node: ReadNode) -> bytes:
    """The root over the leaves [start, stop) of a subtree as section 2.1 splits it."""
    found = Tree(start)
    for (level, _), value in zip(perfect(start, stop), cover(start, stop, read_node), strict=True):
        found.push(level, value)
    return found.root()


def _stored(read_node: ReadNode, level: int, index: int) -> bytes:
    value = read_node(level, index)
    if value is None or len(value) != HASH_SIZE:
        raise TreeBroken(f"node {level}:{index} of the log's tree is missing: restore the database")
    return value
