"""Writing exports of the log and proofs of one entry: what `logcheck` reads. The format is in `FORMAT.md`."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crypto.logcheck import BLOCK_LEVEL, CHOSEN, FORMAT, Checkpoint
from crypto.merkle import ReadNode, consistency_proof, cover, inclusion_proof


@dataclass(frozen=True)
class Step:
    """An entry that names a new key or origin, and the checkpoint, of `size` leaves, in whose log it is proven."""

    checkpoint: str
    size: int
    index: int
    leaf: bytes


@dataclass(frozen=True)
class Scope:
    """What an export holds: entries [first, stop) of the log under `checkpoint`; of them those of the filter."""

    checkpoint: str
    first: int
    stop: int
    filter: Mapping[str, str]
    whole: bool


def header(
    scope: Scope,
    read_node: ReadNode,
    *,
    chain: Sequence[Step] = (),
    held: Iterable[int] = (),
    edges: Iterable[tuple[int, bytes]] = (),
) -> bytes:
    """The first line. `held`: sizes of checkpoints that the reader has; `edges`: (index, leaf) of the entries beside a
    range of time. Raises `TreeBroken`, `ValueError` for sizes beyond the checkpoint."""
    signed = Checkpoint.decode(scope.checkpoint)
    order = ("since", "until", *CHOSEN)
    before, blocks, after = (
        (
            cover(0, scope.first, read_node),
            cover(scope.first, scope.stop, read_node, BLOCK_LEVEL),
            cover(scope.stop, signed.size, read_node),
        )
        if scope.whole
        else ((), (), ())
    )
    return _line(
        {
            "format": FORMAT,
            "origin": signed.origin,
            "first": scope.first,
            "stop": scope.stop,
            "size": signed.size,
            "filter": {name: scope.filter[name] for name in order if name in scope.filter},
            "checkpoint": scope.checkpoint,
            "chain": [_step(step, signed.size, read_node) for step in chain],
            "held": [
                {"size": size, "proof": _texts(consistency_proof(size, signed.size, read_node))}
                for size in held
            ],
            "before": _texts(before),
            "blocks": _texts(blocks),
            "after": _texts(after),
            "edges": [
                {
                    "index": index,
                    "leaf": leaf.decode(),
                    "proof": _texts(inclusion_proof(index, signed.size, read_node)),
                }
                for index, leaf in edges
            ],
        }
    )


def entry_line(
    index: int,
    leaf: bytes,
    leaf_hash: bytes,
    revealed: Mapping[str, Mapping[str, str]],
    proof: Sequence[bytes] | None = None,
) -> bytes:
    """One entry; `proof` in a filtered export. `revealed` has, in any order, for each field that is shown its `value`
    and `salt`, or `erased`, the entry that erased it."""
    line: dict[str, Any] = {
        "index": index,
        "leaf": leaf.decode(),
        "hash": base64.b64encode(leaf_hash).decode(),
        "revealed": {name: _shown(revealed[name]) for name in sorted(revealed)},
    }
    if proof is not None:
        line["proof"] = _texts(proof)
    return _line(line)


def footer(count: int) -> bytes:
    """The last line."""
    return _line({"count": count})


def entry_proof(index: int, checkpoint: str, read_node: ReadNode) -> str:
    """A c2sp.org/tlog-proof of one entry. Raises `TreeBroken`, `ValueError`."""
    proof = inclusion_proof(index, Checkpoint.decode(checkpoint).size, read_node)
    return "\n".join(["c2sp.org/tlog-proof@v1", f"index {index}", *_texts(proof), "", checkpoint])


def _shown(values: Mapping[str, str]) -> dict[str, str]:
    return {name: values[name] for name in ("value", "salt", "erased") if name in values}


def _step(step: Step, size: int, read_node: ReadNode) -> dict[str, Any]:
    return {
        "checkpoint": step.checkpoint,
        "index": step.index,
        "leaf": step.leaf.decode(),
        "proof": _texts(inclusion_proof(step.index, step.size, read_node)),
        "consistency": _texts(consistency_proof(step.size, size, read_node)),
    }


def _texts(hashes: Iterable[bytes]) -> list[str]:
    return [base64.b64encode(value).decode() for value in hashes]


def _line(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
