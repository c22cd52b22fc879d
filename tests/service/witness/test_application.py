"""What a witness signs, without its process: its times, its memory, and what it answers when that fails."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crypto import notes
from crypto.errors import WitnessRefusal
from crypto.logcheck import Checkpoint
from crypto.witness import MAX_REQUEST, WitnessKey, encode
from service.standalone.errors import FileUnusable
from service.witness.application import Application, Witness
from service.witness.state import Remembered, State
from tests.witnesses import ALog, entries

LOG = ALog(entries(20))
KEY = WitnessKey("witness.auditor.example/w1", bytes([3]) * 32)
NOON = 1_800_000_000


def witness(folder: Path, clock: Callable[[], int] = lambda: NOON) -> Witness:
    state = State(folder, KEY.public)
    return Witness(KEY, [LOG.key], state, lambda: datetime.fromtimestamp(clock(), UTC))


def time_of(size: int, line: str) -> int | None:
    return Checkpoint.decode(LOG.note(size) + line).signed_by(KEY.public)


def test_the_time_is_the_clocks_and_never_goes_back(tmp_path: Path) -> None:
    clock = iter((NOON, NOON + 60, NOON - 3600, NOON + 90))
    asked = witness(tmp_path, lambda: next(clock))
    times = [
        time_of(size, asked.add_checkpoint(LOG.request(old, size)))
        for old, size in ((0, 3), (3, 9), (9, 12), (12, 20))
    ]
    assert times == [NOON, NOON + 60, NOON + 60, NOON + 90]


def test_only_what_the_log_and_the_witness_signed_is_remembered(tmp_path: Path) -> None:
    strangers = [notes.sign(LOG.text(9), f"stranger{n}.example", bytes([n]) * 32) for n in range(98)]
    note = notes.note(LOG.text(9), *strangers, notes.sign(LOG.text(9), LOG.origin, LOG.secret), strangers[0])
    asked = witness(tmp_path)
    line = asked.add_checkpoint(encode(0, [], note))
    assert State(tmp_path, KEY.public).path(LOG.origin).read_text("utf-8") == LOG.note(9) + line
    asked.add_checkpoint(LOG.request(9, 12))


def test_a_wrong_root_of_no_entries_is_kept_as_what_proves_itself(tmp_path: Path) -> None:
    text = notes.checkpoint_text(LOG.origin, 0, bytes(32))
    note = notes.note(text, notes.sign(text, LOG.origin, LOG.secret))
    with pytest.raises(WitnessRefusal) as refused:
        witness(tmp_path).add_checkpoint(encode(0, [], note))
    assert (refused.value.status, refused.value.size) == (409, 0)
    assert [path.read_text("utf-8") for path in tmp_path.glob("*.fork-*")] == [note]


def test_the_first_fork_is_the_one_that_is_kept(tmp_path: Path) -> None:
    asked = witness(tmp_path)
    asked.add_checkpoint(LOG.request(0, 9))
    forks = [ALog(entries(20, fork_at=at)) for at in (4, 5)]
    for fork in forks:
        with pytest.raises(WitnessRefusal):
            asked.add_checkpoint(encode(9, [], fork.note(9)))
    (kept,) = tmp_path.glob("*.fork-b")
    assert Checkpoint.decode(kept.read_text("utf-8")).root == forks[0].root(9)


def test_no_signature_leaves_when_it_cannot_be_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = witness(tmp_path)
    asked.add_checkpoint(LOG.request(0, 3))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("write_private", "sync_folder"):
        with monkeypatch.context() as patch:
            patch.setattr(f"service.witness.state.{name}", full)
            with pytest.raises(FileUnusable, match="No space left"):
                asked.add_checkpoint(LOG.request(3, 9))
            if name == "write_private":
                assert list(tmp_path.glob(".*.part")) == []
        with State(tmp_path, KEY.public).of(LOG.origin) as remembered:
            # Renamed but perhaps not durable: remembering more than was signed is the safe side.
            assert remembered.held.size == (3 if name == "write_private" else 9)
    assert time_of(9, asked.add_checkpoint(LOG.request(9, 9)))


def test_a_state_that_cannot_be_read_is_no_state_at_all(tmp_path: Path) -> None:
    path = State(tmp_path, KEY.public).path(LOG.origin)
    path.mkdir()
    with pytest.raises(FileUnusable, match="cannot read or write"):
        Remembered(path, LOG.origin, KEY.public)


def answered(environ: dict[str, Any], folder: Path) -> tuple[str, dict[str, str], bytes]:
    said: list[Any] = []
    body = Application(witness(folder))(environ, lambda status, headers: said.extend((status, dict(headers))))
    return said[0], said[1], b"".join(body)


def test_a_client_that_breaks_off_is_told_so_and_one_that_sends_too_much_is_not_read(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError

    environ = {"PATH_INFO": "/add-checkpoint", "REQUEST_METHOD": "POST"}
    status, headers, _ = answered({**environ, "wsgi.input": Broken()}, tmp_path)
    assert (status, headers["Connection"]) == ("408 Request Timeout", "close")
    endless = io.BytesIO(bytes(10 * MAX_REQUEST))
    status, _, _ = answered({**environ, "wsgi.input": endless}, tmp_path)
    assert status == "413 Content Too Large"
    assert endless.tell() == MAX_REQUEST + 1
    status, headers, _ = answered({**environ, "REQUEST_METHOD": "GET"}, tmp_path)
    assert (status, headers["Allow"]) == ("405 Method Not Allowed", "POST")


def test_of_two_branches_that_are_asked_for_at_one_moment_one_is_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = Remembered.keep

    def slow(self: Remembered, note: str) -> None:
        time.sleep(0.3)
        keep(self, note)

    monkeypatch.setattr(Remembered, "keep", slow)
    branches = (LOG, ALog(entries(20, fork_at=5)))

    def submit(branch: ALog) -> str:
        try:
            return witness(tmp_path).add_checkpoint(
                branch.request(0, 9)
            )  # as another process: shares files only
        except WitnessRefusal as refusal:
            return str(refusal.status)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(submit, branches))
    assert sorted(answer == "409" for answer in answers) == [False, True]


def test_what_was_signed_of_one_log_is_not_taken_for_what_was_signed_of_another(tmp_path: Path) -> None:
    other = ALog(entries(20), origin="other.example/log")
    state = State(tmp_path, KEY.public)
    signed = notes.note(other.text(9), KEY.cosign(other.text(9), NOON))
    state.path(LOG.origin).write_text(signed, "utf-8")
    with pytest.raises(FileUnusable, match="is not what this witness signed of"):
        witness(tmp_path).add_checkpoint(LOG.request(9, 12))
