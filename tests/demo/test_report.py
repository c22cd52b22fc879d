"""The sample report is what the demo promises, and its facts are true of it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from itertools import pairwise
from typing import Any

import pypdf
import pytest

from service.demo.facts import Sample, make_sample
from service.demo.report import make_report
from service.demo.report_catalogue import CONTROLS, read_families
from service.demo.report_criteria import CRITERIA, CRITERIA_GROUPS

MIN_PAGES = 40  # the bar for the sample


@pytest.fixture(scope="module")
def sample() -> Sample:
    return make_sample()


@pytest.fixture(scope="module")
def reader(sample: Sample) -> pypdf.PdfReader:
    return pypdf.PdfReader(BytesIO(sample.pdf), strict=True)


@pytest.fixture(scope="module")
def texts(reader: pypdf.PdfReader) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in reader.pages]


def outline(reader: pypdf.PdfReader) -> Iterator[tuple[int, str, int]]:
    """Depth, title and page (from 1) of each entry."""

    def walk(entries: list[Any], depth: int) -> Iterator[tuple[int, str, int]]:
        for entry in entries:
            if isinstance(entry, list):
                yield from walk(entry, depth + 1)
            else:
                number = reader.get_destination_page_number(entry)
                assert number is not None
                yield depth, str(entry.title), number + 1

    return walk(reader.outline, 0)


def links(reader: pypdf.PdfReader) -> Iterator[tuple[int, Any]]:
    """Page (from 1) and annotation of each link."""
    for number, page in enumerate(reader.pages, 1):
        for reference in page.get("/Annots") or []:
            annotation = reference.get_object()
            if annotation["/Subtype"] == "/Link":
                yield number, annotation


def target_page(reader: pypdf.PdfReader, link: Any) -> int:
    """The page (from 1) to which an internal link leads, by its name or directly."""
    target = link["/Dest"]
    if isinstance(target, str):
        target = reader.named_destinations[target].dest_array
    number = reader.get_page_number(target[0].get_object())
    assert number is not None
    return number + 1


def base_fonts(reader: pypdf.PdfReader) -> dict[str, bool]:
    """Name of each font in use, without its subset tag, and whether it is embedded as TrueType."""
    found: dict[str, bool] = {}
    for page in reader.pages:
        resources: Any = page["/Resources"]
        for font in resources["/Font"].values():
            entry = font.get_object()
            name = str(entry["/BaseFont"]).lstrip("/").rpartition("+")[2]
            descriptor = entry.get("/FontDescriptor", {})
            found[name] = "/FontFile2" in descriptor
    return found


def test_the_same_bytes_every_time(sample: Sample) -> None:
    assert make_report() == sample.pdf


def test_the_same_bytes_in_another_process_with_another_hash_seed_and_timezone(sample: Sample) -> None:
    code = (
        "import hashlib; from service.demo.report import make_report; "
        "print(hashlib.sha256(make_report()).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Pacific/Auckland"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == hashlib.sha256(sample.pdf).hexdigest()


def test_it_is_as_long_as_a_real_report(reader: pypdf.PdfReader) -> None:
    assert len(reader.pages) >= MIN_PAGES


def test_some_pages_are_landscape_and_most_are_not(reader: pypdf.PdfReader) -> None:
    wide = [page for page in reader.pages if page.mediabox.width > page.mediabox.height]
    assert 3 <= len(wide) < len(reader.pages) / 2


def test_standard_fonts_and_two_embedded_truetype_fonts_are_used(reader: pypdf.PdfReader) -> None:
    fonts = base_fonts(reader)
    assert {
        "Times-Roman",
        "Times-Italic",
        "Times-Bold",
        "Helvetica",
        "Courier",
        "Courier-Bold",
    } <= fonts.keys()
    assert {name for name, embedded in fonts.items() if embedded} == {"SampleSans-Regular", "SampleSans-Bold"}


def test_every_page_has_text_and_prints_its_number(reader: pypdf.PdfReader, texts: list[str]) -> None:
    assert all(texts)
    first = next(number for number, label in enumerate(reader.page_labels, 1) if label.isdigit())
    for number in range(first, len(texts) + 1):
        assert f"Page {number} of {len(texts)}" in texts[number - 1]


def test_page_labels_are_roman_in_front_and_then_the_page_of_the_file(reader: pypdf.PdfReader) -> None:
    labels = reader.page_labels
    front = [label for label in labels if not label.isdigit()]
    assert front == ["i", "ii", "iii", "iv", "v"][: len(front)]
    assert front
    assert labels[len(front) :] == [str(number) for number in range(len(front) + 1, len(labels) + 1)]


def test_metadata_says_what_it_is(sample: Sample, reader: pypdf.PdfReader) -> None:
    metadata = reader.metadata
    assert metadata is not None
    assert "SOC 2 Type II" in (metadata.title or "")
    assert metadata.author == sample.facts["auditor"]
    assert str(reader.root_object["/Lang"]) == "en-US"


def test_it_says_that_it_is_invented(texts: list[str]) -> None:
    assert "Specimen" in texts[0]


def test_the_outline_is_nested_and_its_entries_stand_on_their_pages(
    reader: pypdf.PdfReader, texts: list[str]
) -> None:
    entries = list(outline(reader))
    assert {depth for depth, _, _ in entries} == {0, 1, 2}
    for _, title, page in entries:
        assert title.rpartition(": ")[2] in texts[page - 1]


def test_each_section_of_the_facts_is_in_the_outline_at_its_first_page(
    sample: Sample, reader: pypdf.PdfReader
) -> None:
    entries = {(title.rpartition(": ")[2], page) for _, title, page in outline(reader)}
    for section in sample.facts["sections"]:
        assert (section["title"], section["first_page"]) in entries


def test_the_contents_name_the_sections_and_link_to_their_first_pages(
    sample: Sample, reader: pypdf.PdfReader, texts: list[str]
) -> None:
    body = sample.facts["sections"][0]["first_page"]
    listing = range(texts.index(next(text for text in texts if text.startswith("Contents "))) + 1, body)
    targets = [target_page(reader, link) for page, link in links(reader) if page in listing]
    words = " ".join(texts[page - 1] for page in listing)
    for section in sample.facts["sections"]:
        assert section["title"] in words
        assert section["first_page"] in targets


def test_sections_follow_one_another_and_reach_the_end(sample: Sample, reader: pypdf.PdfReader) -> None:
    sections = sample.facts["sections"]
    for section, following in pairwise(sections):
        assert section["first_page"] <= section["last_page"] < following["first_page"]
    assert sections[-1]["last_page"] == len(reader.pages)
    assert [section["kind"] for section in sections] == [
        "auditors-opinion",
        "managements-assertion",
        "system-description",
        "controls",
        "test-results",
        "managements-responses",
        "other",
    ]


def test_internal_links_lead_to_pages_of_the_file(reader: pypdf.PdfReader) -> None:
    targets = [target_page(reader, link) for _, link in links(reader) if "/Dest" in link]
    assert len(targets) > 100
    assert all(1 <= target <= len(reader.pages) for target in targets)


def test_a_link_to_a_control_leads_to_where_it_is_stated(sample: Sample, reader: pypdf.PdfReader) -> None:
    stated = {control["id"]: control["pages"][0] for control in sample.facts["controls"]}
    opinion = sample.facts["sections"][0]
    exception = {item["control"]: item["pages"][0] for item in sample.facts["exceptions"]}
    in_opinion = range(opinion["first_page"], opinion["last_page"] + 1)
    assert set(exception.values()) == {
        target_page(reader, link) for page, link in links(reader) if page in in_opinion
    }
    section = sample.facts["sections"][4]
    tests = range(section["first_page"], section["last_page"] + 1)
    in_tests = {
        target_page(reader, link) for page, link in links(reader) if "/Dest" in link and page in tests
    }
    assert set(stated.values()) <= in_tests


def test_external_links_lead_only_to_invented_places(reader: pypdf.PdfReader) -> None:
    outer = [str(link["/A"]["/URI"]) for _, link in links(reader) if "/A" in link and "/URI" in link["/A"]]
    assert len(set(outer)) >= 5
    for address in outer:
        assert re.fullmatch(r"(https://[a-z.]+\.example/.*|mailto:[a-z]+@[a-z.]+\.example)", address)


def test_every_control_stands_on_the_pages_of_its_facts_first_stated_then_tested(
    sample: Sample, texts: list[str]
) -> None:
    span = {section["kind"]: section for section in sample.facts["sections"]}
    stated, tested = span["controls"], span["test-results"]
    for control in sample.facts["controls"]:
        for page in control["pages"]:
            assert control["id"] in texts[page - 1]
        first, last = control["pages"]
        assert stated["first_page"] <= first <= stated["last_page"]
        assert tested["first_page"] <= last <= tested["last_page"]


def test_each_criterion_of_a_control_stands_beside_it(sample: Sample, texts: list[str]) -> None:
    for control in sample.facts["controls"]:
        for criterion in control["criteria"]:
            assert criterion in texts[control["pages"][0] - 1]


def test_every_exception_stands_on_the_pages_of_its_facts_with_its_words(
    sample: Sample, texts: list[str]
) -> None:
    assert len(sample.facts["exceptions"]) == 3
    span = {section["kind"]: section for section in sample.facts["sections"]}
    answers = span["managements-responses"]
    for exception in sample.facts["exceptions"]:
        for page in exception["pages"]:
            assert exception["control"] in texts[page - 1]
            assert exception["deviation"] in texts[page - 1]
        assert exception["response"] in texts[exception["pages"][-1] - 1]
        assert answers["first_page"] <= exception["pages"][-1] <= answers["last_page"]


def test_exceptions_name_controls_and_criteria_that_belong_together(sample: Sample) -> None:
    criteria = {control["id"]: control["criteria"] for control in sample.facts["controls"]}
    for exception in sample.facts["exceptions"]:
        assert exception["criterion"] in criteria[exception["control"]]
    assert {exception["remediated"] for exception in sample.facts["exceptions"]} == {True, False}


def test_every_criterion_is_met_by_a_control_and_belongs_to_a_group() -> None:
    assert {criterion for control in CONTROLS for criterion in control.criteria} == CRITERIA.keys()
    assert {criterion.partition(".")[0] for criterion in CRITERIA} == CRITERIA_GROUPS.keys()


def test_identifiers_of_controls_are_unique() -> None:
    assert len({control.id for control in CONTROLS}) == len(CONTROLS)


def test_the_facts_are_json_and_of_one_year(sample: Sample, texts: list[str]) -> None:
    facts = sample.facts
    assert json.loads(json.dumps(facts)) == facts
    start, end = date.fromisoformat(facts["period_start"]), date.fromisoformat(facts["period_end"])
    assert (end - start).days == 364
    assert "as_of" not in facts
    assert facts["opinion"] == "unqualified"
    assert "October 1, 2025 to September 30, 2026" in texts[0]
    assert facts["auditor"] in texts[0]


def test_figures_are_drawn_as_vectors(reader: pypdf.PdfReader, texts: list[str]) -> None:
    for number in range(1, 6):
        assert any(f"Figure {number}. " in text for text in texts)
    assert not any(list(page.images) for page in reader.pages)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n# A\n\n[AC-01] CC9.9\nText.\n> Test.\n", "do not exist: CC9.9"),
        ("\n# A\n\n[AC-01] CC6.1\nText without a test.\n", "at least one test"),
        ("\n# A\n\nAC-01 CC6.1\nText.\n> Test.\n", "begins with"),
    ],
)
def test_a_control_text_that_is_wrong_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_families(text)
