"""What real producers write is woven: most words carry a bit, and to every reader the document stays what it was.

Word, InDesign, Google Docs and Quartz run on no CI machine; the corpus has files of theirs (`test_corpus.py`).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.watermark.producers.making import PRODUCERS
from tests.watermark.woven import checks
from tests.watermark.woven.documents import Document

pytestmark = [pytest.mark.producers, pytest.mark.slow]

# The least share of words that carry a bit. The others are a paragraph's first and last of each line, table cells and
# list items, and words beside gaps that are too narrow.
LEAST_SHARE = dict.fromkeys(PRODUCERS, 0.7)


@pytest.fixture(scope="module", params=PRODUCERS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Document]:
    """A producer's name and its report."""
    name: str = request.param
    return name, Document(PRODUCERS[name](tmp_path_factory.mktemp(name)))


def test_most_words_carry_a_bit(made: tuple[str, Document]) -> None:
    name, document = made
    print(
        f"\n{name}: {document.share():.0%} of {sum(len(page.words()) for page in document.pages)} words carry a bit"
    )
    assert document.share() >= LEAST_SHARE[name]


def test_words_move_as_their_bits_say(made: tuple[str, Document]) -> None:
    checks.assert_positions_say_bits(made[1])


def test_text_stays_without_a_mark(made: tuple[str, Document], tmp_path: Path) -> None:
    checks.assert_unmarked_text_stays(made[1], tmp_path)


def test_text_of_copies_stays_but_for_the_mark(made: tuple[str, Document], tmp_path: Path) -> None:
    checks.assert_marked_text_stays(made[1], tmp_path)


def test_copies_are_sound_and_keep_what_surrounds_the_text(
    made: tuple[str, Document], tmp_path: Path
) -> None:
    checks.assert_copies_are_sound(made[1], tmp_path)


def test_pages_look_as_before_but_for_moved_words(made: tuple[str, Document]) -> None:
    checks.assert_pictures_stay(made[1])
