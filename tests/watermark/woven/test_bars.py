"""WATERMARK.md's bars for the long reports of the corpus: how many of their text pages carry the woven mark."""

from __future__ import annotations

import csv

import pytest

from tests.shared_folder import require_shared
from tests.watermark.woven.documents import Document
from watermark.woven.reach import count_words

pytestmark = [pytest.mark.slow, pytest.mark.corpus]

LEAST_CARRYING, LEAST_WELL = 0.97, 0.90
MANY_SLOTS, MOST_WORDS = 100, 0.8


def test_text_pages_of_the_long_reports_carry_the_woven_mark() -> None:
    folder = require_shared("corpus")
    pages = carrying = well = 0
    for row in csv.DictReader((folder / "MANIFEST.csv").open()):
        if row["category"] != "report-long":
            continue
        document = Document((folder / row["file"]).read_bytes())
        counts = [
            (
                sum(count_words(thread.text) for thread in page.threads),
                sum(len(thread.woven.moved) for thread in page.threads),
                sum(len(thread.woven.operands) for thread in page.threads),
            )
            for page in document.pages
        ]
        text = [(words, moved, slots) for words, moved, slots in counts if words]
        here = sum(moved > 0 for _, moved, _ in text)
        here_well = sum(slots >= MANY_SLOTS or moved >= MOST_WORDS * words for words, moved, slots in text)
        print(f"\n{row['file'][:50]}: {len(text)} text pages, {here} carry, {here_well} many", end="")
        pages, carrying, well = pages + len(text), carrying + here, well + here_well
    print(f"\nin all {carrying / pages:.1%} of {pages} text pages carry, {well / pages:.1%} many")
    assert carrying >= LEAST_CARRYING * pages
    assert well >= LEAST_WELL * pages
