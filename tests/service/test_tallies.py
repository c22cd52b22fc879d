"""Tallies: what is counted is one summary entry a minute and name, also after a silence; no count is lost."""

from __future__ import annotations

import json
import time

import pytest

from service import tallies as module
from service.ports import DatabaseUnavailable
from service.records import Tally
from service.tallies import LIMITED, UNAUTHENTIC, Tallies, sum_up
from tests.service_fixture import Service


def tallies(service: Service) -> list[Tally]:
    with service.sealmark.database.read() as records:
        return records.find(Tally)


def summed_up(service: Service) -> int:
    return sum_up(service.sealmark.database, service.clock(), service.sealmark.random)


def test_a_burst_of_forged_links_is_one_entry_without_another_one_to_follow(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HAND_OVER_EVERY", module.timedelta(milliseconds=50))
    for _ in range(500):
        service.sealmark.tallies.count(UNAUTHENTIC, service.clock())
    for _ in range(200):
        if tallies(service):
            break
        time.sleep(0.05)
    assert summed_up(service) == 500
    (entry,) = service.entries("requests.unauthentic")
    assert json.loads(entry["details"])["count"] == 500
    assert summed_up(service) == 0


def test_the_counts_of_several_processes_are_one_entry(service: Service) -> None:
    other = Tallies(service.sealmark.database, service.sealmark.random)
    for one in (service.sealmark.tallies, other, other):
        one.count(UNAUTHENTIC, service.clock())
    service.sealmark.tallies.hand_over()
    other.hand_over()
    assert len(tallies(service)) == 2
    assert summed_up(service) == 3
    assert len(service.entries("requests.unauthentic")) == 1


def test_a_count_that_cannot_be_handed_over_is_kept(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise DatabaseUnavailable("the database is away")

    service.sealmark.tallies.count(UNAUTHENTIC, service.clock())
    with monkeypatch.context() as patch:
        patch.setattr(service.sealmark.database, "write", away)
        service.sealmark.tallies.hand_over()
    service.sealmark.tallies.count(UNAUTHENTIC, service.clock())
    service.sealmark.tallies.hand_over()
    assert summed_up(service) == 2


def test_what_a_limit_turned_away_is_an_entry_of_its_own(service: Service) -> None:
    for name, times in ((f"{LIMITED}codes-an-hour", 3), (f"{LIMITED}codes-to", 1), (UNAUTHENTIC, 2)):
        for _ in range(times):
            service.sealmark.tallies.count(name, service.clock())
    service.sealmark.tallies.hand_over()
    assert summed_up(service) == 6
    found = [json.loads(entry["details"]) for entry in service.entries("requests.limited")]
    assert [(details["limit"], details["count"]) for details in found] == [
        ("codes-an-hour", 3),
        ("codes-to", 1),
    ]
    assert len(service.entries("requests.unauthentic")) == 1
