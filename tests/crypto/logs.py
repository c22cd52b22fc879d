"""Synthetic logs: entries, checkpoints, exports and proofs of them, the same bytes every time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from crypto import canonical, commitments, identifiers, logexport, merkle, notes
from crypto.logcheck import LOG_KEY, WITNESS_KEY, Checkpoint, NoteKey, Report, check_export

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
EVERY = timedelta(seconds=1)


def secret(name: str) -> bytes:
    """A signing key's 32 bytes, by its name."""
    return hashlib.sha256(f"a secret of the tests: {name}".encode()).digest()


def random_id(prefix: str, name: object) -> str:
    """An identifier, by the name of what it is for."""
    return identifiers.new_id(prefix, hashlib.sha256(f"{prefix} {name}".encode()).digest()[:16])


def at(index: float) -> str:
    """The time at which the entry with this index was given its place, if each follows the one before in a second."""
    return (BEGIN + index * EVERY).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def log_key(name: str, origin: str) -> NoteKey:
    """The public key of a secret that signs for a log."""
    return notes.public_key(origin, secret(name), LOG_KEY)


def witness_key(name: str) -> NoteKey:
    """The public key of a witness, who is named as its secret."""
    return notes.public_key(name, secret(name), WITNESS_KEY)


@dataclass(frozen=True)
class Row:
    """One entry as the service stores it."""

    leaf: bytes
    hash: bytes
    revealed: Mapping[str, Mapping[str, str]]


class SyntheticLog:
    """A log that grows; what it signs is under `origin` and `signers`, which a test may change as time goes on."""

    def __init__(
        self, origin: str = "reports.acme.example/log_a", signers: Sequence[str] = ("first",)
    ) -> None:
        self.origin = origin
        self.signers: Sequence[str] = signers
        self.witnesses: Sequence[str] = ()
        self.late = 0  # seconds that it stood still
        self.rows: list[Row] = []
        self._nodes: dict[tuple[int, int], bytes] = {}

    @property
    def size(self) -> int:
        """How many entries there are."""
        return len(self.rows)

    @property
    def keys(self) -> list[NoteKey]:
        """The public keys of those that sign now."""
        return [log_key(name, self.origin) for name in self.signers]

    def add(
        self,
        kind: str = "download.granted",
        personal: Mapping[str, str] | None = None,
        *,
        erased: Mapping[str, str] | None = None,
        withheld: Iterable[str] = (),
        when: str | None = None,
        **members: Any,
    ) -> int:
        """Append an entry. `erased`: fields and the entry that erased them. Returns its index."""
        index, revealed, committed = self.size, {}, {}
        for name, value in sorted((personal or {}).items()):
            salt = hashlib.sha256(f"salt {index} {name}".encode()).digest()
            committed[name] = commitments.commit(name, value, salt)
            if name in (erased or {}):
                revealed[name] = {"erased": (erased or {})[name]}
            elif name not in withheld:
                revealed[name] = {"salt": salt.hex(), "value": value}
        body = {"v": 1, "id": random_id("ent", index), "kind": kind, "time": at(index)}
        body |= {
            "sequenced": when or at(index + self.late),
            "actor_type": "worker",
            "outcome": "ok",
            **members,
        }
        if committed:
            body["commitments"] = committed
        self.append(canonical.encode(body), revealed)
        return index

    def append(self, leaf: bytes, revealed: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """Append a leaf, whatever its bytes are."""
        self.rows.append(Row(leaf, merkle.leaf_hash(leaf), revealed or {}))
        added, _ = merkle.append_nodes(self.size - 1, [self.rows[-1].hash], self.read_node)
        self._nodes.update({(node.level, node.index): node.hash for node in added})

    def fill(self, size: int) -> SyntheticLog:
        """Append entries like those of a service, with up to three personal values, up to this size; returns itself."""
        while self.size < size:
            name = f"Ana {self.size}"
            personal = {
                "mail": f"ana{self.size}@acme.example",
                "name": name,
                "address": f"192.0.2.{self.size % 256}",
            }
            self.add(
                personal=dict(list(personal.items())[: self.size % 4]),
                document=random_id("doc", self.size % 3),
            )
        return self

    def read_node(self, level: int, index: int) -> bytes | None:
        """A stored node."""
        return self._nodes.get((level, index))

    def checkpoint(self, size: int | None = None, root: bytes | None = None) -> str:
        """What the log says at this size (now, if none is named): signed, and by each witness at 1767225600."""
        size = self.size if size is None else size
        text = notes.checkpoint_text(self.origin, size, root or merkle.root(size, self.read_node))
        lines = [notes.sign(text, self.origin, secret(name)) for name in self.signers]
        lines += [notes.cosign(text, name, secret(name), 1767225600) for name in self.witnesses]
        return notes.note(text, *lines)

    def held(self, size: int | None = None) -> Checkpoint:
        """The same, as someone read it who keeps it."""
        return Checkpoint.decode(self.checkpoint(size))

    def step(self, index: int, size: int | None = None) -> logexport.Step:
        """The step of a chain that rests on this entry, in the log as it is now."""
        size = self.size if size is None else size
        return logexport.Step(self.checkpoint(size), size, index, self.rows[index].leaf)

    def export(
        self,
        first: int = 0,
        stop: int | None = None,
        asked: Mapping[str, str] | None = None,
        *,
        chosen: Iterable[int] | None = None,
        checkpoint: str | None = None,
        edges: Iterable[int] = (),
        chain: Sequence[logexport.Step] = (),
        held: Sequence[int] = (),
    ) -> list[bytes]:
        """The lines of an export; with `chosen` a filtered one, of these entries."""
        note = checkpoint or self.checkpoint()
        size = Checkpoint.decode(note).size
        scope = logexport.Scope(note, first, size if stop is None else stop, asked or {}, chosen is None)
        beside = [(index, self.rows[index].leaf) for index in edges]
        lines = [logexport.header(scope, self.read_node, chain=chain, held=held, edges=beside)]
        indexes = list(range(first, scope.stop) if chosen is None else chosen)
        for index in indexes:
            row = self.rows[index]
            proof = None if chosen is None else merkle.inclusion_proof(index, size, self.read_node)
            lines.append(logexport.entry_line(index, row.leaf, row.hash, row.revealed, proof))
        return [*lines, logexport.footer(len(indexes))]

    def check(self, lines: Iterable[bytes], held: Sequence[Checkpoint] = ()) -> Report:
        """What whoever has the keys of those that sign now finds in an export."""
        return check_export(lines, self.keys, held)


def changed(line: bytes, **members: Any) -> bytes:
    """A line with other values of some members, in the spelling that the format has."""
    return spelled({**json.loads(line), **members})


def spelled(value: object) -> bytes:
    """A line as the format spells it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
