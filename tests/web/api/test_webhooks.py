"""Webhooks over the API: added, listed, their delivery log read, sent again, removed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.records import Event
from tests.service_fixture import Service
from tests.web.api.conftest import Caller, problem

URL = "https://crm.lender.example/hooks"


def add(caller: Caller, **changes: Any) -> Any:
    return caller.post("/v1/webhooks", {"url": URL, "kinds": ["share.revoked"], **changes})


def test_a_receivers_life(caller: Caller, service: Service) -> None:
    made = add(caller, personal=True)
    assert made.status_code == 201
    receiver, secret = made.json["receiver"], made.json["secret"]
    assert made.headers["Location"] == f"/v1/webhooks/{receiver['id']}"
    assert secret.startswith("whsec_")
    assert caller.get(f"/v1/webhooks/{receiver['id']}").json == receiver
    assert caller.get("/v1/webhooks").json == {"items": [receiver], "next": None}
    assert secret not in caller.get("/v1/webhooks").text

    nda = caller.post("/v1/ndas", {"source": "paper", "domain": "acme.example"}).json["id"]
    caller.post(f"/v1/ndas/{nda}/approve")
    share = caller.share(caller.ready_document()).json["id"]
    caller.post(f"/v1/shares/{share}/revoke")
    service.work()
    (event,) = caller.get(f"/v1/webhooks/{receiver['id']}/events").json["items"]
    assert (event["kind"], event["state"], event["attempts"], event["status"]) == (
        "share.revoked",
        "waiting",
        0,
        None,
    )
    assert json.loads(event["body"])["data"]["recipient_mail"] == "ana@acme.example"

    with service.sealmark.database.write() as records:
        records.change(records.find(Event)[0], failed_at=service.clock(), status=503)
    failed = caller.get(f"/v1/webhooks/{receiver['id']}/events?state=failed").json["items"]
    assert [(item["state"], item["status"]) for item in failed] == [("failed", 503)]
    assert caller.post(f"/v1/webhooks/{receiver['id']}/replay", {}).json == {"events": 1}
    since = {"since": "2026-03-02T09:00:00Z"}
    assert caller.post(f"/v1/webhooks/{receiver['id']}/replay", since).json == {"events": 1}
    waiting = caller.get(f"/v1/webhooks/{receiver['id']}/events?state=waiting").json["items"]
    assert [item["id"] for item in waiting] == [event["id"]]
    assert caller.get(f"/v1/webhooks/{receiver['id']}/events?after={event['id']}").json["items"] == []

    removed = caller.post(f"/v1/webhooks/{receiver['id']}/remove")
    assert removed.json["removed_at"]
    assert problem(caller.get(f"/v1/webhooks/{receiver['id']}")) == (404, "not-found")
    assert problem(caller.post(f"/v1/webhooks/{receiver['id']}/replay", {})) == (404, "not-found")
    assert caller.get("/v1/webhooks").json["items"] == []
    kinds = [row["kind"] for row in service.entries() if row["kind"].startswith("webhook.")]
    assert kinds == ["webhook.created", "webhook.replayed", "webhook.replayed", "webhook.removed"]


def test_the_same_call_again_gives_the_same_secret_and_no_second_receiver(caller: Caller) -> None:
    body = {"url": URL, "kinds": ["share.viewed"]}
    first = caller.post("/v1/webhooks", body, headers={"Idempotency-Key": "once"})
    second = caller.post("/v1/webhooks", body, headers={"Idempotency-Key": "once"})
    assert first.json == second.json
    assert len(caller.get("/v1/webhooks").json["items"]) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://crm.lender.example/"},
        {"url": "https://127.0.0.1/"},
        {"url": "https://user:x@crm.lender.example/"},
        {"kinds": []},
        {"kinds": ["share.exploded"]},
        {"personal": "yes"},
        {"secret": "whsec_mine"},
    ],
)
def test_what_cannot_be_is_refused(caller: Caller, changes: dict[str, Any]) -> None:
    assert problem(add(caller, **changes)) == (422, "invalid")


def test_receivers_and_events_come_in_pages(caller: Caller) -> None:
    ids = sorted(add(caller).json["id"] for _ in range(3))
    page = caller.get("/v1/webhooks?limit=2").json
    assert [item["id"] for item in page["items"]] == ids[:2]
    following = caller.get(f"/v1/webhooks?limit=2&after={page['next']}").json
    assert [item["id"] for item in following["items"]] == ids[2:]
    unknown = f"evt_{'0' * 26}"
    assert problem(caller.get(f"/v1/webhooks/{ids[0]}/events?after={unknown}")) == (422, "invalid")
