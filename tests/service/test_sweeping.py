"""Sweeping: what time ends is ended once, with an entry, and nothing else is touched."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service import sweeping
from service.objects import payload_key, sidecar_key
from service.ports import Records
from service.records import Answer, Copy, Delivery, Link, Nda, Send, Throttle
from service.sweeping import ANSWER_AGE, NDA_OVERLAP, ORPHAN_AGE
from tests.service.acting import a_document, a_share, a_version, an_nda, stored_keys
from tests.service_fixture import Service


def a_copy(service: Service) -> Copy:
    """A copy of a share, as minting leaves it; nothing is stamped from it here."""
    document = a_document(service)
    version = a_version(service, document)
    an_nda(service)
    share, _ = a_share(service, document)
    now = service.clock()
    copy = Copy(
        *("cpy_x", share.id, version.id, version.template_id or "", share.recipient_id),
        *("Ana Example", "ana@acme.example", "Acme", now.date(), 1, 1000, "0" * 64, b"", now),
    )
    with service.sealmark.database.write() as records:
        records.add(copy)
    return copy


def a_send(service: Service, copy: Copy, name: str) -> Send:
    """A send that begins now, of a delivery that was charged its 1000 bytes."""
    now = service.clock()
    with service.sealmark.database.read() as records:
        (link,) = records.find(Link, share_id=copy.share_id)
    until = now + timedelta(minutes=10)
    delivery = Delivery(f"dlv_{name}", copy.share_id, copy.id, link.hash, now, until, 1000)
    send = Send(f"snd_{name}", delivery.id, now, now, reserved=1000, sent=300)
    with service.sealmark.database.write() as records:
        records.add(delivery, send)
    return send


def test_a_send_that_fell_silent_ends_as_unknown_and_gives_no_bytes_back(service: Service) -> None:
    copy = a_copy(service)
    silent = a_send(service, copy, "silent")
    service.clock.advance(seconds=service.sealmark.settings.silent_seconds)
    alive = a_send(service, copy, "alive")
    assert service.sealmark.sweeping.end_silent_sends() == 1
    assert service.sealmark.sweeping.end_silent_sends() == 0
    with service.sealmark.database.read() as records:
        ended, other = records.get(Send, silent.id), records.get(Send, alive.id)
        delivery = records.get(Delivery, silent.delivery_id)
    assert ended is not None
    assert delivery is not None
    assert (ended.outcome, ended.ended_at, ended.sent) == ("unknown", service.clock(), 300)
    assert other == alive
    assert delivery.bytes_sent == 1000
    (entry,) = service.entries("download.ended")
    assert (entry["outcome"], entry["details"]) == ("unknown", '{"sent": 300}')


def test_rows_whose_time_is_over_are_forgotten_and_no_others(service: Service) -> None:
    now = service.clock()
    with service.sealmark.database.write() as records:
        records.add(
            Answer("old", "hash", now - ANSWER_AGE),
            Answer("young", "hash", now - ANSWER_AGE + timedelta(seconds=1)),
        )
        records.add(Throttle("over", now), Throttle("holds", now + timedelta(seconds=1)))
    service.sealmark.sweeping.forget_old_rows()
    with service.sealmark.database.read() as records:
        assert [answer.key for answer in records.find(Answer)] == ["young"]
        assert [throttle.key for throttle in records.find(Throttle)] == ["holds"]


def test_only_old_objects_without_a_row_go_to_the_trash_whole(service: Service) -> None:
    objects = service.sealmark.objects
    kept, _ = objects.put("original", "version", "ver_1", [b"kept"])
    with service.sealmark.database.write() as records:
        records.add(kept)
    orphan, _ = objects.put("original", "version", "ver_2", [b"nobody's"])
    names = [payload_key("original", orphan.id), sidecar_key("original", orphan.id)]
    store = service.sealmark.store
    before = {name: b"".join(store.read(name)) for name in names}
    newest = max(blob.modified for blob in store.list("objects/"))
    oldest = min(blob.modified for blob in store.list("objects/"))
    service.clock.now = oldest + ORPHAN_AGE - timedelta(seconds=1)
    assert service.sealmark.sweeping.trash_orphans() == 0
    assert service.entries("store.swept") == []
    service.clock.now = newest + ORPHAN_AGE
    assert service.sealmark.sweeping.trash_orphans() == 2
    day = f"trash/{service.clock():%Y-%m-%d}/"
    assert {name: b"".join(store.read(day + name)) for name in names} == before
    assert not set(names) & set(stored_keys(service))
    assert b"".join(objects.open(kept).read()) == b"kept"
    assert service.sealmark.sweeping.trash_orphans() == 0
    assert len(service.entries("store.swept")) == 1


def test_agreements_that_ran_out_long_ago_are_looked_at_only_once(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = an_nda(service, valid_until=service.clock() + timedelta(days=1))
    service.clock.now += NDA_OVERLAP + timedelta(days=2)
    new = an_nda(service, valid_until=service.clock() + timedelta(days=1))
    looked_at: list[str] = []

    def note(records: Records, actor: object, now: object, random: object, nda: Nda) -> int:
        looked_at.append(nda.id)
        return 0

    monkeypatch.setattr(sweeping, "end_uncovered", note)
    service.sealmark.sweeping.end_expired_ndas()
    assert looked_at == [old.id]
    service.clock.advance(days=30)  # the machine slept: what ran out meanwhile is still found
    service.sealmark.sweeping.end_expired_ndas()
    assert looked_at == [old.id, new.id]
    service.clock.advance(days=30)
    service.sealmark.sweeping.end_expired_ndas()
    service.sealmark.sweeping.end_expired_ndas()
    assert looked_at == [old.id, new.id]
