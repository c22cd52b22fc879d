"""`sealmark witness` makes a key once and says what it needs; how it answers is in tests/service/witness."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from crypto.logcheck import NoteKey
from service.cli.failures import REFUSED, UNAVAILABLE, USAGE
from service.witness import server
from service.witness.keyfile import load_witness_key
from service.witness.state import State
from tests.cli.conftest import CommandLine
from tests.witnesses import ALog, entries

LOG = ALog(entries(3)).key.encode()
NAME = "witness.auditor.example/w1"


def made(alone: CommandLine) -> str:
    return str(alone.json("witness", "new", "--key", "witness.key", "--name", NAME)["vkey"])


def test_a_key_is_made_for_this_user_alone_and_its_public_key_is_said(alone: CommandLine) -> None:
    said = alone("witness", "new", "--key", "witness.key", "--name", NAME)
    key = load_witness_key(Path("witness.key"))
    assert said.status == 0
    assert f"vkey  {key.public.encode()}" in said.out
    assert NoteKey.decode(key.public.encode()).kind == 4
    assert stat.S_IMODE(os.stat("witness.key").st_mode) == 0o600
    assert "could sign what contradicts" in said.err
    secret = Path("witness.key").read_text().rsplit("+", 1)[1].strip()
    assert secret not in said.out + said.err
    assert os.listdir() == ["witness.key"]


def test_a_key_is_never_replaced(alone: CommandLine) -> None:
    made(alone)
    before = Path("witness.key").read_bytes()
    line = alone.refused("witness", "new", "--key", "witness.key", "--name", NAME, status=REFUSED)
    assert "witness.key is there already" in line
    assert Path("witness.key").read_bytes() == before


def test_a_key_is_not_replaced_when_two_are_made_at_once(
    alone: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(alone)
    before = Path("witness.key").read_bytes()
    monkeypatch.setattr(Path, "exists", lambda _: False)
    line = alone.refused("witness", "new", "--key", "witness.key", "--name", NAME, status=REFUSED)
    assert "is there already" in line
    assert Path("witness.key").read_bytes() == before


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\tb"])
def test_a_name_that_no_signature_can_carry_is_refused(alone: CommandLine, name: str) -> None:
    assert "without spaces" in alone.refused(
        "witness", "new", "--key", "witness.key", "--name", name, status=REFUSED
    )
    assert os.listdir() == []


def test_a_key_that_cannot_be_written_is_one_line(alone: CommandLine) -> None:
    line = alone.refused("witness", "new", "--key", "no/witness.key", "--name", NAME, status=UNAVAILABLE)
    assert "cannot write no/witness.key" in line


def arguments(**changed: str) -> list[str]:
    given = {"key": "witness.key", "log": LOG, "state": "state", "listen": "127.0.0.1:1", **changed}
    return ["witness", *(word for name, value in given.items() if value for word in (f"--{name}", value))]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"key": ""}, "Name --key, --log, --state and --listen"),
        ({"log": ""}, "Name --key, --log, --state and --listen"),
        ({"state": ""}, "Name --key, --log, --state and --listen"),
        ({"listen": ""}, "Name --key, --log, --state and --listen"),
        ({"listen": "8090"}, "--listen must be ADDRESS:PORT"),
        ({"listen": "127.0.0.1:99999"}, "--listen must be ADDRESS:PORT"),
        ({"listen": "unix:/x"}, "--listen must be ADDRESS:PORT"),
        ({"log": "x"}, "--log: this is no public key of a log"),
    ],
)
def test_what_is_missing_or_cannot_be_is_one_line(
    alone: CommandLine, changed: dict[str, str], said: str
) -> None:
    made(alone)
    assert said in alone.refused(*arguments(**changed), status=USAGE)
    assert os.listdir() == ["witness.key"]


def test_the_key_of_a_witness_is_no_log(alone: CommandLine) -> None:
    assert "names the key of a witness" in alone.refused(*arguments(log=made(alone)), status=USAGE)


@pytest.fixture
def unlogged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process of these tests keeps its own logging and mask."""
    monkeypatch.setattr(server, "_log_to_standard_error", lambda: None)
    monkeypatch.setattr(os, "umask", lambda _: 0)


@pytest.mark.usefixtures("unlogged")
def test_a_key_that_is_missing_damaged_open_to_others_or_of_another_name_is_one_line(
    alone: CommandLine,
) -> None:
    assert "make one with `sealmark witness new`" in alone.refused(*arguments(), status=UNAVAILABLE)
    made(alone)
    line = alone.refused(*arguments(name="other"), status=REFUSED)
    assert line == f"sealmark: the key is of {NAME}, not of other: a key signs under one name only"
    Path("witness.key").chmod(0o640)
    assert "chmod 600 witness.key" in alone.refused(*arguments(), status=UNAVAILABLE)
    Path("witness.key").chmod(0o600)
    for damaged in (b"", b"\xff", b"PRIVATE+KEY+x+00+AAAA\n", b"x" * 5000):
        Path("witness.key").write_bytes(damaged)
        assert "witness.key is no key of a witness" in alone.refused(*arguments(), status=UNAVAILABLE)
    assert os.listdir() == ["witness.key"]


@pytest.mark.usefixtures("unlogged")
def test_it_runs_with_what_it_was_told_and_holds_its_state(
    alone: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(alone)
    started: list[str] = []

    def run(self: server.Server) -> None:
        started.append(self._listen)

    monkeypatch.setattr(server.Server, "run", run)
    monkeypatch.setattr(server, "require_free", lambda address, mend: None)
    monkeypatch.setattr(server, "hold", lambda path, what: started.append(what))
    monkeypatch.setattr(State, "take", lambda self: started.append(str(self.folder)))
    Path("state").mkdir()
    alone.ok(*arguments(name=NAME))
    assert started == ["the key witness.key", "state", "127.0.0.1:1"]
