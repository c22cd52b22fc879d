"""What people read on a terminal: each value in one word, one line, and progress only where it is seen."""

from __future__ import annotations

import io
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from service.cli import INTERRUPTED
from service.cli.output import answer, as_dict
from service.cli.progress import progress
from service.cli.versions import MAX_FACTS
from service.records import Copy
from tests.adapters.sql.samples import copy
from tests.cli.conftest import CommandLine
from tests.cli.test_commands import a_document, sequence


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, "yes"),
        (False, "no"),
        (["a", "b"], "a b"),
        ({"pages": [1, 2]}, '{"pages": [1, 2]}'),
        (7, "7"),
        ("one\u2028line\x07", "one\ufffdline\ufffd"),
    ],
)
def test_a_value_is_said_in_one_line(value: object, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer({"what": value}, False)

    assert capsys.readouterr().out == f"what  {said}\n"


@pytest.mark.parametrize("absent", [None, [], {}, ""])
def test_what_is_absent_is_left_out(absent: object, capsys: pytest.CaptureFixture[str]) -> None:
    answer({"there": 0, "not there": absent}, False)

    assert capsys.readouterr().out == "there  0\n"


def test_days_and_moments_are_said_as_they_are_written() -> None:
    made: Copy = copy(issued=date(2026, 3, 2), minted_at=datetime(2026, 3, 2, 9, tzinfo=UTC))

    shown = as_dict(made)

    assert (shown["issued"], shown["minted_at"]) == ("2026-03-02", "2026-03-02T09:00:00.000000Z")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_that_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    with progress() as line:
        line.say("sealing … 10 %")
        line.say("sealing … 100 %")

    said = terminal.getvalue()
    assert "\n" not in said
    assert said.split("\r\x1b[K")[1:] == ["sealing … 10 %", "sealing … 100 %", ""]


def test_without_a_terminal_there_is_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)

    with progress() as line:
        line.say("sealing …")

    assert pipe.getvalue() == ""


def test_more_versions_and_more_entries_are_hinted_at_beside_the_table(
    sealmark: CommandLine, pdf: Path, facts: Path
) -> None:
    document = a_document(sealmark)
    for _ in range(2):
        sealmark.ok("versions", "add", document, pdf, "--facts", facts, "--compile")

    versions = sealmark("versions", "list", document, "--limit", 1)
    entries = sealmark("log", "list", "--limit", 1)

    assert versions.out.split()[0] == entries.out.split()[0].replace("index", "id")
    assert "--after 2" in versions.err
    assert "--after 0 --size" in entries.err
    older = sealmark("versions", "list", document, "--after", 2)
    assert "there are more" not in older.err


def test_a_new_key_is_said_to_be_shown_once(sealmark: CommandLine) -> None:
    made = sealmark("api-keys", "create", "crm", "--scope", "log:read")

    assert "smk_" in made.out
    assert "shown this once" in made.err


def test_settings_are_listed_for_people_as_a_table(bare: CommandLine) -> None:
    assert bare.ok("doctor", "--list").splitlines()[0].split() == ["setting", "meaning"]


def test_an_export_that_cannot_be_written_leaves_nothing(
    sealmark: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_document(sealmark)
    sequence()
    target = tmp_path / "log.ndjson"

    assert "cannot write" in sealmark.refused(
        "log", "export", "--output", tmp_path / "none" / "log", status=3
    )

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("service.cli.log.os.fsync", full)
        assert "No space left" in sealmark.refused("log", "export", "--output", target, status=3)
    assert not target.exists()

    def stopped(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("service.cli.log.os.fsync", stopped)
        assert sealmark("log", "export", "--output", target).status == INTERRUPTED
    assert not target.exists()


def test_facts_are_short(sealmark: CommandLine, pdf: Path, tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text(" " * (MAX_FACTS + 1))

    assert "facts are short" in sealmark.refused("versions", "add", "doc_x", pdf, "--facts", facts, status=1)


def test_a_user_whom_the_system_does_not_know_is_named_by_number(
    sealmark: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.cli.session.os.getuid", lambda: 54_321)

    a_document(sealmark)

    (entry,) = sealmark.json("log", "list", "--kind", "document.created")["items"]
    assert entry["revealed"]["actor"]["value"] == "uid 54321"
