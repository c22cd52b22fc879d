"""Denials: one entry a link and minute."""

from __future__ import annotations

from service.audit import Actor
from service.decision import Denial
from tests.service.acting import a_document, a_share, a_version, an_nda
from tests.service_fixture import Service

STRANGER = Actor("stranger")


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
