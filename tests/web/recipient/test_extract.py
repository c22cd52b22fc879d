"""The page of a share of some sections: it says that it is an extract, and nothing of what stands elsewhere."""

from __future__ import annotations

import re
from io import BytesIO

import pypdf
import pytest

from service.web.recipient.wording import say
from tests.service_fixture import OPERATOR, Service
from tests.web.recipient.lending import FACTS, HOST, Lent, lend


def path_of_extract(lent: Lent, *sections: str, view_only: bool = False) -> str:
    sealmark = lent.service.sealmark
    (version,) = sealmark.documents.versions(lent.document.id)
    cut = sealmark.cuts.ask(OPERATOR, version.id, sections)
    lent.service.work()
    _, _, link = sealmark.sharing.create(
        OPERATOR,
        document_id=lent.document.id,
        mail="ana@acme.example",
        name="Ana Lindqvist",
        company="Acme Freight",
        purpose="an extract",
        pinned_version_id=version.id,
        cut_id=cut.id,
        mail_check=False,
        view_only=view_only,
    )
    assert link is not None
    return str(link.url.removeprefix(f"https://{HOST}"))  # type: ignore[union-attr]


def test_the_page_of_the_whole_report_says_nothing_of_an_extract(lent: Lent) -> None:
    assert say("extract") not in lent.browser.get(lent.path).text


def test_an_extract_without_the_opinion_says_so_and_tells_none(lent: Lent) -> None:
    page = lent.browser.get(path_of_extract(lent, "test-results")).text
    assert say("extract") in page
    assert say("extract.without_opinion") in page
    assert "Tests &amp; results" in page
    assert "Qualified opinion" not in page
    for section in FACTS["sections"][:4]:
        assert section["title"] not in page
    assert "AC-03" in page
    assert "pages 1–2" in page  # 7 and 8 of the whole
    assert "3 pages" in page
    (viewed,) = lent.service.entries("page.viewed")
    assert viewed["version"] is not None


def test_an_extract_with_the_opinion_tells_it_and_not_the_exceptions_elsewhere(lent: Lent) -> None:
    page = lent.browser.get(path_of_extract(lent, "auditors-opinion", "controls")).text
    assert say("extract.with_opinion") in page
    assert "Qualified opinion" in page
    assert "AC-03" not in page
    assert say("exceptions.none") not in page
    assert "3 pages" in page


@pytest.mark.parametrize("section", ["auditors-opinion", "controls"])
def test_an_extract_never_says_that_there_are_no_exceptions(lent: Lent, section: str) -> None:
    assert say("exceptions.none") not in lent.browser.get(path_of_extract(lent, section)).text


ANSWERED = {
    **FACTS,
    "sections": [
        *FACTS["sections"][:4],
        {"kind": "test-results", "title": "Tests & results", "first_page": 7, "last_page": 8},
        {"kind": "managements-responses", "title": "Answers", "first_page": 9, "last_page": 9},
    ],
    "exceptions": [{**found, "pages": [7, 8, 9]} for found in FACTS["exceptions"]],
}


def test_an_extract_without_managements_responses_tells_none_and_does_not_say_that_there_are_none(
    service: Service,
) -> None:
    lent = lend(service, facts=ANSWERED)
    told = [
        *(say(f"exception.{word}") for word in ("response", "no_response", "remediated", "open")),
        "A second approval is now enforced.",
    ]
    page = lent.browser.get(path_of_extract(lent, "test-results")).text
    assert "AC-03" in page
    assert "For 2 of 40 grants the approval was late." in page
    assert [words for words in told if f">{words}<" in page] == []
    whole = lent.browser.get(path_of_extract(lent, "test-results", "managements-responses")).text
    assert [words for words in told if f">{words}<" in whole] == told


def test_the_download_of_an_extract_holds_its_pages_only(lent: Lent) -> None:
    path = path_of_extract(lent, "controls")
    asked = lent.browser.post(path)
    assert asked.status_code == 303
    pdf = lent.browser.get(asked.headers["Location"]).data
    (page,) = pypdf.PdfReader(BytesIO(pdf)).pages
    text = page.extract_text()
    assert "Page 6 of an invented report" in text
    assert "ana@acme.example" in text.replace("\n", "")
    kinds = [row["kind"] for row in lent.service.entries()]
    assert kinds[-3:] == ["download.granted", "download.begun", "download.ended"]


def test_an_extract_is_read_on_the_page_by_its_own_pages(lent: Lent, monkeypatch: pytest.MonkeyPatch) -> None:
    path = path_of_extract(lent, "controls", view_only=True)
    assert say("extract.without_opinion") in lent.browser.get(path).text
    asked = lent.browser.post(path)
    assert asked.status_code == 303
    page = lent.browser.get(asked.headers["Location"])
    assert page.status_code == 200
    assert "Page 6 of an invented report" in page.text
    assert "Controls in place" in page.text
    for elsewhere in ("Independent auditor", "Assertion", "The system", "Tests &amp; results"):
        assert elsewhere not in page.text
    assert [row["details"] for row in lent.service.entries("page.drawn")] == ['{"page": 1}']
    picture = re.search(r'<img src="(/v/[^"]+)"', page.text)
    assert picture is not None
    assert lent.browser.get(picture[1]).status_code == 200
    monkeypatch.setattr(lent.service.sealmark.viewing, "_draw", None)  # nothing is drawn to find out
    assert lent.browser.get(picture[1].replace("/1.", "/2.")).status_code == 404
