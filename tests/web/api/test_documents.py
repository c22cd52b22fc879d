"""Documents and versions over HTTP: what is made, and each refusal with its reason."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from service.records import Version, VersionState
from service.web.application import create_app
from tests.service_fixture import (
    FAKE_PAGES,
    FAKE_WOVEN,
    REFUSED_BY_FAKE,
    SIGNED_BY_FAKE,
    Service,
    service_in,
)
from tests.web.api.conftest import FILE, Caller, problem

PDF = "application/pdf"


def _section(kind: str, first: int, last: int) -> dict[str, Any]:
    return {"kind": kind, "title": "Part", "first_page": first, "last_page": last}


def test_a_document_is_made_shown_listed_classified_and_revoked(caller: Caller, service: Service) -> None:
    made = caller.post(
        "/v1/documents", {"name": " Overview ", "kind": "overview", "owner_mail": "Owner@LENDER.example"}
    )
    assert made.status_code == 201
    shown = made.json
    assert made.headers["Location"] == f"/v1/documents/{shown['id']}"
    assert (shown["name"], shown["classification"], shown["owner_mail"]) == (
        "Overview",
        "nda",
        "owner@lender.example",
    )
    path = made.headers["Location"]
    assert caller.get(path).json == shown
    assert caller.get("/v1/documents").json == {"items": [shown], "next": None}
    public = caller.put(f"{path}/classification", json={"classification": "public"})
    assert public.json == {**shown, "classification": "public"}
    revoked = caller.post(f"{path}/revoke")
    assert revoked.json["revoked_at"] == "2026-03-02T09:00:00Z"
    assert caller.post(f"{path}/revoke").json == revoked.json
    kinds = [entry["kind"] for entry in service.entries() if entry["kind"].startswith("document.")]
    assert kinds == ["document.created", "document.classified", "document.revoked"]


def test_a_soc_2_report_is_never_public(caller: Caller) -> None:
    for kind in ("soc2-type1", "soc2-type2"):
        body = {"name": "R", "kind": kind, "owner_mail": "o@lender.example", "classification": "public"}
        answer = caller.post("/v1/documents", body)
        assert problem(answer) == (422, "invalid")
        assert answer.json["errors"][0]["where"] == "classification"
        document = caller.document(kind=kind)
        later = caller.put(f"/v1/documents/{document}/classification", json={"classification": "public"})
        assert problem(later) == (422, "invalid")
        assert caller.get(f"/v1/documents/{document}").json["classification"] == "nda"


def test_lists_are_read_page_by_page_without_gap_or_repeat(caller: Caller) -> None:
    made = {caller.document(name=f"Report {number}") for number in range(5)}
    seen: list[str] = []
    cursor = ""
    for _ in range(3):
        page = caller.get(f"/v1/documents?limit=2{cursor}").json
        seen += [item["id"] for item in page["items"]]
        cursor = f"&after={page['next']}"
    assert page["next"] is None
    assert seen == sorted(made)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=+5",
        "limit=5.0",
        "limit=",
        "after=doc_x",
        "limit=1&limit=2",
        "unknown=1",
    ],
)
def test_a_query_that_cannot_be_is_refused(caller: Caller, query: str) -> None:
    assert problem(caller.get(f"/v1/documents?{query}")) == (422, "invalid")


def test_a_version_takes_its_facts_and_then_its_file(caller: Caller, service: Service) -> None:
    document = caller.document()
    facts = {
        "period_start": "2025-01-01",
        "period_end": "2025-12-31",
        "auditor": "Sample & Partner",
        "opinion": "qualified",
        "criteria": ["security"],
        "sections": [{"kind": "auditors-opinion", "title": "Opinion", "first_page": 3, "last_page": 5}],
        "controls": [{"id": "CC6.1-01", "criteria": ["CC6.1"], "pages": [20]}],
        "exceptions": [
            {
                "control": "CC6.1-01",
                "criterion": "CC6.1",
                "deviation": "One of 25 was late.",
                "remediated": True,
                "pages": [30],
            }
        ],
    }
    path = caller.version(document, **facts)
    waiting = caller.get(path).json
    assert (waiting["state"], waiting["number"], waiting["facts"]["sections"]) == (
        "awaiting-file",
        1,
        facts["sections"],
    )
    assert (waiting["capacity"], waiting["removed"]) == (None, None)
    taken = caller.put(f"{path}/file", data=FILE, content_type=PDF)
    assert taken.status_code == 202
    assert taken.headers["Location"] == path
    assert (taken.json["state"], taken.json["size"]) == ("compiling", len(FILE))
    assert "Preference-Applied" not in taken.headers
    service.work()
    ready = caller.get(path).json
    assert (ready["state"], ready["pages"]) == ("ready", FAKE_PAGES)
    listed = {name: value for name, value in ready.items() if name not in {"capacity", "removed"}}
    assert caller.get(f"/v1/documents/{document}/versions").json == {"items": [listed], "next": None}


def test_versions_are_listed_the_newest_first_and_page_by_page(caller: Caller) -> None:
    document = caller.document()
    for _ in range(3):
        caller.version(document)
    first = caller.get(f"/v1/documents/{document}/versions?limit=2").json
    assert [item["number"] for item in first["items"]] == [3, 2]
    second = caller.get(f"/v1/documents/{document}/versions?limit=2&after={first['next']}").json
    assert ([item["number"] for item in second["items"]], second["next"]) == ([1], None)


def test_prefer_wait_answers_when_the_file_has_settled(caller: Caller) -> None:
    document = caller.document()
    options = {"content_type": PDF, "headers": {"Prefer": "respond-async, wait=10"}}
    ready = caller.put(f"{caller.version(document)}/file", data=FILE, **options)
    assert (ready.status_code, ready.json["state"]) == (200, "ready")
    assert ready.headers["Preference-Applied"] == "wait=10"
    refused = caller.put(f"{caller.version(document)}/file", data=REFUSED_BY_FAKE, **options)
    assert (refused.status_code, refused.json["state"], refused.json["reason"]) == (
        200,
        "refused",
        "needs-password",
    )
    assert "password" in refused.json["message"]


def test_a_ready_version_says_what_its_copies_carry_and_how_small_a_leak_is_traced(caller: Caller) -> None:
    path = caller.version(caller.document())
    waited = caller.put(f"{path}/file", data=FILE, content_type=PDF, headers={"Prefer": "wait=9"}).json
    capacity = waited["capacity"]
    assert capacity["total"] == (FAKE_PAGES - 1) * FAKE_WOVEN
    assert len(capacity["pages"]) == FAKE_PAGES
    assert capacity["pages"][:2] == [
        {"number": 1, "words": 0, "woven": 0},
        {"number": 2, "words": 9, "woven": FAKE_WOVEN},
    ]
    assert (capacity["bare_pages"], capacity["textless_pages"]) == ([1], [1])
    assert capacity["statement"].startswith("234 words on 39 of 40 pages carry the woven mark.")
    assert "Page 1 carries none (no text: a scan or outlines)" in capacity["statement"]
    assert waited["removed"] == []
    assert caller.get(path).json == waited


def test_a_refused_version_carries_nothing(caller: Caller) -> None:
    path = caller.version(caller.document())
    headers = {"Prefer": "wait=9"}
    refused = caller.put(f"{path}/file", data=REFUSED_BY_FAKE, content_type=PDF, headers=headers).json
    assert (refused["state"], refused["capacity"], refused["removed"]) == ("refused", None, None)


def test_a_version_from_before_weaving_says_so(caller: Caller, service: Service) -> None:
    path = caller.version(caller.document())
    caller.put(f"{path}/file", data=FILE, content_type=PDF, headers={"Prefer": "wait=9"})
    with service.sealmark.database.write() as records:
        version = records.get(Version, path.rpartition("/")[2])
        assert version is not None
        records.change(version, capacity={"pages": 2, "woven_slots": 0, "removed": {"info": 1}})
    shown = caller.get(path).json
    assert shown["capacity"]["statement"].startswith("This version was compiled before weaving: ")
    assert shown["capacity"]["pages"] == [
        {"number": 1, "words": None, "woven": 0},
        {"number": 2, "words": None, "woven": 0},
    ]
    assert [one["code"] for one in shown["removed"]] == ["info"]


def test_removed_signatures_are_named_in_the_answer_and_in_the_log(caller: Caller, service: Service) -> None:
    path = caller.version(caller.document())
    headers = {"Prefer": "wait=9"}
    answer = caller.put(f"{path}/file", data=SIGNED_BY_FAKE, content_type=PDF, headers=headers).json
    assert [(one["code"], one["count"]) for one in answer["removed"]] == [
        ("javascript", 1),
        ("signatures", 2),
    ]
    assert "which a mark would break" in answer["removed"][1]["meaning"]
    (entry,) = service.entries("version.ready")
    details = json.loads(entry["details"])
    assert (details["removed"], details["signatures"]) == ("javascript signatures", 2)


def test_waiting_ends_after_the_time_that_was_asked_for_and_after_a_minute_at_most(
    app: Any, service: Service, caller: Caller
) -> None:
    waiting = app.extensions["sealmark-waiting"]
    waiting._pause = lambda seconds: service.clock.advance(seconds=seconds)  # nobody compiles
    for wanted, applied in (("3", 3), ("100000", 60)):
        begun = service.clock()
        answer = caller.put(
            f"{caller.version(caller.document())}/file",
            data=FILE,
            content_type=PDF,
            headers={"Prefer": f"wait={wanted}"},
        )
        assert (answer.status_code, answer.json["state"]) == (202, "compiling")
        assert answer.headers["Preference-Applied"] == f"wait={applied}"
        assert 0 <= (service.clock() - begun).total_seconds() - applied < 1


def test_only_half_of_the_threads_wait(app: Any, service: Service, caller: Caller) -> None:
    places = app.extensions["sealmark-waiting"]._places
    for _ in range(service.sealmark.settings.threads // 2):
        assert places.acquire(blocking=False)
    path = caller.version(caller.document())
    answer = caller.put(f"{path}/file", data=FILE, content_type=PDF, headers={"Prefer": "wait=5"})
    assert answer.status_code == 202
    assert "Preference-Applied" not in answer.headers


def test_facts_that_name_pages_beyond_the_file_refuse_it(caller: Caller) -> None:
    section = {"kind": "controls", "title": "Controls", "first_page": 1, "last_page": FAKE_PAGES + 1}
    path = caller.version(caller.document(), sections=[section])
    answer = caller.put(f"{path}/file", data=FILE, content_type=PDF, headers={"Prefer": "wait=5"})
    assert (answer.json["state"], answer.json["reason"]) == ("refused", "facts-beyond-file")


@pytest.mark.parametrize(
    ("kind", "facts", "where"),
    [
        ("soc2-type1", {"sections": [_section("test-results", 1, 2)]}, "facts.sections.0.kind"),
        ("soc2-type1", {"period_start": "2025-01-01", "period_end": "2025-12-31"}, "facts.period_start"),
        ("soc2-type2", {"as_of": "2025-12-31"}, "facts.as_of"),
        ("other", {"period_start": "2025-01-01"}, "facts"),
        ("other", {"sections": [_section("other", 3, 2)]}, "facts.sections.0"),
        ("other", {"sections": [_section("other", 0, 2)]}, "facts.sections.0.first_page"),
        ("other", {"opinion": "great"}, "facts.opinion"),
        ("other", {"unknown": 1}, "facts.unknown"),
    ],
)
def test_facts_that_cannot_be_are_refused_with_their_place(
    caller: Caller, kind: str, facts: dict[str, Any], where: str
) -> None:
    answer = caller.post(f"/v1/documents/{caller.document(kind=kind)}/versions", {"facts": facts})
    assert problem(answer) == (422, "invalid")
    assert where in [place["where"] for place in answer.json["errors"]]


def test_a_file_never_changes(caller: Caller) -> None:
    path = caller.version(caller.document())
    assert caller.put(f"{path}/file", data=FILE, content_type=PDF).status_code == 202
    again = caller.put(f"{path}/file", data=FILE + b"2", content_type=PDF)
    assert problem(again) == (409, "wrong-state")


def test_a_revoked_document_takes_no_version(caller: Caller) -> None:
    document = caller.document()
    caller.post(f"/v1/documents/{document}/revoke")
    answer = caller.post(f"/v1/documents/{document}/versions", {"facts": {}})
    assert problem(answer) == (409, "wrong-state")


def test_only_a_raw_pdf_body_is_taken(caller: Caller, service: Service) -> None:
    path = caller.version(caller.document())
    form = caller.put(f"{path}/file", data={"file": (BytesIO(FILE), "report.pdf")})
    assert problem(form) == (415, "unsupported-media-type")
    assert form.json["fields"] == {"expected": PDF}
    assert problem(caller.put(f"{path}/file", data=FILE)) == (415, "unsupported-media-type")
    assert problem(caller.put(f"{path}/file", data=b"", content_type=PDF)) == (422, "file-refused")
    assert caller.get(path).json["state"] == VersionState.AWAITING_FILE
    assert [blob.key for blob in service.sealmark.store.list("objects/")] == []


def test_a_file_over_the_limit_is_refused_by_its_length_and_by_its_bytes(tmp_path: Path) -> None:
    with service_in(tmp_path, environ={"SEALMARK_MAX_FILE_BYTES": "1000"}) as service:
        app = create_app(service.sealmark)
        caller = Caller(app.test_client(), service.api_key())
        path = caller.version(caller.document())
        announced = caller.put(f"{path}/file", data=b"x" * 1001, content_type=PDF)
        assert problem(announced) == (413, "too-large")
        assert announced.json["fields"] == {"limit": 1000}
        stream = BytesIO(b"x" * 1001)
        chunked = caller.put(
            f"{path}/file",
            input_stream=stream,
            content_type=PDF,
            headers={"Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True},
        )
        assert problem(chunked) == (413, "too-large")
        assert [blob.key for blob in service.sealmark.store.list("objects/")] == []
        assert caller.put(f"{path}/file", data=b"x" * 1000, content_type=PDF).status_code == 202


def test_a_body_that_breaks_off_is_no_file(caller: Caller, service: Service) -> None:
    path = caller.version(caller.document())
    answer = caller.put(
        f"{path}/file", data=FILE, content_type=PDF, environ_overrides={"CONTENT_LENGTH": "5000"}
    )
    assert problem(answer) == (400, "malformed")
    assert caller.get(path).json["state"] == "awaiting-file"
    assert list(service.sealmark.store.list("objects/")) == []


@pytest.mark.parametrize(
    "path",
    ["/v1/documents/doc_1", "/v1/documents/doc_" + "0" * 26, "/v1/documents/DOC_" + "0" * 26, "/v1/nothing",
     "/v1//documents", "/v1/documents/", "/v1/shares/shr_%2e%2e"],
)  # fmt: skip
def test_what_is_not_there_is_a_problem_and_no_page(caller: Caller, path: str) -> None:
    assert problem(caller.get(path)) == (404, "not-found")


def test_a_version_is_found_under_its_own_document_only(caller: Caller) -> None:
    path = caller.version(caller.document())
    other = caller.document()
    version = path.rpartition("/")[2]
    assert problem(caller.get(f"/v1/documents/{other}/versions/{version}")) == (404, "not-found")


def test_the_policy_of_a_document_is_changed_by_what_is_given(caller: Caller) -> None:
    document = caller.document()
    changed = caller.put(f"/v1/documents/{document}/policy", json={"listing": "named"})
    assert (changed.json["listing"], changed.json["mail_check"]) == ("named", "limited")
    changed = caller.put(f"/v1/documents/{document}/policy", json={"mail_check": "always"})
    assert (changed.json["listing"], changed.json["mail_check"]) == ("named", "always")
    assert problem(caller.put(f"/v1/documents/{document}/policy", json={"listing": "all"})) == (
        422,
        "invalid",
    )
