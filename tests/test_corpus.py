"""Every PDF of the corpus is accepted, or refused for the reason that `corpus_expected.csv` names."""

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.shared_folder import require_shared
from watermark.errors import Refused
from watermark.sandbox import run_in_child

ACCEPT = "accept"


@dataclass(frozen=True)
class Expectation:
    """What must happen to one file of the corpus: `accept` or a refusal's reason."""

    file: str
    expected: str
    note: str


def expectations() -> list[Expectation]:
    """The reviewed table, in its order."""
    with Path(__file__).with_name("corpus_expected.csv").open(newline="") as table:
        return [Expectation(**row) for row in csv.DictReader(table)]


def manifest() -> list[dict[str, str]]:
    """The corpus' own list of its files."""
    with require_shared("corpus", "MANIFEST.csv").open(newline="") as table:
        return list(csv.DictReader(table))


@pytest.mark.corpus
def test_the_table_names_every_file_of_the_corpus_once() -> None:
    assert sorted(row.file for row in expectations()) == sorted(row["file"] for row in manifest())


@pytest.mark.corpus
def test_all_long_reports_are_accepted() -> None:
    long_reports = {row["file"] for row in manifest() if row["category"] == "report-long"}
    assert len(long_reports) >= 10
    assert long_reports <= {row.file for row in expectations() if row.expected == ACCEPT}


@pytest.mark.corpus
@pytest.mark.parametrize("row", expectations(), ids=lambda row: row.file)
def test_a_file_of_the_corpus_is_judged_as_expected(row: Expectation) -> None:
    pdf = require_shared("corpus", row.file).read_bytes()
    assert verdict(pdf) == row.expected


def verdict(pdf: bytes) -> str:
    """`accept`, or the reason for which the child refuses this PDF."""
    try:
        answer = run_in_child("inspect", [pdf], {})
    except Refused as refused:
        return refused.reason
    return ACCEPT if answer.facts["pages"] else "accepted without a page"
