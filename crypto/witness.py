"""A witness of a log, without its surroundings (c2sp.org/tlog-witness): the request, what it answers, its key.

A witness remembers one checkpoint a log, the last that it signed, and signs only what that one is the beginning of.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from crypto import notes
from crypto.errors import KeyFileError, WitnessRefusal, WrongKeyLength
from crypto.logcheck import (
    EMPTY_ROOT,
    HASH_SIZE,
    WITNESS_KEY,
    CheckFailed,
    Checkpoint,
    NoteKey,
    check_consistency,
)

MAX_PROOF = 63
"""Hashes of a proof that a client may send; a log of 2^62 entries needs no more."""

MAX_REQUEST = 128 * 1024
"""Bytes of a request: 3 KB of proof, and the 16 signatures that each reader takes at 7 KB, the longest kind of all."""

MAX_ANSWER = 16 * 1024
"""Bytes of an answer that a log reads: a witness signs with one key, or with some while it changes them."""

_OLD = re.compile(r"old (0|[1-9][0-9]{0,15})")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SECRET = "PRIVATE+KEY"  # noqa: S105  # how the text of a secret begins, no secret itself


@dataclass(frozen=True)
class Held:
    """What a witness signed last of a log, and when (seconds since 1970)."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    time: int = 0


@dataclass(frozen=True)
class Submission:
    """A checkpoint that is to be signed, with the proof that the log of `old` entries is its beginning."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: Checkpoint


def encode(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """The body of an add-checkpoint request. Raises `CheckFailed` for one that no witness need take."""
    lines = [f"old {old}", *(base64.b64encode(value).decode() for value in proof)]
    body = ("\n".join(lines) + "\n\n" + note).encode()
    if len(proof) > MAX_PROOF or len(body) > MAX_REQUEST:
        raise CheckFailed("the checkpoint and its proof are too long for a witness")
    return body


def decode(body: bytes) -> Submission:
    """Read such a body; nothing is verified yet. Raises `WitnessRefusal` (400)."""
    try:
        text = body.decode() if len(body) <= MAX_REQUEST else ""
    except UnicodeDecodeError:
        text = ""
    head, blank, note = text.partition("\n\n")
    first, *proof = head.split("\n")
    old = _OLD.fullmatch(first)
    if not blank or not old or len(proof) > MAX_PROOF or _CONTROL.search(text):
        raise WitnessRefusal(
            400,
            f"a request is a line `old N`, at most {MAX_PROOF} hashes, an empty line and a checkpoint, "
            f"and has at most {MAX_REQUEST} bytes",
        )
    try:
        return Submission(int(old[1]), tuple(_hash(line) for line in proof), Checkpoint.decode(note))
    except CheckFailed as error:
        raise WitnessRefusal(400, str(error)) from error


def admit(submission: Submission, keys: Sequence[NoteKey]) -> tuple[str, ...]:
    """The verified signature lines of the log's keys that are known; a log's key is named after its origin.

    Raises `WitnessRefusal`: 404 for a log that is not known, 403 for one whose key did not sign, or signed wrongly.
    """
    checkpoint = submission.checkpoint
    known = [key for key in keys if key.name == checkpoint.origin]
    if not known:
        raise WitnessRefusal(404, "this witness does not know a log of this origin")
    try:
        signed = [key for key in known if checkpoint.signed_by(key) is not None]
    except CheckFailed as error:
        raise WitnessRefusal(403, str(error)) from error
    if not signed:
        raise WitnessRefusal(403, "no key that is known of this log signed the checkpoint")
    return tuple(_line_of(checkpoint, key) for key in signed)


def judge(submission: Submission, held: Held) -> None:
    """Return if a witness that holds this may sign; the log's signature is proven already (`admit`).

    Raises `WitnessRefusal`: 400 when the checkpoint is smaller than `old`; 409 when `old` is not what the witness
    holds, or the same size has another root; 422 when the proof does not hold.
    """
    new = submission.checkpoint
    if submission.old > new.size:
        raise WitnessRefusal(400, "the checkpoint is smaller than the log that it is to continue")
    if new.size == held.size and new.root != held.root:
        detail = f"the log signed another tree of {new.size} entries before: it has forked"
        raise WitnessRefusal(409, detail, size=held.size, forked=True)
    if submission.old != held.size:
        raise WitnessRefusal(409, f"this witness holds a log of {held.size} entries", size=held.size)
    try:
        check_consistency(held.size, held.root, new.size, new.root, submission.proof)
    except CheckFailed as error:
        raise WitnessRefusal(422, str(error)) from error


def cosignature(checkpoint: Checkpoint, answer: bytes, key: NoteKey) -> str:
    """The signature line of this witness in its answer, verified; lines of other keys are passed over.

    Raises `CheckFailed` when there is none, it is wrong, or the answer is no list of signatures.
    """
    try:
        signed = Checkpoint.decode(notes.note(checkpoint.text, answer.decode()))
    except UnicodeDecodeError:
        raise CheckFailed("the answer of the witness is no text") from None
    if signed.signed_by(key) is None:
        raise CheckFailed("the witness did not sign with the key that is known of it")
    return _line_of(signed, key)


@dataclass(frozen=True)
class WitnessKey:
    """The secret key of a witness, with the name that it signs under. It signs for this name alone."""

    name: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Raises `WrongKeyLength`, and `CheckFailed` for a name that no line could carry."""
        NoteKey.decode(self.public.encode())

    @property
    def public(self) -> NoteKey:
        """The key that others know the witness by."""
        return notes.public_key(self.name, self.secret, WITNESS_KEY)

    def cosign(self, text: str, time: int) -> str:
        """The signature line over the text of a checkpoint, at `time` in seconds since 1970."""
        return notes.cosign(text, self.name, self.secret, time)

    def encode(self) -> str:
        """The text of its file: `PRIVATE+KEY+name+id+base64(kind ‖ secret)`, one line."""
        data = base64.b64encode(bytes([WITNESS_KEY]) + self.secret).decode()
        return f"{_SECRET}+{self.name}+{self.public.id.hex()}+{data}\n"

    @classmethod
    def decode(cls, text: str) -> WitnessKey:
        """Raises `KeyFileError`, which repeats nothing of the text."""
        text = text.removesuffix("\n")
        name, _, data = ([*text.removeprefix(_SECRET + "+").split("+", 2)] + [""] * 3)[:3]
        try:
            key = cls(name, base64.b64decode(data, validate=True)[1:])
        except (binascii.Error, ValueError, CheckFailed, WrongKeyLength):
            raise KeyFileError(1, "is no secret key of a witness") from None
        if key.encode() != text + "\n":
            raise KeyFileError(1, "is no secret key of a witness")
        return key


def _hash(line: str) -> bytes:
    try:
        value = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if len(value) != HASH_SIZE or base64.b64encode(value).decode() != line:
        raise CheckFailed("a line of the proof is no hash of 32 bytes in base64")
    return value


def _line_of(checkpoint: Checkpoint, key: NoteKey) -> str:
    """The line that `signed_by` proved: the first of this key."""
    raw = next(raw for name, raw in checkpoint.lines if name == key.name and raw[:4] == key.id)
    return f"— {key.name} {base64.b64encode(raw).decode()}\n"
