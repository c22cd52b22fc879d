"""Answers for the board: each number counts what it says, and nobody's name is in it."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from service import board, reporting
from service.audit import Actor, entry
from service.charts import MARKED_WEEKS, Series, bars, columns
from service.errors import DomainError, Problem
from service.records import Cut, CutState, Document, Kind, Share, Version
from service.reporting import Answered, BoardReport, Company, Out
from tests.service.acting import a_document, a_share, a_version, an_nda, token_of
from tests.service.asking import ask
from tests.service_fixture import OPERATOR, START, Service

SVG = "{http://www.w3.org/2000/svg}"

FACTS = {
    "sections": [
        {"kind": "controls", "title": "Controls", "first_page": 3, "last_page": 4},
        {"kind": "test-results", "title": "Tests", "first_page": 7, "last_page": 9},
    ],
    "exceptions": [
        {"control": "AC-03", "criterion": "CC6.2", "deviation": "Late.", "remediated": True, "pages": [7, 8]},
        {"control": "AV-04", "criterion": "A1.3", "deviation": "None.", "remediated": False, "pages": [9]},
        {"control": "ZZ-01", "criterion": "A1.2", "deviation": "None.", "remediated": False, "pages": [2]},
    ],
}


@pytest.fixture
def report(service: Service) -> Document:
    """A report with three exceptions, under NDA for Acme."""
    document = a_document(service)
    a_version(service, document, **FACTS)  # type: ignore[arg-type]
    an_nda(service)
    return document


def made(service: Service, first: date | None = None, last: date | None = None) -> BoardReport:
    service.work()
    return service.sealmark.reporting.report(OPERATOR, first, last)


def test_what_is_out_and_to_whom_is_counted_over_open_shares(service: Service, report: Document) -> None:
    an_nda(service, domain=None, mail="eve@gmail.com", name="Eve", company="Eve & Co")
    for mail, company in (("ana", "Acme"), ("ana", "Acme"), ("bo", "Acme"), ("cy", "ACME Ltd")):
        a_share(service, report, mail=f"{mail}@acme.example", name=mail.title(), company=company)
    a_share(service, report, mail="eve@gmail.com", name="Eve", company="Eve & Co")
    ended, _ = a_share(service, report, mail="di@acme.example", name="Di")
    service.sealmark.sharing.revoke(OPERATOR, ended.id)
    a_share(service, report, mail="ed@acme.example", name="Ed", expires_at=START + timedelta(hours=1))
    service.clock.advance(hours=1)

    found = made(service)
    assert found.out == (Out(report.id, "SOC 2 Type II", Kind.SOC2_TYPE2, 5, 4),)
    assert found.companies == (Company("acme.example", "Acme", 4, 3), Company("gmail.com", "", 1, 1))


@pytest.mark.parametrize("end", ["revoked", "last day"])
def test_a_document_that_is_lent_no_more_is_out_to_nobody(
    service: Service, report: Document, end: str
) -> None:
    a_share(service, report, expires_at=START + timedelta(days=60))
    if end == "revoked":
        service.sealmark.documents.revoke(OPERATOR, report.id)
    else:
        service.sealmark.documents.change(OPERATOR, report.id, ends=START.date())
    service.clock.advance(days=1)
    found = made(service)
    assert (found.out, found.companies) == ((), ())


def test_more_than_one_batch_is_counted_whole(
    service: Service, report: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "BATCH", 2)
    for at in range(5):
        _, link = a_share(service, report, mail=f"r{at}@acme.example", name=f"R {at}")
        service.sealmark.deliveries.page(token_of(link), OPERATOR, record=True)
    found = made(service)
    assert (found.out[0].shares, found.companies[0].people, found.weeks[-1].views) == (5, 5, 5)


def test_accesses_are_counted_by_the_week_in_which_they_were(service: Service, report: Document) -> None:
    _, link = a_share(service, report, expires_at=START + timedelta(days=60))
    _, asked = a_share(service, report, mail="bo@acme.example", name="Bo", mail_check=True)
    pages = service.sealmark.deliveries
    for token in (token_of(link), token_of(link), token_of(asked)):  # the last asks for a code: no view
        pages.page(token, OPERATOR, record=True)
    service.clock.now = START + timedelta(days=6, hours=14, minutes=59)  # Sunday, 23:59
    _leave(service, "download.granted", report)
    service.clock.advance(minutes=1)
    _leave(service, "download.granted", report)
    _leave(service, "public.downloaded", report, first=0, last=9)
    _leave(service, "public.downloaded", report, first=10, last=19)
    weeks = made(service, date(2026, 2, 25), date(2026, 3, 10)).weeks
    assert [(week.monday.isoformat(), week.downloads, week.views, week.public) for week in weeks] == [
        ("2026-02-23", 0, 0, 0),
        ("2026-03-02", 1, 2, 0),
        ("2026-03-09", 1, 0, 1),
    ]
    assert [week.downloads for week in made(service, date(2026, 3, 9), date(2026, 3, 9)).weeks] == [1]
    assert [week.views for week in made(service, date(2026, 3, 3), date(2026, 3, 3)).weeks] == [0]


def _leave(service: Service, kind: str, document: Document, share: str | None = None, **details: int) -> None:
    """An entry, as the part that records it leaves it."""
    with service.sealmark.database.write() as records:
        (version,) = records.find(Version, document_id=document.id)
        moment = service.clock()
        references = {"document": document.id, "version": version.id, "share": share}
        actor = Actor("recipient")
        records.add(
            entry(kind, actor, moment, service.sealmark.random, details=details, **references)  # type: ignore[arg-type]
        )


def test_the_time_from_request_to_link_is_the_median_over_those_that_have_one(
    service: Service, report: Document
) -> None:
    requests = [ask(service, report, mail=f"r{at}@acme.example", name=f"R {at}") for at in range(5)]
    for at, wait in ((0, 1), (1, 2), (2, 7)):
        service.clock.now = START + timedelta(hours=wait)
        service.sealmark.access_requests.approve(OPERATOR, requests[at].id)
        service.mails()
    service.sealmark.access_requests.deny(OPERATOR, requests[3].id)
    assert made(service).requests == Answered(5, 3, 1, 1, 2 * 3600)
    assert made(service, date(2026, 2, 1), date(2026, 3, 1)).requests == Answered(0, 0, 0, 0, None)


def test_exceptions_are_ranked_by_how_often_their_pages_were_shown(
    service: Service, report: Document
) -> None:
    share, _ = a_share(service, report, view_only=True)
    for page in (7, 8, 9, 8, 1):
        _leave(service, "page.drawn", report, share.id, page=page)
    found = made(service).exceptions
    assert [(one.control, one.criterion, one.shown, one.version) for one in found] == [
        ("AC-03", "CC6.2", 3, 1),
        ("AV-04", "A1.3", 1, 1),
    ]


def test_a_page_of_an_extract_is_counted_as_the_page_of_the_report_that_it_is(
    service: Service, report: Document
) -> None:
    share, _ = a_share(service, report, view_only=True)
    with service.sealmark.database.write() as records:
        (version,) = records.find(Version, document_id=report.id)
        cut = Cut("cut_" + "0" * 26, version.id, [1], CutState.READY, START)
        records.add(cut, replace(share, id="shr_" + "0" * 26, cut_id=cut.id))
    _leave(service, "page.drawn", report, "shr_" + "0" * 26, page=3)  # which is page 9
    assert [(one.control, one.shown) for one in made(service).exceptions] == [("AV-04", 1)]


def test_making_a_report_is_a_pull_of_the_log(service: Service) -> None:
    made(service, date(2026, 1, 1), date(2026, 3, 1))
    (row,) = service.entries("log.pulled")
    assert '"format": "report"' in str(row["details"])
    assert "2026-01-01T00:00:00" in str(row["details"])
    assert "2026-03-02T00:00:00" in str(row["details"])


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 3, 2), date(2026, 3, 1)),
        (date(2020, 1, 1), date(2026, 1, 1)),
        (date(2026, 1, 1), date.max),
    ],
)
def test_days_that_cannot_be_are_refused_and_leave_no_entry(
    service: Service, first: date, last: date
) -> None:
    with pytest.raises(DomainError) as caught:
        made(service, first, last)
    assert caught.value.problem == Problem.INVALID
    assert service.entries("log.pulled") == []


def test_the_table_and_the_charts_name_no_person_and_run_no_formula(service: Service) -> None:
    document = a_document(service, name='=HYPERLINK("https://evil.example")')
    a_version(service, document)
    an_nda(service)
    a_share(service, document, name="Ana Lindqvist", company="@Acme <script>")
    found = made(service)
    table = board.as_csv(found).decode()
    rows = list(csv.DictReader(io.StringIO(table)))
    assert rows[0]["item"] == '\'=HYPERLINK("https://evil.example")'
    assert {row["detail"] for row in rows if row["part"] == "to whom"} == {"'@Acme <script>"}
    drawn = "".join(chart.svg for chart in board.charts(found))
    assert "<script" not in drawn
    for told in (table, drawn):
        assert "Lindqvist" not in told
        assert "ana@" not in told


def test_the_table_has_how_long_requests_took_and_how_often_exceptions_were_shown(
    service: Service, report: Document
) -> None:
    request = ask(service, report)
    service.clock.advance(hours=1)
    service.sealmark.access_requests.approve(OPERATOR, request.id)
    service.mails()
    share, _ = a_share(service, report, view_only=True)
    _leave(service, "page.drawn", report, share.id, page=7)
    rows = csv.DictReader(io.StringIO(board.as_csv(made(service)).decode()))
    found = {(row["part"], row["item"], row["detail"], row["measure"]): row["value"] for row in rows}
    days = next(item for part, item, *_ in found if part == "requests")
    assert found["requests", days, "", "median seconds from request to link"] == "3600"
    shown = "pages shown in view-only shares"
    assert found["exceptions", "SOC 2 Type II", "version 1, AC-03, CC6.2", shown] == "1"


def test_the_charts_of_a_service_that_lends_nothing_name_nobody_as_the_first(service: Service) -> None:
    out, companies, *_ = board.charts(made(service))
    assert "0 open shares of 0 documents on 2026-03-02." in out.svg
    assert "people of 0 mail domains." in companies.svg


def test_each_chart_is_said_in_words_and_needs_no_colour_script_or_style(
    service: Service, report: Document
) -> None:
    a_share(service, report)
    drawn = board.charts(made(service))
    assert [chart.name for chart in drawn] == ["reports-out", "to-whom", "accesses", "exceptions"]
    for chart in drawn:
        root = ElementTree.fromstring(chart.svg)
        assert root.get("role") == "img"
        title, description = root.get("aria-labelledby", "").split()
        named = {one.get("id"): one.text for one in root if one.get("id")}
        assert named[title] == chart.title
        assert named[description]
        assert not re.search(r"<script|<style|style=|href=|\son\w+=", chart.svg)
        colours = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]+)"', chart.svg))
        assert all(len({code[at : at + 2] for at in (1, 3, 5)}) == 1 for code in colours)  # grey all
        assert len({one.get("id") for one in root.iter() if one.get("id")}) == len(
            [one for one in root.iter() if one.get("id")]
        )


def test_a_bar_is_as_long_as_its_number_and_a_column_as_high() -> None:
    lying = ElementTree.fromstring(bars("a", "A", "a", [("one", 40), ("two", 10)]).svg)
    widths = [float(group.find(f"{SVG}rect").get("width")) for group in lying.findall(f"{SVG}g")]  # type: ignore[union-attr,arg-type]
    assert widths[0] == 4 * widths[1] > 0
    labels = [f"2026-{number:02}-01" for number in range(1, 13)] * 4
    drawn = columns("b", "B", "b", labels, [Series("X", range(48)), Series("Y", [47] * 48)])
    root = ElementTree.fromstring(drawn.svg)
    heights = [
        [float(one.get("height", "0")) for one in g.findall(f"{SVG}rect")] for g in root.findall(f"{SVG}g")
    ]
    assert heights[0][0] == 0
    assert heights[47][0] == heights[47][1] > heights[24][0] > 0
    assert len([one for one in root.iter(f"{SVG}text") if one.get("font-size") == "12"]) <= MARKED_WEEKS


def test_a_chart_of_nothing_says_so() -> None:
    assert "Nothing" in bars("a", "A", "a", []).svg


def test_what_xml_cannot_hold_or_would_turn_the_text_around_is_left_out() -> None:
    drawn = bars("a", "A", "a", [("x\u202e\x00y & <b>", 1)])
    assert "xy &amp; &lt;b&gt;" in drawn.svg


def test_a_letter_that_goes_along_is_out_too(service: Service, report: Document) -> None:
    letter = a_document(service, kind=Kind.BRIDGE_LETTER, name="Letter")
    a_version(service, letter)
    service.sealmark.documents.change(OPERATOR, letter.id, report=report.id)
    a_share(service, report)
    assert [(one.name, one.shares) for one in made(service).out] == [("Letter", 1), ("SOC 2 Type II", 1)]
    with service.sealmark.database.read() as records:
        assert len(records.find(Share)) == 2
