"""The capacity's numbers are those of the code's mathematics, and its statement says no more than they do."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from watermark.errors import RefusalReason, Refused
from watermark.woven import capacity
from watermark.woven.capacity import (
    MISSED,
    Capacity,
    PageCapacity,
    capacity_of,
    gains,
    least_words,
    threshold,
)
from watermark.woven.code import BIASES_WITH_WEIGHTS

NEEDED = 91


def facts(*pages: tuple[int, int]) -> dict[str, Any]:
    """Facts of a version whose pages have so many words, and so many of them woven."""
    return {"pages": len(pages), "weave": {"pages": [{"words": w, "woven": b} for w, b in pages]}}


def said(*pages: tuple[int, int]) -> str:
    return capacity_of(facts(*pages)).statement


def test_a_word_tells_0_467_nats_in_the_mean_which_is_the_entropy_of_its_bias() -> None:
    entropy = sum(w * -(p * math.log(p) + (1 - p) * math.log(1 - p)) for p, w in BIASES_WITH_WEIGHTS)

    assert sum(gains().values()) == pytest.approx(1)
    assert sum(gain * share for gain, share in gains().items()) == pytest.approx(entropy)
    assert entropy == pytest.approx(0.467, abs=0.0005)


def test_the_threshold_among_a_million_is_27_6_nats_and_an_innocent_passes_it_with_a_probability_of_1e_12() -> (
    None
):
    assert threshold() == pytest.approx(27.63, abs=0.01)
    # An innocent's bit agrees with an observed one with that bit's own probability: its gain e^g comes with e^-g.
    assert math.exp(-threshold()) * capacity.COPIES == pytest.approx(capacity.FALSE_NAMING)


def test_the_least_number_of_words_is_where_999_of_1000_true_copies_pass_by_another_way_of_counting() -> None:
    """The distribution of the score by convolution on a grid of a ten-thousandth of a nat, rounded both ways."""
    for rounding, words in ((math.floor, NEEDED), (math.ceil, NEEDED - 1)):
        steps = {rounding(gain * 10_000): share for gain, share in gains().items()}
        needed = math.ceil(threshold() * 10_000)
        below = {0: 1.0}
        for _ in range(words):
            after: dict[int, float] = {}
            for score, share in below.items():
                for step, chance in steps.items():
                    if score + step < needed:
                        after[score + step] = after.get(score + step, 0.0) + share * chance
            below = after
        assert (sum(below.values()) <= MISSED) is (words == NEEDED)
    assert least_words() == NEEDED


def test_drawn_codes_pass_as_often_as_is_said() -> None:
    draw = random.Random(5)
    missed = 0
    for _ in range(4000):
        score = 0.0
        for _ in range(NEEDED):
            bias = draw.choices([p for p, _ in BIASES_WITH_WEIGHTS], [w for _, w in BIASES_WITH_WEIGHTS])[0]
            score -= math.log(bias if draw.random() < bias else 1 - bias)
        missed += score < threshold()
    assert missed <= 12  # four in the mean


def test_more_copies_need_more_words() -> None:
    assert [least_words(10**power) for power in range(1, 7)] == [59, 65, 72, 78, 85, 91]
    assert least_words(1) < least_words(2)


def test_the_capacity_is_counted_page_by_page() -> None:
    found = capacity_of(facts((200, 150), (0, 0), (7, 0), (100, 60)))

    assert found.total == 210
    assert found.bare_pages == (2, 3)
    assert found.textless_pages == (2,)
    assert found.pages[3] == PageCapacity(4, 100, 60)


@pytest.mark.parametrize(
    ("pages", "statement"),
    [
        (
            [(0, 0), (9, 0), *[(100, 91)] * 66, (90, 90), (50, 34), (9, 0)],
            "6,130 words on 68 of 71 pages carry the woven mark. An unaltered extract with at least 91 of them "
            "— 66 of the pages alone — names its copy among a million. "
            "Pages 1, 2 and 71 carry none (no text, scans or outlines: 1): they carry the visible mark only.",
        ),
        (
            [(300, 200)],
            "200 words on its page carry the woven mark. An unaltered extract with at least 91 of them names its "
            "copy among a million.",
        ),
        (
            [(300, 200), (300, 91)],
            "291 words on 2 of 2 pages carry the woven mark. An unaltered extract with at least 91 of them "
            "— any page alone — names its copy among a million.",
        ),
        (
            [(60, 50), (60, 50), (0, 0)],
            "100 words on 2 of 3 pages carry the woven mark. An unaltered extract with at least 91 of them names its "
            "copy among a million. Page 3 carries none (no text: a scan or outlines): it carries the visible mark "
            "only.",
        ),
        (
            [(90, 72), (9, 0)],
            "72 words on 1 of 2 pages carry the woven mark. That is few: only an unaltered leak of nearly all of "
            "them names its copy, and among no more than 1,000 copies. "
            "Page 2 carries none: it carries the visible mark only.",
        ),
        (
            [(1, 1)],
            "1 word on its page carries the woven mark. That is too few to name a copy by them: a leak is traced by "
            "its visible mark.",
        ),
        (
            [(0, 0), (0, 0)],
            "None of the 2 pages carries the woven mark (all are scans or outlines without text). "
            "A leak is traced by its visible mark only.",
        ),
        (
            [(0, 0), (5, 0)],
            "None of the 2 pages carries the woven mark (no text, scans or outlines: 1; the rest has no words that "
            "may move). A leak is traced by its visible mark only.",
        ),
        ([(0, 0)], "The page carries no woven mark (it has no text). A leak is traced by its visible mark only."),
        (
            [(5, 0)],
            "The page carries no woven mark (no words on it may move). A leak is traced by its visible mark only.",
        ),
        (
            [(5, 0), (5, 0)],
            "None of the 2 pages carries the woven mark (no words on them may move). "
            "A leak is traced by its visible mark only.",
        ),
    ],
)  # fmt: skip
def test_the_statement_says_it_plainly(pages: list[tuple[int, int]], statement: str) -> None:
    assert said(*pages) == statement


def test_many_bare_pages_are_named_as_ranges_and_not_without_end() -> None:
    full = (200, 150)
    assert "Pages 1–3 and 5 carry none (no text: scans or outlines)" in said(*[(0, 0)] * 3, full, (0, 0))
    assert "Pages 1, 2 and 4 carry" in said((5, 0), (5, 0), full, (5, 0))
    every_other = said(*[(5, 0), full] * 1000)
    assert "Pages 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23 and more carry none" in every_other
    assert len(every_other) < 400


def test_print_and_scans_are_not_promised() -> None:
    for word in ("print", "photo", "screen"):
        assert word not in said((0, 0), (300, 200))


def test_a_version_from_before_weaving_says_so() -> None:
    found = capacity_of({"pages": 2, "woven_slots": 0})

    assert found == Capacity((PageCapacity(1, None, 0), PageCapacity(2, None, 0)))
    assert (found.total, found.bare_pages, found.textless_pages) == (0, (1, 2), ())
    assert found.statement.startswith("This version was compiled before weaving: ")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"pages": 0},
        {"pages": "2"},
        {"pages": True},
        {"pages": 1, "weave": None},
        {"pages": 1, "weave": {}},
        {"pages": 1, "weave": {"pages": "x"}},
        {"pages": 1, "weave": {"pages": []}},
        {"pages": 2, "weave": {"pages": [{"words": 1, "woven": 1}]}},
        {"pages": 1, "weave": {"pages": ["x"]}},
        {"pages": 1, "weave": {"pages": [{"words": 1}]}},
        {"pages": 1, "weave": {"pages": [{"words": 1, "woven": 2}]}},
        {"pages": 1, "weave": {"pages": [{"words": 1, "woven": -1}]}},
        {"pages": 1, "weave": {"pages": [{"words": True, "woven": 0}]}},
        {"pages": 1, "weave": {"pages": [{"words": 10**12, "woven": 0}]}},
        {"pages": 1, "weave": {"pages": [{"words": 1.0, "woven": 0}]}},
    ],
)
def test_what_compile_never_states_is_not_believed(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        capacity_of(wrong)
    assert refused.value.reason == RefusalReason.DAMAGED
