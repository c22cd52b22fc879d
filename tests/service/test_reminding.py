"""Owners are reminded before a report's period is a year old: twice, once each, and not where there is a newer one."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from service.outbox import Mail
from service.records import Document, Kind, Message
from service.reminding import a_year_after
from tests.service.acting import a_document, a_version
from tests.service.test_mailing import NO_MAIL
from tests.service_fixture import OPERATOR, Service, service_in

PERIOD = {"period_start": "2025-07-01", "period_end": "2026-06-30"}


@pytest.fixture
def report(service: Service) -> Document:
    """A report whose period will be a year old on 30 June 2027."""
    document = a_document(service)
    a_version(service, document, **PERIOD)
    return document


def on(service: Service, day: str) -> list[Message]:
    """All that was ever queued, after the worker was there twice on this day."""
    service.clock.now = datetime.fromisoformat(f"{day}T09:00:00").replace(tzinfo=UTC)
    service.sealmark.sweeping.forget_old_rows()
    service.sealmark.reminding.run_once()
    service.sealmark.reminding.run_once()
    with service.sealmark.database.read() as records:
        return records.find(Message)


def test_the_owner_is_reminded_60_and_14_days_before_once_each(service: Service, report: Document) -> None:
    assert on(service, "2027-04-30") == []
    (first,) = on(service, "2027-05-01")
    assert (first.kind, first.mail, first.recipient_id) == (Mail.PERIOD_ENDING, "trust@lender.example", None)
    (letter,) = service.mails()
    assert letter.to == "trust@lender.example"
    assert letter.subject == "The period of “SOC 2 Type II” will be a year old on 30 June 2027"
    assert "ended on 30 June 2026" in letter.text
    assert "30 June 2027" in letter.html
    for day in ("2027-05-02", "2027-06-15"):
        on(service, day)
        assert service.mails() == []
    on(service, "2027-06-16")
    assert len(service.mails()) == 1
    for day in ("2027-06-29", "2027-06-30", "2027-09-01"):
        on(service, day)
        assert service.mails() == []
    sent = service.entries("mail.sent")
    assert [(row["document"], json.loads(row["details"])["about"][:4]) for row in sent] == [
        (report.id, "ver_")
    ] * 2
    assert "lender.example" not in json.dumps([row for row in sent if row.pop("time", None)])


def test_who_can_be_reminded_only_in_the_last_fortnight_is_reminded_once(
    service: Service, report: Document
) -> None:
    assert len(on(service, "2027-06-25")) == 1
    assert len(on(service, "2027-06-29")) == 1


def test_nobody_is_reminded_where_a_newer_version_is_there(service: Service, report: Document) -> None:
    a_version(service, report, period_start="2026-07-01", period_end="2027-06-30")
    assert on(service, "2027-05-01") == []
    assert len(on(service, "2028-05-01")) == 1


def test_a_version_that_becomes_ready_before_the_mail_is_sent_stops_it(
    service: Service, report: Document
) -> None:
    on(service, "2027-05-01")
    a_version(service, report, period_start="2026-07-01", period_end="2027-06-30")
    assert service.mails() == []
    assert [row["reason"] for row in service.entries("mail.failed")] == ["ended"]


@pytest.mark.parametrize("how", ["revoked", "ended", "letter", "no-period"])
def test_what_is_not_lent_or_has_no_period_of_its_own_reminds_nobody(service: Service, how: str) -> None:
    facts: dict[str, Any] = {} if how == "no-period" else PERIOD
    document = a_document(service, kind=Kind.BRIDGE_LETTER if how == "letter" else Kind.SOC2_TYPE2)
    a_version(service, document, **facts)
    if how == "revoked":
        service.sealmark.documents.revoke(OPERATOR, document.id)
    if how == "ended":
        service.sealmark.documents.change(OPERATOR, document.id, ends=date(2027, 4, 30))
    assert on(service, "2027-05-01") == []


def test_a_period_that_ends_on_the_leap_day_is_a_year_old_on_the_last_of_february() -> None:
    assert a_year_after(date(2028, 2, 29)) == date(2029, 2, 28)


def test_without_mail_nobody_is_reminded(tmp_path: Path) -> None:
    with service_in(tmp_path, environ=NO_MAIL) as service:
        a_version(service, a_document(service), **PERIOD)
        assert on(service, "2027-05-01") == []
