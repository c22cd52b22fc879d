"""Kept pages: bounded, for one sitting and its token, until it ends."""

from __future__ import annotations

import os
from datetime import timedelta

from service.kept_pages import KeptPages
from tests.service_fixture import START
from watermark.drawn import Drawn, DrawnPage, Picture

UNTIL = START + timedelta(hours=2)


def page(number: int, size: int = 100) -> DrawnPage:
    return DrawnPage(number, Picture("png", 10, 20, os.urandom(size)), f"Text of {number} · ü", False, "iv")


def test_a_page_comes_back_as_it_was() -> None:
    kept, pages = KeptPages(os.urandom), (page(1), DrawnPage(2, None, "", True, ""))
    kept.put("token", "dlv_1", UNTIL, Drawn(9, pages), START)
    for one in pages:
        assert kept.get("token", "dlv_1", one.number, START) == Drawn(9, (one,))
    assert kept.get("token", "dlv_1", 3, START) is None


def test_another_token_or_sitting_gets_nothing() -> None:
    kept = KeptPages(os.urandom)
    kept.put("token", "dlv_1", UNTIL, Drawn(9, (page(1),)), START)
    assert kept.get("other", "dlv_1", 1, START) is None
    assert kept.get("token", "dlv_2", 1, START) is None


def test_nothing_of_a_page_stands_in_memory_as_it_is() -> None:
    kept, one = KeptPages(os.urandom), page(1)
    kept.put("token", "dlv_1", UNTIL, Drawn(9, (one,)), START)
    (held,) = kept._pages.values()
    assert one.picture is not None
    assert one.picture.data not in held.sealed
    assert b"Text" not in held.sealed


def test_pages_end_with_their_sitting() -> None:
    kept = KeptPages(os.urandom)
    kept.put("token", "dlv_1", UNTIL, Drawn(9, (page(1),)), START)
    assert kept.get("token", "dlv_1", 1, UNTIL - timedelta(microseconds=1)) is not None
    assert kept.get("token", "dlv_1", 1, UNTIL) is None
    kept.put("token", "dlv_2", UNTIL + timedelta(hours=1), Drawn(9, (page(1),)), UNTIL)
    assert [sitting for sitting, _ in kept._pages] == ["dlv_2"]


def test_beyond_the_limit_the_page_that_was_used_longest_ago_goes_first() -> None:
    kept = KeptPages(os.urandom, most=3 * 1300)
    for number in (1, 2, 3):
        kept.put("token", "dlv_1", UNTIL, Drawn(9, (page(number, 1000),)), START)
    assert kept.get("token", "dlv_1", 1, START) is not None
    kept.put("token", "dlv_1", UNTIL, Drawn(9, (page(4, 1000),)), START)
    there = [number for number in (1, 2, 3, 4) if kept.get("token", "dlv_1", number, START)]
    assert there == [1, 3, 4]


def test_a_page_that_is_kept_twice_counts_once() -> None:
    kept = KeptPages(os.urandom, most=2 * 1300)
    kept.put("token", "dlv_1", UNTIL, Drawn(9, (page(1, 1000),)), START)
    for _ in range(5):
        kept.put("token", "dlv_1", UNTIL, Drawn(9, (page(2, 1000),)), START)
    assert kept.get("token", "dlv_1", 1, START) is not None


def test_a_sitting_can_be_forgotten() -> None:
    kept = KeptPages(os.urandom)
    kept.put("token", "dlv_1", UNTIL, Drawn(9, (page(1), page(2))), START)
    kept.put("token", "dlv_2", UNTIL, Drawn(9, (page(1),)), START)
    kept.forget("dlv_1")
    assert [sitting for sitting, _ in kept._pages] == ["dlv_2"]
