"""Denials: one entry a link and minute; what is not authentic is one summary entry, also after a silence."""

from __future__ import annotations

import json
import time

import pytest

from service import denials as module
from service.audit import Actor
from service.decision import Denial
from service.denials import sum_up
from service.ports import DatabaseUnavailable
from service.records import Tally
from tests.service.acting import a_document, a_share, a_version, an_nda
from tests.service_fixture import Service

STRANGER = Actor("stranger")


def tallies(service: Service) -> list[Tally]:
    with service.sealmark.database.read() as records:
        return records.find(Tally)


def summed_up(service: Service) -> int:
    return sum_up(service.sealmark.database, service.clock(), service.sealmark.random)


def test_a_link_that_is_denied_often_is_one_entry_a_minute(service: Service) -> None:
    document = a_document(service)
    a_version(service, document)
    an_nda(service)
    share, _ = a_share(service, document)
    for _ in range(5):
        service.sealmark.denials.record(Denial.LINK_EXPIRED, share, "hash-1", STRANGER, service.clock())
    service.sealmark.denials.record(Denial.LINK_EXPIRED, share, "hash-2", STRANGER, service.clock())
    assert [entry["link"] for entry in service.entries("download.denied")] == ["hash-1", "hash-2"]
    service.clock.advance(minutes=1)
    service.sealmark.denials.record(Denial.USED_UP, share, "hash-1", STRANGER, service.clock())
    assert service.entries("download.denied")[-1]["reason"] == "used-up"


def test_a_burst_of_forged_links_is_one_entry_without_another_one_to_follow(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ONCE_A", module.timedelta(milliseconds=50))
    for _ in range(500):
        service.sealmark.denials.count_unauthentic(service.clock())
    for _ in range(200):
        if tallies(service):
            break
        time.sleep(0.05)
    assert summed_up(service) == 500
    (entry,) = service.entries("requests.unauthentic")
    assert json.loads(entry["details"])["count"] == 500
    assert summed_up(service) == 0


def test_the_counts_of_several_processes_are_one_entry(service: Service) -> None:
    other = module.Denials(service.sealmark.database, service.sealmark.random)
    for one in (service.sealmark.denials, other, other):
        one.count_unauthentic(service.clock())
    service.sealmark.denials.hand_over()
    other.hand_over()
    assert len(tallies(service)) == 2
    assert summed_up(service) == 3
    assert len(service.entries("requests.unauthentic")) == 1


def test_a_count_that_cannot_be_handed_over_is_kept(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise DatabaseUnavailable("the database is away")

    service.sealmark.denials.count_unauthentic(service.clock())
    with monkeypatch.context() as patch:
        patch.setattr(service.sealmark.database, "write", away)
        service.sealmark.denials.hand_over()
    service.sealmark.denials.count_unauthentic(service.clock())
    service.sealmark.denials.hand_over()
    assert summed_up(service) == 2
