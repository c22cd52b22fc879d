"""The access log over HTTP: pages, filters, exports; and no pull without its entry."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from tests.service_fixture import Service
from tests.web.api.conftest import Caller, problem


def test_pages_show_every_entry_once_and_see_one_log(caller: Caller, service: Service) -> None:
    for number in range(5):
        caller.document(name=f"Report {number}")
    service.work()
    size = service.sealmark.log.size()
    page: Any = caller.get("/v1/log/entries?limit=3").json
    seen = [item["index"] for item in page["items"]]
    while page["next"] is not None:
        service.work()  # the log grows by the entries of the pulls meanwhile
        page = caller.get(f"/v1/log/entries?limit=3&after={page['next']}&size={page['size']}").json
        seen += [item["index"] for item in page["items"]]
    assert seen == list(range(size))


@pytest.mark.parametrize("query", ["", "?size=1000", "?after=0&size=1000", "?after=0", "?limit=1"])
def test_nothing_is_read_without_an_entry_of_it(caller: Caller, service: Service, query: str) -> None:
    service.work()
    assert caller.get(f"/v1/log/entries{query}").status_code == 200
    (pulled,) = service.entries("log.pulled")
    assert pulled["actor_type"] == "api-key"


def test_entries_are_found_by_kind_document_recipient_share_outcome_and_time(
    caller: Caller, service: Service
) -> None:
    document = caller.ready_document(kind="overview", classification="public")
    service.clock.advance(hours=1)
    caller.document()
    shared: Any = caller.share(document).json
    service.work()

    def kinds(query: str) -> list[str]:
        answer: Any = caller.get(f"/v1/log/entries?{query}").json
        return [json.loads(item["leaf"])["kind"] for item in answer["items"]]

    assert kinds("kind=document.created") == ["document.created"] * 2
    assert kinds(f"document={document}&kind=document.created") == ["document.created"]
    assert kinds(f"share={shared['id']}") == ["share.created", "link.created"]
    assert "recipient.created" in kinds(f"recipient={shared['recipient']['id']}")
    assert kinds("since=2026-03-02T10:00:00Z&kind=document.created") == ["document.created"]
    assert kinds("until=2026-03-02T11:00:00%2B01:00&kind=share.created") == []
    assert kinds("outcome=denied") == []


@pytest.mark.parametrize(
    "query",
    ["kind=nothing", "outcome=good", "since=2026-03-02", "document=x", "after=-1", "size=x", "limit=500"],
)
def test_a_filter_that_cannot_be_is_refused(caller: Caller, query: str) -> None:
    assert problem(caller.get(f"/v1/log/entries?{query}")) == (422, "invalid")


def test_an_export_holds_all_entries_of_its_filter(caller: Caller, service: Service) -> None:
    caller.document(name="=cmd()")
    service.work()
    lines = caller.get("/v1/log/entries", headers={"Accept": "application/x-ndjson"})
    assert lines.content_type == "application/x-ndjson"
    _, *rows, footer = [json.loads(line) for line in lines.text.splitlines()]
    page: Any = caller.get("/v1/log/entries?limit=200").json
    shown = [{name: row[name] for name in ("index", "leaf", "revealed")} for row in rows]
    assert shown == page["items"][: footer["count"]]
    events = caller.get(
        "/v1/log/entries?kind=document.created",
        headers={"Accept": "application/vnd.sealmark.ocsf+ndjson"},
    )
    assert events.mimetype == "application/vnd.sealmark.ocsf+ndjson"
    assert json.loads(events.text)["metadata"]["event_code"] == "document.created"
    table = caller.get("/v1/log/entries?kind=document.created", headers={"Accept": "text/csv"})
    assert table.mimetype == "text/csv"
    (row,) = csv.DictReader(io.StringIO(table.text))
    assert (row["kind"], row["mail"]) == ("document.created", "owner@lender.example")
    assert [entry["kind"] for entry in service.entries("log.pulled")] == ["log.pulled"] * 4


def test_accept_chooses_and_what_does_not_exist_is_not_acceptable(caller: Caller) -> None:
    def asked(accept: str) -> Any:
        return caller.get("/v1/log/entries", headers={"Accept": accept})

    assert asked("*/*").mimetype == "application/json"
    assert asked("text/csv;q=0.5, application/json;q=0.1").mimetype == "text/csv"
    assert problem(asked("text/html")) == (406, "not-acceptable")
    limited = caller.get("/v1/log/entries?limit=5", headers={"Accept": "text/csv"})
    assert problem(limited) == (422, "invalid")
