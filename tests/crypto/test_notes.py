"""Signed notes, as their readers see them: which signatures count, which are passed over, which fail."""

from __future__ import annotations

import pytest

from crypto import notes
from crypto.errors import WrongKeyLength
from crypto.logcheck import EMPTY_ROOT, LOG_KEY, WITNESS_KEY, CheckFailed, Checkpoint, NoteKey
from tests.crypto.logs import log_key, secret, witness_key

ORIGIN = "reports.acme.example/log_a"
TEXT = notes.checkpoint_text(ORIGIN, 0, EMPTY_ROOT)
KEY = log_key("first", ORIGIN)
SIGNED = notes.sign(TEXT, ORIGIN, secret("first"))
COSIGNED = notes.cosign(TEXT, "w.example/1", secret("w.example/1"), 1767225600)


def read(*lines: str) -> Checkpoint:
    return Checkpoint.decode(notes.note(TEXT, *lines))


def test_a_checkpoint_says_what_was_signed() -> None:
    found = read(SIGNED)

    assert (found.origin, found.size, found.root, found.text) == (ORIGIN, 0, EMPTY_ROOT, TEXT)
    assert found.signed_by(KEY) == 0


def test_a_key_that_did_not_sign_is_told_from_one_that_did() -> None:
    assert read(SIGNED).signed_by(log_key("second", ORIGIN)) is None
    assert read(SIGNED).signed_by(log_key("first", "reports.acme.example/log_b")) is None


def test_signatures_of_keys_that_are_not_known_are_passed_over() -> None:
    nonsense = "— reports.acme.example/log_a AAAAAAAA\n— elsewhere.example AAAAAA==\n"

    assert read(nonsense, COSIGNED, SIGNED).signed_by(KEY) == 0


@pytest.mark.parametrize("place", [45, 60, 110])
def test_a_wrong_signature_of_a_known_key_fails(place: int) -> None:
    wrong = SIGNED[:place] + ("A" if SIGNED[place] != "A" else "B") + SIGNED[place + 1 :]

    with pytest.raises(CheckFailed, match=f"the signature of {ORIGIN} under the checkpoint is wrong"):
        read(wrong).signed_by(KEY)


def test_a_right_signature_does_not_hide_a_wrong_one_of_the_same_key() -> None:
    other = notes.sign(notes.checkpoint_text(ORIGIN, 1, EMPTY_ROOT), ORIGIN, secret("first"))

    for lines in ((SIGNED, other), (other, SIGNED)):
        with pytest.raises(CheckFailed, match="is wrong"):
            read(*lines).signed_by(KEY)


def test_a_signature_of_another_text_fails() -> None:
    moved = Checkpoint.decode(notes.note(notes.checkpoint_text(ORIGIN, 7, EMPTY_ROOT), SIGNED))

    with pytest.raises(CheckFailed, match="is wrong"):
        moved.signed_by(KEY)


def test_a_hundred_signatures_are_read_and_no_more() -> None:
    others = [notes.sign(TEXT, f"other.example/{number}", secret("other")) for number in range(99)]

    assert read(*others, SIGNED).signed_by(KEY) == 0
    with pytest.raises(CheckFailed, match="no checkpoint"):
        read(*others, SIGNED, COSIGNED)


def test_a_cosignature_tells_when_the_witness_signed() -> None:
    witness = witness_key("w.example/1")

    assert read(SIGNED, COSIGNED).signed_by(witness) == 1767225600
    assert read(SIGNED).signed_by(witness) is None


def test_a_cosignature_with_another_time_fails() -> None:
    witness, later = (
        witness_key("w.example/1"),
        notes.cosign(TEXT, "w.example/1", secret("w.example/1"), 1767225601),
    )
    name, _, raw = COSIGNED.rpartition(" ")
    mixed = f"{name} {later.rpartition(' ')[2][:16]}{raw[16:]}"

    with pytest.raises(CheckFailed, match=r"w\.example/1 under the checkpoint is wrong"):
        read(SIGNED, mixed).signed_by(witness)


def test_a_logs_signature_is_none_of_a_witness_of_the_same_name_and_key() -> None:
    same = notes.public_key(ORIGIN, secret("first"), WITNESS_KEY)

    assert same.id != KEY.id
    assert read(SIGNED).signed_by(same) is None


@pytest.mark.parametrize("key", [KEY, witness_key("w.example/1")])
def test_a_key_reads_as_it_is_written(key: NoteKey) -> None:
    assert NoteKey.decode(f" {key.encode()}\n") == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000",
        KEY.encode().replace("log_a", "log_b"),
        KEY.encode()[:-1] + "A",
        KEY.encode().upper(),
        KEY.encode() + "AAAA",
        f"{KEY.name} x+{KEY.id.hex()}+{KEY.encode()[-44:]}",
        NoteKey(ORIGIN, 2, KEY.public).encode(),
        NoteKey(ORIGIN, LOG_KEY, KEY.public[:-3]).encode(),
        NoteKey("two\nlines", LOG_KEY, KEY.public).encode(),
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(CheckFailed, match="no public key of a log or a witness"):
        NoteKey.decode(text)


@pytest.mark.parametrize(
    "note",
    [
        "",
        TEXT,
        TEXT + "\n",
        SIGNED,
        notes.note(TEXT, SIGNED)[:-1],
        notes.note(TEXT, SIGNED) + "\n",
        notes.note(TEXT, SIGNED).replace("\n", "\r\n"),
        notes.note(TEXT, SIGNED, "a line\n"),
        notes.note(TEXT, SIGNED.replace("—", "-")),
        notes.note(TEXT, SIGNED.replace(" ", "  ")),
        notes.note(TEXT, SIGNED.replace("\n", "=\n")),
        notes.note(TEXT + "more\n", SIGNED),
        notes.note(TEXT.replace("\n0\n", "\n00\n"), SIGNED),
        notes.note(TEXT.replace("\n0\n", "\n-1\n"), SIGNED),
        notes.note(TEXT.replace("\n0\n", "\n٠\n"), SIGNED),
        notes.note(TEXT.replace("\n0\n", f"\n1{'0' * 16}\n"), SIGNED),
        notes.note(TEXT.replace("\n0\n", "\n\n"), SIGNED),
        notes.note(TEXT.replace("FU=", "FV="), SIGNED),
        notes.note(TEXT.replace("=", ""), SIGNED),
        notes.note(notes.checkpoint_text(ORIGIN, 0, EMPTY_ROOT[:31]), SIGNED),
        notes.note(notes.checkpoint_text("an origin", 0, EMPTY_ROOT), SIGNED),
        notes.note(notes.checkpoint_text("\x9b1m", 0, EMPTY_ROOT), SIGNED),
    ],
)
def test_what_is_no_checkpoint_is_refused(note: str) -> None:
    with pytest.raises(CheckFailed, match="this is no checkpoint"):
        Checkpoint.decode(note)


def test_a_signing_key_has_32_bytes() -> None:
    with pytest.raises(WrongKeyLength):
        notes.sign(TEXT, ORIGIN, bytes(31))
