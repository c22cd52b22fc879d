"""Proofs: the public cases, good and broken, and every proof that the log makes from its stored nodes."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.logcheck import CheckFailed, Tree, check_consistency, check_inclusion, perfect
from crypto.merkle import consistency_proof, cover, inclusion_proof, root
from tests.crypto.test_merkle import LEAVES, Table
from tests.crypto.vectors import CONSISTENCY, INCLUSION, vectors

TABLE = Table()
TABLE.append(LEAVES)


def _cases(name: str) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in vectors(name)["cases"]]


def _hash(text: str | None) -> bytes:
    return base64.b64decode(text or "")


@pytest.mark.parametrize("case", _cases(INCLUSION))
def test_public_cases_of_inclusion(case: dict[str, Any]) -> None:
    proof = [_hash(text) for text in case["proof"] or []]

    def check() -> None:
        check_inclusion(
            case["leafIdx"], case["treeSize"], _hash(case["leafHash"]), proof, _hash(case["root"])
        )

    if case["wantErr"]:
        with pytest.raises(CheckFailed):
            check()
    else:
        check()


@pytest.mark.parametrize("case", _cases(CONSISTENCY))
def test_public_cases_of_consistency(case: dict[str, Any]) -> None:
    proof = [_hash(text) for text in case["proof"] or []]

    def check() -> None:
        check_consistency(case["size1"], _hash(case["root1"]), case["size2"], _hash(case["root2"]), proof)

    if case["wantErr"]:
        with pytest.raises(CheckFailed):
            check()
    else:
        check()


@given(st.integers(1, 300), st.data())
def test_every_leaf_is_proven_with_one_hash_a_level_and_no_other_leaf_by_it(
    size: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, TABLE.read)
    assert len(proof) <= (size - 1).bit_length()
    check_inclusion(index, size, LEAVES[index], proof, root(size, TABLE.read))
    for other in {0, index ^ 1, size - 1} - {index}:
        with pytest.raises(CheckFailed):
            check_inclusion(other, size, LEAVES[index], proof, root(size, TABLE.read))


@given(st.integers(0, 300), st.data())
def test_every_beginning_is_proven_and_no_other_root_by_it(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, size))
    proof = consistency_proof(old, size, TABLE.read)
    check_consistency(old, root(old, TABLE.read), size, root(size, TABLE.read), proof)
    with pytest.raises(CheckFailed):
        check_consistency(old, LEAVES[0][::-1], size, root(size, TABLE.read), proof)


@given(st.integers(0, 300), st.data())
def test_a_range_and_what_covers_the_rest_give_the_root(size: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))
    tree = Tree()
    for first, last in ((0, start), (stop, size)):
        if first == stop:
            for leaf in LEAVES[start:stop]:
                tree.push(0, leaf)
        for (level, _), value in zip(perfect(first, last), cover(first, last, TABLE.read), strict=True):
            tree.push(level, value)
    assert tree.root() == root(size, TABLE.read)


@pytest.mark.parametrize(
    ("make", "arguments"),
    [(inclusion_proof, (3, 3)), (inclusion_proof, (-1, 3)), (consistency_proof, (4, 3))],
)
def test_what_is_not_in_the_tree_is_not_proven(make: Any, arguments: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="in a tree of 3"):
        make(*arguments, TABLE.read)


def test_all_public_cases_are_here() -> None:
    wanted = [[case["wantErr"] for case in vectors(name)["cases"]] for name in (INCLUSION, CONSISTENCY)]
    assert [(len(kind), sum(kind)) for kind in wanted] == [(53, 49), (43, 40)]
