"""`sealmark report`, and the policy of a document by which a letter goes along and a document ends."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import CommandLine
from tests.cli.test_commands import ANA, a_ready_document


@pytest.fixture
def report(sealmark: CommandLine, pdf: Path, facts: Path) -> str:
    """A report that is shared once."""
    made = a_ready_document(sealmark, pdf, facts)
    sealmark.ok("ndas", "add", "--domain", "acme.example", "--source", "paper", "--approved")
    sealmark.ok("shares", "create", made, *ANA, "--purpose", "review")
    return made


def test_the_report_is_lines_json_csv_or_charts(sealmark: CommandLine, report: str, tmp_path: Path) -> None:
    said = sealmark.ok("report")
    assert "Open shares by document" in said
    assert "acme.example" in said
    assert "Ana" not in said

    found = sealmark.json("report")
    assert [(one["document"], one["shares"]) for one in found["out"]] == [(report, 1)]
    today = datetime.now(UTC).date()
    assert found["last"] == today.isoformat()
    assert len(found["weeks"]) == 26

    rows = list(csv.DictReader(io.StringIO(sealmark.ok("report", "--csv"))))
    assert {row["part"] for row in rows} == {"out", "to whom", "week", "requests"}

    folder = tmp_path / "charts"
    sealmark.ok("report", "--svg", folder, "--from", today - timedelta(days=7), "--until", today)
    files = sorted(folder.iterdir())
    assert [path.name for path in files] == [
        "accesses.svg",
        "exceptions.svg",
        "reports-out.svg",
        "to-whom.svg",
    ]
    for path in files:
        assert ElementTree.parse(path).getroot().get("role") == "img"
    assert "is there already" in sealmark.refused("report", "--svg", folder, status=1)


def test_wrong_days_and_two_forms_at_once_are_refused(sealmark: CommandLine) -> None:
    assert "no day" in sealmark.refused("report", "--from", "soon", status=2)
    sealmark.refused("report", "--from", "2026-03-02", "--until", "2026-03-01", status=1)
    sealmark.refused("report", "--csv", "--json", status=2)
    sealmark.refused("report", "--svg", "/nowhere/charts", status=3)


def test_a_letter_goes_along_and_a_document_ends_by_its_policy(sealmark: CommandLine, report: str) -> None:
    made = sealmark.json(
        "documents", "add", "Letter", "--kind", "bridge-letter", "--owner", "trust@lender.example"
    )
    letter, day = made["id"], (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    changed = sealmark.json("documents", "policy", letter, "--report", report, "--ends", day)
    assert (changed["report_id"], changed["ends_on"]) == (report, day)
    same = sealmark.json("documents", "policy", letter, "--mail-check", "always")
    assert (same["report_id"], same["ends_on"]) == (report, day)
    gone = sealmark.json("documents", "policy", letter, "--no-report", "--no-end")
    assert (gone["report_id"], gone["ends_on"]) == (None, None)
    sealmark.refused("documents", "policy", letter, "--report", report, "--no-report", status=2)
    sealmark.refused("documents", "policy", letter, "--report", letter, status=1)
