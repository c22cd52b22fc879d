"""The sample report stays what it was to every reader, with every gap at its widest and at its narrowest."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.demo.report import make_report
from tests.watermark.woven import checks
from tests.watermark.woven.documents import Document

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sample_report() -> Document:
    """The report of the demo."""
    return Document(make_report())


def test_text_without_a_mark_stays_to_the_byte(sample_report: Document, tmp_path: Path) -> None:
    checks.assert_unmarked_text_stays(sample_report, tmp_path)


def test_text_of_copies_stays_but_for_the_mark(sample_report: Document, tmp_path: Path) -> None:
    checks.assert_marked_text_stays(sample_report, tmp_path)


def test_copies_are_sound_and_keep_links_outline_tags_and_forms(
    sample_report: Document, tmp_path: Path
) -> None:
    checks.assert_copies_are_sound(sample_report, tmp_path)


def test_pages_look_as_before_but_for_moved_words(sample_report: Document) -> None:
    checks.assert_pictures_stay(sample_report)


def test_words_move_as_their_bits_say(sample_report: Document) -> None:
    checks.assert_positions_say_bits(sample_report)
