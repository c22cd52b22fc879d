"""`sealmark documents cite`, `… questionnaire` and `… policy --citation`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from tests.service.citing_cases import csv_of, values_of, xlsx_of

QUESTIONS = [["No.", "TSC"], [45, "CC6.1"], [46, None]]
PERIOD = "for the period 1 January 2025 to 31 December 2025"


@pytest.fixture
def document(sealmark: CommandLine, pdf: Path, tmp_path: Path) -> str:
    """The id of a report of one page that is ready."""
    facts = tmp_path / "controls.json"
    facts.write_text(
        json.dumps(
            {
                "period_start": "2025-01-01",
                "period_end": "2025-12-31",
                "controls": [{"id": "AC-01", "criteria": ["CC6.1"], "pages": [1]}],
            }
        )
    )
    made = sealmark.json("documents", "add", "SOC 2", "--kind", "soc2-type2", "--owner", "a@lender.example")
    sealmark.ok("versions", "add", made["id"], pdf, "--facts", facts, "--compile")
    return str(made["id"])


def test_the_sentence_is_all_that_is_printed_so_that_it_can_be_pasted(
    sealmark: CommandLine, document: str
) -> None:
    said = sealmark.ok("documents", "cite", document, "--items", "45-72", "--criteria", "cc6.1")
    assert said == (
        f"Please refer to our SOC 2 Type II report (available under NDA) {PERIOD}, for items 45–72: "
        f"control AC-01, page 1. See https://reports.lender.example/r/{document}\n"
    )
    cited = sealmark.json("documents", "cite", document, "--criteria", "CC6.1")
    assert (cited["controls"], cited["pages"], cited["items"]) == (["AC-01"], [1], "")


def test_what_cannot_be_cited_is_one_line(sealmark: CommandLine, document: str) -> None:
    assert "CC9.9" in sealmark.refused("documents", "cite", document, "--criteria", "CC9.9", status=1)
    assert "72-45" in sealmark.refused("documents", "cite", document, "--items", "72-45", status=1)


def test_the_wording_is_set_and_taken_back(sealmark: CommandLine, document: str) -> None:
    sealmark.ok("documents", "policy", document, "--citation", "{kind} {period}, {address}")
    assert sealmark.ok("documents", "cite", document).startswith(f"SOC 2 Type II report {PERIOD}, https://")
    assert "{when}" in sealmark.refused("documents", "policy", document, "--citation", "{when}", status=1)
    sealmark.ok("documents", "policy", document, "--listing", "named", "--mail-check", "always")
    assert sealmark.ok("documents", "cite", document).startswith("SOC 2")
    sealmark.ok("documents", "policy", document, "--citation", "")
    assert sealmark.ok("documents", "cite", document).startswith("Please refer to our")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_questionnaire_is_written_to_a_new_file(
    sealmark: CommandLine, document: str, tmp_path: Path, form: str
) -> None:
    source, output = tmp_path / f"in.{form}", tmp_path / f"out.{form}"
    source.write_bytes(csv_of(QUESTIONS) if form == "csv" else xlsx_of(QUESTIONS))
    said = sealmark.json("documents", "questionnaire", document, source, output)
    assert said == {"file": str(output), "cited": 1, "open": 1}
    assert output.stat().st_mode & 0o777 == 0o600
    sentence = sealmark.ok("documents", "cite", document, "--items", "45", "--criteria", "CC6.1").strip()
    if form == "xlsx":
        assert values_of(output.read_bytes())[1] == (45, "CC6.1", sentence)
    else:
        assert sentence in output.read_text("utf-8")
    before = output.read_bytes()
    assert "is there already" in sealmark.refused(
        "documents", "questionnaire", document, source, output, status=1
    )
    assert output.read_bytes() == before


def test_a_questionnaire_that_is_refused_writes_nothing(
    sealmark: CommandLine, document: str, tmp_path: Path
) -> None:
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(csv_of([["No.", "TSC"], [45, "CC9.9"]]))
    assert "CC9.9 (B2)" in sealmark.refused("documents", "questionnaire", document, source, output, status=1)
    wrong = tmp_path / "out.xlsx"
    assert ".csv or .xlsx" in sealmark.refused(
        "documents", "questionnaire", document, source, wrong, status=1
    )
    assert not output.exists()
    assert not wrong.exists()
