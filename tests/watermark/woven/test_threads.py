"""Threads: every stream that pages draw is woven once; what must stay can be fixed later, and stays fixed."""

from __future__ import annotations

from pikepdf import Dictionary, Name

from tests.watermark.woven.pages import add_page, form, new_document, page_of, resources, written
from tests.watermark.woven.positions import Sample, assert_moved_as_bits_say

_LINE = b"BT /S 10 Tf 40 700 Td (one two three four) Tj ET"


def test_a_fixed_word_stays_and_the_others_still_move() -> None:
    sample = Sample(page_of(_LINE))
    (thread,) = sample.threads
    thread.fix([thread.woven.moved[1]])
    assert len(thread.woven.moved) == 3
    assert_moved_as_bits_say(sample)


def test_content_is_as_it_was_when_all_words_are_fixed() -> None:
    (thread,) = Sample(page_of(_LINE)).threads
    thread.fix(list(thread.reach))
    assert (thread.woven.content, thread.woven.operands) == (_LINE, ())


def test_wider_gaps_take_words_out_and_never_bring_one_back() -> None:
    sample = Sample(
        page_of(b"BT /S 10 Tf 40 700 Td [(one) -260 (two) -260 (three) -400 (four) -400 (five)] TJ ET")
    )
    (thread,) = sample.threads
    assert len(thread.woven.moved) == 5
    thread.fix([thread.woven.moved[-1]])
    thread.keep_wide(0.25)
    assert [round(word.start) for word in thread.woven.moved] == [104]
    assert_moved_as_bits_say(sample)


def test_pages_share_the_thread_of_a_form() -> None:
    with new_document() as pdf:
        within = form(pdf, _LINE)
        for _ in range(2):
            given = resources(pdf)
            given.XObject = Dictionary(X1=within, X2=within)
            add_page(pdf, b"/X1 Do /X2 Do", given)
        sample = Sample(written(pdf))
    first, second = (page.threads for page in sample.pages)
    assert (len(first), len(second)) == (2, 2)
    assert first[1] is second[1]


def test_a_form_without_resources_has_those_of_what_draws_it() -> None:
    with new_document() as pdf:
        within = form(pdf, _LINE)
        del within.Resources
        given = resources(pdf)
        given.XObject = Dictionary(X1=within)
        add_page(pdf, b"/X1 Do", given)
        sample = Sample(written(pdf))
    assert sample.woven_words == 4


def test_what_is_drawn_and_is_no_form_is_passed_over() -> None:
    with new_document() as pdf:
        image = form(pdf, _LINE)
        image.Subtype = Name.Image
        given = resources(pdf)
        given.XObject = Dictionary(X1=image, X2=Dictionary())
        add_page(pdf, b"/X1 Do /X2 Do /X3 Do Do 5 Do", given)
        sample = Sample(written(pdf))
    assert len(sample.threads) == 1
