"""A last day that is set or moved while shares are open: what is told, counted and lent follows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from service.announcing import NOTICE
from service.ends import BATCH, in_effect, open_shares
from service.events import EventKind
from service.holdings import Standing
from service.outbox import Mail
from service.records import Document, Event, Link, Message, Receiver, Share
from tests.service.acting import a_document, a_report_under_nda, a_share, a_version, token_of
from tests.service.test_along import a_letter, along, page_of
from tests.service_fixture import OPERATOR, Service

LAST_DAY = date(2026, 3, 12)
END = datetime(2026, 3, 13, tzinfo=UTC)


@pytest.fixture
def report(service: Service) -> Document:
    return a_report_under_nda(service)


def ends(service: Service, document: Document, day: date | None) -> None:
    """Set its last day, or take it away."""
    service.sealmark.documents.change(OPERATOR, document.id, ends=day)


def told(service: Service) -> list[str]:
    """The shares that recipients are to be told of, in order; tells who is to be told now."""
    service.sealmark.announcing.endings()
    with service.sealmark.database.read() as records:
        found = records.find(Message, kind=Mail.EXPIRING, order="created_at")
    return [message.about for message in found]


def a_receiver(service: Service) -> Receiver:
    return service.sealmark.webhooks.add(
        OPERATOR, url="https://crm.example/x", kinds=[EventKind.SHARE_EXPIRING]
    )[0]


def events(service: Service, receiver: Receiver) -> list[Event]:
    """What a receiver is told; tells what is to be told now."""
    service.sealmark.share_endings.run_once()
    return list(service.sealmark.webhooks.events(receiver.id))


def test_who_loses_a_report_by_its_last_day_is_told_a_week_before_and_once(
    service: Service, report: Document
) -> None:
    receiver = a_receiver(service)
    share, _ = a_share(service, report)
    ends(service, report, LAST_DAY)
    service.clock.now = END - NOTICE - timedelta(seconds=1)
    assert (told(service), events(service, receiver)) == ([], [])
    service.clock.advance(seconds=1)
    for _ in range(2):
        assert told(service) == [share.id]
        (event,) = events(service, receiver)
    assert '"expires_at":"2026-03-13T00:00:00.000000Z"' in event.body
    (letter,) = service.mails()
    assert letter.subject == "Your access to “SOC 2 Type II” ends on 13 March 2026"


def test_an_end_that_is_moved_is_told_again_and_a_past_one_is_not(service: Service, report: Document) -> None:
    receiver = a_receiver(service)
    share, _ = a_share(service, report)
    ends(service, report, LAST_DAY)
    service.clock.now = END - NOTICE
    assert told(service) == [share.id]
    assert len(events(service, receiver)) == 1
    ends(service, report, None)
    assert told(service) == [share.id]
    service.clock.now = share.expires_at - NOTICE
    assert told(service) == [share.id] * 2
    assert len(events(service, receiver)) == 2
    ends(service, report, service.clock().date())
    service.clock.advance(days=1)
    assert told(service) == [share.id] * 2
    assert len(events(service, receiver)) == 2


def test_each_of_many_that_a_last_day_ends_is_told(service: Service, report: Document) -> None:
    a_share(service, report)
    shares = _many(service, report, 250)
    ends(service, report, LAST_DAY)
    service.clock.now = END - timedelta(days=1)
    assert len(set(told(service))) == len(told(service)) == shares


def test_a_share_of_a_document_that_has_ended_is_counted_nowhere(service: Service, report: Document) -> None:
    sealmark = service.sealmark
    a_letter(service, report)
    share, _ = a_share(service, report)
    (other,) = along(service, share)
    assert len(sealmark.sharing.list(active=True)) == 2
    ends(service, report, LAST_DAY)
    service.clock.now = END
    assert sealmark.sharing.list(active=True) == []
    assert [one.expires_at for one in sealmark.sharing.list()] == [END, END]
    assert sealmark.sharing.get(other.id).expires_at == END, "the letter ends with its report"
    assert [one.standing for one in sealmark.holdings.of(report.id).items] == [Standing.EXPIRED]
    assert [shelf.holdings for shelf in sealmark.holdings.overview().items] == [[], []]
    assert sealmark.sharing.revoke(OPERATOR, share.id).expires_at == END


def test_open_shares_are_read_past_many_that_have_ended(service: Service, report: Document) -> None:
    a_share(service, report)
    _many(service, report, BATCH + 3)
    ends(service, report, LAST_DAY)
    other = a_document(service)
    a_version(service, other)
    one, _ = a_share(service, other)
    two, _ = a_share(service, other)
    service.clock.now = END
    for first in (1, 2, BATCH):
        with service.sealmark.database.read() as records:
            found = open_shares(records, service.clock(), batch=first)
            assert [share.id for share in found] == sorted([one.id, two.id])
    assert len(service.sealmark.sharing.list(active=True, limit=1)) == 1


def test_a_letter_whose_last_day_is_moved_goes_along_until_then(service: Service, report: Document) -> None:
    letter = a_letter(service, report)
    ends(service, letter, date(2026, 3, 10))
    share, link = a_share(service, report)
    ends(service, letter, date(2026, 3, 30))
    service.clock.advance(days=2)
    link = service.sealmark.sharing.link(OPERATOR, share.id)
    assert page_of(service, token_of(link)) == ["Bridge letter Q1"]
    service.clock.now = datetime(2026, 3, 31, tzinfo=UTC)
    link = service.sealmark.sharing.link(OPERATOR, share.id)
    assert page_of(service, token_of(link)) == []
    assert [one.expires_at for one in _in_effect(service, along(service, share))] == [service.clock()]


def test_a_link_says_no_later_end_than_the_last_day(service: Service, report: Document) -> None:
    share, _ = a_share(service, report)
    ends(service, report, LAST_DAY)
    service.clock.now = END - timedelta(minutes=3)
    link = service.sealmark.sharing.link(OPERATOR, share.id)
    assert link.expires_at == END
    with service.sealmark.database.read() as records:
        assert records.find(Link, order="-created_at", limit=1)[0].expires_at == END


def _in_effect(service: Service, shares: list[Share]) -> list[Share]:
    with service.sealmark.database.read() as records:
        return in_effect(records, shares)


def _many(service: Service, report: Document, number: int) -> int:
    """So many copies of the report's one share; how many there are now."""
    with service.sealmark.database.write() as records:
        (share,) = records.find(Share, document_id=report.id)
        records.add(*(replace(share, id=f"shr_{at:026d}") for at in range(number)))
    return number + 1
