"""The bars for the long reports of the corpus: how many of their text pages carry the woven mark, and how much of it.

A slot is a gap between words that moves (WATERMARK.md, "Woven layer"). Fewer words than gaps carry a bit: the first of
a line mostly stays. Both figures are printed.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.shared_folder import require_shared
from tests.watermark.readers import poppler_texts
from tests.watermark.woven.documents import Document
from watermark.woven.reach import count_words

pytestmark = [pytest.mark.slow, pytest.mark.corpus]

LEAST_CARRYING, LEAST_WELL = 0.97, 0.90
MANY_SLOTS, MOST_WORDS = 100, 0.8
# Pages with labels of a chart or lines of code, which poppler by default puts into another order when one moves.
REORDERED = {"X41-OSTI 5", "Kubernet 26", "Kubernet 48"}


@dataclass
class Pages:
    """How many text pages there are, carry a bit, and carry many slots, or many bits."""

    text: int = 0
    carrying: int = 0
    well: int = 0
    well_in_bits: int = 0
    raw: set[str] = field(default_factory=set)
    default: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def long_reports(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    """Counted over all long reports; prints the figures of each."""
    folder = require_shared("corpus")
    total = Pages()
    for row in csv.DictReader((folder / "MANIFEST.csv").open()):
        if row["category"] != "report-long":
            continue
        document = Document((folder / row["file"]).read_bytes())
        found = _counted(document)
        changed = _changed(document, tmp_path_factory.mktemp("texts"))
        for mode, total_of in (("raw", total.raw), ("default", total.default)):
            total_of.update(f"{row['file'].partition('__')[2][:8]} {page}" for page in changed[mode])
        print(f"\n{row['file'][:50]}: {found}", end="")
        total.text += found.text
        total.carrying += found.carrying
        total.well += found.well
        total.well_in_bits += found.well_in_bits
    print(
        f"\nin all {total}: {total.carrying / total.text:.1%} carry, {total.well / total.text:.1%} many, "
        f"{total.well_in_bits / total.text:.1%} where words are counted, not gaps"
    )
    return total


def _counted(document: Document) -> Pages:
    pages = Pages()
    for page in document.pages:
        words = sum(count_words(thread.text) for thread in page.threads)
        moved = sum(len(thread.woven.moved) for thread in page.threads)
        slots = sum(len(thread.woven.operands) for thread in page.threads)
        pages.text += bool(words)
        pages.carrying += moved > 0
        pages.well += bool(words) and (slots >= MANY_SLOTS or slots >= MOST_WORDS * words)
        pages.well_in_bits += bool(words) and (slots >= MANY_SLOTS or moved >= MOST_WORDS * words)
    return pages


def _changed(document: Document, folder: Path) -> dict[str, set[int]]:
    """The pages, from 1, whose text by poppler changes with either pattern of bits; no mark is drawn."""
    found: dict[str, set[int]] = {"raw": set(), "default": set()}
    before = poppler_texts(document.unwoven, folder, found)
    for parity in (0, 1):
        after = poppler_texts(document.alternating(parity), folder, found)
        for mode, pages in found.items():
            pairs = zip(before[mode], after[mode], strict=True)
            pages.update(number for number, (first, second) in enumerate(pairs, 1) if first != second)
    return found


def test_no_text_that_poppler_reads_in_the_order_of_content_changes(long_reports: Pages) -> None:
    assert long_reports.raw == set()


def test_only_known_pages_change_in_the_order_that_poppler_finds(long_reports: Pages) -> None:
    assert long_reports.default == REORDERED


def test_nearly_all_text_pages_carry_the_woven_mark(long_reports: Pages) -> None:
    assert long_reports.carrying >= LEAST_CARRYING * long_reports.text


def test_most_text_pages_carry_many_slots_or_most_of_their_words(long_reports: Pages) -> None:
    assert long_reports.well >= LEAST_WELL * long_reports.text
