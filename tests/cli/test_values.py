"""Times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
import pytest

from service.cli.values import SPAN, Moment

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("72h", timedelta(hours=72)),
        ("30d", timedelta(days=30)),
    ],
)
def test_spans(text: str, span: timedelta) -> None:
    assert SPAN.convert(text, None, None) == span


@pytest.mark.parametrize("text", ["", "72", "h", "-1d", "1.5h", "1w", "٣d", "9999999d", "1d "])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(click.BadParameter):
        SPAN.convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-31", datetime(2026, 12, 31, tzinfo=UTC)),
        ("2026-12-31T18:00Z", datetime(2026, 12, 31, 18, tzinfo=UTC)),
        ("2026-12-31T18:00+02:00", datetime(2026, 12, 31, 16, tzinfo=UTC)),
        ("30d", NOW + timedelta(days=30)),
    ],
)
def test_moments(text: str, moment: datetime) -> None:
    found = Moment(1, lambda: NOW).convert(text, None, None)
    assert (found, found.tzinfo) == (moment, UTC)


def test_a_value_that_is_one_already_stays() -> None:
    span = timedelta(minutes=5)

    assert SPAN.convert(span, None, None) is span
    assert Moment(1, lambda: NOW).convert(NOW, None, None) is NOW


def test_back_from_now() -> None:
    assert Moment(-1, lambda: NOW).convert("24h", None, None) == NOW - timedelta(days=1)


@pytest.mark.parametrize("text", ["2026-13-01", "2026-12-31T18:00", "soon", "999999d"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Moment(1, lambda: datetime(9999, 12, 31, tzinfo=UTC)).convert(text, None, None)
