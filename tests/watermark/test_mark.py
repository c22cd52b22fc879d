"""A mark is only what can be printed; what cannot is refused with the field, the reason and the missing font."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.watermark.builders import ANA
from watermark.errors import Unmarkable
from watermark.fonts import Fonts
from watermark.mark import COPY_ID_LENGTH, PublicMark, check_mark


def _refusal(**changes: str) -> tuple[str, str]:
    with pytest.raises(Unmarkable) as caught:
        check_mark(replace(ANA, **changes))
    return caught.value.field, caught.value.reason


@pytest.mark.parametrize(
    "name", ["Zoë Ångström-O’Neill", "Ελένη", "Нина", "x" * 200, "Nguyễn Thị Ánh", "A", "शर्मा"]
)
def test_latin_greek_cyrillic_and_devanagari_names_are_printed_by_the_packaged_font(name: str) -> None:
    check_mark(replace(ANA, name=name), Fonts(()))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": ""}, ("name", "empty")),
        ({"name": " \u00a0"}, ("name", "empty")),
        ({"name": "x" * 201}, ("name", "too-long")),
        ({"company": "x" * 201}, ("company", "too-long")),
        ({"company": " "}, ("company", "empty")),
        ({"mail": ""}, ("mail", "empty")),
        ({"name": "Zoe\u0308"}, ("name", "not-nfc")),
        ({"name": "a\nb"}, ("name", "forbidden-character")),
        ({"name": "a\u202eb"}, ("name", "forbidden-character")),
        ({"name": "a\u2066b"}, ("name", "forbidden-character")),
        ({"name": "a\u200bb"}, ("name", "forbidden-character")),
        ({"name": "a\u00adb"}, ("name", "forbidden-character")),
        ({"name": "a\ue000b"}, ("name", "forbidden-character")),
        ({"name": "a\U000e0041b"}, ("name", "forbidden-character")),
        ({"company": "a\u2028b"}, ("company", "forbidden-character")),
        ({"name": "😀"}, ("name", "no-glyph")),
        ({"copy_id": "cpy_0123456789abcdefghjkmnpqrl"}, ("copy_id", "not-an-identifier")),
        ({"copy_id": "cpy_short"}, ("copy_id", "not-an-identifier")),
    ],
)
def test_what_cannot_be_printed_is_refused_with_its_field_and_reason(
    changes: dict[str, str], expected: tuple[str, str]
) -> None:
    assert _refusal(**changes) == expected


def test_no_company_is_a_mark_too() -> None:
    check_mark(replace(ANA, company=""))


@pytest.mark.parametrize(
    ("name", "font", "package"),
    [
        ("محمد", "Noto Sans Arabic", "fonts-noto-core"),
        ("שלום", "Noto Sans Hebrew", "fonts-noto-core"),
        ("สมชาย", "Noto Sans Thai", "fonts-noto-core"),
        ("张伟", "Noto Sans CJK SC", "fonts-noto-cjk"),
        ("山田です", "Noto Sans CJK JP", "fonts-noto-cjk"),
        ("김민수", "Noto Sans CJK KR", "fonts-noto-cjk"),
    ],
)
def test_a_missing_font_is_named_with_its_package(name: str, font: str, package: str, tmp_path: Path) -> None:
    with pytest.raises(Unmarkable) as caught:
        check_mark(replace(ANA, name=name), Fonts((tmp_path,)))
    assert (caught.value.reason, caught.value.font) == ("missing-font", font)
    assert font in caught.value.message
    assert package in caught.value.message


def test_a_refusal_never_repeats_the_name() -> None:
    with pytest.raises(Unmarkable) as caught:
        check_mark(replace(ANA, name="Secret\u202eName"))
    assert "Secret" not in str(caught.value)


PUBLIC = PublicMark("Lender Ltd", date(2026, 11, 29), "ver_0123456789abcdefghjkmnpqrs")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"organization": ""}, ("organization", "empty")),
        ({"organization": "x" * 201}, ("organization", "too-long")),
        ({"organization": "a\u202eb"}, ("organization", "forbidden-character")),
        ({"organization": "😀"}, ("organization", "no-glyph")),
        ({"version_id": ANA.copy_id}, ("copy_id", "not-an-identifier")),
    ],
)
def test_a_public_mark_that_cannot_be_printed_is_refused(
    changes: dict[str, str], expected: tuple[str, str]
) -> None:
    check_mark(PUBLIC)
    with pytest.raises(Unmarkable) as caught:
        check_mark(replace(PUBLIC, **changes))
    assert (caught.value.field, caught.value.reason) == expected


def test_a_public_mark_says_that_it_is_and_names_nobody() -> None:
    assert [text for _, text in PUBLIC.fields()] == [
        "Public",
        "Lender Ltd",
        "2026-11-29",
        "ver_0123456789abcdefghjkmnpqrs",
    ]
    assert len(PUBLIC.copy_id) == COPY_ID_LENGTH
