"""Times on the command line: moments as ISO 8601, spans such as `72h` and `30d`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import click

_SPAN = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_span(text: str) -> timedelta | None:
    """The span of `90s`, `15m`, `72h`, `30d`; None for other texts."""
    found = _SPAN.fullmatch(text)
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None


@dataclass(frozen=True)
class Said:
    """A moment, and how it was said: a span is another moment each time, and the same text."""

    moment: datetime
    text: str


class Span(click.ParamType[timedelta]):
    """A length of time."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        span = parse_span(value)
        if span is None:
            self.fail(f"{value!r} is no duration: write it like 90s, 15m, 72h or 30d.", param, ctx)
        return span


class Moment(click.ParamType[datetime]):
    """A moment: ISO 8601 (a date is its beginning in UTC), or a span from now, ahead (`sign` 1) or back (-1)."""

    name = "time"

    def __init__(self, sign: int, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._sign = sign
        self._now = now

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        span = parse_span(value)
        try:
            if span is not None:
                return self._now() + self._sign * span
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None and len(value) > len("2026-12-31"):
                self.fail(f"{value!r} has no time zone: write it like 2026-12-31T18:00Z.", param, ctx)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is no time: write it like 2026-12-31, 2026-12-31T18:00Z, or as a duration like 30d.",
                param,
                ctx,
            )


def said_moment(context: click.Context, parameter: click.Parameter, text: str | None) -> Said | None:
    """The callback of an option that is a moment ahead."""
    if text is None:
        return None
    span = parse_span(text)
    moment = AHEAD.convert(text, parameter, context)
    return Said(moment, moment.isoformat() if span is None else f"in {span.total_seconds():.0f} s")


class Day(click.ParamType[date]):
    """A day: ISO 8601."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day: write it like 2026-12-31.", param, ctx)


SPAN = Span()
DAY = Day()
AHEAD = Moment(1)
BACK = Moment(-1)
