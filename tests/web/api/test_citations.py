"""Citations over HTTP: the sentence, whole questionnaires, and what is refused."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest
from werkzeug.serving import make_server

from service.web.api.citations import XLSX
from service.web.application import create_app
from service.workbooks import MAX_BYTES
from tests.service.citing_cases import FACTS, QUESTIONS, csv_of, values_of, xlsx_of
from tests.service_fixture import URL, Service
from tests.web.api.conftest import FILE, Caller, problem

PERIOD = "for the period 1 January 2025 to 31 December 2025"


@pytest.fixture
def document(caller: Caller) -> str:
    """The id of a report that is ready, with controls."""
    made = caller.document()
    done = caller.put(
        f"{caller.version(made, **FACTS)}/file",
        data=FILE,
        content_type="application/pdf",
        headers={"Prefer": "wait=9"},
    )
    assert done.json["state"] == "ready", done.text  # type: ignore[index]
    return made


def test_the_citation_says_what_it_is_made_of(caller: Caller, document: str) -> None:
    answer = caller.get(f"/v1/documents/{document}/citation?items=45-72&criteria=cc6.1,CC7.3")
    assert answer.status_code == 200
    body: Any = answer.json
    version = body.pop("version")
    assert version.startswith("ver_")
    assert body == {
        "sentence": f"Please refer to our SOC 2 Type II report (available under NDA) {PERIOD}, for items 45–72: "
        f"controls AC-01, AC-02 and OP-07, pages 12–14, 20, 33. See {URL}/r/{document}",
        "kind": "SOC 2 Type II report",
        "period": PERIOD,
        "address": f"{URL}/r/{document}",
        "items": "items 45–72",
        "criteria": ["CC6.1", "CC7.3"],
        "controls": ["AC-01", "AC-02", "OP-07"],
        "pages": [12, 13, 14, 20, 33],
    }


def test_the_address_of_a_citation_is_there(caller: Caller, document: str) -> None:
    cited: Any = caller.get(f"/v1/documents/{document}/citation").json
    page = caller.client.get(cited["address"].removeprefix(URL), base_url=URL)
    assert page.status_code == 200


@pytest.mark.parametrize("query", ["criteria=CC9.9", "criteria=CC6.1,CC9.9", "items=72-45", "items=45%3B46"])
def test_what_cannot_be_cited_is_422_and_named(caller: Caller, document: str, query: str) -> None:
    answer = caller.get(f"/v1/documents/{document}/citation?{query}")
    assert problem(answer) == (422, "invalid")
    assert "CC9.9" in answer.text or "tems" in answer.text


def test_the_policy_sets_the_wording_and_takes_it_back(caller: Caller, document: str) -> None:
    path = f"/v1/documents/{document}"
    wording = "{kind} {period}: {address}"
    changed: Any = caller.put(f"{path}/policy", json={"citation": wording}).json
    assert changed["citation"] == wording
    cited: Any = caller.get(f"{path}/citation").json
    assert cited["sentence"] == f"SOC 2 Type II report {PERIOD}: {URL}/r/{document}"
    assert problem(caller.put(f"{path}/policy", json={"citation": "{kind}"})) == (422, "invalid")
    assert caller.put(f"{path}/policy", json={"citation": ""}).json["citation"] is None  # type: ignore[index]


def test_a_document_without_a_ready_version_is_409(caller: Caller) -> None:
    document = caller.document()
    assert problem(caller.get(f"/v1/documents/{document}/citation")) == (409, "wrong-state")
    sent = {"data": csv_of(QUESTIONS), "content_type": "text/csv"}
    answer = caller.call("POST", f"/v1/documents/{document}/questionnaire.csv", **sent)
    assert problem(answer) == (409, "wrong-state")


def test_a_questionnaire_in_csv_comes_back_with_citations(caller: Caller, document: str) -> None:
    answer = caller.call(
        "POST",
        f"/v1/documents/{document}/questionnaire.csv",
        data=csv_of(QUESTIONS),
        content_type="text/csv; charset=utf-8",
    )
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert (
        rows[3][4]
        == caller.get(f"/v1/documents/{document}/citation?items=45&criteria=CC6.1").json["sentence"]
    )  # type: ignore[index]


def test_the_columns_of_a_questionnaire_may_be_named(caller: Caller, document: str) -> None:
    content = csv_of([["Kennung", "Kriterien"], ["45", "CC6.1"]])
    path = f"/v1/documents/{document}/questionnaire.csv"
    assert problem(caller.call("POST", path, data=content, content_type="text/csv")) == (422, "invalid")
    named = f"{path}?item_column=Kennung&criteria_column=Kriterien"
    answer = caller.call("POST", named, data=content, content_type="text/csv")
    assert "for item 45: controls AC-01 and AC-02" in answer.text


def test_a_workbook_is_no_csv_and_the_other_way_round(caller: Caller, document: str) -> None:
    path = f"/v1/documents/{document}/questionnaire"
    for form, content, media in (
        ("xlsx", csv_of(QUESTIONS), XLSX),
        ("csv", xlsx_of(QUESTIONS), "text/csv"),
    ):
        answer = caller.call("POST", f"{path}.{form}", data=content, content_type=media)
        assert problem(answer) == (422, "file-refused")
    answer = caller.call("POST", f"{path}.xlsx", data=xlsx_of(QUESTIONS), content_type="text/csv")
    assert problem(answer) == (415, "unsupported-media-type")
    assert answer.json["fields"]["expected"] == XLSX  # type: ignore[index]


def test_one_byte_too_many_is_413(caller: Caller, document: str) -> None:
    answer = caller.call(
        "POST",
        f"/v1/documents/{document}/questionnaire.xlsx",
        data=b"x" * (MAX_BYTES + 1),
        content_type=XLSX,
    )
    assert problem(answer) == (413, "too-large")


@pytest.fixture
def running(service: Service) -> Iterator[str]:
    """The service on loopback: its address."""
    server = make_server("127.0.0.1", 0, create_app(service.sealmark), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_workbook_comes_back_with_citations_over_real_http(
    running: str, service: Service, caller: Caller, document: str
) -> None:
    headers = {
        "Authorization": f"Bearer {service.api_key()}",
        "Content-Type": XLSX,
        "Host": URL.removeprefix("https://"),
    }
    request = Request(
        f"{running}/v1/documents/{document}/questionnaire.xlsx",
        data=xlsx_of(QUESTIONS),
        headers=headers,
        method="POST",
    )
    with urlopen(request) as answer:
        assert answer.headers["Content-Type"] == XLSX
        made = answer.read()
    expected: Any = caller.get(f"/v1/documents/{document}/citation?items=A.2&criteria=CC6.2,CC7.2").json
    assert values_of(made)[4][4] == expected["sentence"]
    assert [row[:4] for row in values_of(made)] == [row[:4] for row in values_of(xlsx_of(QUESTIONS))]
