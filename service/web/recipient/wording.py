"""How sentences, numbers, dates and pages are said. The sentences themselves stand in `sentences/`."""

from __future__ import annotations

from datetime import date, datetime

from service.web.recipient.sentences import SENTENCES
from service.web.recipient.sentences.report import CRITERIA, DENIALS, KINDS, OPINIONS, READERS

__all__ = ["CRITERIA", "DENIALS", "KINDS", "OPINIONS", "READERS"]

LANGUAGE = "en"

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def say(sentence: str, **values: object) -> str:
    """The sentence of this name with its values; the template escapes the result."""
    return SENTENCES[sentence].format(**values)


def count(sentence: str, number: int) -> str:
    """The sentence for one or for many."""
    return say(f"{sentence}.one" if number == 1 else f"{sentence}.many", count=number)


def pages(numbers: list[int]) -> str:
    """The pages in words, neighbours joined: `page 4`, `pages 4–6, 9`. Empty for none."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    if not runs:
        return ""
    text = ", ".join(spread(first, last) for first, last in runs)
    return say("page" if len(set(numbers)) == 1 else "pages", pages=text)


def page_range(first: int, last: int) -> str:
    """`page 4` or `pages 4–6`."""
    return say("page" if first == last else "pages", pages=spread(first, last))


def spread(first: int, last: int) -> str:
    """`4` or `4–6`, under a heading that says that they are pages."""
    return str(first) if first == last else f"{first}–{last}"


def day(value: date) -> str:
    """`30 September 2026`, in English whatever the server's locale."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def moment(value: datetime) -> str:
    """`30 September 2026, 14:05 UTC`; seconds are cut, so nothing is promised that is over."""
    return f"{day(value)}, {value:%H:%M} UTC"


def size(length: int) -> str:
    """Bytes in decimal units, as systems show downloads: `640 kB`, `2.1 MB`."""
    if length < 999_500:
        return f"{max(1, round(length / 1000))} kB"
    return f"{length / 1_000_000:.1f} MB"
