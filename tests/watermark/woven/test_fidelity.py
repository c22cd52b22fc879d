"""Settling leaves only words that move without changing a reader's text, and it ends, whatever readers do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.watermark.woven.pages import page_of
from tests.watermark.woven.positions import Sample
from watermark.verify import Reader
from watermark.woven.fidelity import alternating, settle


class _ReaderOf:
    """Reads a page as `text` says; PDFium agrees with anything."""

    def __init__(self, text: str | None) -> None:
        self._text = text

    def text(self, index: int) -> str | None:
        return self._text

    def pdfium_text(self, index: int) -> str:
        return ""

    def close(self) -> None:
        pass


def _settled(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[Sample, int], str | None], before: str | None
) -> Sample:
    """A page of ten words, settled with a reader that reads `before` in the original.

    Gaps are 0.25 em wide, but for those before the last three words: 0.45 em.
    """
    words = [b"word%d" % n for n in range(10)]
    near, apart = b" ".join(words[:7]), b" ".join(words[7:])
    sample = Sample(page_of(b"BT /S 10 Tf 40 700 Td (%s) Tj 2 Tw ( %s) Tj ET" % (near, apart)))
    texts = iter(range(1000))
    monkeypatch.setattr("watermark.woven.fidelity.Reader", lambda pdf: _ReaderOf(read(sample, pdf)))

    def written(parity: int) -> int:
        assert next(texts) < 100
        return parity

    settle([page.threads for page in sample.pages], _ReaderOf(before), written)  # type: ignore[arg-type]
    return sample


_TEXT = " ".join(f"word{n}" for n in range(10))


def test_bits_alternate_either_way() -> None:
    assert (alternating(3, 0), alternating(3, 1), alternating(0, 0)) == ([0, 1, 0], [1, 0, 1], [])


def test_words_whose_moving_changes_nothing_all_move(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _settled(monkeypatch, lambda *_: _TEXT, _TEXT).woven_words == 10


def test_only_the_words_beside_a_changed_space_are_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(sample: Sample, parity: int) -> str:
        (thread,) = sample.threads
        moving = {thread.woven.content.count(b"word5"), len(thread.woven.moved)}
        return _TEXT if 10 not in moving else _TEXT.replace("word4 word5", "word4word5")

    sample = _settled(monkeypatch, read, _TEXT)
    stayed = [
        w for line in sample.threads[0].text.lines for w in line.words if w not in sample.threads[0].reach
    ]
    assert [round((word.start - 40) / 27.5) for word in stayed] == [4, 5]


def test_where_more_than_spaces_change_the_words_between_wide_gaps_still_move(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read(sample: Sample, parity: int) -> str:
        (thread,) = sample.threads
        (line,) = thread.text.lines
        return "other letters" if thread.reach.keys() & set(line.words[:7]) else _TEXT

    (thread,) = _settled(monkeypatch, read, _TEXT).threads
    assert list(thread.woven.moved) == thread.text.lines[0].words[7:]


def test_a_page_that_always_changes_is_left_as_it_was_and_settling_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sample = _settled(monkeypatch, lambda *_: "other letters", _TEXT)
    assert sample.woven_words == 0


def test_a_page_whose_spaces_always_change_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = _settled(monkeypatch, lambda *_: _TEXT.replace(" ", ""), _TEXT)
    assert sample.woven_words == 0


def test_a_reader_that_cannot_read_the_original_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _settled(monkeypatch, lambda *_: "anything", None).woven_words == 10


def test_a_reader_that_can_no_longer_read_is_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _settled(monkeypatch, lambda *_: None, _TEXT).woven_words == 0


def test_real_readers_agree_on_an_ordinary_page() -> None:
    sample = Sample(page_of(b"BT /F1 10 Tf 40 700 Td (one two three four five) Tj ET"))
    before = Reader(sample.unwoven)

    def written(parity: int) -> bytes:
        return sample.with_bits({id(t): alternating(len(t.woven.moved), parity) for t in sample.threads})

    settle([page.threads for page in sample.pages], before, written)
    assert sample.woven_words == 5
    before.close()
