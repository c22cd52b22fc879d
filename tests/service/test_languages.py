"""Languages: the reader's own where there is one, with its dates, numbers and as many plurals as it has."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from service import languages
from service.languages import ENGLISH, LANGUAGES, direction, fill, negotiate, say, say_number

ROOT = Path(__file__).parents[2]
OTHERS = [language for language in LANGUAGES if language != ENGLISH]


def test_the_catalogues_are_up_to_date_whole_and_keep_the_values_of_each_sentence() -> None:
    """`make catalogs` would change nothing, and every sentence is translated with the same values."""
    command = [sys.executable, str(ROOT / ".ci" / "catalogs.py"), "--check"]
    ran = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert ran.stdout == ""
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT, en;q=0.5", "de"),
        ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "fr"),
        ("da, en-GB;q=0.8, de;q=0.9", "de"),
        ("xx, de;q=0", "en"),
        ("de;q=broken, ja;q=0.1", "ja"),
        ("AR", "ar"),
        (",;,;q=1," + "x," * 1000 + "de", "en"),
    ],
)
def test_the_language_is_the_first_of_ours_that_the_browser_asks_for(accepted: str, expected: str) -> None:
    assert negotiate(accepted) == expected


@pytest.mark.parametrize("language", OTHERS)
def test_a_sentence_is_said_in_each_language_and_an_unknown_one_in_english(language: str) -> None:
    assert say(language, "button", "Download your copy") != "Download your copy"
    assert say(language, "no such sentence", "As it is") == "As it is"
    assert say("xx", "button", "Download your copy") == "Download your copy"


def test_arabic_runs_from_right_to_left_and_its_values_stand_by_themselves() -> None:
    assert {language: direction(language) for language in LANGUAGES} == {
        language: "rtl" if language == "ar" else "ltr" for language in LANGUAGES
    }
    assert fill("ar", "{a} {b}", {"a": "SOC 2", "b": 1}) == "\u2068SOC 2\u2069 \u20681\u2069"
    assert fill("de", "{a}", {"a": "SOC 2"}) == "SOC 2"


def test_arabic_has_a_form_for_none_one_two_few_and_many() -> None:
    forms = [
        say_number("ar", "pages.count", "1 page", "{count} pages", number) for number in (0, 1, 2, 5, 11, 100)
    ]
    assert len(set(forms)) >= 4
    assert (
        len({say_number("ja", "pages.count", "1 page", "{count} pages", number) for number in range(5)}) == 1
    )


def test_days_times_numbers_and_sizes_are_written_as_the_language_does() -> None:
    moment = datetime(2026, 9, 30, 14, 5, 59, tzinfo=UTC)
    assert languages.day("en", date(2026, 9, 30)) == "30 September 2026"
    assert languages.day("de", date(2026, 9, 30)) == "30. September 2026"
    assert languages.day("ja", date(2026, 9, 30)) == "2026年9月30日"
    assert languages.time_of_day("fr", moment) == "14:05"
    assert languages.number("de", 1234) == "1.234"
    assert languages.size("de", 2_149_000) == "2,1 MB"
    assert languages.size("en", 999_600) == "1.0 MB"
