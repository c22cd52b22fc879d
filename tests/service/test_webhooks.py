"""Receivers: added with a secret that is shown once, in force until removed, and never where they must not be."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from service import webhooks
from service.errors import DomainError, Problem
from service.events import FROM_ENTRIES, EventKind
from service.records import Event, Receiver
from service.webhook_address import MAX_URL
from service.webhooks import MAX_RECEIVERS
from tests.service.asking import CRM
from tests.service_fixture import Service

URL = "https://crm.lender.example/hooks?token=t0ken"


def add(service: Service, **changes: Any) -> tuple[Receiver, str]:
    given: dict[str, Any] = {"url": URL, "kinds": [EventKind.SHARE_VIEWED], **changes}
    return service.sealmark.webhooks.add(CRM, **given)


def an_event(service: Service, receiver: Receiver, number: int) -> Event:
    now = service.clock()
    event = Event(f"evt_{number}", None, receiver.id, "share.viewed", None, "{}", now, now, now)
    with service.sealmark.database.write() as records:
        records.add(event)
    return event


def test_a_receiver_is_added_with_its_entry_and_its_secret_is_shown_once(service: Service) -> None:
    receiver, secret = add(
        service, kinds=[EventKind.SHARE_VIEWED, EventKind.NDA_SIGNED, EventKind.SHARE_VIEWED]
    )
    assert secret.startswith("whsec_")
    assert receiver.kinds == ["nda.signed", "share.viewed"]
    (made,) = service.entries("webhook.created")
    assert json.loads(made["details"]) == {"receiver": receiver.id, "kinds": "nda.signed share.viewed"}
    assert (made["actor_type"], made["actor"]) == ("api-key", CRM.id)
    assert secret.removeprefix("whsec_") not in repr(service.sealmark.webhooks.list())
    assert "t0ken" not in repr(service.entries()), "the address may hold a secret of the receiver's"


def test_each_receiver_has_a_secret_of_its_own(service: Service) -> None:
    assert add(service)[1] != add(service)[1]


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.lender.example/",
        "ftp://crm.lender.example/",
        "https:///hooks",
        "https://",
        "crm.lender.example",
        "https://user@crm.lender.example/",
        "https://user:secret@crm.lender.example/",
        "https://crm.lender.example/#part",
        "https://crm.lender.example:0/",
        "https://crm.lender.example:99999/",
        "https://crm.lender.example/a b",
        "https://crm.lender.example/\r\nX: y",
        "https://crm.lend\u00e9r.example/",
        "https://[::1/",
        "https://127.0.0.1/",
        "https://[::ffff:169.254.169.254]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.1.2.3:8443/",
        f"https://crm.lender.example/{'a' * MAX_URL}",
    ],
)
def test_a_receiver_is_a_public_https_address(service: Service, url: str) -> None:
    with pytest.raises(DomainError) as refused:
        add(service, url=url)
    assert (refused.value.problem, refused.value.fields["where"]) == (Problem.INVALID, "url")
    assert service.entries("webhook.created") == []


def test_a_receiver_wants_something(service: Service) -> None:
    with pytest.raises(DomainError, match="at least one kind"):
        add(service, kinds=[])


def test_there_are_only_so_many_receivers_in_force(service: Service) -> None:
    receivers = [add(service)[0] for _ in range(MAX_RECEIVERS)]
    with pytest.raises(DomainError) as refused:
        add(service)
    assert refused.value.problem == Problem.WRONG_STATE
    service.sealmark.webhooks.remove(CRM, receivers[0].id)
    add(service)


def test_a_removed_receiver_is_gone_with_its_secret_and_its_events(service: Service) -> None:
    receiver, _ = add(service)
    an_event(service, receiver, 1)
    removed = service.sealmark.webhooks.remove(CRM, receiver.id)
    assert (removed.secret, removed.removed_at) == ("", service.clock())
    assert service.sealmark.webhooks.remove(CRM, receiver.id) == removed
    assert len(service.entries("webhook.removed")) == 1
    assert service.sealmark.webhooks.list() == []
    with service.sealmark.database.read() as records:
        assert records.find(Event) == []
    for call in (
        service.sealmark.webhooks.get,
        service.sealmark.webhooks.events,
        lambda receiver: service.sealmark.webhooks.replay(CRM, receiver),
    ):
        with pytest.raises(DomainError) as refused:
            call(receiver.id)
        assert refused.value.problem == Problem.NOT_FOUND


def test_what_is_not_there_is_not_found(service: Service) -> None:
    with pytest.raises(DomainError) as refused:
        service.sealmark.webhooks.remove(CRM, "whr_0")
    assert refused.value.problem == Problem.NOT_FOUND


def test_a_delivery_log_is_read_in_parts_and_by_state(service: Service) -> None:
    receiver, _ = add(service)
    other, _ = add(service)
    made = [an_event(service, receiver, number) for number in range(5)]
    foreign = an_event(service, other, 9)
    log = service.sealmark.webhooks.events
    first = log(receiver.id, limit=2)
    assert [event.id for event in first] == ["evt_0", "evt_1"]
    assert [event.id for event in log(receiver.id, after="evt_1")] == ["evt_2", "evt_3", "evt_4"]
    with service.sealmark.database.write() as records:
        for event, field in ((made[0], "sent_at"), (made[1], "failed_at")):
            stored = records.find(Event, id=event.id)[0]
            records.change(stored, **{field: service.clock()})
    assert [event.id for event in log(receiver.id, state="sent")] == ["evt_0"]
    assert [event.id for event in log(receiver.id, state="failed")] == ["evt_1"]
    assert [event.id for event in log(receiver.id, state="waiting")] == ["evt_2", "evt_3", "evt_4"]
    with pytest.raises(DomainError, match="no such event"):
        log(receiver.id, after=foreign.id)


def test_a_replay_of_too_much_is_refused_whole(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "MAX_REPLAY", 2)
    receiver, _ = add(service)
    for number in range(3):
        an_event(service, receiver, number)
    with pytest.raises(DomainError, match="More than 2 events"):
        service.sealmark.webhooks.replay(CRM, receiver.id, since=service.clock())
    assert service.entries("webhook.replayed") == []
    service.clock.advance(seconds=1)
    assert service.sealmark.webhooks.replay(CRM, receiver.id, since=service.clock()) == 0


def test_a_long_replay_is_one_entry_a_batch(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "REPLAY_BATCH", 2)
    receiver, _ = add(service)
    for number in range(5):
        an_event(service, receiver, number)
    since = service.clock() - timedelta(seconds=1)
    assert service.sealmark.webhooks.replay(CRM, receiver.id, since=since) == 5
    counts = [json.loads(row["details"])["events"] for row in service.entries("webhook.replayed")]
    assert counts == [2, 2, 1]


def test_every_kind_of_event_but_the_one_that_time_makes_comes_from_an_entry() -> None:
    assert set(FROM_ENTRIES.values()) == set(EventKind) - {EventKind.SHARE_EXPIRING}
