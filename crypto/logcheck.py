#!/usr/bin/env python3
"""Check an export of a Sealmark log, or the proof of one entry, without trusting whoever made it.

    python logcheck.py EXPORT --key KEY [--against CHECKPOINT]
    python logcheck.py ENTRY --key KEY --proof PROOF

This one file needs Python 3.11 and `cryptography`, nothing else of Sealmark, no network and no database. Read it from
top to bottom: hashes and trees, proofs, signed notes, whom to believe, then the export, line by line. The formats are
in FORMAT.md. Exit status: 0 genuine, 1 not, 2 nothing was checked.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class CheckFailed(ValueError):
    """What was to be shown is not so; the message says what and where."""


def need(shown: object, otherwise: str) -> None:
    """Raise `CheckFailed` with this message unless it is shown."""
    if not shown:
        raise CheckFailed(otherwise)


# ---------------------------------------------------------------- hashes and trees: RFC 6962, section 2.1

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def perfect(start: int, stop: int, highest: int = 64) -> Iterator[tuple[int, int]]:
    """(level, index) of the largest perfect subtrees, up to a level, that cover [start, stop), from left to right."""
    while start < stop:
        level = min(highest, (stop - start).bit_length() - 1)
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
        value = self._roots[-1] if self._roots else EMPTY_ROOT
        for left in reversed(self._roots[:-1]):
            value = node_hash(left, value)
        return value


# ---------------------------------------------------------------- proofs: RFC 9162, sections 2.1.3.2 and 2.1.4.2


def check_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Raise `CheckFailed` unless the leaf with this hash stands at `index` of the tree of `size` with this root."""
    shown = 0 <= index < size and _climb(index, size - 1, [leaf, *proof])[1] == root
    need(shown, f"entry {index} is not in the log of {size} entries that was signed")


def check_consistency(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Raise `CheckFailed` unless the tree of `old` leaves is the beginning of the tree of `size` leaves."""
    if old in (0, size):
        shown = not proof and old_root == (root if old else EMPTY_ROOT)
    else:
        level = (old & -old).bit_length() - 1  # the proof begins at the last perfect subtree of the old log
        path = list(proof) if old & (old - 1) else [old_root, *proof]
        shown = 0 < old < size and _climb(old - 1 >> level, size - 1 >> level, path) == (old_root, root)
    need(shown, f"a fork: the log of {size} entries does not begin with the {old} that were signed before")


def _climb(at: int, last: int, path: Sequence[bytes]) -> tuple[bytes | None, bytes | None]:
    """From the first hash of a path up: the roots of the tree that ends there and of the whole; None if none fits."""
    if not path or any(len(value) != HASH_SIZE for value in path):
        return None, None
    ended = whole = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None, None
        if at & 1 or at == last:
            ended, whole = node_hash(sibling, ended), node_hash(sibling, whole)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            whole = node_hash(whole, sibling)
        at, last = at >> 1, last >> 1
    return (ended, whole) if last == 0 else (None, None)


def _base64(text: str) -> bytes:
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise ValueError("base64 in another spelling")
    return raw


def _hashes(texts: Iterable[str]) -> list[bytes]:
    values = [_base64(text) for text in texts]
    if any(len(value) != HASH_SIZE for value in values):
        raise ValueError("a hash of another length")
    return values


# ---------------------------------------------------------------- signed notes: c2sp.org/signed-note, tlog-checkpoint

LOG_KEY, WITNESS_KEY = 1, 4
"""What a key signs: checkpoints (`0x01`), or that a checkpoint is consistent with those before it (`0x04`)."""

_NAME = r"[^\s+\x00-\x1f\x7f-\x9f]+"
_NOTE = re.compile(rf"(({_NAME})\n(0|[1-9][0-9]{{0,15}})\n(\S+)\n)\n((?:— {_NAME} \S+\n){{1,100}})")


@dataclass(frozen=True)
class NoteKey:
    """A public key with the name that it signs under."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The first 4 bytes of SHA-256(name ‖ LF ‖ kind ‖ public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def encode(self) -> str:
        """`name+id+base64(kind ‖ public key)`."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    @classmethod
    def decode(cls, text: str) -> NoteKey:
        """Raises `CheckFailed` for what is no such text."""
        found = re.fullmatch(rf"({_NAME})\+[0-9a-f]{{8}}\+([A-Za-z0-9+/]{{44}})", text.strip())
        raw = base64.b64decode(found[2]) if found else b"\x00"
        key = cls(found[1] if found else "", raw[0], raw[1:])
        known = key.encode() == text.strip() and key.kind in (LOG_KEY, WITNESS_KEY)
        need(known, "this is no public key of a log or a witness, which reads name+id+base64 on one line")
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
        found = _NOTE.fullmatch(note)
        try:
            text, origin, size, root, signatures = found.groups() if found else ()
            lines = [line.split(" ") for line in signatures.splitlines()]
            read = tuple((name, _base64(signature)) for _, name, signature in lines)
            return cls(origin, int(size), _hashes([root])[0], text, read)
        except ValueError:
            raise CheckFailed(
                "this is no checkpoint: origin, size, root hash, empty line, signatures"
            ) from None

    def signed_by(self, key: NoteKey) -> int | None:
        """Whether this key signed: the time in seconds that a witness states, 0 for a log; None where it did not.

        Raises `CheckFailed` when there is a signature of this key and it is wrong.
        """
        time, identifier = None, key.id
        for raw in [raw for name, raw in self.lines if name == key.name and raw[:4] == identifier]:
            time, signature, message = 0, raw[4:], self.text
            if key.kind == WITNESS_KEY:
                time, signature = int.from_bytes(raw[4:12], "big"), raw[12:]
                message = f"cosignature/v1\ntime {time}\n{self.text}"
            try:
                Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message.encode())
            except InvalidSignature:
                raise CheckFailed(f"the signature of {key.name} under the checkpoint is wrong") from None
        return time


# ---------------------------------------------------------------- whom to believe: rotated keys, new origins


class Trust:
    """The keys that are believed: those given, and those that a log which they signed names as the next."""

    def __init__(self, keys: Sequence[NoteKey]) -> None:
        self._keys = [key for key in keys if key.kind == LOG_KEY]
        self._witnesses = [key for key in keys if key.kind == WITNESS_KEY]

    def check(self, signed: Checkpoint) -> None:
        """Raise `CheckFailed` unless a key signed it that is believed for its origin."""
        known = any(key.name == signed.origin for key in self._keys)
        need(known, f"no key of the log {signed.origin} was given: it is another, or its key is missing")
        signers = self._signers(signed, signed.origin)
        need(signers, f"no key that is believed signed the checkpoint of {signed.size} entries: a wrong key?")

    def say_witnesses(self, signed: Checkpoint, report: Report) -> None:
        """Tell which witnesses signed. Raises `CheckFailed` for a wrong signature."""
        for key in self._witnesses:
            time = signed.signed_by(key)
            said = f"signed it at {time}, in seconds since 1970" if time is not None else "did not sign it"
            report.note(f"The checkpoint and the witness {key.name}: {said}.")

    def follow(self, signed: Checkpoint, entry: Mapping[str, Any]) -> None:
        """Believe the key or origin that an entry of this checkpoint's log names, if a key signed the checkpoint that
        is believed for this log, or for the one that was lost."""
        details = entry["details"]
        if entry["kind"] == "log.recovered":
            need(details["origin"] == signed.origin, "the chain has a new origin that stands in another log")
            self._keys += self._signers(signed, details["lost_origin"])
        else:
            need((entry["kind"], details["purpose"]) == ("key.rotated", "log"), "the chain has another entry")
            if self._signers(signed, signed.origin):
                self._keys.append(NoteKey(signed.origin, LOG_KEY, *_hashes([details["public"]])))

    def _signers(self, signed: Checkpoint, origin: str) -> list[NoteKey]:
        known = {NoteKey(signed.origin, LOG_KEY, key.public) for key in self._keys if key.name == origin}
        return [key for key in known if signed.signed_by(key) is not None]


# ---------------------------------------------------------------- the export

FORMAT = "sealmark-log-export v1"
BLOCK_LEVEL = 8
BLOCK = 1 << BLOCK_LEVEL
"""Entries under one hash of a whole export's header, at most: so closely is told where a change is."""

MAX_HEADER, MAX_LINE = 1 << 24, 1 << 20
"""Bytes of the header, which has 47 for each block (so of 9 * 10^7 entries), and of every other line."""

MAX_PROBLEMS, MAX_NOTES = 20, 100
"""Blocks that differ, and remarks, that are told: who reads wants to know where to begin."""

MAX_ERASURES = 200_000
"""Erasures that the entries of one export may name, and have: some 50 MB of memory."""

SILENCE = timedelta(hours=2)
"""Time without an entry that is told: a log at work writes one each hour."""

CHOSEN = ("kind", "document", "recipient", "share", "outcome")
TIME = re.compile(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}\.[0-9]{6}Z")
_FIRST, _LAST = "0000-01-01T00:00:00.000000Z", "9999-12-31T24:00:00.000000Z"

Shape = Mapping[str, type]
HEADER: Shape = {
    "format": str, "origin": str, "first": int, "stop": int, "size": int, "filter": dict, "checkpoint": str,
    "chain": list, "held": list, "before": list, "blocks": list, "after": list, "edges": list,
}  # fmt: skip
STEP: Shape = {"checkpoint": str, "index": int, "leaf": str, "proof": list, "consistency": list}
HELD: Shape = {"size": int, "proof": list}
EDGE: Shape = {"index": int, "leaf": str, "proof": list}
ENTRY: Shape = {"index": int, "leaf": str, "hash": str, "revealed": dict}
FILTERED: Shape = {**ENTRY, "proof": list}
SHOWN: Shape = {"value": str, "salt": str}
FOOTER: Shape = {"count": int}
MISSING = object()


def _is(shape: Shape, value: Any) -> bool:
    """Whether this is an object with exactly these members, in this order, of exactly these types."""
    return type(value) is dict and [(n, type(v)) for n, v in value.items()] == list(shape.items())


def _all(shape: Shape, values: Sequence[Any]) -> Sequence[Any]:
    need(all(_is(shape, value) for value in values), "the header has members of another form")
    return values


def _refuse(number: str) -> NoReturn:
    raise CheckFailed(f"{number[:20]} is no number of the format")


_read_json = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse).decode
_write_line = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_write_leaf = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


@dataclass
class Report:
    """What was shown. `problems` empty: it holds."""

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

    def note(self, text: str) -> None:
        """Add a remark, once."""
        if text not in self.notes and len(self.notes) < MAX_NOTES:
            self.notes.append(text)

    def lines(self) -> Iterator[str]:
        """For people, without characters that a terminal would obey."""
        yield from ("".join(c if c.isprintable() else "?" for c in line) for line in self._lines())

    def _lines(self) -> Iterator[str]:
        scope, missing = ("every entry", ", left out") if self.whole else ("chosen entries", "")
        yield f"The checkpoint: {self.size:,} entries of the log {self.origin}."
        yield f"Checked: {scope} from {self.first:,} to before {self.stop:,}, {self.count:,} in all."
        yield from self.notes
        if self.erased or self.withheld:
            yield f"Personal values not shown: {self.erased:,} erased (an entry says so), {self.withheld:,} withheld."
        if self.problems:
            yield from (f"WRONG: {problem}" for problem in self.problems)
            yield "NOT genuine."
            return
        if not self.whole:
            yield "Chosen entries show that they are genuine. They cannot show that none is missing among them."
        yield "A log that was cut at its end shows it only against a checkpoint that someone held (--against)."
        yield f"Genuine: nothing was edited, added{missing} or moved."


def read_lines(export: BinaryIO) -> Iterator[bytes]:
    """The lines of a file, cut where one is longer than the format allows, so that none fills the memory."""
    return chain([export.readline(MAX_HEADER)], iter(lambda: export.readline(MAX_LINE), b""))


def check_export(lines: Iterable[bytes], keys: Sequence[NoteKey], held: Sequence[Checkpoint] = ()) -> Report:
    """Check an export (its lines with their ends) against the log's public keys and checkpoints that someone held.

    Memory does not grow with the export. Problems are in the report; only reading `lines` can raise.
    """
    export = _Export(iter(lines), Trust(keys), held)
    try:
        export.check()
    except CheckFailed as failed:
        export.report.problems.append(str(failed))
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        export.report.problems.append(f"{export.at} is not of the form that the format has: {error!r:.100}")
    return export.report


class _Export:
    """One pass over an export. `at` is what it reads."""

    def __init__(self, lines: Iterator[bytes], trust: Trust, held: Sequence[Checkpoint]) -> None:
        self.report, self.at = Report(), "the header"
        self._lines, self._trust, self._held = lines, trust, held
        self._recovered: list[tuple[int, str]] = []  # (index of an entry that says so, lost origin)
        self._time = ""  # of the entry before
        self._erasing: dict[str, str] = {}  # id of an entry that erases → whose values
        self._erased: dict[tuple[str, str], int] = {}  # (such an id that values name, whose) → how many

    def check(self) -> None:
        # 1. The header: of one log, whose checkpoint was signed by a key that is believed.
        header, report = self._read("the header", HEADER), self.report
        signed, chosen = Checkpoint.decode(header["checkpoint"]), header["filter"]
        self._header, self._signed, report.origin, report.size = header, signed, signed.origin, signed.size
        report.first, report.stop = header["first"], header["stop"]
        report.whole = not chosen.keys() & set(CHOSEN)
        same = (header["format"], header["origin"], header["size"]) == (FORMAT, signed.origin, signed.size)
        need(same, "the header and its checkpoint are not of one log, or the format is another")
        need(0 <= report.first <= report.stop <= report.size, "the header names a range that cannot be")
        self._since, self._until = chosen.get("since", _FIRST), chosen.get("until", _LAST)
        named = list(chosen) == [name for name in ("since", "until", *CHOSEN) if name in chosen]
        named = named and all(type(value) is str for value in chosen.values())
        named = named and all(TIME.fullmatch(time) for time in (self._since, self._until))
        need(named, "the header names a filter that cannot be")
        for step in _all(STEP, header["chain"]):
            self._follow(step)
        self._trust.check(signed)
        self._trust.say_witnesses(signed, report)
        # 2. Checkpoints that someone held: this log begins with each of them.
        later = self._check_held()
        # 3. Each entry, and that they make the tree that was signed; what stands beside a range of time.
        if report.whole:
            self._check_edges()
            self._check_whole(later)
        else:
            self._check_filtered()
        # 4. Which of the values that are not shown an entry says to be erased.
        for (entry, whose), count in self._erased.items():
            if entry in self._erasing and whose in ("", self._erasing[entry]):
                report.erased += count
            else:
                report.withheld += count

    def _follow(self, step: dict[str, Any]) -> None:
        """An entry of the chain stands in the log of its checkpoint, and this log begins with that one."""
        signed, index, leaf = Checkpoint.decode(step["checkpoint"]), step["index"], step["leaf"].encode()
        check_inclusion(index, signed.size, leaf_hash(leaf), _hashes(step["proof"]), signed.root)
        self._begins_with(signed, step["consistency"])
        entry = self._json(leaf, f"entry {index}, in the chain", _write_leaf)
        self._trust.follow(signed, entry)
        self._say_recovered(index, entry)

    def _begins_with(self, old: Checkpoint, proof: list[str]) -> None:
        check_consistency(old.size, old.root, self._signed.size, self._signed.root, _hashes(proof))

    def _say_recovered(self, index: int, entry: dict[str, Any]) -> None:
        if entry["kind"] == "log.recovered":
            origin, lost = entry["details"]["lost_origin"], entry["details"]["lost_size"] - index
            self._recovered.append((index, origin))
            said = f"the database was restored, and the last {lost:,} signed entries of {origin} are lost"
            self.report.note(f"NOTE: entry {index} says that {said}.")

    def _check_held(self) -> dict[int, Checkpoint]:
        """Compare those that can be now; those that the entries must give, by size."""
        report, later = self.report, dict[int, Checkpoint]()
        proofs = {item["size"]: item["proof"] for item in _all(HELD, self._header["held"])}
        for held in self._held:
            size = held.size
            self._trust.check(held)
            for at, origin in self._recovered:
                lost = f"entries {at} to {size - 1} of the checkpoint you hold are lost: see entry {at}"
                need(held.origin != origin or size <= at, lost)
            cut = "its end was cut off, it was rolled back, or the export is the older one"
            more = f"you hold a checkpoint of {size} entries, this log has {report.size}: {cut}"
            need(size <= report.size, more)
            if size in proofs or size in (0, report.size):
                self._begins_with(held, proofs.get(size, []))
            else:
                apart = f"this cannot be compared with a checkpoint of {size}: pull it with --held, or the whole log"
                need(report.whole and report.first < size <= report.stop, apart)
                need(later.setdefault(size, held).root == held.root, f"a fork: you hold two logs of {size}")
            report.note(f"Compared with the checkpoint of {size:,} entries that you hold.")
        return later

    def _check_edges(self) -> None:
        """A range of time has all its entries when those beside it are of other times, or there are none."""
        first, stop, size = self.report.first, self.report.stop, self._signed.size
        since, until = "since" in self._header["filter"], "until" in self._header["filter"]
        wanted = [first - 1] * (since and first > 0) + [stop] * (until and stop < size)
        reaches = (since or not until or first == 0) and (until or not since or stop == size)
        edges = _all(EDGE, self._header["edges"])
        shown = reaches and [edge["index"] for edge in edges] == wanted
        need(shown, "the export does not show what stands beside its range of time")
        for edge in edges:
            leaf, index = edge["leaf"].encode(), edge["index"]
            check_inclusion(index, size, leaf_hash(leaf), _hashes(edge["proof"]), self._signed.root)
            time = self._json(leaf, f"entry {index}, beside the range", _write_leaf)["sequenced"]
            beside = time < self._since if index < first else time >= self._until
            need(TIME.fullmatch(time) and beside, f"entry {index} is of the range of time, and was left out")

    def _check_whole(self, held: dict[int, Checkpoint]) -> None:
        """The hashes of the header make the tree that was signed, and the entries make those hashes."""
        first, stop, size = self.report.first, self.report.stop, self._signed.size
        before, blocks, after = (_hashes(self._header[name]) for name in ("before", "blocks", "after"))
        claimed, tree, forks = Tree(), Tree(), []
        places = chain(perfect(0, first), perfect(first, stop, BLOCK_LEVEL), perfect(stop, size))
        for (level, _), value in zip(places, chain(before, blocks, after), strict=True):
            claimed.push(level, value)
        need(claimed.root() == self._signed.root, "the hashes in the header are not those of the signed log")
        for (level, _), value in zip(perfect(0, first), before, strict=True):
            tree.push(level, value)
        for (level, block), value in zip(perfect(first, stop, BLOCK_LEVEL), blocks, strict=True):
            begin, end, part = block << level, (block + 1) << level, Tree(block << level)
            for index in range(begin, end):
                leaf = self._entry(self._read(f"entry {index}", ENTRY), index)
                part.push(0, leaf)
                tree.push(0, leaf)
                if index + 1 in held and held[index + 1].root != tree.root():
                    forks.append(index + 1)
            if part.root() != value:
                where = f"entry {begin}" if level == 0 else f"one of the entries {begin} to {end - 1}"
                self.report.problems.append(f"{where} is another than was signed")
                need(len(self.report.problems) < MAX_PROBLEMS, "and what follows was not checked")
        self._end(self._read("the end", FOOTER))
        if forks and not self.report.problems:
            raise CheckFailed(f"a fork: the first {forks[0]} entries are others than those that you hold")

    def _check_filtered(self) -> None:
        header, before = self._header, self.report.first - 1
        empty = not (header["before"] or header["blocks"] or header["after"] or header["edges"])
        need(empty, "a filtered export has no proof of its range")
        while "count" not in (line := self._read(f"the entry after {before}", FILTERED, FOOTER)):
            index, leaf = line["index"], self._entry(line, line["index"])
            need(before < index < self.report.stop, f"entry {index} stands after {before}, or out of range")
            check_inclusion(index, self._signed.size, leaf, _hashes(line["proof"]), self._signed.root)
            before = index
        self._end(line)

    def _end(self, footer: dict[str, Any]) -> None:
        ended = footer["count"] == self.report.count and next(self._lines, None) is None
        need(ended, f"the export says that it has {footer['count']} entries: it has others")

    def _entry(self, line: dict[str, Any], index: int) -> bytes:
        """The hash of the leaf of an entry which is right in itself: its place, its time, the values that it shows."""
        at, report, leaf = f"entry {index}", self.report, line["leaf"].encode()
        value = leaf_hash(leaf)
        placed = f"entry {line['index']} is in the place of {at}: left out, doubled or swapped"
        need(line["index"] == index, placed)
        hashed = line["hash"] == base64.b64encode(value).decode()
        need(hashed, f"{at} was edited: its leaf does not have its hash")
        entry = self._json(leaf, at, _write_leaf)
        time, committed, revealed = entry["sequenced"], entry.get("commitments", {}), line["revealed"]
        need(TIME.fullmatch(time) and time >= self._time, f"{at} has a time before that of the one before it")
        need(self._since <= time < self._until, f"{at} is not of the range of time that the export names")
        chosen = all(entry.get(name) == self._header["filter"].get(name, entry.get(name)) for name in CHOSEN)
        need(chosen, f"{at} is none that the filter chooses")
        if report.whole and self._time:
            silent = datetime.fromisoformat(time) - datetime.fromisoformat(self._time)
            if silent > SILENCE:
                report.note(f"Before {at} the log was silent for {silent}: it did not run then.")
        shows = list(revealed) == [name for name in committed if name in revealed]
        need(shows, f"{at} shows values that it does not commit to, or in another order")
        for name, commitment in committed.items():
            self._check_value(at, entry, name, commitment, revealed.get(name, MISSING))
        if entry["kind"] == "recipient.erased":
            self._erasing[entry["id"]] = entry["recipient"]
        self._say_recovered(index, entry)
        erasures = len(self._erasing) + len(self._erased)
        need(erasures <= MAX_ERASURES, f"{at} names more erasures than are counted: export a shorter range")
        report.count, self._time = report.count + 1, time
        return value

    def _check_value(self, at: str, entry: dict[str, Any], name: str, commitment: str, shown: Any) -> None:
        if shown is MISSING:
            self.report.withheld += 1
        elif _is({"erased": str}, shown):
            key = shown["erased"], entry.get("recipient", "")
            self._erased[key] = self._erased.get(key, 0) + 1
        else:
            need(_is(SHOWN, shown), f"the {name} of {at} is not of the form that the format has")
            salt, message = bytes.fromhex(shown["salt"]), f"{name}\x00{shown['value']}".encode()
            same = salt.hex() == shown["salt"] and hmac.digest(salt, message, "sha256").hex() == commitment
            need(same and len(salt) == 32, f"{at} does not commit to the {name} that is shown: it was edited")

    def _read(self, what: str, *shapes: Shape) -> dict[str, Any]:
        """The next line, in its one spelling, which has one of these forms."""
        raw = next(self._lines, b"")
        need(raw.endswith(b"\n"), f"the export ends before {what}, or in it: it was cut, or its line is long")
        line = self._json(raw[:-1], what, _write_line)
        formed = any(_is(shape, line) for shape in shapes)
        need(formed, f"{what} is missing, or has other members than its format")
        return line

    def _json(self, raw: bytes, what: str, write: Callable[[object], str]) -> dict[str, Any]:
        self.at = what
        try:
            value = _read_json(raw.decode())
            if type(value) is dict and write(value).encode() == raw:
                return value
        except (ValueError, RecursionError):
            pass
        raise CheckFailed(f"{what} is not JSON in its one spelling: it was edited")


# ---------------------------------------------------------------- the proof of one entry: c2sp.org/tlog-proof

_PROOF = re.compile(r"c2sp\.org/tlog-proof@v1\n(?:extra \S+\n)?index (0|[1-9][0-9]{0,15})((?:\n\S+)*)")


def check_proof(proof: str, leaf: bytes, keys: Sequence[NoteKey]) -> Report:
    """Check that an entry, by the exact bytes of its leaf, stands in the log. Raises `ValueError` for no proof."""
    head, _, note = proof.partition("\n\n")
    found, signed, trust = _PROOF.fullmatch(head), Checkpoint.decode(note), Trust(keys)
    if not found:
        raise CheckFailed("this is no proof: name, index, hashes, an empty line, a checkpoint")
    index, hashes = int(found[1]), _hashes(found[2].split())
    report = Report(signed.origin, signed.size, index, index + 1, 1)
    try:
        trust.check(signed)
        trust.say_witnesses(signed, report)
        check_inclusion(index, signed.size, leaf_hash(leaf), hashes, signed.root)
    except CheckFailed as failed:
        report.problems.append(str(failed))
    return report


# ---------------------------------------------------------------- the program


def read_keys(given: Iterable[str]) -> list[NoteKey]:
    """Keys given as text or as files with one on each line. Raises `ValueError`, `OSError`."""
    texts = [Path(item).read_text("utf-8") if Path(item).is_file() else item for item in given]
    return [NoteKey.decode(line) for text in texts for line in text.splitlines() if line.strip()]


def check_file(
    file: Path, keys: Iterable[str], against: Iterable[Path] = (), proof: Path | None = None
) -> Report:
    """Check an export, or with `proof` one entry. Raises `ValueError`, `OSError` for what cannot be checked."""
    known, held = read_keys(keys), [Checkpoint.decode(path.read_text("utf-8")) for path in against]
    if proof:
        need(not held, "a proof is of one entry: there is nothing to compare with a checkpoint")
        return check_proof(proof.read_text("utf-8"), file.read_bytes(), known)
    with file.open("rb") as export:
        return check_export(read_lines(export), known, held)


def main(arguments: Sequence[str] | None = None) -> int:
    """0: genuine; 1: not; 2: nothing was checked."""
    parser = argparse.ArgumentParser(description="Check an export of a Sealmark log, offline.")
    parser.add_argument("file", type=Path, help="the export; with --proof the exact bytes of one leaf")
    parser.add_argument("--key", action="append", required=True, help="of the log or a witness, or a file")
    parser.add_argument("--against", action="append", default=[], type=Path, help="a checkpoint you held")
    parser.add_argument("--proof", type=Path, help="the proof of one entry")
    chosen = parser.parse_args(arguments)
    try:
        report = check_file(chosen.file, chosen.key, chosen.against, chosen.proof)
    except (ValueError, OSError) as error:
        print(f"cannot check: {error}", file=sys.stderr)
        return 2
    print("\n".join(report.lines()))
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
