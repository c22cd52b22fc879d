"""Which bytes a request wants, against RFC 9110."""

from __future__ import annotations

import pytest

from service.web.recipient.ranges import Conditions, Selection, select

ETAG = '"abc"'
LENGTH = 1000
WHOLE = Selection(200, 0, LENGTH)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("bytes=0-499", Selection(206, 0, 500)),
        ("bytes=500-", Selection(206, 500, 1000)),
        ("bytes=-300", Selection(206, 700, 1000)),
        ("bytes=-5000", Selection(206, 0, 1000)),
        ("bytes=999-5000", Selection(206, 999, 1000)),
        ("Bytes= 0-0 ", Selection(206, 0, 1)),
        ("bytes=1000-", Selection(416)),
        ("bytes=-0", Selection(416)),
        ("bytes=0-1,5-9", WHOLE),
        ("bytes=9-1", WHOLE),
        ("bytes=-", WHOLE),
        ("bytes=a-b", WHOLE),
        ("bytes=²-3", WHOLE),
        ("bytes=-1-2", WHOLE),
        ("bytes=0-9999999999999999999999", WHOLE),
        ("lines=0-1", WHOLE),
        ("", WHOLE),
    ],
)
def test_a_range_selects_what_the_rfc_says(field: str, expected: Selection) -> None:
    assert select(Conditions(range=field), ETAG, LENGTH) == expected


@pytest.mark.parametrize("field", ['"other"', 'W/"abc"', "Mon, 02 Mar 2026 09:00:00 GMT", "*", ""])
def test_if_range_of_anything_but_the_strong_etag_gives_the_whole_file(field: str) -> None:
    assert select(Conditions(range="bytes=5-", if_range=field), ETAG, LENGTH) == WHOLE


def test_if_range_of_the_etag_gives_the_range() -> None:
    assert select(Conditions(range="bytes=5-", if_range=ETAG), ETAG, LENGTH) == Selection(206, 5, 1000)


@pytest.mark.parametrize("field", ['"abc"', 'W/"abc"', '"x", "abc"', "*"])
def test_if_none_match_of_what_is_known_needs_no_bytes(field: str) -> None:
    assert select(Conditions(range="bytes=5-", if_none_match=field), ETAG, LENGTH) == Selection(304)


def test_if_none_match_of_something_else_changes_nothing() -> None:
    assert select(Conditions(if_none_match='"x"'), ETAG, LENGTH) == WHOLE


def test_if_match_of_another_copy_is_refused_before_all_else() -> None:
    asked = Conditions(range="bytes=5-", if_match='W/"abc", "x"', if_none_match=ETAG)
    assert select(asked, ETAG, LENGTH) == Selection(412)


@pytest.mark.parametrize("field", ['"abc"', "*"])
def test_if_match_of_this_copy_goes_on(field: str) -> None:
    assert select(Conditions(range="bytes=5-", if_match=field), ETAG, LENGTH) == Selection(206, 5, 1000)
