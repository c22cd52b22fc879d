"""The sentence of a citation: what it says, in whose wording, and what cannot be cited."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from service.citing import DEFAULT_WORDING, MAX_NAMED, MAX_WORDING, check_wording, items_in_words
from service.errors import DomainError, Problem
from service.facts import Facts
from service.records import Classification, Document, Kind
from tests.service.acting import a_document, a_version
from tests.service.citing_cases import FACTS, a_cited_document, address
from tests.service_fixture import OPERATOR, Service

PERIOD = "for the period 1 January 2025 to 31 December 2025"


def test_the_sentence_names_kind_access_period_items_and_the_address_that_lasts(service: Service) -> None:
    document = a_cited_document(service)
    cited = service.sealmark.citations.cite(document.id, items="45-72")
    assert cited.sentence == (
        f"Please refer to our SOC 2 Type II report (available under NDA) {PERIOD}, for items 45–72. "
        f"See {address(document)}"
    )
    assert (cited.controls, cited.pages, cited.criteria) == ([], [], [])


def test_criteria_add_their_controls_and_pages_once_and_in_order(service: Service) -> None:
    document = a_cited_document(service)
    cited = service.sealmark.citations.cite(document.id, items="45", criteria=["cc6.2", "CC6.1", "CC7.3"])
    assert cited.sentence == (
        f"Please refer to our SOC 2 Type II report (available under NDA) {PERIOD}, for item 45: "
        f"controls AC-01, AC-02 and OP-07, pages 12–14, 20, 33. See {address(document)}"
    )
    assert cited.criteria == ["CC6.2", "CC6.1", "CC7.3"]
    assert (cited.controls, cited.pages) == (["AC-01", "AC-02", "OP-07"], [12, 13, 14, 20, 33])


def test_an_unknown_criterion_is_refused_by_its_name(service: Service) -> None:
    document = a_cited_document(service)
    with pytest.raises(DomainError, match=r"CC9\.9, A1\.1") as caught:
        service.sealmark.citations.cite(document.id, criteria=["CC6.1", "CC9.9", "A1.1"])
    assert (caught.value.problem, caught.value.fields["where"]) == (Problem.INVALID, "criteria")


def test_a_report_without_controls_knows_no_criterion_and_says_why(service: Service) -> None:
    document = a_document(service)
    a_version(service, document)
    with pytest.raises(DomainError, match="name no controls"):
        service.sealmark.citations.cite(document.id, criteria=["CC6.1"])
    assert service.sealmark.citations.cite(document.id).sentence == (
        f"Please refer to our SOC 2 Type II report (available under NDA). See {address(document)}"
    )


def test_a_public_document_is_cited_without_the_nda(service: Service) -> None:
    document = a_cited_document(service, kind=Kind.SOC3, classification=Classification.PUBLIC)
    assert service.sealmark.citations.cite(document.id).sentence == (
        f"Please refer to our SOC 3 report {PERIOD}. See {address(document)}"
    )


def test_a_type_1_report_is_cited_as_of_its_date(service: Service) -> None:
    document = a_document(service, kind=Kind.SOC2_TYPE1)
    a_version(service, document, as_of="2026-02-28")
    assert " as of 28 February 2026. " in service.sealmark.citations.cite(document.id).sentence


def test_a_bridge_letter_says_to_which_report_it_belongs(service: Service) -> None:
    report = a_cited_document(service)
    letter = a_document(service, kind=Kind.BRIDGE_LETTER, name="Bridge letter")
    a_version(service, letter, period_start="2026-01-01", period_end="2026-02-28")
    assert service.sealmark.citations.cite(letter.id).kind == "bridge letter"
    with service.sealmark.database.write() as records:
        records.change(letter, report_id=report.id)
    assert service.sealmark.citations.cite(letter.id).sentence == (
        "Please refer to our bridge letter to our SOC 2 Type II report (available under NDA) for the period "
        f"1 January 2026 to 28 February 2026. See {address(letter)}"
    )


def test_a_document_of_another_kind_is_called_by_its_name_whatever_that_holds(service: Service) -> None:
    document = a_cited_document(service, kind=Kind.OTHER, name="Our {address} [paper]")
    cited = service.sealmark.citations.cite(document.id)
    assert cited.sentence.startswith(
        "Please refer to our document “Our {address} [paper]” (available under NDA). "
    )


def test_the_newest_version_that_is_ready_counts(service: Service) -> None:
    document = a_cited_document(service)
    newer = a_version(
        service, document, **{**FACTS, "period_start": "2026-01-01", "period_end": "2026-02-28"}
    )
    service.sealmark.documents.add_version(OPERATOR, document.id, Facts())
    cited = service.sealmark.citations.cite(document.id)
    assert (cited.version, cited.period) == (newer.id, "for the period 1 January 2026 to 28 February 2026")


def _revoked(service: Service) -> Document:
    return service.sealmark.documents.revoke(OPERATOR, a_cited_document(service).id)


def _ended(service: Service) -> Document:
    document = a_cited_document(service)
    with service.sealmark.database.write() as records:
        records.change(document, ends_on=date(2026, 3, 1))
    return document


@pytest.mark.parametrize("made", [a_document, _revoked, _ended], ids=["not ready", "revoked", "ended"])
def test_what_is_lent_to_nobody_is_not_cited(service: Service, made: Any) -> None:
    with pytest.raises(DomainError) as caught:
        service.sealmark.citations.cite(made(service).id)
    assert caught.value.problem == Problem.WRONG_STATE


def test_a_document_is_cited_on_its_last_day(service: Service) -> None:
    document = a_cited_document(service)
    with service.sealmark.database.write() as records:
        records.change(document, ends_on=service.clock().date())
    assert service.sealmark.citations.cite(document.id).sentence


def test_the_owners_wording_counts_until_it_is_taken_back_and_each_change_is_an_entry(
    service: Service,
) -> None:
    document = a_cited_document(service)
    wording = "See the {kind}[, {period}][ ({controls}; {pages})][ as to {criteria}]: {address}"
    for _ in range(2):
        changed = service.sealmark.documents.change(OPERATOR, document.id, citation=wording)
    assert changed.citation == wording
    cite = service.sealmark.citations.cite
    assert cite(document.id).sentence == f"See the SOC 2 Type II report, {PERIOD}: {address(document)}"
    assert cite(document.id, items="4", criteria=["CC7.2"]).sentence == (
        f"See the SOC 2 Type II report, {PERIOD} (control OP-07; page 31) as to criterion CC7.2: {address(document)}"
    )
    service.sealmark.documents.change(OPERATOR, document.id, citation="")
    assert cite(document.id).sentence.startswith("Please refer to our SOC 2 Type II report")
    entries = [entry["details"] for entry in service.entries("document.changed")]
    assert len(entries) == 2
    assert wording not in "".join(entries)
    assert '"citation": "default"' in entries[1]


@pytest.mark.parametrize(
    ("wording", "says"),
    [
        ("{kind} {period} {adress}", "does not know {adress}"),
        ("{kind} {period} {}", "does not know {}"),
        ("{kind} {period} {address", "Braces"),
        ("{kind!r} {period} {address}", "Braces"),
        ("{{kind}} {period} {address}", "Braces"),
        ("{kind} {period} [see {address}", "Square brackets"),
        ("{kind} [{period} [{items}]] {address}", "Square brackets"),
        ("{kind} {period} [nothing] {address}", "Square brackets"),
        ("{kind} {period}", "names {address}"),
        ("{kind} {address}", "names {period}"),
        ("{kind} {period}\n{address}", "one line"),
        ("{kind} {period} {address}" + "x" * MAX_WORDING, "characters"),
        (" ", "characters"),
    ],
)
def test_a_wording_of_which_no_sentence_can_be_made_is_refused_with_what_to_mend(
    service: Service, wording: str, says: str
) -> None:
    document = a_document(service)
    with pytest.raises(DomainError) as caught:
        service.sealmark.documents.change(OPERATOR, document.id, citation=wording)
    assert caught.value.fields["where"] == "citation"
    assert says in caught.value.detail
    assert service.sealmark.documents.get(document.id).citation is None


def test_the_usual_wording_passes_its_own_check() -> None:
    assert check_wording(DEFAULT_WORDING) == DEFAULT_WORDING


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", ""),
        ("45", "item 45"),
        ("45-72", "items 45–72"),
        (" 45 - 72 , 80", "items 45–72, 80"),
        ("45–72", "items 45–72"),
        ("A.1-A.9,b3", "items A.1–A.9, b3"),
        ("4.2.1-4.2.7", "items 4.2.1–4.2.7"),
    ],
)
def test_items_are_said_in_words(given: str, words: str) -> None:
    assert items_in_words(given) == words


@pytest.mark.parametrize(
    "given",
    [
        "72-45",
        "45-45",
        "A.1-B.9",
        "4.2-5.7",
        "1.2-3",
        "45-",
        ",",
        "45,,46",
        "a b",
        "<b>",
        "1" * 7,
        "1," * 1500,
    ],
)
def test_what_cannot_be_items_is_refused(given: str) -> None:
    with pytest.raises(DomainError) as caught:
        items_in_words(given)
    assert (caught.value.problem, caught.value.fields["where"]) == (Problem.INVALID, "items")


def test_a_sentence_names_so_many_controls_and_counts_the_others(service: Service) -> None:
    document = a_document(service)
    controls = [{"id": f"C-{n}", "criteria": ["CC1.1"], "pages": [n]} for n in range(1, MAX_NAMED + 4)]
    a_version(service, document, controls=controls)
    cited = service.sealmark.citations.cite(document.id, criteria=["CC1.1"])
    assert f"C-{MAX_NAMED} and 3 more, pages 1–{MAX_NAMED + 3}." in cited.sentence
    assert len(cited.controls) == MAX_NAMED + 3
