"""A witness signs what continues the last checkpoint that it signed, and answers all else as the protocol says."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import notes
from crypto.errors import KeyFileError, WitnessRefusal, WrongKeyLength
from crypto.logcheck import EMPTY_ROOT, LOG_KEY, CheckFailed, Checkpoint, NoteKey
from crypto.merkle import consistency_proof, root
from crypto.witness import (
    MAX_PROOF,
    MAX_REQUEST,
    Held,
    WitnessKey,
    admit,
    cosignature,
    decode,
    encode,
    judge,
)
from tests.crypto.test_merkle import LEAVES, Table

ORIGIN = "reports.acme.example/log_1"
SECRET, OTHER = bytes([1]) * 32, bytes([2]) * 32
LOG = notes.public_key(ORIGIN, SECRET)
NEXT = notes.public_key(ORIGIN, OTHER)
WITNESS = WitnessKey("witness.auditor.example/w1", bytes([3]) * 32)

TABLE = Table()
TABLE.append(LEAVES)


def text(size: int, value: bytes | None = None, origin: str = ORIGIN) -> str:
    return notes.checkpoint_text(origin, size, root(size, TABLE.read) if value is None else value)


def note(size: int, value: bytes | None = None, secret: bytes = SECRET, origin: str = ORIGIN) -> str:
    said = text(size, value, origin)
    return notes.note(said, notes.sign(said, origin, secret))


def proof(old: int, size: int) -> list[bytes]:
    return consistency_proof(old, size, TABLE.read) if 0 < old < size else []


def held(size: int) -> Held:
    return Held(size, root(size, TABLE.read))


def refusal(old: int, hashes: list[bytes], said: str, last: Held) -> WitnessRefusal:
    submission = decode(encode(old, hashes, said))
    with pytest.raises(WitnessRefusal) as refused:
        judge(submission, last)
    return refused.value


@given(st.integers(0, 300), st.integers(0, 300))
def test_what_continues_the_log_is_signed_and_a_request_is_read_as_it_was_written(one: int, two: int) -> None:
    old, size = sorted((one, two))
    submission = decode(encode(old, proof(old, size), note(size)))
    assert (submission.old, list(submission.proof)) == (old, proof(old, size))
    assert submission.checkpoint == Checkpoint.decode(note(size))
    judge(submission, held(old))


@given(st.integers(1, 300), st.integers(1, 300), st.data())
def test_another_log_is_never_signed(one: int, two: int, data: st.DataObject) -> None:
    old, size = sorted((one, two))
    other = data.draw(st.binary(min_size=32, max_size=32))
    assert refusal(old, proof(old, size), note(size, other), held(old)).status in (409, 422)
    assert refusal(old, proof(old, size), note(size), Held(old, other)).status in (409, 422)


@pytest.mark.parametrize(
    ("old", "size", "last", "status", "named"),
    [
        (6, 5, 6, 400, None),
        (5, 9, 7, 409, 7),
        (9, 9, 7, 409, 7),
        (0, 9, 7, 409, 7),
        (7, 9, 0, 409, 0),
        (5, 6, 9, 409, 9),
    ],
)
def test_only_the_size_that_it_holds_is_continued(
    old: int, size: int, last: int, status: int, named: int | None
) -> None:
    refused = refusal(old, proof(old, size), note(size), held(last))
    assert (refused.status, refused.size, refused.forked) == (status, named, False)


def test_two_trees_of_one_size_are_a_fork_whatever_old_the_request_names() -> None:
    for old in (0, 3, 7):
        refused = refusal(old, [], note(7, bytes(32)), held(7))
        assert (refused.status, refused.size, refused.forked) == (409, 7, True)
    assert refusal(0, [], note(0, bytes(32)), Held()).forked


@pytest.mark.parametrize(
    ("old", "size", "hashes"),
    [
        (5, 9, []),
        (5, 9, [bytes(32)]),
        (0, 9, [bytes(32)]),
        (9, 9, [bytes(32)]),
        (5, 9, [*proof(5, 9), bytes(32)]),
    ],
)
def test_a_proof_that_does_not_hold_is_refused(old: int, size: int, hashes: list[bytes]) -> None:
    assert refusal(old, hashes, note(size), held(old)).status == 422


def test_the_empty_log_is_signed_once_and_again() -> None:
    judge(decode(encode(0, [], note(0))), Held())
    assert held(0).root == Held().root == EMPTY_ROOT


def lines(count: int) -> str:
    return (base64.b64encode(bytes(32)).decode() + "\n") * count


@pytest.mark.parametrize(
    "body",
    {
        "empty": b"",
        "no text": b"old 0\n\n\xff",
        "no old": b"\n" + note(5).encode(),
        "old in hex": b"old 0x1\n\n" + note(5).encode(),
        "old with a zero before it": b"old 05\n\n" + note(5).encode(),
        "old below zero": b"old -5\n\n" + note(5).encode(),
        "old in other digits": "old ٣\n\n".encode() + note(5).encode(),
        "two spaces": b"old  5\n\n" + note(5).encode(),
        "an end that is not ours": b"old 5\r\n\n" + note(5).encode(),
        "a control character": ("old 5\n\n" + note(5).replace("\n\n", "\nmore\x07\n\n")).encode(),
        "no empty line": b"old 5\n",
        "no checkpoint": b"old 5\n\n",
        "no signature": ("old 5\n\n" + text(5) + "\n").encode(),
        "a short hash": b"old 5\nAAAA\n\n" + note(5).encode(),
        "a hash that is no base64": b"old 5\n!\n\n" + note(5).encode(),
        "a hash in another spelling": ("old 5\n" + "A" * 42 + "B=\n\n" + note(5)).encode(),
        "a hash too many": f"old 5\n{lines(MAX_PROOF + 1)}\n{note(5)}".encode(),
        "too long": f"old 5\n\n{note(5)}".encode() + b"x" * MAX_REQUEST,
    }.items(),
    ids=lambda item: item[0],
)
def test_what_is_no_request_is_refused(body: tuple[str, bytes]) -> None:
    with pytest.raises(WitnessRefusal) as refused:
        decode(body[1])
    assert refused.value.status == 400


def test_as_many_hashes_as_the_protocol_allows_are_read_and_no_more_are_sent() -> None:
    assert len(decode(f"old 5\n{lines(MAX_PROOF)}\n{note(5)}".encode()).proof) == MAX_PROOF
    with pytest.raises(CheckFailed):
        encode(5, [bytes(32)] * (MAX_PROOF + 1), note(5))
    with pytest.raises(CheckFailed):
        encode(5, [], note(5) + "x" * MAX_REQUEST)


def admitted(said: str, *keys: NoteKey) -> tuple[str, ...]:
    return admit(decode(encode(0, [], said)), keys)


def test_a_log_is_known_by_its_origin_and_one_of_its_keys_is_enough() -> None:
    line = notes.sign(text(5), ORIGIN, SECRET)
    unknown = notes.sign(text(5), "other.example", OTHER)
    assert admitted(note(5), LOG) == admitted(note(5), NEXT, LOG) == (line,)
    assert admitted(notes.note(text(5), unknown, line), LOG) == (line,)
    both = notes.note(text(5), notes.sign(text(5), ORIGIN, OTHER), line)
    assert len(admitted(both, LOG, NEXT)) == 2


def test_an_unknown_log_is_not_found_and_an_unknown_key_forbidden() -> None:
    elsewhere = NoteKey("other.example", LOG_KEY, LOG.public)
    stolen = note(5).replace("— " + ORIGIN, "— other.example")
    damaged = note(5)[:-10] + "AAAAAAA==\n"
    for said, keys, status in (
        (note(5), (), 404),
        (note(5), (elsewhere,), 404),
        (note(5, secret=OTHER), (LOG,), 403),
        (stolen, (LOG,), 403),
        (damaged, (LOG,), 403),
        (note(5).replace("\n5\n", "\n6\n"), (LOG,), 403),
    ):
        with pytest.raises(WitnessRefusal) as refused:
            admitted(said, *keys)
        assert refused.value.status == status


CHECKPOINT = Checkpoint.decode(note(5))


def test_the_signature_of_the_witness_is_taken_from_its_answer_and_no_other() -> None:
    ours = WITNESS.cosign(text(5), 1_800_000_000)
    stranger = WitnessKey("stranger.example", OTHER).cosign(text(5), 1)
    for answer in (ours, stranger + ours, ours + stranger):
        assert cosignature(CHECKPOINT, answer.encode(), WITNESS.public) == ours
    signed = Checkpoint.decode(note(5) + ours)
    assert signed.signed_by(WITNESS.public) == 1_800_000_000
    assert signed.signed_by(LOG) == 0


def backdated(line: str) -> bytes:
    raw = base64.b64decode(line.split(" ")[2])[4:]
    return (1).to_bytes(8, "big") + raw[8:]


@pytest.mark.parametrize(
    "answer",
    {
        "empty": b"",
        "no text": b"\xff",
        "words": b"signed\n",
        "of another checkpoint": WITNESS.cosign(text(6), 1).encode(),
        "of another time": notes._line(WITNESS.public, backdated(WITNESS.cosign(text(5), 2))).encode(),
        "of another witness": WitnessKey("witness.other.example", OTHER).cosign(text(5), 1).encode(),
        "of another witness under this name": WitnessKey(WITNESS.name, OTHER).cosign(text(5), 1).encode(),
        "a signature without its end": WITNESS.cosign(text(5), 1).encode()[:-1],
        "a short signature": notes._line(WITNESS.public, bytes(20)).encode(),
        "a note of its own": b"\n" + note(6).encode() + WITNESS.cosign(text(6), 1).encode(),
    }.items(),
    ids=lambda item: item[0],
)
def test_a_wrong_answer_gives_no_signature(answer: tuple[str, bytes]) -> None:
    with pytest.raises(CheckFailed):
        cosignature(CHECKPOINT, answer[1], WITNESS.public)


def test_a_text_that_brings_its_own_checkpoint_is_not_taken_for_a_signature() -> None:
    mine = notes.note(text(6), WITNESS.cosign(text(6), 1))
    with pytest.raises(CheckFailed):
        cosignature(CHECKPOINT, mine.encode(), WITNESS.public)


def test_the_key_of_a_witness_is_read_as_it_was_written_and_does_not_show_itself() -> None:
    assert WitnessKey.decode(WITNESS.encode()) == WITNESS
    plus = WitnessKey(WITNESS.name, bytes(2) + bytes([0xFB, 0xEF, 0xBE] * 10))
    assert plus.encode().count("+") > 10
    assert WitnessKey.decode(plus.encode()) == plus
    assert WITNESS.encode().startswith(f"PRIVATE+KEY+{WITNESS.name}+{WITNESS.public.id.hex()}+")
    assert repr(WITNESS.secret) not in repr(WITNESS)


@pytest.mark.parametrize(
    "text_",
    [
        "",
        "\n",
        "PRIVATE+KEY+name",
        WITNESS.encode().replace("PRIVATE", "PUBLIC"),
        WITNESS.encode().replace("+w", "+v"),
        WITNESS.encode().replace("/w1", "/w2"),
        WITNESS.encode() + "\n",
        WITNESS.encode()[:-10] + "\n",
        f"PRIVATE+KEY+x+00000000+{base64.b64encode(bytes([1]) + SECRET).decode()}\n",
        f"PRIVATE+KEY+x+00000000+{base64.b64encode(bytes([4]) + SECRET).decode()}\n",
        "PRIVATE+KEY+x+00000000+é\n",
        WITNESS.encode().replace("PRIVATE", " PRIVATE"),
    ],
)
def test_what_is_no_key_of_a_witness_is_refused_and_not_repeated(text_: str) -> None:
    with pytest.raises(KeyFileError) as refused:
        WitnessKey.decode(text_)
    assert "x+0" not in str(refused.value)


def test_a_name_that_no_line_could_carry_is_refused_and_a_short_secret() -> None:
    for name in ("", "two words", "a+b", "a\nb"):
        with pytest.raises(CheckFailed):
            WitnessKey(name, SECRET)
    with pytest.raises(WrongKeyLength):
        WitnessKey("x", b"short")
