"""Batches over HTTP: one call, its rows' answers page by page, and links that are made when they are asked for."""

from __future__ import annotations

from typing import Any

import pytest

from service import batches
from service.access import Scope
from tests.service_fixture import OPERATOR, URL, Service
from tests.web.api.conftest import Caller, problem
from tests.web.api.test_cuts import ready_version


@pytest.fixture
def document(caller: Caller) -> str:
    """A report that is ready, with an agreement for all of acme.example."""
    made = caller.ready_document()
    agreed = caller.post("/v1/ndas", {"source": "contracts", "domain": "acme.example", "approved": True})
    assert agreed.status_code == 201
    return made


def _batch(document: str, rows: int, **values: Any) -> dict[str, Any]:
    people = [
        {"mail": f"p{at}@acme.example", "name": f"Person {at}", "company": "Acme"} for at in range(rows)
    ]
    return {"document": document, "rows": people, "purpose": "Renewal", **values}


def _work(service: Service) -> None:
    while service.sealmark.batch_working.run_once():
        pass


def test_a_batch_is_made_in_one_call_that_is_safe_to_repeat(
    caller: Caller, service: Service, document: str
) -> None:
    headers = {"Idempotency-Key": "renewals-1"}
    made = caller.post("/v1/batches", _batch(document, 3), headers=headers)
    assert made.status_code == 201, made.text
    begun: Any = made.json
    assert (begun["state"], begun["size"], begun["worked"], begun["problems"]) == ("working", 3, 0, 0)
    assert caller.post("/v1/batches", _batch(document, 3), headers=headers).json == begun
    _work(service)
    assert caller.post("/v1/batches", _batch(document, 3), headers=headers).json == begun
    _work(service)
    done: Any = caller.get(made.headers["Location"]).json
    assert (done["state"], done["worked"]) == ("done", 3)
    assert len(service.entries("share.created")) == 3
    assert [one["id"] for one in caller.get("/v1/batches").json["items"]] == [begun["id"]]  # type: ignore[index]


def test_a_batch_may_be_of_sections_once_their_cut_is_ready(caller: Caller, service: Service) -> None:
    caller.post("/v1/ndas", {"source": "contracts", "domain": "acme.example", "approved": True})
    document, path = ready_version(caller)
    wanted = _batch(document, 2, version=path.rpartition("/")[2], sections=["Tests"])
    early = caller.post("/v1/batches", wanted)
    assert problem(early) == (409, "wrong-state")
    assert early.json["fields"]["state"] == "compiling"  # type: ignore[index]
    service.work()
    assert caller.post("/v1/batches", wanted).status_code == 201
    _work(service)
    (cut,) = caller.get(f"{path}/cuts").json["items"]  # type: ignore[index]
    shares = service.sealmark.sharing.list()
    assert [(share.cut_id, share.pinned_version_id) for share in shares] == [
        (cut["id"], wanted["version"])
    ] * 2
    assert problem(caller.post("/v1/batches", {**wanted, "version": None})) == (422, "invalid")


def test_rows_and_links_come_page_by_page(caller: Caller, service: Service, document: str) -> None:
    batch: Any = caller.post("/v1/batches", _batch(document, 5)).json
    path = f"/v1/batches/{batch['id']}"
    waiting: Any = caller.get(f"{path}/rows").json
    assert {row["state"] for row in waiting["items"]} == {"waiting"}
    _work(service)
    first: Any = caller.get(f"{path}/rows?limit=3").json
    rest: Any = caller.get(f"{path}/rows?limit=3&after={first['next']}").json
    rows = [*first["items"], *rest["items"]]
    assert [row["number"] for row in rows] == [0, 1, 2, 3, 4]
    assert rest["next"] is None
    share: Any = caller.get(f"/v1/shares/{rows[4]['share']}").json
    assert share["recipient"] == rows[4]["recipient"]

    asked: Any = caller.post(f"{path}/links", {"limit": 3}, headers={"Idempotency-Key": "l1"}).json
    again: Any = caller.post(f"{path}/links", {"limit": 3}, headers={"Idempotency-Key": "l1"}).json
    more: Any = caller.post(f"{path}/links", {"limit": 3, "after": asked["next"]}).json
    assert asked == again
    assert more["next"] is None
    links = [*asked["items"], *more["items"]]
    assert [link["share"] for link in links] == [row["share"] for row in rows]
    assert all(link["url"].startswith(f"{URL}/s/v1.") for link in links)
    assert len(service.entries("link.created")) == 5


def test_a_list_with_problems_is_refused_with_the_place_of_each(
    caller: Caller, service: Service, document: str
) -> None:
    rows = [
        {"mail": "ana@acme.example", "name": "Ana"},
        *({"mail": f"p{at}@uncovered.example", "name": f"Person {at}"} for at in range(30)),
    ]
    refused = caller.post("/v1/batches", {**_batch(document, 0), "rows": rows})
    assert problem(refused) == (422, "invalid")
    body: Any = refused.json
    assert [place["where"] for place in body["errors"]] == [f"rows.{at}" for at in range(1, 31)]
    assert body["fields"] == {"rows": 30}
    assert service.entries("batch.begun") == []

    made: Any = caller.post("/v1/batches", {**_batch(document, 0), "rows": rows, "skip_problems": True}).json
    _work(service)
    found: Any = caller.get(f"/v1/batches/{made['id']}/rows").json
    assert [row["problem"] for row in found["items"]] == [None, *["nda-required"] * 30]
    assert "Have it signed" in found["items"][1]["detail"]
    assert (found["items"][1]["share"], found["items"][0]["state"]) == (None, "shared")


def test_one_problem_of_all_rows_is_stated_as_for_one_share(caller: Caller, document: str) -> None:
    assert problem(caller.post("/v1/batches", _batch(f"doc_{'0' * 26}", 2))) == (404, "not-found")
    assert problem(caller.post("/v1/batches", _batch(caller.document(), 2))) == (409, "wrong-state")
    assert problem(caller.post("/v1/batches", _batch(document, 0))) == (422, "invalid")
    for path in ("", "/rows"):
        assert problem(caller.get(f"/v1/batches/bat_{'0' * 26}{path}")) == (404, "not-found")
    assert problem(caller.post(f"/v1/batches/bat_{'0' * 26}/links", {})) == (404, "not-found")


def test_who_may_only_read_shares_makes_no_links(caller: Caller, service: Service, document: str) -> None:
    batch: Any = caller.post("/v1/batches", _batch(document, 1)).json
    reader = Caller(caller.client, service.api_key(Scope.SHARES_READ))
    assert reader.get(f"/v1/batches/{batch['id']}").status_code == 200
    assert problem(reader.post(f"/v1/batches/{batch['id']}/links", {})) == (403, "forbidden")


def test_while_a_list_is_checked_others_write_and_a_call_that_is_repeated_checks_nothing(
    caller: Caller, service: Service, document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []

    def meanwhile(check_mark: Any, name: str, mail: str, company: str) -> None:
        service.sealmark.database.ping_write()  # with a transaction open SQLite would refuse it
        checked.append(mail)

    monkeypatch.setattr(batches, "check_markable_person", meanwhile)
    for _ in range(2):
        made = caller.post("/v1/batches", _batch(document, 2), headers={"Idempotency-Key": "one"})
        assert made.status_code == 201, made.text
    assert checked == ["p0@acme.example", "p1@acme.example"]


def test_whose_a_row_is_is_told_to_who_may_read_recipients(
    caller: Caller, service: Service, document: str
) -> None:
    path = f"/v1/batches/{caller.post('/v1/batches', _batch(document, 2)).json['id']}/rows"  # type: ignore[index]
    _work(service)
    rows: Any = caller.get(path).json
    assert [row["mail"] for row in rows["items"]] == ["p0@acme.example", "p1@acme.example"]
    sharer = Caller(caller.client, service.api_key(Scope.SHARES_READ, Scope.SHARES_WRITE))
    told: Any = sharer.get(path).json
    assert [row["mail"] for row in told["items"]] == [None, None]
    service.sealmark.erasing.begin(OPERATOR, rows["items"][1]["recipient"])
    assert [row["mail"] for row in caller.get(path).json["items"]] == ["p0@acme.example", None]  # type: ignore[index]
