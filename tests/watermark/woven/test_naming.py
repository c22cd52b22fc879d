"""The true copy is named from few words, a misread word does not exclude it, and no innocent copy is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from watermark.woven.capacity import least_words, threshold
from watermark.woven.code import biases, copy_bits
from watermark.woven.naming import MISREAD, UNSEEN, Attribution, name, scores

KEY = bytes(range(32))
COPIES = [f"cpy_{number:026d}" for number in range(2000)]
WORDS = 400
BITS = copy_bits(KEY, COPIES[7], WORDS).astype(np.int8)


def test_the_score_is_the_sum_of_what_each_word_says() -> None:
    bits = BITS[:40].copy()
    bits[::3] = UNSEEN
    for copy_id, score in zip(COPIES[:20], scores(KEY, bits, COPIES[:20]), strict=True):
        expected = 0.0
        for read, own, bias in zip(bits, copy_bits(KEY, copy_id, 40), biases(KEY, 40) / 2**16, strict=True):
            if read != UNSEEN:
                given = {own: 1 - MISREAD, 1 - own: MISREAD}[read]
                likely = bias if read else 1 - bias
                expected += math.log(given / (likely * (1 - MISREAD) + (1 - likely) * MISREAD))
        assert score == pytest.approx(expected, abs=1e-4)


def test_a_copy_is_named_and_stated_with_its_odds() -> None:
    named = name(KEY, BITS, COPIES)
    assert named.copy_id == COPIES[7]
    assert named.score > 100
    assert named.odds == pytest.approx((named.score - math.log(2000)) / math.log(10))
    assert COPIES[7] in named.statement
    assert "leak" not in named.statement


@pytest.mark.parametrize("first", [0, 3, 250])
def test_few_words_from_anywhere_are_enough(first: int) -> None:
    few = np.full(WORDS, UNSEEN, np.int8)
    few[first : first + least_words(2000)] = BITS[first : first + least_words(2000)]
    assert name(KEY, few, COPIES).copy_id == COPIES[7]


def test_misread_words_do_not_exclude_the_copy() -> None:
    bits = BITS.copy()
    bits[[5, 90, 300]] ^= 1
    assert name(KEY, bits, COPIES).copy_id == COPIES[7]


def test_no_innocent_copy_is_named() -> None:
    others = [copy_id for copy_id in COPIES if copy_id != COPIES[7]]
    assert name(KEY, BITS, others).copy_id is None
    # Of every copy but the true one E[exp S] is 1: over so many the mean is near it where few words were seen.
    assert np.exp(scores(KEY, BITS[:6], others)).mean() == pytest.approx(1, abs=0.2)


def test_nothing_seen_no_copies_or_equal_copies_name_nobody() -> None:
    unseen = np.full(WORDS, UNSEEN, np.int8)
    assert name(KEY, unseen, COPIES) == Attribution(None, 0.0, threshold(2000), 2000, 0)
    assert name(KEY, BITS, []).copy_id is None
    assert name(KEY, BITS, []).odds == -math.inf
    assert name(KEY, BITS, [COPIES[7], COPIES[7]]).copy_id is None
    assert name(KEY, np.zeros(0, np.int8), COPIES).statement.startswith("No attribution")


def test_scores_do_not_depend_on_how_many_copies_are_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = scores(KEY, BITS, COPIES[:50])
    monkeypatch.setattr("watermark.woven.naming._AT_ONCE", 1000)
    assert scores(KEY, BITS, COPIES[:50]) == pytest.approx(whole, abs=1e-3)
