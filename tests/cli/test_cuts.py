"""Cuts and shares of sections on the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.app import build
from service.cli import cuts as module
from service.records import Cut, CutState
from service.settings import load
from tests.cli.conftest import CommandLine
from tests.cli.test_commands import ANA, a_document
from tests.watermark.builders import report

PURPOSE = ("--purpose", "vendor review")


def a_version(sealmark: CommandLine, pdf: Path, folder: Path) -> tuple[str, str]:
    """A document and its version, whose first page is one section and the rest another."""
    facts = folder / "sections.json"
    sections = [
        {"kind": "auditors-opinion", "title": "Opinion", "first_page": 1, "last_page": 1},
        {"kind": "test-results", "title": "Tests", "first_page": 2, "last_page": 2},
    ]
    facts.write_text(json.dumps({"sections": sections}))
    document = a_document(sealmark)
    made = sealmark.json("versions", "add", document, pdf, "--facts", facts, "--compile")
    assert made["state"] == "ready"
    return document, str(made["id"])


def test_sections_are_cut_out_listed_and_shared(sealmark: CommandLine, tmp_path: Path) -> None:
    pdf = tmp_path / "two.pdf"
    pdf.write_bytes(report(2))
    document, version = a_version(sealmark, pdf, tmp_path)
    sealmark.ok("ndas", "add", "--domain", "acme.example", "--source", "paper", "--approved")
    shared = (document, *ANA, *PURPOSE, "--section", "Tests")
    said = sealmark.refused("share", *shared, status=2)
    assert "--version" in said

    cut: Any = sealmark.json("cuts", "create", document, version, "--section", "test-results", "--compile")
    assert (cut["state"], cut["sections"], cut["pages"]) == ("ready", [1], 1)
    assert sealmark.json("cuts", "create", document, version, "--section", "1") == cut
    assert sealmark.json("cuts", "list", document, version)["items"] == [cut]
    assert sealmark.json("cuts", "show", document, version, cut["id"]) == cut
    assert cut["id"] in sealmark.ok("cuts", "list", document, version)

    share = sealmark.json("share", *shared, "--version", version)
    assert (share["cut_id"], share["pinned_version_id"]) == (cut["id"], version)
    whole = sealmark.json("share", document, *ANA, *PURPOSE)
    assert whole["cut_id"] is None

    people = tmp_path / "people.csv"
    people.write_text("mail,name\nbo@acme.example,Bo Berg\ncy@acme.example,Cy Cole\n")
    bulk = ("shares", "bulk", people, "--document", document, *PURPOSE, "--section", "Tests")
    assert "--version" in sealmark.refused(*bulk, status=2)
    rows = sealmark.json(*bulk, "--version", version, "--no-links")["items"]
    cuts = {one["id"]: one["cut_id"] for one in sealmark.json("shares", "list")["items"]}
    assert [cuts[row["share"]] for row in rows] == [cut["id"]] * 2
    sealmark.ok(
        "shares", "bulk", people, "--document", document, *PURPOSE, "--no-links"
    )  # another batch: the whole
    assert len(sealmark.json("shares", "list")["items"]) == 6


def test_a_section_that_is_not_compiled_is_not_shared_yet(sealmark: CommandLine, tmp_path: Path) -> None:
    pdf = tmp_path / "two.pdf"
    pdf.write_bytes(report(2))
    document, version = a_version(sealmark, pdf, tmp_path)
    sealmark.ok("ndas", "add", "--domain", "acme.example", "--source", "paper", "--approved")
    said = sealmark.refused(
        "share", document, *ANA, *PURPOSE, "--version", version, "--section", "Opinion", status=1
    )
    assert "being compiled" in said
    assert sealmark.json("cuts", "list", document, version)["items"][0]["state"] == "compiling"
    said = sealmark.refused("cuts", "create", document, version, "--section", "Nothing", status=1)
    assert "no such section" in said


def test_without_a_worker_the_wait_for_a_cut_ends_and_says_where_to_look(
    sealmark: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ASK_EVERY", 0.01)
    pdf = tmp_path / "two.pdf"
    pdf.write_bytes(report(2))
    document, version = a_version(sealmark, pdf, tmp_path)
    said = sealmark("cuts", "create", document, version, "--section", "Tests", "--wait", "1s")
    assert said.status == 3, said.err
    assert "see that `sealmark worker` runs" in said.err
    (cut,) = sealmark.json("cuts", "list", document, version)["items"]
    assert cut["state"] == "compiling"


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("cannot-cut", "Print those sections to a PDF of their own"),
        ("of-a-later-release", "choose other sections, or share the whole report"),
    ],
)
def test_a_cut_that_is_refused_says_why_and_what_to_do(
    sealmark: CommandLine, tmp_path: Path, reason: str, said: str
) -> None:
    pdf = tmp_path / "two.pdf"
    pdf.write_bytes(report(2))
    document, version = a_version(sealmark, pdf, tmp_path)
    made = sealmark.json("cuts", "create", document, version, "--section", "Tests", "--compile")
    service = build(load(sealmark.environ), clock=lambda: datetime.now(UTC))
    with service.database.write() as records:  # as the worker leaves one that it refuses
        (cut,) = records.find(Cut, id=made["id"])
        records.change(cut, state=CutState.REFUSED, reason=reason)
    service.close()
    result = sealmark("cuts", "create", document, version, "--section", "Tests", "--json")
    assert result.status == 1
    assert json.loads(result.out)["state"] == "refused"
    assert f"the sections cannot be cut out ({reason}): " in result.err
    assert said in result.err
