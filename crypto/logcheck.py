#!/usr/bin/env python3
"""Check an export of a Sealmark log, or a proof for one entry, without trusting whoever made it.

    python logcheck.py EXPORT --key KEY [--against CHECKPOINT]

This one file needs Python 3.11 and `cryptography`, nothing else of Sealmark, no network and no database. Read it from
top to bottom: hashes and trees, proofs, signed notes, then the export, line by line. The formats are in FORMAT.md.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import hmac
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# ---------------------------------------------------------------- hashes and trees: RFC 6962, section 2.1

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def perfect(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """(level, index) of the largest perfect subtrees that cover the leaves [start, stop), from left to right."""
    while start < stop:
        level = (stop - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        yield level, start >> level
        start += 1 << level


class Tree:
    """A tree that grows at its right; holds the roots of its perfect subtrees only, one for each bit of its size."""

    def __init__(self, start: int = 0) -> None:
        """`start`: where it begins, if it is the subtree of a larger one."""
        self.size = start
        self._roots: list[bytes] = []

    def push(self, level: int, value: bytes) -> None:
        """Add the next 2^level leaves by the root over them. They begin at a multiple of 2^level."""
        index = self.size >> level
        self.size += 1 << level
        while index & 1 and self._roots:
            value = node_hash(self._roots.pop(), value)
            index >>= 1
        self._roots.append(value)

    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self._roots:
            return EMPTY_ROOT
        value = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            value = node_hash(left, value)
        return value


# ---------------------------------------------------------------- proofs: RFC 9162, sections 2.1.3.2 and 2.1.4.2


class CheckFailed(Exception):
    """What was to be shown is not so; the message says what and where."""


def check_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Raise `CheckFailed` unless the leaf with this hash stands at `index` of the tree of `size` with this root."""
    if not 0 <= index < size or len(leaf) != HASH_SIZE:
        raise CheckFailed(f"there is no entry {index} in a log of {size}, or its hash has another length")
    at, last, value = index, size - 1, leaf
    for sibling in proof:
        if last == 0 or len(sibling) != HASH_SIZE:
            raise CheckFailed(f"the proof of entry {index} has hashes too many or of another length")
        if at & 1 or at == last:
            value = node_hash(sibling, value)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            value = node_hash(value, sibling)
        at, last = at >> 1, last >> 1
    if last or value != root:
        raise CheckFailed(f"entry {index} is not in the log that was signed")


def check_consistency(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Raise `CheckFailed` unless the tree of `old` leaves is the beginning of the tree of `size` leaves."""
    broken = CheckFailed(
        f"the log of {size} entries does not begin with the log of {old} that was signed before"
    )
    if (
        old > size
        or (old == size and (proof or old_root != root))
        or (old == 0 and (proof or old_root != EMPTY_ROOT))
    ):
        raise broken
    if old in (0, size):
        return
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path or any(len(value) != HASH_SIZE for value in path):
        raise broken
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise broken
        if at & 1 or at == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        at, last = at >> 1, last >> 1
    if last or before != old_root or after != root:
        raise broken


# ---------------------------------------------------------------- signed notes: c2sp.org/signed-note, tlog-checkpoint

LOG_KEY, WITNESS_KEY = 1, 4
"""What a key signs: checkpoints (`0x01`), or that a checkpoint is consistent with those before it (`0x04`)."""

MAX_SIGNATURES = 100
_NAME = re.compile(r"[^\s+\x00-\x1f]+")


@dataclass(frozen=True)
class NoteKey:
    """A public key with the name that it signs under."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """Its first 4 bytes of SHA-256(name ‖ LF ‖ kind ‖ public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def encode(self) -> str:
        """`name+id+base64(kind ‖ public key)`."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    @classmethod
    def decode(cls, text: str) -> NoteKey:
        """Raises `CheckFailed` for what is no such text."""
        name, _, rest = text.strip().partition("+")
        identifier, _, data = rest.partition("+")
        raw = _base64(data, "the key")
        key = cls(name, raw[0] if raw else 0, raw[1:])
        wrong = len(key.public) != 32 or key.kind not in (LOG_KEY, WITNESS_KEY) or identifier != key.id.hex()
        if wrong or not _NAME.fullmatch(name):
            raise CheckFailed(
                "this is no public key of a log or a witness: it reads name+id+base64, on one line"
            )
        return key


@dataclass(frozen=True)
class Checkpoint:
    """What a log said at one size. `text` is what is signed; `lines` are (name, key id ‖ signature)."""

    origin: str
    size: int
    root: bytes
    text: str
    lines: tuple[tuple[str, bytes], ...]

    @classmethod
    def decode(cls, note: str) -> Checkpoint:
        """Read it; nothing is verified yet. Raises `CheckFailed` for what is no checkpoint."""
        text, blank, rest = note.rpartition("\n\n")
        body, signatures = (text + "\n").split("\n"), rest.split("\n")
        if not blank or len(body) < 4 or signatures[-1] or not 1 < len(signatures) <= MAX_SIGNATURES + 1:
            raise CheckFailed("this is no signed checkpoint: three lines, an empty one, signatures")
        if not re.fullmatch("0|[1-9][0-9]{0,15}", body[1]):
            raise CheckFailed("the second line of a checkpoint is a size in decimal")
        root = _base64(body[2], "the root hash of the checkpoint")
        if len(root) != HASH_SIZE or not _NAME.fullmatch(body[0]):
            raise CheckFailed("a checkpoint names an origin and a root hash of 32 bytes")
        lines = []
        for line in signatures[:-1]:
            mark, _, named = line.partition(" ")
            name, _, signature = named.partition(" ")
            raw = _base64(signature, "a signature of the checkpoint")
            if mark != "—" or not _NAME.fullmatch(name) or len(raw) < 5:
                raise CheckFailed("a signature of a checkpoint reads — name base64")
            lines.append((name, raw))
        return cls(body[0], int(body[1]), root, text + "\n", tuple(lines))

    def signed_by(self, key: NoteKey) -> int | None:
        """Whether this key signed: the time in seconds that a witness states, 0 for a log; None where it did not.

        Raises `CheckFailed` when there is a signature of this key and it is wrong.
        """
        for name, raw in self.lines:
            if name != key.name or raw[:4] != key.id:
                continue
            signature, message, time = raw[4:], self.text, 0
            if key.kind == WITNESS_KEY:
                time, signature = int.from_bytes(raw[4:12], "big"), raw[12:]
                message = f"cosignature/v1\ntime {time}\n{self.text}"
            try:
                Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message.encode())
            except InvalidSignature:
                raise CheckFailed(f"the signature of {key.name} under the checkpoint is wrong") from None
            return time
        return None


def _base64(text: str, what: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not raw or base64.b64encode(raw).decode() != text:
        raise CheckFailed(f"{what} is not base64")
    return raw


def _hashes(values: object) -> list[bytes]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise CheckFailed("a proof is a list of hashes")
    return [_base64(value, "a hash of a proof") for value in values]


# ---------------------------------------------------------------- whom to believe: rotated keys, new origins


class Trust:
    """The keys and origins that are believed: those given, and those that a believed log itself names as the next."""

    def __init__(self, keys: Sequence[NoteKey]) -> None:
        self._origins = {key.name for key in keys if key.kind == LOG_KEY}
        self._publics = [key.public for key in keys if key.kind == LOG_KEY]
        self.witnesses = [key for key in keys if key.kind == WITNESS_KEY]
        self.recovered: list[dict[str, Any]] = []

    def check(self, checkpoint: Checkpoint) -> None:
        """Raise `CheckFailed` unless a believed key signed for a believed origin."""
        if checkpoint.origin not in self._origins:
            raise CheckFailed(f"the checkpoint is of another log, {checkpoint.origin}")
        if not self._signed(checkpoint):
            raise CheckFailed(
                f"no key that is believed signed the checkpoint of {checkpoint.size} entries: a wrong key?"
            )

    def follow(self, step: dict[str, Any], last: Checkpoint) -> None:
        """Believe what one step of an export's chain adds: an entry that names a new key or origin, its proof, and the
        checkpoint in whose log it stands. A step that no believed key signed adds nothing."""
        signed, index, leaf = Checkpoint.decode(step["checkpoint"]), step["index"], step["leaf"].encode()
        check_inclusion(index, signed.size, leaf_hash(leaf), _hashes(step["proof"]), signed.root)
        check_consistency(signed.size, signed.root, last.size, last.root, _hashes(step["consistency"]))
        if not self._signed(signed):
            return
        entry = json.loads(leaf)
        details = entry["details"]
        if entry["kind"] == "key.rotated" and details["purpose"] == "log" and signed.origin in self._origins:
            self._publics.append(_base64(details["public"], "the new key"))
        elif entry["kind"] == "log.recovered" and self._origins & {signed.origin, details["lost_origin"]}:
            self._origins |= {signed.origin, details["lost_origin"]}
            self.recovered.append({"index": index, **details})
        else:
            raise CheckFailed(f"entry {index} names neither a new key nor a new origin of this log")

    def _signed(self, checkpoint: Checkpoint) -> bool:
        keys = [NoteKey(checkpoint.origin, LOG_KEY, public) for public in self._publics]
        return any(checkpoint.signed_by(key) is not None for key in keys)


# ---------------------------------------------------------------- the export

BLOCK_LEVEL = 8
BLOCK = 1 << BLOCK_LEVEL
"""The header of a whole range gives the root over each aligned block of so many leaves, to find what was changed."""

MAX_LINE = 64 * 1024 * 1024
"""Bytes of a line: of the longest, the header, 45 for each block, so of 3 * 10^8 entries."""

HEADER = (
    "format",
    "origin",
    "first",
    "stop",
    "size",
    "filter",
    "checkpoint",
    "chain",
    "held",
    "before",
    "blocks",
    "after",
    "edges",
)
ENTRY = ("index", "leaf", "hash", "revealed")
FILTERED = (*ENTRY, "proof")
FOOTER = ("count",)
FORMAT = "sealmark-log-export v1"
FILTERS = ("kind", "document", "recipient", "share", "outcome")
SILENCE = 2 * 3600
"""Seconds without an entry that are told: a log at work writes one each hour."""


@dataclass
class Report:
    """What an export shows. `problems` empty: it holds."""

    origin: str = ""
    size: int = 0
    first: int = 0
    stop: int = 0
    count: int = 0
    whole: bool = False
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    erased: int = 0
    withheld: int = 0

    def lines(self) -> Iterator[str]:
        """For people."""
        kind = "every entry" if self.whole else "chosen entries"
        yield f"Log {self.origin}: {self.size:,} entries are signed."
        yield f"The export: {kind} from {self.first:,} to before {self.stop:,}, {self.count:,} in all."
        yield from (f"WRONG: {problem}" for problem in self.problems)
        yield from self.notes
        if self.erased or self.withheld:
            yield f"Personal values not shown: {self.erased:,} erased (an entry says so), {self.withheld:,} withheld."
        if not self.whole:
            yield "A filtered export shows that its entries are genuine. It cannot show that none is missing."
        yield "Entries cut off the end of the log show only against a checkpoint that someone else holds (--against)."
        yield (
            "NOT genuine." if self.problems else "Genuine: nothing in it was edited, added or put elsewhere."
        )


def check_export(lines: Iterable[bytes], keys: Sequence[NoteKey], held: Sequence[Checkpoint] = ()) -> Report:
    """Check an export (its lines with their ends) against the log's public keys and checkpoints that someone held.

    Memory does not grow with the export. Problems are in the report; it raises nothing.
    """
    report = Report()
    try:
        _Export(iter(lines), Trust(keys), held, report).check()
    except CheckFailed as failed:
        report.problems.append(str(failed))
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, RecursionError) as error:
        report.problems.append(f"the export is not in the form that its format has ({type(error).__name__})")
    return report


class _Export:
    """One pass over an export."""

    def __init__(
        self, lines: Iterator[bytes], trust: Trust, held: Sequence[Checkpoint], report: Report
    ) -> None:
        self._lines, self._trust, self._held, self._report = lines, trust, held, report
        self._last_sequenced, self._since, self._until = "", "", "~"
        self._erasing: set[str] = set()  # entries that erase
        self._erased: dict[str, int] = {}  # values that name one → how many

    def check(self) -> None:
        # 1. The header, and the checkpoint under it: signed by a key that is believed.
        header = self._read(HEADER)
        checkpoint = Checkpoint.decode(header["checkpoint"])
        self._start(header, checkpoint)
        for step in header["chain"]:
            self._trust.follow(step, checkpoint)
        self._trust.check(checkpoint)
        self._say_recovered()
        self._say_witnesses(checkpoint)
        # 2. Checkpoints that someone held: this log begins with each of them.
        roots = self._check_held(header, checkpoint)
        # 3. Each entry, and that they make the tree that was signed; what stands beside a range of time.
        self._since, self._until = header["filter"].get("since", ""), header["filter"].get("until", "~")
        if self._report.whole:
            self._check_edges(header, checkpoint)
            self._check_whole(header, checkpoint, roots)
        else:
            self._check_filtered(header, checkpoint)
        # 4. The end: how many there were, and nothing after.
        said = sum(self._erased.pop(entry, 0) for entry in self._erasing)
        self._report.erased, self._report.withheld = said, self._report.withheld + sum(self._erased.values())

    def _start(self, header: dict[str, Any], checkpoint: Checkpoint) -> None:
        report = self._report
        report.origin, report.size = checkpoint.origin, checkpoint.size
        report.first, report.stop = _number(header["first"]), _number(header["stop"])
        report.whole = not any(header["filter"].get(name) for name in FILTERS)
        if header["format"] != FORMAT or header["origin"] != report.origin or header["size"] != report.size:
            raise CheckFailed("the header and its checkpoint are not of one log")
        if not report.first <= report.stop <= report.size or not header["filter"].keys() <= {
            *FILTERS,
            "since",
            "until",
        }:
            raise CheckFailed("the header names a range or a filter that cannot be")

    def _check_held(self, header: dict[str, Any], checkpoint: Checkpoint) -> dict[int, bytes]:
        """Compare what can be now; the roots that the leaves themselves must give at some sizes."""
        proofs = {item["size"]: _hashes(item["proof"]) for item in header["held"]}
        roots: dict[int, bytes] = {}
        for held in self._held:
            self._trust.check(held)
            lost = [
                step
                for step in self._trust.recovered
                if held.origin == step["lost_origin"] and held.size > step["index"]
            ]
            if lost:
                at = lost[0]["index"]
                raise CheckFailed(
                    f"the entries from {at} to {held.size - 1} of the checkpoint you hold are lost: see entry {at}"
                )
            if held.size > checkpoint.size:
                raise CheckFailed(
                    f"you hold a checkpoint of {held.size} entries, and this log has {checkpoint.size}: its end was "
                    "cut off, or it was rolled back, or the export is older than the checkpoint"
                )
            if held.size in proofs:
                check_consistency(held.size, held.root, checkpoint.size, checkpoint.root, proofs[held.size])
            elif self._report.whole and self._report.first == 0 and held.size <= self._report.stop:
                roots[held.size] = held.root
            else:
                raise CheckFailed(
                    f"this export cannot be compared with the checkpoint of {held.size} entries: pull it with "
                    "--held, or the whole log"
                )
            self._report.notes.append(
                f"It begins with the {held.size:,} entries of the checkpoint that you hold."
            )
        return roots

    def _check_edges(self, header: dict[str, Any], checkpoint: Checkpoint) -> None:
        """A range of time has all its entries when those beside it are of other times."""
        wanted = {self._report.first - 1} if self._since and self._report.first else set()
        wanted |= {self._report.stop} if self._until != "~" and self._report.stop < checkpoint.size else set()
        if {edge["index"] for edge in header["edges"]} != wanted or len(header["edges"]) != len(wanted):
            raise CheckFailed("the export does not show what stands beside its range of time")
        for edge in header["edges"]:
            leaf, index = edge["leaf"].encode(), edge["index"]
            check_inclusion(index, checkpoint.size, leaf_hash(leaf), _hashes(edge["proof"]), checkpoint.root)
            if self._since <= json.loads(leaf)["sequenced"] < self._until:
                raise CheckFailed(f"entry {index} is of the range of time, and was left out")

    def _check_whole(self, header: dict[str, Any], checkpoint: Checkpoint, held: dict[int, bytes]) -> None:
        first, stop = self._report.first, self._report.stop
        tree, claimed = Tree(), Tree()  # by leaves, and by the roots that the header gives for whole blocks
        for (level, _), value in zip(perfect(0, first), _hashes(header["before"]), strict=True):
            tree.push(level, value)
            claimed.push(level, value)
        blocks = dict(zip(range(-(-first // BLOCK), stop // BLOCK), _hashes(header["blocks"]), strict=True))
        block, changed = Tree(), []
        for index in range(first, stop):
            if index in held and tree.root() != held[index]:
                raise CheckFailed(
                    f"a fork: among the first {index} entries are others than in the checkpoint you hold"
                )
            leaf = self._entry(self._read(ENTRY, f"entry {index}"), index)
            tree.push(0, leaf)
            if index // BLOCK not in blocks:
                claimed.push(0, leaf)
                continue
            if index % BLOCK == 0:
                block = Tree(index)
            block.push(0, leaf)
            if (index + 1) % BLOCK == 0:
                claimed.push(BLOCK_LEVEL, blocks[index // BLOCK])
                if block.root() != blocks[index // BLOCK]:
                    changed.append(index // BLOCK)
        self._end()
        if stop in held and tree.root() != held[stop]:
            raise CheckFailed(f"a fork: another log of {stop} entries than in the checkpoint you hold")
        for (level, _), value in zip(perfect(stop, checkpoint.size), _hashes(header["after"]), strict=True):
            tree.push(level, value)
            claimed.push(level, value)
        if tree.root() != checkpoint.root:
            authentic = claimed.root() == checkpoint.root
            where = (
                [f"{b * BLOCK} to {b * BLOCK + BLOCK - 1}" for b in changed]
                if authentic
                else [f"{first} to {stop - 1}"]
            )
            raise CheckFailed(
                f"among the entries {', '.join(where[:20])} are others than those that were signed"
            )

    def _check_filtered(self, header: dict[str, Any], checkpoint: Checkpoint) -> None:
        if header["before"] or header["blocks"] or header["after"] or header["edges"]:
            raise CheckFailed("a filtered export has no proof of its range")
        before = self._report.first - 1
        while "count" not in (line := self._read(FILTERED, f"the entry after {before}", FOOTER)):
            index = _number(line["index"])
            if not before < index < self._report.stop:
                raise CheckFailed(f"entry {index} stands after entry {before}, or outside of the range")
            leaf = self._entry(line, index)
            check_inclusion(index, checkpoint.size, leaf, _hashes(line["proof"]), checkpoint.root)
            entry = json.loads(line["leaf"])
            if any(entry.get(name) != wanted for name, wanted in header["filter"].items() if name in FILTERS):
                raise CheckFailed(f"entry {index} is none that the filter chooses")
            before = index
        self._end(line)

    def _entry(self, line: dict[str, Any], index: int) -> bytes:
        """The hash of this entry's leaf. Its personal values are what the leaf commits to."""
        leaf = line["leaf"].encode()
        value = leaf_hash(leaf)
        if line["index"] != index:
            raise CheckFailed(
                f"entry {line['index']} stands where entry {index} should: left out, doubled or swapped"
            )
        if line["hash"] != base64.b64encode(value).decode():
            raise CheckFailed(f"entry {index} was edited: its bytes do not have its hash")
        entry = json.loads(leaf)
        if entry["sequenced"] < self._last_sequenced:
            raise CheckFailed(f"entry {index} was given its place before entry {index - 1}")
        if not self._since <= entry["sequenced"] < self._until:
            raise CheckFailed(f"entry {index} is not of the range of time that the export names")
        self._say_silence(entry["sequenced"], index)
        committed, revealed = entry.get("commitments", {}), line["revealed"]
        if not revealed.keys() <= committed.keys():
            raise CheckFailed(f"entry {index} shows a value that it does not commit to")
        for name, commitment in committed.items():
            self._check_value(index, name, commitment, revealed.get(name))
        if entry["kind"] == "recipient.erased":
            self._erasing.add(entry["id"])
        self._report.count += 1
        return value

    def _check_value(self, index: int, name: str, commitment: str, shown: dict[str, str] | None) -> None:
        if shown is None:
            self._report.withheld += 1
        elif shown.keys() == {"erased"}:
            self._erased[shown["erased"]] = self._erased.get(shown["erased"], 0) + 1
        else:
            salt, value = bytes.fromhex(shown["salt"]), f"{name}\x00{shown['value']}".encode()
            if (
                hmac.digest(salt, value, "sha256").hex() != commitment
                or salt.hex() != shown["salt"]
                or len(shown) != 2
            ):
                raise CheckFailed(f"entry {index} does not commit to the {name} that is shown: it was edited")

    def _read(
        self, names: tuple[str, ...], what: str = "the header", other: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """The next line, which has exactly these members in this order, or the `other` ones, in their one spelling."""
        raw = next(self._lines, b"")
        if not raw.endswith(b"\n") or len(raw) > MAX_LINE:
            raise CheckFailed(f"the export ends before {what}: it was cut off")
        try:
            line = json.loads(raw)
            known = isinstance(line, dict) and tuple(line) in (names, other)
            spelled = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        except ValueError:
            raise CheckFailed(f"{what} cannot be read: it was edited") from None
        if not known and isinstance(line, dict) and tuple(line) == FOOTER:
            raise CheckFailed(f"{what} is missing: the export has {line['count']} entries")
        if not known or spelled != raw:
            raise CheckFailed(f"{what} is not in its one spelling: it was edited")
        return dict(line)

    def _end(self, footer: dict[str, Any] | None = None) -> None:
        footer = footer or self._read(FOOTER, "the end")
        if footer["count"] != self._report.count or next(self._lines, None) is not None:
            raise CheckFailed(f"the export says that it has {footer['count']} entries: it has others")

    def _say_silence(self, sequenced: str, index: int) -> None:
        if self._report.whole and self._last_sequenced:
            silent = datetime.fromisoformat(sequenced) - datetime.fromisoformat(self._last_sequenced)
            if silent.total_seconds() > SILENCE and len(self._report.notes) < 100:
                self._report.notes.append(
                    f"Before entry {index} the log was silent for {silent}: it did not run then."
                )
        self._last_sequenced = sequenced

    def _say_recovered(self) -> None:
        for step in self._trust.recovered:
            lost = step["lost_size"] - step["index"]
            self._report.notes.append(
                f"NOTE: entry {step['index']} says that the database was restored: of the log {step['lost_origin']} "
                f"the last {lost:,} signed entries are lost."
            )

    def _say_witnesses(self, checkpoint: Checkpoint) -> None:
        for key in self._trust.witnesses:
            time = checkpoint.signed_by(key)
            self._report.notes.append(
                f"{key.name} {'did not sign' if time is None else f'signed at {time}'} this checkpoint."
            )


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise CheckFailed("a place in the log is a whole number")
    return value


# ---------------------------------------------------------------- the program


def read_keys(given: Sequence[str]) -> list[NoteKey]:
    """Keys given as text or as files with one on each line. Raises `CheckFailed`, `OSError`."""
    texts = [
        line
        for item in given
        for line in (Path(item).read_text() if Path(item).is_file() else item).splitlines()
    ]
    return [NoteKey.decode(text) for text in texts if text.strip()]


def main(arguments: Sequence[str] | None = None) -> int:
    """0: genuine; 1: not; 2: something could not be read."""
    parser = argparse.ArgumentParser(
        description="Check an export of a Sealmark log. Offline; needs no database."
    )
    parser.add_argument("export", type=Path, help="the export, as NDJSON")
    parser.add_argument(
        "--key", action="append", required=True, help="public key of the log or a witness, or a file of them"
    )
    parser.add_argument(
        "--against", action="append", default=[], type=Path, help="file with a checkpoint that you held"
    )
    chosen = parser.parse_args(arguments)
    try:
        keys, held = read_keys(chosen.key), [Checkpoint.decode(path.read_text()) for path in chosen.against]
        with chosen.export.open("rb") as lines:
            report = check_export(lines, keys, held)
    except (CheckFailed, OSError, UnicodeDecodeError) as error:
        print(f"cannot check: {error}", file=sys.stderr)
        return 2
    print("\n".join(report.lines()))
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
