"""Bridge letters and last days, and answers for the board, over the API."""

from __future__ import annotations

import csv
import io

import pytest

from tests.service_fixture import Service
from tests.web.api.conftest import Caller, problem

ROOT = "/v1/report"


@pytest.fixture
def lent(caller: Caller) -> tuple[str, str]:
    """A report and the bridge letter that belongs to it, and one share."""
    report = caller.ready_document()
    letter = caller.ready_document(name="Letter", kind="bridge-letter")
    linked = caller.put(f"/v1/documents/{letter}/policy", json={"report": report, "ends": "2026-12-31"})
    assert linked.status_code == 200, linked.text
    caller.post("/v1/ndas", {"domain": "acme.example", "source": "paper", "approved": True})
    assert caller.share(report).status_code == 201
    return report, letter


def test_a_letter_is_linked_and_given_a_last_day_and_both_are_taken_away(
    caller: Caller, lent: tuple[str, str], service: Service
) -> None:
    report, letter = lent
    path = f"/v1/documents/{letter}"
    shown = caller.get(path).json
    assert (shown["report"], shown["ends"]) == (report, "2026-12-31")  # type: ignore[index]
    same = caller.put(f"{path}/policy", json={"listing": "named"}).json
    assert (same["report"], same["ends"]) == (report, "2026-12-31")  # type: ignore[index]
    gone = caller.put(f"{path}/policy", json={"report": None, "ends": None}).json
    assert (gone["report"], gone["ends"]) == (None, None)  # type: ignore[index]
    details = [str(row["details"]) for row in service.entries("document.changed")]
    assert details[0] == f'{{"ends": "2026-12-31", "report": "{report}"}}'
    assert details[2] == '{"ends": "", "report": ""}'


def test_the_share_that_goes_along_names_the_one_that_it_goes_with(
    caller: Caller, lent: tuple[str, str]
) -> None:
    report, letter = lent
    (own,) = caller.get(f"/v1/shares?document={report}").json["items"]  # type: ignore[index]
    (along,) = caller.get(f"/v1/shares?document={letter}").json["items"]  # type: ignore[index]
    assert (own["with_share"], along["with_share"]) == (None, own["id"])
    assert problem(caller.post(f"/v1/shares/{along['id']}/links", {})) == (409, "wrong-state")
    caller.post(f"/v1/shares/{own['id']}/revoke")
    ended = caller.get(f"/v1/shares/{along['id']}").json
    assert (ended["state"], ended["revoked_reason"]) == ("revoked", "with-report")  # type: ignore[index]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"ends": "2026-3-1"}, (422, "invalid")),
        ({"ends": "2026-02-30"}, (422, "invalid")),
        ({"ends": 20261231}, (422, "invalid")),
        ({"ends": "2025-12-31"}, (422, "invalid")),
        ({"report": "doc_x"}, (422, "invalid")),
        ({"report": "doc_" + "0" * 26}, (404, "not-found")),
    ],
)
def test_a_policy_that_cannot_be_is_refused(
    caller: Caller, lent: tuple[str, str], body: dict[str, object], expected: tuple[int, str]
) -> None:
    assert problem(caller.put(f"/v1/documents/{lent[1]}/policy", json=body)) == expected


def test_the_numbers_for_the_board_come_as_json_and_as_a_table(
    caller: Caller, lent: tuple[str, str], service: Service
) -> None:
    service.work()
    found = caller.get(f"{ROOT}?first=2026-02-16&last=2026-03-02")
    assert found.status_code == 200
    assert {one["document"]: one["shares"] for one in found.json["out"]} == dict.fromkeys(lent, 1)
    assert [week["monday"] for week in found.json["weeks"]] == ["2026-02-16", "2026-02-23", "2026-03-02"]
    assert found.json["requests"]["median_seconds"] is None

    table = caller.get(ROOT, headers={"Accept": "text/csv"})
    assert table.content_type == "text/csv; charset=utf-8; header=present"
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert ("to whom", "acme.example", "Acme", "people", "1") in [tuple(row.values()) for row in rows]
    assert len(service.entries("log.pulled")) == 2


def test_a_report_is_refused_in_other_forms_and_for_other_days(caller: Caller) -> None:
    assert problem(caller.get(ROOT, headers={"Accept": "image/png"})) == (406, "not-acceptable")
    assert problem(caller.get(f"{ROOT}?first=2026-03-02&last=2026-03-01")) == (422, "invalid")
    assert problem(caller.get(f"{ROOT}?first=tomorrow")) == (422, "invalid")
    assert problem(caller.get(f"{ROOT}?last=0001-01-01")) == (422, "invalid")
