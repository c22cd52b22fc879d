"""Countersignatures of witnesses under our checkpoints, and checkpoints posted to whoever wants to hold them.

What others do not do is told in our logs and never holds up the log: a witness that is away, or signs wrongly, is
left out, and asked again with the next checkpoint. No log line holds a URL, since a URL may hold a token.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from crypto.logcheck import WITNESS_KEY, CheckFailed, Checkpoint, NoteKey
from crypto.witness import MAX_ANSWER, cosignature, encode
from service.records import LogCheckpoint

MAX_WITNESSES = 14
"""Each reader takes 16 signatures (c2sp.org/signed-note), and two are the log's own while its key is changed."""

MAX_POSTS = 16
"""Addresses that each checkpoint is posted to, all at once."""

SIZE_TYPE = "text/x.tlog.size"
NOTE_TYPE = "text/plain; charset=utf-8"

_SIZE = re.compile(rb"(0|[1-9][0-9]{0,15})\n")

log = logging.getLogger("sealmark.witnessing")

In = TypeVar("In")
Out = TypeVar("Out")


class NoAnswer(Exception):
    """There was no answer over HTTP. The message is a word for our logs and holds no address."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    kind: str  # its media type, in lower case without parameters
    body: bytes  # so many bytes of it as were wanted


class Posts(Protocol):
    """Where requests go out."""

    def post(self, url: str, kind: str, body: bytes, wanted: int) -> Answer:
        """Send this body of this media type; at most `wanted` bytes of the answer's body are read.

        Follows no redirect and ends within a bounded time. Raises `NoAnswer`.
        """


@dataclass(frozen=True)
class Address:
    """A URL from a file, which may hold a token; `line` names it in our logs."""

    line: int
    url: str = field(repr=False)


@dataclass(frozen=True)
class WitnessAddress:
    """A witness: the key that its signatures are checked by, and the prefix that requests go to."""

    key: NoteKey
    address: Address


def read_witnesses(text: str) -> tuple[WitnessAddress, ...]:
    """`VKEY URL` a line; empty lines and those that begin with # are passed over.

    Raises `ValueError`, whose message names the line and repeats nothing of it.
    """
    found: list[WitnessAddress] = []
    for number, line in _lines(text):
        vkey, _, url = line.partition(" ")
        try:
            key = NoteKey.decode(vkey)
        except CheckFailed:
            key = NoteKey("", 0, b"")
        if key.kind != WITNESS_KEY:
            raise ValueError(
                f"line {number} does not begin with the public key of a witness; it reads VKEY URL"
            )
        url = url.strip()
        _check_url(number, url)
        if "?" in url:
            raise ValueError(f"line {number} names a prefix with a query, to which no path can be added")
        if any(other.key.name == key.name or other.key.public == key.public for other in found):
            raise ValueError(f"line {number} names a witness, or a key, that an earlier line names")
        found.append(WitnessAddress(key, Address(number, url)))
    if len(found) > MAX_WITNESSES:
        raise ValueError(
            f"names more than {MAX_WITNESSES} witnesses, whose signatures some readers would not take"
        )
    return tuple(found)


def read_posts(text: str) -> tuple[Address, ...]:
    """One URL a line; empty lines and those that begin with # are passed over. Raises `ValueError` as above."""
    found: list[Address] = []
    for number, line in _lines(text):
        _check_url(number, line)
        found.append(Address(number, line))
    if len(found) > MAX_POSTS:
        raise ValueError(f"names more than {MAX_POSTS} URLs")
    return tuple(found)


class Witnessing:
    """Asks all witnesses at once. Safe to use from many threads and processes: a witness keeps its own order."""

    def __init__(self, witnesses: Sequence[WitnessAddress], posts: Posts) -> None:
        self._witnesses = witnesses
        self._posts = posts
        self._sizes: dict[tuple[str, str], int] = {}

    def cosign(self, checkpoint: LogCheckpoint, proof: Callable[[int], list[bytes]]) -> str:
        """The checkpoint's note with the signature of each witness that gave a valid one, under those it had.

        `proof(old)` is the proof that the log of `old` entries is the beginning of this checkpoint's; it is called
        in this thread, and what it raises is raised.
        """
        signed = Checkpoint.decode(checkpoint.note)
        asked = [
            _Asked(witness, self._sizes.get((witness.key.encode(), signed.origin), 0))
            for witness in self._witnesses
            if signed.signed_by(witness.key) is None
        ]
        lines: dict[int, str] = {}
        for last in (False, True):
            again: list[_Asked] = []
            for one, answer in self._ask(asked, signed, checkpoint.note, proof):
                moved = self._take(one, answer, signed, lines)
                if moved is not None and not last:
                    again.append(_Asked(one.witness, moved))
                elif moved is not None:
                    _tell(one.witness, "another process had it sign meanwhile")
            asked = again
        return checkpoint.note + "".join(lines[number] for number in sorted(lines))

    def _ask(
        self, asked: Sequence[_Asked], signed: Checkpoint, note: str, proof: Callable[[int], list[bytes]]
    ) -> list[tuple[_Asked, Answer]]:
        """What each answers; those that do not are told of."""
        ready: list[tuple[_Asked, bytes]] = []
        for one in asked:
            if one.old > signed.size:
                _tell(one.witness, "it signed a larger checkpoint already", size=one.old)
                continue
            try:
                ready.append(
                    (one, encode(one.old, proof(one.old) if 0 < one.old < signed.size else [], note))
                )
            except CheckFailed as error:
                _tell(one.witness, str(error))

        def ask(item: tuple[_Asked, bytes]) -> Answer | NoAnswer:
            url = item[0].witness.address.url.rstrip("/") + "/add-checkpoint"
            return _answer(self._posts, url, item[1], MAX_ANSWER)

        answers: list[tuple[_Asked, Answer]] = []
        for (one, _), answer in zip(ready, _at_once(ask, ready), strict=True):
            if isinstance(answer, NoAnswer):
                _tell(one.witness, f"no answer: {answer}")
            else:
                answers.append((one, answer))
        return answers

    def _take(self, one: _Asked, answer: Answer, signed: Checkpoint, lines: dict[int, str]) -> int | None:
        """Take a valid signature into `lines`; returns the size to ask again with, if the witness names another."""
        key = one.witness.key
        if answer.status == 200:
            try:
                lines[one.witness.address.line] = cosignature(signed, answer.body, key)
            except CheckFailed as error:
                _tell(one.witness, str(error), wrong=True)
                return None
            self._sizes[key.encode(), signed.origin] = signed.size
            return None
        size = _SIZE.fullmatch(answer.body) if answer.status == 409 and answer.kind == SIZE_TYPE else None
        if size is None:
            _tell(one.witness, f"it refused with status {answer.status}", wrong=answer.status in (409, 422))
            return None
        named = int(size[1])
        if named == one.old:
            _tell(one.witness, "it holds another tree of this size: a fork?", wrong=True, size=named)
            return None
        if named > signed.size:
            detail = "it holds a larger log than ours: is this database a restored one?"
            _tell(one.witness, detail, wrong=True, size=named)
            return None
        return named


class Posting:
    """Sends checkpoints to auditors' URLs."""

    def __init__(self, addresses: Sequence[Address], posts: Posts) -> None:
        self._addresses = addresses
        self._posts = posts

    def post(self, note: str) -> None:
        """Send the note to all URLs at once. Who does not take it is told of, and gets the next one."""

        def send(address: Address) -> Answer | NoAnswer:
            return _answer(self._posts, address.url, note.encode(), 0)

        for address, answer in zip(self._addresses, _at_once(send, self._addresses), strict=True):
            if isinstance(answer, NoAnswer):
                log.warning("a checkpoint was not posted", extra={"line": address.line, "why": str(answer)})
            elif not 200 <= answer.status < 300:
                why = f"status {answer.status}"
                log.warning("a checkpoint was not taken", extra={"line": address.line, "why": why})


class Others:
    """All who are sent a checkpoint; the `Cosigner` of `service.checkpoints`."""

    def __init__(self, witnessing: Witnessing, posting: Posting) -> None:
        self._witnessing = witnessing
        self._posting = posting

    def cosign(self, checkpoint: LogCheckpoint, proof: Callable[[int], list[bytes]]) -> str:
        """As `Witnessing.cosign`; what it returns was posted, too."""
        note = self._witnessing.cosign(checkpoint, proof)
        self._posting.post(note)
        return note


@dataclass(frozen=True)
class _Asked:
    witness: WitnessAddress
    old: int  # the size that it is taken to hold


def _at_once(call: Callable[[In], Out], items: Sequence[In]) -> Iterable[Out]:
    """What `call` gives for each item, in their order."""
    if not items:
        return []
    with ThreadPoolExecutor(len(items), thread_name_prefix="witnessing") as pool:
        return list(pool.map(call, items))


def _answer(posts: Posts, url: str, body: bytes, wanted: int) -> Answer | NoAnswer:
    try:
        return posts.post(url, NOTE_TYPE, body, wanted)
    except NoAnswer as error:
        return error


def _tell(witness: WitnessAddress, why: str, *, wrong: bool = False, size: int | None = None) -> None:
    said = {"witness": witness.key.name, "why": why} | ({} if size is None else {"size": size})
    log.log(logging.ERROR if wrong else logging.WARNING, "a witness did not sign", extra=said)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            yield number, line.strip()


def _check_url(number: int, url: str) -> None:
    """Raise `ValueError` unless this is where a request may go: https, or http within this machine."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(f"line {number} holds no URL") from None
    if not url.isascii() or not url.isprintable() or " " in url or not host or parts.fragment or port == 0:
        raise ValueError(f"line {number} holds no URL, such as https://witness.example/sealmark")
    if "@" in parts.netloc:
        raise ValueError(f"line {number} holds a user or password in its URL, which is never sent")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError(f"line {number} must be https (http only for loopback)")


def is_loopback(host: str) -> bool:
    """Whether what is sent there stays within this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
