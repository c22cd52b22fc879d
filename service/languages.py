"""Languages: which there are, which one somebody reads, and a sentence, a date or a number in it.

The English sentences stand in the code, each under a name; `translations/<language>.po` has the others (gettext, one
context a name). What is not translated is said in English.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from io import BytesIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.units import format_unit

ENGLISH = "en"

LANGUAGES: Mapping[str, str] = {
    ENGLISH: "English",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "ja": "日本語",
    "ar": "العربية",
}
"""Each language with its own name, in the order in which they are offered."""

LOCALES = {ENGLISH: "en_GB"}
"""Whose dates and numbers are written, where the language alone leaves it open: with the day before the month."""

FOLDER = Path(__file__).parent / "translations"

MAX_ACCEPTED = 20
"""Languages of an `Accept-Language` that are looked at; browsers send up to ten."""

ISOLATE, END_OF_ISOLATE = "\u2068", "\u2069"
"""Unicode's first strong isolate, and its end (UAX 9)."""

KILOBYTE, MEGABYTE = 1000, 1_000_000


def known(language: str) -> str:
    """This language, or English where it is not one of ours."""
    return language if language in LANGUAGES else ENGLISH


def negotiate(accepted: str) -> str:
    """The first language of an `Accept-Language` that is ours, by its weights (RFC 9110 12.5.4); else English."""
    weighed = []
    for place, part in enumerate(accepted.split(",")[:MAX_ACCEPTED]):
        tag, _, parameter = part.partition(";")
        weighed.append((-_weight(parameter), place, tag.strip().lower().partition("-")[0]))
    for weight, _, language in sorted(weighed):
        if language in LANGUAGES and weight < 0:
            return language
    return ENGLISH


def direction(language: str) -> str:
    """`ltr` or `rtl`."""
    return _locale(language).text_direction


def say(language: str, name: str, english: str) -> str:
    """The sentence of this name, with its `{…}` still to be filled."""
    catalog = _catalog(known(language))
    return catalog.pgettext(name, english) if catalog else english


def fill(language: str, sentence: str, values: Mapping[str, object]) -> str:
    """The sentence with its values. From right to left each stands by itself, so that none turns its neighbours round.

    Raises `KeyError` for a value that the sentence needs and that is not given.
    """
    if direction(language) == "rtl":
        values = {name: f"{ISOLATE}{value}{END_OF_ISOLATE}" for name, value in values.items()}
    return sentence.format_map(values)


def say_number(language: str, name: str, one: str, many: str, number: int) -> str:
    """The form of the sentence that goes with this number, of as many as the language has."""
    catalog = _catalog(known(language))
    if catalog is None:
        return one if number == 1 else many
    return catalog.npgettext(name, one, many, number)


def day(language: str, value: date) -> str:
    """`30 September 2026`."""
    return format_date(value, "long", locale=_locale(language))


def time_of_day(language: str, value: datetime) -> str:
    """`14:05`: hours and minutes; seconds are cut, so nothing is promised that is over."""
    return format_time(value, "HH:mm", locale=_locale(language))


def number(language: str, value: int) -> str:
    """`1,234`."""
    return format_decimal(value, locale=_locale(language))


def size(language: str, length: int) -> str:
    """Bytes in decimal units, as systems show downloads: `640 kB`, `2.1 MB`."""
    locale = _locale(language)
    if length < MEGABYTE - KILOBYTE // 2:
        kilobytes = max(1, round(length / KILOBYTE))
        return format_unit(kilobytes, "digital-kilobyte", length="short", locale=locale)
    return format_unit(length / MEGABYTE, "digital-megabyte", length="short", format="#,##0.0", locale=locale)


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


@cache
def _locale(language: str) -> Locale:
    chosen = known(language)
    try:
        return Locale.parse(LOCALES.get(chosen, chosen))
    except UnknownLocaleError as error:
        raise LookupError(f"Babel knows no language {chosen!r}") from error


@cache
def _catalog(language: str) -> gettext.GNUTranslations | None:
    """The sentences of a language, read once a process; none for English."""
    path = FOLDER / f"{language}.po"
    if not path.exists():
        return None
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
