"""Requests for access and the rules that approve them, over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.audit import Actor
from service.records import Classification, Kind
from service.web.application import create_app
from tests.service_fixture import OPERATOR, Service, service_in
from tests.web.api.conftest import Caller, problem

PERSON = {"mail": "ana@acme.example", "name": "Ana Sample", "company": "Acme"}


def asked(service: Service, document: str, **changes: Any) -> str:
    """The id of a request by somebody whose mail was checked."""
    given = {**PERSON, "purpose": "Vendor review", "language": "en", **changes}
    ask = service.sealmark.access_requests.ask
    return ask(Actor("recipient"), document_id=document, **given).id


@pytest.fixture
def document(caller: Caller) -> str:
    made = caller.ready_document()
    assert caller.put(f"/v1/documents/{made}/policy", json={"listing": "named"}).status_code == 200
    nda = {"domain": "acme.example", "source": "crm", "approved": True}
    assert caller.post("/v1/ndas", nda).status_code == 201
    return made


def test_a_pending_request_is_listed_shown_and_approved(
    caller: Caller, service: Service, document: str
) -> None:
    request = asked(service, document)
    listed: Any = caller.get(f"/v1/access-requests?state=pending&document={document}").json
    (item,) = listed["items"]
    assert item == {
        "id": request,
        "document": document,
        "state": "pending",
        "recipient": item["recipient"],
        **PERSON,
        "purpose": "Vendor review",
        "created_at": "2026-03-02T09:00:00Z",
        "decided_at": None,
        "rule": None,
        "share": None,
    }
    assert caller.get(f"/v1/access-requests/{request}").json == item
    body = {"download_limit": 2, "view_only": True, "expires_at": "2026-03-09T09:00:00Z"}
    approved: Any = caller.post(f"/v1/access-requests/{request}/approve", body)
    assert approved.status_code == 200, approved.text
    assert approved.json == {
        **item,
        "state": "approved",
        "decided_at": "2026-03-02T09:00:00Z",
        "share": approved.json["share"],
    }
    share: Any = caller.get(f"/v1/shares/{approved.json['share']}").json
    assert {name: share[name] for name in body} == body
    assert "url" not in approved.text
    assert caller.get("/v1/access-requests?state=pending").json["items"] == []  # type: ignore[index]
    (entry,) = service.entries("access.approved")
    assert caller.key is not None
    assert caller.key.startswith(str(entry["actor"]))
    again = caller.post(f"/v1/access-requests/{request}/deny")
    assert problem(again) == (409, "wrong-state")
    assert again.json["fields"] == {"state": "approved"}  # type: ignore[index]


def test_a_request_is_denied(caller: Caller, service: Service, document: str) -> None:
    request = asked(service, document)
    denied: Any = caller.post(f"/v1/access-requests/{request}/deny")
    assert (denied.status_code, denied.json["state"], denied.json["share"]) == (200, "denied", None)
    assert problem(caller.post(f"/v1/access-requests/{request}/approve", {})) == (409, "wrong-state")
    assert len(service.entries("access.denied")) == 1


def test_a_decision_answers_as_before_to_the_same_key_and_forgets_who_was_erased(
    caller: Caller, service: Service, document: str
) -> None:
    request = asked(service, document)
    path, headers = f"/v1/access-requests/{request}/deny", {"Idempotency-Key": "denied-1"}
    denied, again = (caller.call("POST", path, headers=headers) for _ in range(2))
    assert (denied.status_code, denied.data) == (200, again.data)
    assert len(service.entries("access.denied")) == 1
    assert problem(caller.call("POST", path, headers={"Idempotency-Key": "denied-2"})) == (409, "wrong-state")
    service.sealmark.erasing.begin(OPERATOR, denied.json["recipient"])  # type: ignore[index]
    assert problem(caller.call("POST", path, headers=headers)) == (422, "idempotency-mismatch")


def test_an_approval_without_agreement_or_text_says_so(
    caller: Caller, service: Service, document: str
) -> None:
    request = asked(service, document, mail="bo@other.example", name="Bo")
    path = f"/v1/access-requests/{request}/approve"
    assert problem(caller.post(path, {})) == (409, "nda-required")
    assert problem(caller.post(path, {"nda": "ask"})) == (409, "wrong-state")
    assert problem(caller.post(path, {"nda": "never"})) == (422, "invalid")
    assert problem(caller.post(path)) == (415, "unsupported-media-type")


def test_where_no_mail_can_be_sent_nothing_is_decided(tmp_path: Path) -> None:
    with service_in(tmp_path, environ={"SEALMARK_SMTP": "", "SEALMARK_MAIL_FROM": ""}) as service:
        caller = Caller(create_app(service.sealmark).test_client(), service.api_key())
        document = service.sealmark.documents.create(
            OPERATOR,
            name="Report",
            kind=Kind.OTHER,
            classification=Classification.PUBLIC,
            owner_mail="owner@lender.example",
        )
        request = asked(service, document.id)
        for decide in (("approve", {}), ("deny", None)):
            answer = caller.post(f"/v1/access-requests/{request}/{decide[0]}", decide[1])
            assert problem(answer) == (409, "mail-not-configured")
        assert caller.get(f"/v1/access-requests/{request}").json["state"] == "pending"  # type: ignore[index]


def test_requests_that_are_not_there_are_not_found(caller: Caller) -> None:
    nobody = "/v1/access-requests/acc_" + "0" * 26
    assert problem(caller.get(nobody)) == (404, "not-found")
    assert problem(caller.post(f"{nobody}/approve", {})) == (404, "not-found")
    assert problem(caller.post(f"{nobody}/deny")) == (404, "not-found")
    assert problem(caller.get("/v1/access-requests/acc_x")) == (404, "not-found")
    assert problem(caller.get("/v1/access-requests?state=open")) == (422, "invalid")


def test_a_list_that_a_crm_keeps_approves_who_stands_on_it(
    caller: Caller, service: Service, document: str
) -> None:
    made: Any = caller.post("/v1/rules", {"kind": "list", "document": document, "days": 7})
    assert made.status_code == 201, made.text
    rule = made.json["id"]
    assert made.headers["Location"] == f"/v1/rules/{rule}"
    assert caller.get(f"/v1/rules/{rule}").json == made.json
    members = f"/v1/rules/{rule}/members"
    put = caller.put(members, json={"mails": ["ANA@acme.example", "old@acme.example"]})
    added = caller.post(members, {"mails": ["bo@acme.example"]})
    removed = caller.call("DELETE", members, json={"mails": ["old@acme.example", "never@acme.example"]})
    assert [answer.json for answer in (put, added, removed)] == [
        {"members": 2},
        {"members": 3},
        {"members": 2},
    ]
    listed: Any = caller.get(f"{members}?limit=1").json
    rest: Any = caller.get(f"{members}?after={listed['next']}").json
    assert {item["mail"] for item in listed["items"] + rest["items"]} == {
        "ana@acme.example",
        "bo@acme.example",
    }
    request: Any = caller.get(f"/v1/access-requests/{asked(service, document)}").json
    assert (request["state"], request["rule"]) == ("approved", rule)
    assert caller.get(f"/v1/shares/{request['share']}").json["expires_at"] == "2026-03-09T09:00:00Z"  # type: ignore[index]


def test_a_whole_list_of_ten_thousand_fits_into_one_call(caller: Caller) -> None:
    rule: Any = caller.post("/v1/rules", {"kind": "list"}).json
    mails = [f"{number:05}{'x' * 180}@acme.example"[-254:] for number in range(10_001)]
    longest = [mail.replace("x" * 180, f"{'x' * 58}") for mail in mails]
    path = f"/v1/rules/{rule['id']}/members"
    assert problem(caller.put(path, json={"mails": longest})) == (422, "invalid")
    assert caller.put(path, json={"mails": longest[1:]}).json == {"members": 10_000}
    assert problem(caller.post(path, {"mails": longest[:1]})) == (409, "wrong-state")


def test_rules_are_listed_and_removed(caller: Caller, service: Service, document: str) -> None:
    first: Any = caller.post("/v1/rules", {"kind": "domain", "domain": "ACME.example", "nda": "ask"}).json
    second: Any = caller.post("/v1/rules", {"kind": "nda", "view_only": True, "download_limit": 3}).json
    assert (first["domain"], first["nda"], first["days"]) == ("acme.example", "ask", 30)
    removed: Any = caller.post(f"/v1/rules/{first['id']}/remove").json
    assert (removed["removed_at"], removed["domain"]) == ("2026-03-02T09:00:00Z", "")
    listed: Any = caller.get("/v1/rules").json
    in_force: Any = caller.get("/v1/rules?in_force=true").json
    assert {item["id"] for item in listed["items"]} == {first["id"], second["id"]}
    assert in_force["items"] == [second]
    request: Any = caller.get(f"/v1/access-requests/{asked(service, document)}").json
    assert request["rule"] == second["id"]


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "domain"},
        {"kind": "list", "domain": "acme.example"},
        {"kind": "domain", "domain": "gmail.com"},
        {"kind": "nda", "days": 367},
        {"kind": "nda", "download_limit": 0},
        {"kind": "everybody"},
        {},
    ],
    ids=str,
)
def test_a_rule_that_cannot_be_is_invalid(caller: Caller, body: dict[str, Any]) -> None:
    assert problem(caller.post("/v1/rules", body)) == (422, "invalid")


def test_a_rule_without_a_list_has_no_members(caller: Caller) -> None:
    rule: Any = caller.post("/v1/rules", {"kind": "nda"}).json
    path = f"/v1/rules/{rule['id']}/members"
    assert problem(caller.get(path)) == (409, "wrong-state")
    assert problem(caller.put(path, json={"mails": []})) == (409, "wrong-state")
    assert problem(caller.put(path, json={"mails": ["no address"]})) == (422, "invalid")
    missing = "/v1/rules/rul_" + "0" * 26
    assert problem(caller.get(missing)) == (404, "not-found")
    assert problem(caller.get(f"{missing}/members")) == (404, "not-found")
    unknown = {"kind": "nda", "document": "doc_" + "0" * 26}
    assert problem(caller.post("/v1/rules", unknown)) == (404, "not-found")
