"""What fails is one line that says what to do, with a status that a script can tell apart; never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine

REFUSED, USAGE, UNAVAILABLE = 1, 2, 3


@pytest.mark.parametrize("name", ["SEALMARK_URL", "SEALMARK_KEY"])
@pytest.mark.parametrize("command", [["documents", "list"], ["serve"], ["worker"], ["migrate"]])
def test_a_missing_setting_stops_each_command(
    bare: CommandLine, monkeypatch: pytest.MonkeyPatch, name: str, command: list[str]
) -> None:
    monkeypatch.delenv(name)

    assert f"{name}: is missing" in bare.refused(*command, status=USAGE)


def test_a_database_that_is_not_migrated_is_said(bare: CommandLine) -> None:
    assert "run `sealmark migrate`" in bare.refused("documents", "list", status=UNAVAILABLE)


def test_migrate_and_then_keys_init_make_a_new_installation(bare: CommandLine) -> None:
    revision = bare.json("migrate")["revision"]
    key = bare.json("keys", "init")

    assert revision
    assert Path(key["file"]).stat().st_mode & 0o777 == 0o600
    assert bare.json("keys", "init")["id"] == key["id"]


def test_a_missing_key_file_is_said_where_a_key_is_needed(sealmark: CommandLine) -> None:
    (sealmark.folder / "keys" / "master.key").unlink()

    assert "run `sealmark keys init`" in sealmark.refused("keys", "list", status=UNAVAILABLE)
    sealmark.ok("documents", "list")


def test_a_key_of_another_store_is_refused_before_it_seals_anything(
    sealmark: CommandLine, pdf: Path, facts: Path
) -> None:
    key = sealmark.folder / "keys" / "master.key"
    key.unlink()
    line = sealmark.refused("keys", "init", status=REFUSED)
    assert "restore its key file" in line


def test_a_store_that_is_not_there_is_unavailable(
    sealmark: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = sealmark.folder / "blocked"
    blocked.write_text("a file, no folder")
    monkeypatch.setenv("SEALMARK_STORE", f"folder:{blocked / 'store'}")

    assert str(blocked) in sealmark.refused("documents", "list", status=UNAVAILABLE)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["documents", "show", "doc_nothing"], "no document 'doc_nothing'"),
        (
            [
                "documents",
                "add",
                "X",
                "--kind",
                "soc2-type2",
                "--classification",
                "public",
                "--owner",
                "a@b.example",
            ],
            "classification: A SOC 2 report goes out only under NDA",
        ),
        (["ndas", "add", "--domain", "acme.example", "--source", "No Such"], "source: "),
        (["log", "list", "--kind", "no.kind"], "There is no such kind of entry"),
    ],
)
def test_what_the_domain_refuses_is_one_line(sealmark: CommandLine, arguments: list[str], said: str) -> None:
    assert said in sealmark.refused(*arguments, status=REFUSED)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["documents", "fly"], "No such command 'fly'"),
        (["documents", "add", "X"], "Missing option"),
        (["shares", "link", "shr_x", "--link-life", "soon"], "'soon' is no duration: write it like"),
        (["log", "list", "--since", "yesterday"], "'yesterday' is no time: write it like"),
        (["log", "list", "--since", "2026-01-01T12:00"], "has no time zone"),
        (["versions", "add", "doc_x", "/nowhere.pdf", "--facts", "/nowhere.json"], "does not exist"),
        (["log", "export", "--json"], "--json goes with --output"),
        (["documents", "show", "doc_\udcff"], "'doc_\\udcff' is no text in UTF-8"),
        (["shares", "list", "--document", "doc_\0"], "'doc_\\x00' is no text in UTF-8"),
    ],
)
def test_wrong_usage_is_one_line(sealmark: CommandLine, arguments: list[str], said: str) -> None:
    assert said in sealmark.refused(*arguments, status=USAGE)


def test_facts_that_cannot_be_are_named_by_their_place(
    sealmark: CommandLine, pdf: Path, tmp_path: Path
) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text('{"sections": [{"kind": "other", "title": "S", "first_page": 2, "last_page": "x"}]}')

    line = sealmark.refused("versions", "add", "doc_x", pdf, "--facts", facts, status=REFUSED)

    assert "facts.sections.0.last_page" in line


def test_a_file_beyond_the_limit_is_refused_before_a_version_is_made(
    sealmark: CommandLine, pdf: Path, facts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALMARK_MAX_FILE_BYTES", "100")
    made = sealmark.json("documents", "add", "X", "--kind", "pentest", "--owner", "a@b.example")

    line = sealmark.refused("versions", "add", made["id"], pdf, "--facts", facts, status=REFUSED)

    assert "SEALMARK_MAX_FILE_BYTES" in line
    assert sealmark.json("versions", "list", made["id"])["items"] == []


def test_a_group_without_a_verb_shows_its_verbs(sealmark: CommandLine) -> None:
    result = sealmark("documents")

    assert (result.status, result.out) == (USAGE, "")
    assert "classify" in result.err


def test_an_error_nobody_foresaw_is_not_hidden(
    sealmark: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("service.documents.Documents.list", broken)

    with pytest.raises(ZeroDivisionError):
        sealmark("documents", "list")


def test_names_cannot_command_the_terminal(sealmark: CommandLine) -> None:
    added = ("--kind", "pentest", "--owner", "a@b.example")
    assert sealmark("documents", "add", "Report \x1b[2J", *added).status == 1
    sealmark.ok("documents", "add", "Report \u202e", *added)

    assert "\u202e" not in sealmark.ok("documents", "list")


def test_a_reader_that_stops_early_hears_no_complaint(sealmark: CommandLine) -> None:
    line = f"{sys.executable} -m service documents list --json | true"

    ended = subprocess.run(
        ["bash", "-c", line],
        env={**os.environ, **sealmark.environ},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.stderr == ""
