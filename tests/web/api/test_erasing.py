"""Erasing and holds over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.access import Scope
from tests.service_fixture import Service
from tests.web.api.conftest import Caller, problem


@pytest.fixture
def shared(caller: Caller) -> Any:
    """What making a share answered."""
    document = caller.ready_document()
    caller.post("/v1/ndas", {"source": "paper", "domain": "acme.example", "approved": True})
    return caller.share(document).json


def test_an_erased_recipient_keeps_an_id_and_their_share_says_why_it_ended(
    caller: Caller, service: Service, shared: Any
) -> None:
    path = f"/v1/recipients/{shared['recipient']['id']}"
    erased = caller.post(f"{path}/erase")
    assert erased.status_code == 200
    assert erased.json == {
        "id": shared["recipient"]["id"],
        "mail": f"{shared['recipient']['id']}@erased.invalid",
        "name": "",
        "company": "",
        "created_at": shared["recipient"]["created_at"],
        "erased_at": "2026-03-02T09:00:00Z",
    }
    assert caller.get(path).json == erased.json == caller.post(f"{path}/erase").json
    share = caller.get(f"/v1/shares/{shared['id']}").json
    assert (share["state"], share["revoked_reason"], share["purpose"]) == ("revoked", "erased", "")
    assert problem(caller.post(f"/v1/shares/{shared['id']}/links", {})) == (409, "wrong-state")
    while service.sealmark.erasing.run_once():
        pass
    service.work()
    assert "ana@acme.example" not in caller.get("/v1/log/entries?limit=200").text
    assert '{"erased":"ent_' in caller.get("/v1/log/entries?limit=200").text


def test_erasing_nobody_is_not_found(caller: Caller) -> None:
    assert problem(caller.post(f"/v1/recipients/rcp_{'0' * 26}/erase")) == (404, "not-found")


@pytest.mark.parametrize("on", ["recipient", "company", "document"])
def test_a_hold_answers_409_and_names_itself_until_it_is_released(
    caller: Caller, shared: Any, on: str
) -> None:
    subject = {
        "recipient": shared["recipient"]["id"],
        "company": "ACME.example",
        "document": shared["share"]["document"],
    }[on]
    hold: Any = caller.post("/v1/holds", {on: subject, "reason": "Acme v. Lender"}).json
    assert (hold["kind"], hold["subject"], hold["reason"]) == (
        on,
        subject.replace("ACME", "acme"),
        "Acme v. Lender",
    )
    erase = f"/v1/recipients/{shared['recipient']['id']}/erase"
    refused = caller.post(erase)
    assert problem(refused) == (409, "held")
    assert refused.json["fields"] == {"holds": hold["id"]}  # type: ignore[index]
    assert caller.get("/v1/holds?standing=true").json["items"] == [hold]
    released: Any = caller.post(f"/v1/holds/{hold['id']}/release").json
    assert released["released_at"]
    assert released["reason"] == ""
    assert caller.get("/v1/holds?standing=true").json["items"] == []
    assert caller.get("/v1/holds").json["items"] == [released]
    assert caller.post(f"/v1/holds/{hold['id']}/release").json == released
    assert caller.post(erase).status_code == 200


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"reason": "x"}, (422, "invalid")),
        ({"company": "acme.example", "document": f"doc_{'0' * 26}", "reason": "x"}, (422, "invalid")),
        ({"company": "acme.example"}, (422, "invalid")),
        ({"company": "no domain", "reason": "x"}, (422, "invalid")),
        ({"recipient": f"rcp_{'0' * 26}", "reason": "x"}, (404, "not-found")),
        ({"document": f"doc_{'0' * 26}", "reason": "x"}, (404, "not-found")),
    ],
    ids=json.dumps,
)
def test_a_hold_is_on_one_thing_that_is_there_and_says_why(
    caller: Caller, body: Any, expected: tuple[int, str]
) -> None:
    assert problem(caller.post("/v1/holds", body)) == expected
    assert caller.get("/v1/holds").json["items"] == []


def test_neither_erasing_nor_holding_comes_with_another_scope(
    caller: Caller, service: Service, shared: Any
) -> None:
    erase = f"/v1/recipients/{shared['recipient']['id']}/erase"
    caller.key = service.api_key(*set(Scope) - {Scope.RECIPIENTS_ERASE, Scope.HOLDS_WRITE})
    assert problem(caller.post(erase)) == (403, "forbidden")
    assert problem(caller.post("/v1/holds", {"company": "acme.example", "reason": "x"})) == (403, "forbidden")
    assert problem(caller.get("/v1/holds")) == (403, "forbidden")


def test_a_hold_is_two_entries_whose_company_and_reason_are_personal(
    caller: Caller, service: Service
) -> None:
    hold: Any = caller.post("/v1/holds", {"company": "acme.example", "reason": "matter 7"}).json
    caller.post(f"/v1/holds/{hold['id']}/release")
    for kind in ("hold.placed", "hold.released"):
        (entry,) = service.entries(kind)
        assert json.loads(entry["details"]) == {"hold": hold["id"], "on": "company"}
        assert (entry["company"], entry["reference"]) == ("acme.example", "matter 7")
