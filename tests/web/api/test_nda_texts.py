"""Texts of the agreement by the API, and what is kept of a signature."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from service.access import Scope
from service.nda_markdown import MAX_BYTES
from service.web.application import create_app
from tests.servers.tsa import running_tsa
from tests.service.signing_cases import TEXT, a_waiting_share
from tests.service_fixture import Service, service_in
from tests.web.api.conftest import Caller, problem


def test_a_text_is_added_shown_and_listed_page_by_page(caller: Caller, service: Service) -> None:
    made = caller.post("/v1/nda-texts", {"markdown": TEXT, "days": 30})
    assert made.status_code == 201, made.text
    assert made.json == {
        "id": made.json["id"],
        "number": 1,
        "sha256": hashlib.sha256(TEXT.encode()).hexdigest(),
        "days": 30,
        "created_at": "2026-03-02T09:00:00Z",
        "markdown": TEXT,
    }
    assert made.headers["Location"] == f"/v1/nda-texts/{made.json['id']}"
    assert caller.get(made.headers["Location"]).json == made.json
    second = caller.post("/v1/nda-texts", {"markdown": "# Two"}).json
    assert (second["number"], second["days"]) == (2, None)
    first_page = caller.get("/v1/nda-texts?limit=1").json
    assert (first_page["items"], first_page["next"]) == ([made.json], "1")
    last_page = caller.get("/v1/nda-texts?limit=1&after=1").json
    assert (last_page["items"], last_page["next"]) == ([second], None)
    assert [entry["actor_type"] for entry in service.entries("nda-text.created")] == ["api-key"] * 2


def test_adding_a_text_is_safe_to_repeat(caller: Caller, service: Service) -> None:
    body, headers = {"markdown": TEXT}, {"Idempotency-Key": "one"}
    answers = [caller.post("/v1/nda-texts", body, headers=headers) for _ in range(2)]
    assert answers[0].json == answers[1].json
    assert len(service.entries("nda-text.created")) == 1
    assert problem(caller.post("/v1/nda-texts", body)) == (409, "wrong-state")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"markdown": "a\n\n<b>b</b>"}, (422, "invalid")),
        ({"markdown": ""}, (422, "invalid")),
        ({"markdown": "a", "days": 0}, (422, "invalid")),
        ({"markdown": "a", "html": True}, (422, "invalid")),
        ({}, (422, "invalid")),
        ({"markdown": "é" * (MAX_BYTES // 2 + 1)}, (413, "too-large")),
    ],
)
def test_a_text_that_cannot_stay_is_refused(
    caller: Caller, service: Service, body: dict[str, object], expected: tuple[int, str]
) -> None:
    assert problem(caller.post("/v1/nda-texts", body)) == expected
    assert service.entries("nda-text.created") == []


def test_what_is_refused_names_the_line(caller: Caller) -> None:
    answer = caller.post("/v1/nda-texts", {"markdown": "a\n\n<b>b</b>"})
    assert answer.json["fields"]["line"] == 3  # type: ignore[index]
    assert answer.json["detail"].startswith("Line 3: ")  # type: ignore[index]


def test_a_text_that_is_not_there_is_not_found(caller: Caller) -> None:
    assert problem(caller.get("/v1/nda-texts/txt_" + "0" * 26)) == (404, "not-found")


def test_a_share_that_asks_is_made_once_there_is_a_text(caller: Caller) -> None:
    document = caller.ready_document()
    asked = {"nda": "ask"}
    assert problem(caller.share(document)) == (409, "nda-required")
    assert problem(caller.share(document, **asked)) == (409, "wrong-state")
    caller.post("/v1/nda-texts", {"markdown": TEXT})
    assert caller.share(document, **asked).status_code == 201


def test_what_was_signed_is_pulled_with_its_time_stamp_and_shown_with_its_text(tmp_path: Path) -> None:
    with running_tsa(tmp_path / "tsa") as tsa:
        environ = {"SEALMARK_TSA": tsa.url, "SEALMARK_TSA_CA_FILE": str(tsa.root)}
        with service_in(tmp_path, environ=environ) as service:
            waiting = a_waiting_share(service)
            nda = waiting.sign()
            caller = Caller(create_app(service.sealmark).test_client(), service.api_key(Scope.NDAS_READ))
            shown = caller.get(f"/v1/ndas/{nda.id}").json
            assert (shown["state"], shown["source"], shown["text"]) == ("approved", "page", waiting.text.id)
            assert (shown["recipient"], shown["evidence"]) == (nda.recipient_id, True)
            assert problem(caller.get(f"/v1/ndas/{nda.id}/timestamp")) == (404, "not-found")
            assert service.sealmark.timestamps.run_once()
            record = caller.get(f"/v1/ndas/{nda.id}/evidence")
            assert (record.status_code, record.content_type) == (200, "application/pdf")
            assert record.headers["Content-Disposition"] == f'attachment; filename="{nda.id}.pdf"'
            assert int(record.headers["Content-Length"]) == len(record.data)
            stamp = caller.get(f"/v1/ndas/{nda.id}/timestamp")
            assert (stamp.status_code, stamp.content_type) == (200, "application/timestamp-reply")
            assert tsa.verifies(stamp.data, record.data)
            assert len(service.entries("nda.record-pulled")) == 1


def test_a_paper_has_no_text_no_time_stamp_and_its_file_once_it_was_attached(
    caller: Caller, service: Service
) -> None:
    made = caller.post("/v1/ndas", {"domain": "acme.example", "source": "paper", "approved": True}).json
    path = f"/v1/ndas/{made['id']}"
    assert made["text"] is None
    assert problem(caller.get(f"{path}/evidence")) == (404, "not-found")
    caller.put(f"{path}/evidence", data=b"%PDF-1.7 a scan", content_type="application/pdf")
    assert caller.get(f"{path}/evidence").data == b"%PDF-1.7 a scan"
    assert problem(caller.get(f"{path}/timestamp")) == (404, "not-found")
    (entry,) = service.entries("nda.record-pulled")
    assert (entry["nda"], entry["actor_type"]) == (made["id"], "api-key")
