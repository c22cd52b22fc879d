"""The witness as a process over real HTTP: every status of the protocol, and what it remembers when it is killed."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from crypto import notes
from crypto.logcheck import Checkpoint
from crypto.witness import MAX_REQUEST, encode
from service.standalone.errors import FileUnusable
from service.witness.keyfile import new_witness_key
from service.witness.server import REQUEST_SECONDS, THREADS
from service.witness.state import State, hold
from tests.servers.process import free_port
from tests.witnesses import (
    OUTER,
    ALog,
    Answered,
    RunningWitness,
    ask,
    command,
    entries,
    listens,
    running_witness,
)

pytestmark = pytest.mark.long

LOG = ALog(entries(40))
FORK = ALog(entries(40, fork_at=5))
NEXT_KEY = ALog(entries(40), secret=bytes([2]) * 32)
STRANGER = ALog(entries(40), origin="stranger.example/log")

ROUNDS = 25
"""Kills of the long test; each takes a second, most of it the start."""


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[RunningWitness]:
    with running_witness(tmp_path, LOG.key) as running:
        yield running


def signed(witness: RunningWitness, log: ALog, size: int, answer: Answered) -> int:
    """When the witness signed this checkpoint of the log."""
    assert (answer.status, answer.kind) == (200, "text/plain; charset=utf-8")
    checkpoint = Checkpoint.decode(log.note(size) + answer.body.decode())
    time = checkpoint.signed_by(witness.key.public)
    assert time is not None
    return time


def test_a_log_is_countersigned_as_it_grows_with_the_time_of_the_signature(witness: RunningWitness) -> None:
    before = int(time.time())
    times = [signed(witness, LOG, 0, witness.ask(LOG.request(0, 0)))]
    for old, size in ((0, 3), (3, 3), (3, 17), (17, 40), (40, 40)):
        times.append(signed(witness, LOG, size, witness.ask(LOG.request(old, size))))
    assert before <= times[0] <= times[-1] <= time.time()
    assert times == sorted(times)


def test_each_refusal_has_the_status_of_the_protocol(witness: RunningWitness) -> None:
    assert witness.ask(b"nonsense").status == 400
    assert witness.ask(LOG.request(9, 8)).status == 400
    assert witness.ask(NEXT_KEY.request(0, 8)).status == 403
    assert witness.ask(STRANGER.request(0, 8)).status == 404
    assert witness.ask(LOG.request(7, 8)) == Answered(409, "text/x.tlog.size", b"0\n")
    signed(witness, LOG, 8, witness.ask(LOG.request(0, 8)))
    assert witness.ask(LOG.request(0, 9)) == Answered(409, "text/x.tlog.size", b"8\n")
    assert witness.ask(encode(8, LOG.proof(7, 9), LOG.note(9))).status == 422
    assert witness.ask(LOG.request(9, 8)).status == 400
    signed(witness, LOG, 9, witness.ask(LOG.request(8, 9)))


def test_what_is_no_such_request_is_refused_by_http(witness: RunningWitness) -> None:
    assert ask(witness.port, LOG.request(0, 3), path="/").status == 404
    assert ask(witness.port, LOG.request(0, 3), path="/x/add-checkpoint").status == 404
    assert ask(witness.port, b"", method="GET").status == 405
    assert ask(witness.port, LOG.request(0, 3), method="PUT").status == 405
    assert witness.ask(b"old 0\n\n" + b"x" * MAX_REQUEST).status == 413
    assert witness.ask(b"").status == 400
    signed(witness, LOG, 3, witness.ask(LOG.request(0, 3)))


def test_a_connection_is_kept_and_a_body_may_come_in_chunks(witness: RunningWitness) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", witness.port, timeout=30)
    connection.request("POST", "/add-checkpoint", LOG.request(0, 3))
    first = connection.getresponse()
    first.read()
    kept = connection.sock
    connection.request("POST", "/add-checkpoint", iter([LOG.request(3, 9)]), encode_chunked=True)
    assert connection.getresponse().status == 200
    assert connection.sock is kept
    connection.close()


def test_a_fork_is_refused_and_both_its_checkpoints_are_kept(witness: RunningWitness) -> None:
    signed(witness, LOG, 9, witness.ask(LOG.request(0, 9)))
    for old in (0, 5, 9):
        assert witness.ask(encode(old, [], FORK.note(9))) == Answered(409, "text/x.tlog.size", b"9\n")
    assert witness.ask(FORK.request(9, 12)).status == 422
    assert witness.ask(FORK.request(5, 12)).status == 409
    pair = [Checkpoint.decode(path.read_text("utf-8")) for path in sorted(witness.state.glob("*.fork-*"))]
    assert [each.root for each in pair] == [LOG.root(9), FORK.root(9)]
    assert [each.size for each in pair] == [9, 9]
    assert [each.signed_by(LOG.key) for each in pair] == [0, 0]
    assert pair[0].signed_by(witness.key.public)
    assert pair[1].signed_by(witness.key.public) is None
    signed(witness, LOG, 12, witness.ask(LOG.request(9, 12)))


def test_what_is_remembered_is_a_checkpoint_to_hold_and_outlives_the_process(tmp_path: Path) -> None:
    with running_witness(tmp_path, LOG.key) as witness:
        signed(witness, LOG, 9, witness.ask(LOG.request(0, 9)))
    with running_witness(tmp_path, LOG.key) as witness:
        assert witness.ask(LOG.request(0, 12)) == Answered(409, "text/x.tlog.size", b"9\n")
        signed(witness, LOG, 12, witness.ask(LOG.request(9, 12)))
        (path,) = witness.state.glob("*.note")
        held = Checkpoint.decode(path.read_text("utf-8"))
        assert (held.size, held.root) == (12, LOG.root(12))
        assert held.signed_by(LOG.key) == 0
        assert held.signed_by(witness.key.public)
    assert "believed as it is" in (tmp_path / "witness.log").read_text()


def test_a_log_may_change_its_key_and_several_logs_are_kept_apart(tmp_path: Path) -> None:
    with running_witness(tmp_path, LOG.key, NEXT_KEY.key, STRANGER.key) as witness:
        signed(witness, LOG, 9, witness.ask(LOG.request(0, 9)))
        signed(witness, NEXT_KEY, 12, witness.ask(NEXT_KEY.request(9, 12)))
        signed(witness, STRANGER, 5, witness.ask(STRANGER.request(0, 5)))
        assert len(list(witness.state.glob("*.note"))) == 2


def test_of_requests_that_race_only_one_branch_is_ever_signed(witness: RunningWitness) -> None:
    signed(witness, LOG, 5, witness.ask(LOG.request(0, 5)))
    wanted = [(log, size) for size in range(6, 30) for log in (LOG, FORK)]
    random.Random(5).shuffle(wanted)

    def submit(item: tuple[ALog, int]) -> tuple[ALog, int, int] | None:
        log, size = item
        old = 5
        for _ in range(30):
            answer = witness.ask(log.request(old, size))
            if answer.status == 200:
                return log, size, signed(witness, log, size, answer)
            if answer.status != 409 or int(answer.body) == old or int(answer.body) > size:
                return None
            old = int(answer.body)
        return None

    with ThreadPoolExecutor(8) as pool:
        done = [item for item in pool.map(submit, wanted) if item]
    assert done
    assert len({id(log) for log, _, _ in done}) == 1


def test_clients_that_stall_or_drip_end_in_time_and_the_others_are_answered(witness: RunningWitness) -> None:
    begun = time.monotonic()
    head = b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 500\r\n\r\n"
    with ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", witness.port), 30))
            for _ in range(THREADS)
        ]
        for number, client in enumerate(slow):
            client.sendall(head[:40] if number % 2 else head + b"old 0\n")
        over = threading.Event()

        def drip() -> None:
            while not over.wait(0.5):
                for client in slow[:2]:
                    with suppress(OSError):
                        client.sendall(b"x")

        threading.Thread(target=drip, daemon=True).start()
        signed(witness, LOG, 3, witness.ask(LOG.request(0, 3)))
        for number, client in enumerate(slow):
            answer = client.recv(100)
            assert answer == b"" if number % 2 else answer.startswith(b"HTTP/1.1 408 ")
        over.set()
    assert time.monotonic() - begun < REQUEST_SECONDS + 5


def refused_start(arguments: list[str]) -> str:
    done = subprocess.run(arguments, env=OUTER, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    return done.stderr.splitlines()[-1]


def test_two_witnesses_never_share_a_state_or_a_key(witness: RunningWitness, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    new_witness_key(other / "witness.key", "w2")
    (other / "state").symlink_to(witness.state)
    line = refused_start(command(other, free_port(), LOG.key))
    assert line.startswith("sealmark: another witness runs with the state folder")
    line = refused_start(command(tmp_path, free_port(), LOG.key, state="elsewhere"))
    assert line.startswith("sealmark: another witness runs with the key")


def test_a_state_of_another_key_or_damaged_is_refused_at_start_and_while_it_runs(tmp_path: Path) -> None:
    with running_witness(tmp_path, LOG.key) as witness:
        signed(witness, LOG, 9, witness.ask(LOG.request(0, 9)))
        (path,) = witness.state.glob("*.note")
        whole = path.read_text("utf-8")
        for damaged in (whole.replace("\n9\n", "\n8\n"), whole[:-20], LOG.note(9), "\x00", STRANGER.note(9)):
            path.write_text(damaged, "utf-8")
            answer = witness.ask(LOG.request(9, 12))
            assert answer.status == 503
            assert b"does not sign" in answer.body
        path.write_text(whole, "utf-8")
        signed(witness, LOG, 12, witness.ask(LOG.request(9, 12)))
    (tmp_path / "witness.key").unlink()
    new_witness_key(tmp_path / "witness.key", "w1")
    assert "is not what this witness signed" in refused_start(command(tmp_path, free_port(), LOG.key))


def test_a_state_that_cannot_be_written_signs_nothing(tmp_path: Path) -> None:
    with running_witness(tmp_path, LOG.key) as witness:
        signed(witness, LOG, 3, witness.ask(LOG.request(0, 3)))
        witness.state.rename(tmp_path / "away")
        assert witness.ask(LOG.request(3, 9)).status == 503
        (tmp_path / "away").rename(witness.state)
        signed(witness, LOG, 9, witness.ask(LOG.request(3, 9)))


def test_an_address_that_is_taken_and_a_state_that_cannot_be_are_one_line(tmp_path: Path) -> None:
    new_witness_key(tmp_path / "witness.key", "w1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"cannot listen on 127.0.0.1:{port}" in refused_start(command(tmp_path, port, LOG.key))
    (tmp_path / "file").write_text("")
    line = refused_start(command(tmp_path, free_port(), LOG.key, state="file/state"))
    assert line.startswith("sealmark: cannot read or write")


@pytest.mark.strace
def test_what_is_signed_is_synced_before_the_signature_leaves(tmp_path: Path) -> None:
    from tests.attacks.tracing import strace

    (program, *_) = strace(tmp_path / "unused")
    output = tmp_path / "calls"
    before = [program, "-D", "-f", "-yy", "-s", "400", "-e", "signal=none", "-o", str(output)]
    before += ["-e", "trace=fsync,rename,renameat,renameat2,sendto,sendmsg,write,writev"]
    with running_witness(tmp_path, LOG.key, before=before) as witness:
        signed(witness, LOG, 3, witness.ask(LOG.request(0, 3)))
        signed(witness, LOG, 9, witness.ask(LOG.request(3, 9)))
    deadline = time.monotonic() + 10
    while "exited with" not in output.read_text() and time.monotonic() < deadline:
        time.sleep(0.1)
    calls = [line for line in output.read_text().splitlines() if "state" in line or "HTTP/1.1 200" in line]
    order = []
    for line in calls:
        if "HTTP/1.1 200" in line:
            order.append("answer")
        elif re.search(r"fsync\(\d+<[^>]*\.part>", line):
            order.append("file synced")
        elif "rename" in line:
            order.append("renamed")
        elif re.search(r"fsync\(\d+<[^>]*/state>", line):
            order.append("folder synced")
    assert order[-8:] == ["file synced", "renamed", "folder synced", "answer"] * 2


STEPS = """
import os, signal, sys
from pathlib import Path
from datetime import UTC, datetime
from service.witness import application, state
from service.witness.keyfile import load_witness_key
from service.standalone import files
from crypto.logcheck import NoteKey

folder, step, body, key, log = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5]
calls = 0

def counted(call):
    def instead(*arguments, **named):
        global calls
        calls += 1
        if calls == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **named)
    return instead

for name in ("open", "write", "fsync", "replace", "close", "unlink"):
    setattr(os, name, counted(getattr(os, name)))
Path.unlink = counted(Path.unlink)
key = load_witness_key(Path(key))
witness = application.Witness(key, [NoteKey.decode(log)], state.State(folder, key.public), lambda: datetime.now(UTC))
calls = 0
print(witness.add_checkpoint(Path(body).read_bytes()), end="")
"""


def test_killed_between_any_two_steps_it_holds_the_old_or_the_new_and_signed_only_what_it_holds(
    tmp_path: Path,
) -> None:
    key = new_witness_key(tmp_path / "witness.key", "w1")
    body = tmp_path / "body"
    ended, seen = False, set()
    for step in range(1, 40):
        folder = tmp_path / f"state{step}"
        folder.mkdir()
        state = State(folder, key.public)
        with state.of(LOG.origin) as remembered:
            remembered.keep(notes.note(LOG.text(5), key.cosign(LOG.text(5), 1)))
        body.write_bytes(LOG.request(5, 9))
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                STEPS,
                folder,
                str(step),
                body,
                tmp_path / "witness.key",
                LOG.key.encode(),
            ],
            env=OUTER,
            capture_output=True,
            timeout=60,
        )
        os.close(state.take())
        assert list(folder.glob(".*.part")) == []
        with state.of(LOG.origin) as remembered:
            held = remembered.held
        assert (held.size, held.root) in {(5, LOG.root(5)), (9, LOG.root(9))}
        seen.add(held.size)
        ended = done.returncode == 0
        if ended:
            assert held.size == 9
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert done.stdout == b""
    assert ended
    assert seen == {5, 9}


@pytest.mark.slow
def test_killed_in_a_loop_while_two_branches_are_sent_it_never_signs_both_nor_goes_back(
    tmp_path: Path,
) -> None:
    chance = random.Random(7)
    branches = (ALog(entries(20000)), ALog(entries(20000, fork_at=3)))
    signatures: list[tuple[int, int, int]] = []  # in the order in which they came: branch, size, time
    top, killed = 3, 0
    new_witness_key(tmp_path / "witness.key", "w1")
    for _ in range(ROUNDS):
        port, stop = free_port(), threading.Event()
        with (tmp_path / "log").open("ab") as log:
            process = subprocess.Popen(
                command(tmp_path, port, branches[0].key), env=OUTER, stderr=log, start_new_session=True
            )
        try:
            deadline = time.monotonic() + 60
            while not listens(port):
                assert process.poll() is None, (tmp_path / "log").read_text()[-2000:]
                assert time.monotonic() < deadline
                time.sleep(0.02)

            def send(number: int, port: int = port, stop: threading.Event = stop) -> None:
                nonlocal top
                old = 0
                while not stop.is_set():
                    size = top + 1 + number
                    try:
                        answer = ask(port, branches[number % 2].request(old, size), timeout=5)
                    except (OSError, http.client.HTTPException):
                        return
                    if answer.status == 200:
                        checkpoint = Checkpoint.decode(branches[number % 2].note(size) + answer.body.decode())
                        stamp = int.from_bytes(checkpoint.lines[1][1][4:12], "big")
                        signatures.append((number % 2, size, stamp))
                        old, top = size, max(top, size)
                    elif answer.status == 409:
                        old = int(answer.body)
                        top = max(top, old)

            threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0.01, 0.5))
            os.killpg(process.pid, signal.SIGKILL)
            killed += 1
        finally:
            stop.set()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for thread in threads:
            thread.join()
        assert list((tmp_path / "state").glob("*.note"))
    assert killed == ROUNDS
    assert len(signatures) > ROUNDS
    assert len({branch for branch, _, _ in signatures}) == 1
    by_time = sorted(signatures, key=lambda item: item[2])
    for one, two in itertools.pairwise(by_time):
        assert one[2] == two[2] or one[1] <= two[1]
    print(json.dumps({"kills": killed, "signatures": len(signatures), "size": top}))


def test_a_start_waits_for_a_killed_one_and_gives_up_on_a_running_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    handle = hold(path, "it", make=True)
    timer = threading.Timer(0.5, os.close, (handle,))
    timer.start()
    os.close(hold(path, "it"))
    timer.join()
    handle = hold(path, "it")
    monkeypatch.setattr("service.witness.state.LOCK_SECONDS", 0.2)
    with pytest.raises(FileUnusable, match="another witness runs with it"):
        hold(path, "it")
    os.close(handle)
    with pytest.raises(FileNotFoundError):
        hold(tmp_path / "nothing", "it")
