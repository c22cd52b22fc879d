"""The log's tree: the roots of RFC 6962's own definition, whatever the batches, from stored nodes only."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import TreeBroken, WrongLength
from crypto.merkle import EMPTY_ROOT, append_nodes, leaf_hash, node_hash, root

ENTRIES = [index.to_bytes(2, "big") for index in range(300)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def defined_root(entries: list[bytes]) -> bytes:
    """MTH as RFC 6962 section 2.1 defines it, recursively."""
    if not entries:
        return hashlib.sha256().digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    split = 1 << (len(entries) - 1).bit_length() - 1
    left, right = defined_root(entries[:split]), defined_root(entries[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def no_nodes(level: int, index: int) -> bytes | None:
    """An empty table."""
    return None


class Table:
    """A table of nodes that takes each once and counts what is read."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int], bytes] = {}
        self.size = 0
        self.reads: list[tuple[int, int]] = []

    def read(self, level: int, index: int) -> bytes | None:
        self.reads.append((level, index))
        return self.rows.get((level, index))

    def append(self, leaves: list[bytes]) -> None:
        nodes, self.size = append_nodes(self.size, leaves, self.read)
        for node in nodes:
            assert (node.level, node.index) not in self.rows, "a node never changes"
            self.rows[node.level, node.index] = node.hash


@given(st.lists(st.integers(0, 20), max_size=15))
def test_any_batches_give_the_defined_root(batches: list[int]) -> None:
    table = Table()
    for batch in batches:
        table.append(LEAVES[table.size : table.size + batch])
        assert root(table.size, table.read) == defined_root(ENTRIES[: table.size])


def test_every_size_gives_the_defined_root_and_keeps_the_earlier_ones() -> None:
    table = Table()
    table.append(LEAVES[:70])
    for size in range(71):
        assert root(size, table.read) == defined_root(ENTRIES[:size])


def test_every_perfect_subtree_is_stored_and_nothing_else() -> None:
    table = Table()
    table.append(LEAVES[:70])
    expected = {
        (level, index): defined_root(ENTRIES[index << level : (index + 1) << level])
        for level in range(7)
        for index in range(70 >> level)
    }
    assert table.rows == expected


def test_a_batch_reads_at_most_one_stored_node_a_level() -> None:
    table = Table()
    table.append(LEAVES[:127])
    table.reads.clear()
    table.append(LEAVES[127:290])
    assert sorted(table.reads) == [(level, (127 >> level) - 1) for level in range(7)]


def test_an_empty_batch_changes_nothing() -> None:
    assert append_nodes(5, [], no_nodes) == ([], 5)


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert root(0, no_nodes) == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_a_leaf_is_never_a_node() -> None:
    left, right = LEAVES[:2]
    assert node_hash(left, right) != leaf_hash(left + right)


@pytest.mark.parametrize("damaged", [None, b"", bytes(31), bytes(33)])
def test_a_damaged_table_is_found_before_anything_is_added(damaged: bytes | None) -> None:
    with pytest.raises(TreeBroken, match="0:0"):
        append_nodes(1, [LEAVES[1]], lambda level, index: damaged)
    with pytest.raises(TreeBroken, match="1:0"):
        root(2, lambda level, index: damaged)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_leaf_hash_has_32_bytes(length: int) -> None:
    with pytest.raises(WrongLength):
        append_nodes(0, [bytes(length)], no_nodes)
