"""Facts: what cannot be is refused, with the place of it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from service.errors import DomainError, Problem
from service.facts import MAX_PAGE, Facts, beyond_file, check_kind
from service.records import Kind

TYPE_2: dict[str, Any] = {
    "period_start": "2025-07-01",
    "period_end": "2026-06-30",
    "auditor": "Lindqvist & Oyelaran",
    "opinion": "qualified",
    "criteria": ["security", "availability"],
    "sections": [
        {"kind": "auditors-opinion", "title": "Opinion", "first_page": 3, "last_page": 6},
        {"kind": "test-results", "title": "Tests", "first_page": 20, "last_page": 40},
    ],
    "controls": [{"id": "AC-01", "criteria": ["CC6.1"], "pages": [21, 22]}],
    "exceptions": [
        {
            "control": "AC-01",
            "criterion": "CC6.1",
            "deviation": "2 of 25 leavers kept access",
            "response": "A daily report now closes accounts",
            "remediated": True,
            "pages": [22],
        }
    ],
}


def test_the_facts_of_a_type_2_report_are_kept_as_given() -> None:
    facts = Facts.model_validate(TYPE_2)
    check_kind(facts, Kind.SOC2_TYPE2)
    assert facts.model_dump(mode="json", exclude_none=True) == TYPE_2


@pytest.mark.parametrize(
    "change",
    [
        {"period_end": None},
        {"period_end": "2024-01-01"},
        {"as_of": "2026-06-30"},
        {"criteria": ["security", "security"]},
        {"opinion": "good"},
        {"sections": [{"kind": "controls", "title": "C", "first_page": 9, "last_page": 8}]},
        {"sections": [{"kind": "controls", "title": "C", "first_page": 0, "last_page": 8}]},
        {"sections": [{"kind": "controls", "title": "", "first_page": 1, "last_page": 8}]},
        {"sections": [{"kind": "controls", "title": "a\u0000b", "first_page": 1, "last_page": 8}]},
        {"controls": [{"id": "A", "criteria": [], "pages": []}, {"id": "A", "criteria": [], "pages": []}]},
        {"controls": [{"id": "OTHER", "criteria": [], "pages": []}]},
        {"unknown": 1},
    ],
    ids=str,
)
def test_facts_that_contradict_themselves_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Facts.model_validate({**TYPE_2, **change})


@pytest.mark.parametrize(
    ("facts", "where"),
    [
        ({"period_start": "2025-01-01", "period_end": "2025-12-31"}, "facts.period_start"),
        (
            {"sections": [{"kind": "test-results", "title": "T", "first_page": 1, "last_page": 2}]},
            "facts.sections.0.kind",
        ),
        (
            {
                "exceptions": [
                    {"control": "A", "criterion": "B", "deviation": "c", "remediated": False, "pages": []}
                ]
            },
            "facts.exceptions",
        ),
    ],
)
def test_a_type_1_report_has_neither_period_nor_tests_nor_exceptions(
    facts: dict[str, Any], where: str
) -> None:
    with pytest.raises(DomainError) as caught:
        check_kind(Facts.model_validate(facts), Kind.SOC2_TYPE1)
    assert (caught.value.problem, caught.value.fields["where"]) == (Problem.INVALID, where)


def test_a_type_2_report_is_not_as_of_a_date() -> None:
    with pytest.raises(DomainError, match="period"):
        check_kind(Facts.model_validate({"as_of": "2026-06-30"}), Kind.SOC2_TYPE2)
    check_kind(Facts.model_validate({"as_of": "2026-06-30"}), Kind.SOC2_TYPE1)


@pytest.mark.parametrize(
    ("pages", "where"),
    [
        (39, "facts.sections.1.last_page"),
        (21, "facts.sections.1.last_page"),
        (5, "facts.sections.0.last_page"),
    ],
)
def test_pages_beyond_the_file_name_the_first_fact_that_does_not_fit(pages: int, where: str) -> None:
    error = beyond_file(Facts.model_validate(TYPE_2), pages)
    assert error is not None
    assert error.fields["where"] == where
    assert str(pages) in error.detail


def test_controls_and_exceptions_beyond_the_file_are_seen_too() -> None:
    bare = {**TYPE_2, "sections": []}
    controls = beyond_file(Facts.model_validate(bare), 21)
    exceptions = beyond_file(Facts.model_validate({**bare, "controls": []}), 21)
    assert controls is not None
    assert exceptions is not None
    assert controls.fields["where"] == "facts.controls.0.pages"
    assert exceptions.fields["where"] == "facts.exceptions.0.pages"


def test_facts_within_the_file_are_fine() -> None:
    assert beyond_file(Facts.model_validate(TYPE_2), 40) is None


def test_a_fact_may_name_any_page_that_the_longest_allowed_file_can_have() -> None:
    section = {"kind": "controls", "title": "C", "first_page": 1, "last_page": 20_000}
    facts = Facts.model_validate({"sections": [section]})
    assert beyond_file(facts, 20_000) is None
    assert beyond_file(facts, 2000) is not None
    with pytest.raises(ValidationError):
        Facts.model_validate({"sections": [{**section, "last_page": MAX_PAGE + 1}]})


def test_facts_may_be_left_out() -> None:
    for kind in Kind:
        check_kind(Facts(), kind)


def test_exceptions_may_stand_without_a_list_of_controls() -> None:
    assert Facts.model_validate({**TYPE_2, "controls": []}).exceptions


def test_an_error_repeats_five_unlisted_controls_at_most() -> None:
    found = [{**TYPE_2["exceptions"][0], "control": f"NO-{place}"} for place in range(1, 9)]
    with pytest.raises(ValidationError, match=r"NO-1, NO-2, NO-3, NO-4, NO-5 and 3 more") as caught:
        Facts.model_validate({**TYPE_2, "exceptions": found})
    assert "NO-6" not in caught.value.errors()[0]["msg"]
