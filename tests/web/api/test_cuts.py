"""Cuts and shares of sections over HTTP."""

from __future__ import annotations

from typing import Any

from service.access import Scope
from tests.service_fixture import Service
from tests.web.api.conftest import FILE, Caller, problem

SECTIONS = [
    {"kind": "auditors-opinion", "title": "Opinion", "first_page": 1, "last_page": 2},
    {"kind": "system-description", "title": "The system", "first_page": 3, "last_page": 9},
    {"kind": "test-results", "title": "Tests", "first_page": 9, "last_page": 12},
]


def ready_version(caller: Caller) -> tuple[str, str]:
    """The document's id and the version's address, its file ready."""
    document = caller.document()
    path = caller.version(document, sections=SECTIONS)
    done = caller.put(f"{path}/file", data=FILE, content_type="application/pdf", headers={"Prefer": "wait=9"})
    assert done.status_code == 200
    return document, path


def test_a_cut_is_asked_for_and_fetched(caller: Caller, service: Service) -> None:
    _, path = ready_version(caller)
    asked = caller.post(f"{path}/cuts", {"sections": ["Tests", 0]})
    body: Any = asked.json
    assert (asked.status_code, body["state"], body["sections"]) == (202, "compiling", [0, 2])
    assert (body["titles"], body["source_pages"]) == (["Opinion", "Tests"], [1, 2, 9, 10, 11, 12])
    assert asked.headers["Location"] == f"{path}/cuts/{body['id']}"
    assert caller.post(f"{path}/cuts", {"sections": [2, 0]}).json == body
    service.work()
    found: Any = caller.get(asked.headers["Location"]).json
    assert (found["state"], found["reason"]) == ("ready", None)
    assert caller.post(f"{path}/cuts", {"sections": ["Opinion", "test-results"]}).status_code == 200
    assert caller.get(f"{path}/cuts").json == {"items": [found]}
    assert len(service.entries("cut.created")) == 1


def test_the_call_waits_where_it_is_asked_to(caller: Caller) -> None:
    _, path = ready_version(caller)
    done = caller.post(f"{path}/cuts", {"sections": [1]}, headers={"Prefer": "wait=9"})
    assert (done.status_code, done.json["state"]) == (200, "ready")  # type: ignore[index]
    assert done.headers["Preference-Applied"] == "wait=9"


def test_a_share_of_sections_is_made_once_their_cut_is_ready(caller: Caller, service: Service) -> None:
    caller.post("/v1/ndas", {"source": "contracts", "domain": "acme.example", "approved": True})
    document, path = ready_version(caller)
    wanted = {
        "version": path.rpartition("/")[2],
        "sections": ["Tests"],
        "headers": {"Idempotency-Key": "deal-9"},
    }
    early = caller.share(document, **wanted)
    assert problem(early) == (409, "wrong-state")
    assert early.json["fields"]["state"] == "compiling"  # type: ignore[index]
    assert service.entries("share.created") == []
    service.work()
    made = caller.share(document, **wanted)
    assert made.status_code == 201, made.text
    body: Any = made.json
    cut: Any = caller.get(f"{path}/cuts/{body['share']['cut']}").json
    assert (cut["titles"], body["share"]["version"]) == (["Tests"], wanted["version"])
    assert caller.share(document, **wanted).json == body
    assert len(service.entries("share.created")) == 1


def test_sections_need_their_version_and_must_be_of_it(caller: Caller) -> None:
    document, path = ready_version(caller)
    version = path.rpartition("/")[2]
    assert problem(caller.share(document, sections=["Tests"])) == (422, "invalid")
    assert problem(caller.share(document, sections=["Nothing"], version=version)) == (422, "invalid")
    assert problem(caller.share(document, sections=[], version=version)) == (422, "invalid")
    other, _ = ready_version(caller)
    assert problem(caller.share(other, sections=["Tests"], version=version)) == (404, "not-found")
    assert problem(caller.post(f"{path}/cuts", {"sections": [3]})) == (422, "invalid")
    assert problem(caller.get(f"{path}/cuts/cut_{'0' * 26}")) == (404, "not-found")


def test_who_may_only_read_documents_makes_no_cut(caller: Caller, service: Service) -> None:
    _, path = ready_version(caller)
    reader = Caller(caller.client, service.api_key(Scope.DOCUMENTS_READ))
    assert problem(reader.post(f"{path}/cuts", {"sections": [0]})) == (403, "forbidden")
    assert reader.get(f"{path}/cuts").json == {"items": []}
