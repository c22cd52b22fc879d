"""How sentences, numbers, dates and pages are said, in the language of the request. The English sentences stand in
`sentences/`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from flask import g, has_request_context

from service import languages
from service.decision import Denial
from service.facts import Criteria, Opinion
from service.records import Kind
from service.web.recipient.sentences import HINTS, PLURALS, READERS, SENTENCES

__all__ = ["READERS"]


def language() -> str:
    """The language of this request."""
    chosen: str = g.get("language", languages.ENGLISH) if has_request_context() else languages.ENGLISH
    return chosen


def speak(chosen: str) -> None:
    """Say what follows in this request in this language, one of `languages.LANGUAGES`."""
    g.language = chosen


def say(sentence: str, **values: object) -> str:
    """The sentence of this name with its values; the template escapes the result."""
    return languages.fill(language(), languages.say(language(), sentence, SENTENCES[sentence]), values)


def count(sentence: str, number: int) -> str:
    """The sentence in the form that goes with this number."""
    one, many = PLURALS[sentence]
    form = languages.say_number(language(), f"{sentence}.count", one, many, number)
    return form.format(count=languages.number(language(), number))


def kind(of: Kind) -> str:
    """What a document is."""
    return say(f"kind.{of}")


def opinion(of: Opinion) -> tuple[str, str]:
    """The name of an opinion, and what it means."""
    return say(f"opinion.{of}"), say(f"opinion.{of}.meaning")


def criteria(of: Criteria) -> str:
    """The name of a category of trust services criteria."""
    return say(f"criteria.{of}")


def denial(reason: Denial) -> tuple[str, str, str]:
    """What happened, why, and what to do."""
    return say(f"denial.{reason}"), say(f"denial.{reason}.text"), say(HINTS[reason])


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
    text = joined(spread(first, last) for first, last in runs)
    return say("page" if len(set(numbers)) == 1 else "pages", pages=text)


def joined(parts: Iterable[str]) -> str:
    """The parts as a list, with the comma of the language."""
    return say("separator").join(parts)


def page_range(first: int, last: int) -> str:
    """`page 4` or `pages 4–6`."""
    return say("page" if first == last else "pages", pages=spread(first, last))


def spread(first: int, last: int) -> str:
    """`4` or `4–6`, under a heading that says that they are pages."""
    return str(first) if first == last else f"{first}–{last}"


def day(value: date) -> str:
    """`30 September 2026`."""
    return languages.day(language(), value)


def moment(value: datetime) -> str:
    """`30 September 2026, 14:05 UTC`; seconds are cut, so nothing is promised that is over."""
    return say("moment", day=day(value), time=languages.time_of_day(language(), value))


def size(length: int) -> str:
    """Bytes in decimal units, as systems show downloads: `640 kB`, `2.1 MB`."""
    return languages.size(language(), length)
