"""What receivers are told: which entries become events, when, for whom, and what stands in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.announcing import NOTICE
from service.compiling import Compiled
from service.events import EventKind
from service.records import Event, Receiver, RuleKind
from tests.migrated import migrated_postgresql
from tests.receiving import DOCS
from tests.servers.postgresql import PostgresqlServer
from tests.service.acting import A_PDF, a_document, a_share, a_version, an_nda
from tests.service.asking import CRM, a_listed_document, a_rule, ask
from tests.service.erasing_cases import on_postgresql
from tests.service.signing_cases import a_waiting_share
from tests.service.test_along import a_letter
from tests.service_fixture import OPERATOR, Service, fake_compile_in_child, service_in
from tests.web.recipient.lending import Lent, compile_here, lend

URL = "https://crm.lender.example/hooks"


def compile_either(source: Iterator[bytes], parameters: dict[str, Any]) -> Compiled:
    """The real compiler for what is a PDF."""
    content = b"".join(source)
    return (
        fake_compile_in_child(iter([content]), parameters)
        if content == A_PDF
        else compile_here([content], {})
    )


def a_receiver(service: Service, *kinds: EventKind, personal: bool = False) -> Receiver:
    """A receiver of these kinds; none named: of all."""
    add = service.sealmark.webhooks.add
    return add(CRM, url=URL, kinds=kinds or tuple(EventKind), personal=personal)[0]


def told(service: Service, receiver: Receiver) -> list[dict[str, Any]]:
    """The bodies of its events in order, after sequencing."""
    service.work()
    return [json.loads(event.body) for event in service.sealmark.webhooks.events(receiver.id, limit=1000)]


def fetch(lent: Lent, delivery: str, part: str | None = None) -> None:
    """Download it, or a part of it, to the end."""
    answer = lent.browser.get(delivery, headers={"Range": part} if part else {})
    assert answer.status_code == (206 if part else 200)
    assert answer.data


def types(service: Service, receiver: Receiver) -> list[str]:
    return [body["type"] for body in told(service, receiver)]


class EventPromises:
    """What holds on every database. A subclass gives the fixture `service`."""

    @pytest.fixture
    def service(self) -> Service:
        raise NotImplementedError("given by the subclass")

    def test_what_happens_to_a_share_is_told_in_the_order_of_the_log(self, service: Service) -> None:
        receiver = a_receiver(service)
        lent = lend(service)
        lent.browser.get(lent.path)
        fetch(lent, lent.granted())
        service.sealmark.sharing.revoke(OPERATOR, lent.share.id)
        assert types(service, receiver) == ["share.viewed", "share.downloaded", "share.revoked"]
        viewed, downloaded, revoked = told(service, receiver)
        entries = {row["kind"]: row for row in service.entries()}
        common = {"share": lent.share.id, "document": lent.document.id, "recipient": lent.recipient.id}
        for body, kind in (
            (viewed, "page.viewed"),
            (downloaded, "download.ended"),
            (revoked, "share.revoked"),
        ):
            assert body["data"].items() >= common.items()
            assert body["data"]["document_name"] == "Relay report"
            assert body["data"]["entry"] == entries[kind]["id"]
            assert body["timestamp"] == entries[kind]["time"]
        assert downloaded["data"]["delivery"].startswith("dlv_")

    def test_requests_are_told_with_what_became_of_them(self, service: Service) -> None:
        receiver = a_receiver(service)
        document = a_listed_document(service)
        an_nda(service)
        first = ask(service, document)
        service.sealmark.access_requests.deny(OPERATOR, first.id)
        a_rule(service, RuleKind.DOMAIN, domain="acme.example")
        second = ask(service, document)
        assert [(body["type"], body["data"]["request"]) for body in told(service, receiver)] == [
            ("access.requested", first.id),
            ("access.denied", first.id),
            ("access.requested", second.id),
            ("access.approved", second.id),
        ]

    def test_signing_on_the_page_is_told(self, service: Service) -> None:
        receiver = a_receiver(service, EventKind.NDA_SIGNED)
        nda = a_waiting_share(service).sign()
        (body,) = told(service, receiver)
        assert (body["type"], body["data"]["nda"]) == ("nda.signed", nda.id)

    def test_a_receiver_is_told_of_its_kinds_only_and_from_then_on(self, service: Service) -> None:
        lent = lend(service)
        lent.browser.get(lent.path)
        service.work()
        viewing = a_receiver(service, EventKind.SHARE_VIEWED)
        revoking = a_receiver(service, EventKind.SHARE_REVOKED)
        lent.browser.get(lent.path)
        service.sealmark.sharing.revoke(OPERATOR, lent.share.id)
        assert types(service, viewing) == ["share.viewed"]
        assert types(service, revoking) == ["share.revoked"]
        service.sealmark.webhooks.remove(OPERATOR, revoking.id)
        with service.sealmark.database.read() as records:
            assert records.find(Event, receiver_id=revoking.id) == []

    def test_a_download_in_parts_is_told_of_once_when_it_is_whole(self, service: Service) -> None:
        receiver = a_receiver(service, EventKind.SHARE_DOWNLOADED)
        lent = lend(service)
        delivery = lent.granted()
        fetch(lent, delivery, "bytes=0-1")
        assert types(service, receiver) == []
        fetch(lent, delivery, "bytes=2-")
        assert types(service, receiver) == ["share.downloaded"]
        fetch(lent, delivery)
        fetch(lent, delivery, "bytes=0-1")
        assert types(service, receiver) == ["share.downloaded"]

    def test_nothing_personal_leaves_unless_the_receiver_asked_for_it(self, service: Service) -> None:
        plain, personal = a_receiver(service), a_receiver(service, personal=True)
        lent = lend(service)
        lent.browser.get(lent.path)
        (thin,), (full,) = told(service, plain), told(service, personal)
        assert not any(
            word in json.dumps(thin) for word in ("ana@", "Ana", "Acme", "secret purpose", "192.0")
        )
        assert full["data"] == {
            **thin["data"],
            "recipient_mail": "ana@acme.example",
            "recipient_name": "Ana Lindqvist",
            "recipient_company": "Acme Freight",
        }
        assert "secret purpose" not in json.dumps(full)

    def test_erasing_takes_the_names_and_leaves_what_tells_of_nobody(self, service: Service) -> None:
        plain, personal = a_receiver(service), a_receiver(service, personal=True)
        lent = lend(service)
        lent.browser.get(lent.path)
        service.work()
        service.sealmark.erasing.begin(OPERATOR, lent.recipient.id)
        service.sealmark.erasing.finish(lent.recipient.id)
        assert types(service, plain) == ["share.viewed", "share.revoked"]
        named, nameless = service.sealmark.webhooks.events(personal.id)
        assert named.body == ""
        assert json.loads(nameless.body)["data"]["reason"] == "erased"
        assert "recipient_name" not in nameless.body

    def test_a_share_that_ends_soon_is_told_of_once(self, service: Service) -> None:
        receiver = a_receiver(service)
        a_version(service, document := a_document(service))
        an_nda(service)
        start, endings = service.clock(), service.sealmark.share_endings
        share, _ = a_share(service, document, expires_at=start + timedelta(days=20))
        a_share(service, document, mail="bo@acme.example", expires_at=start + NOTICE)  # made for no longer
        revoked, _ = a_share(service, document, mail="cy@acme.example", expires_at=start + timedelta(days=20))
        service.sealmark.sharing.revoke(OPERATOR, revoked.id)
        endings.run_once()
        service.clock.now = start + timedelta(days=13) - timedelta(seconds=1)
        endings.run_once()
        assert types(service, receiver) == ["share.revoked"]
        service.clock.advance(seconds=1)
        late = a_receiver(service)
        for _ in range(2):
            endings.run_once()
        assert types(service, receiver) == ["share.revoked", "share.expiring"]
        assert types(service, late) == ["share.expiring"]
        body = told(service, receiver)[-1]
        assert body["data"]["share"] == share.id
        assert body["data"]["expires_at"] == "2026-03-22T09:00:00.000000Z"

    def test_what_goes_along_is_not_told_to_end(self, service: Service) -> None:
        receiver = a_receiver(service)
        a_version(service, document := a_document(service))
        an_nda(service)
        a_letter(service, document)
        share, _ = a_share(service, document)
        service.clock.now = share.expires_at - NOTICE
        service.sealmark.share_endings.run_once()
        assert [event["data"]["share"] for event in told(service, receiver)] == [share.id]

    def test_ids_are_never_the_same_for_two(self, service: Service) -> None:
        receivers = [a_receiver(service), a_receiver(service)]
        lent = lend(service)
        for _ in range(3):
            lent.browser.get(lent.path)
        service.work()
        ids = [event.id for one in receivers for event in service.sealmark.webhooks.events(one.id)]
        assert len(set(ids)) == len(ids) == 6


def test_the_documentation_names_every_kind_of_event_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", DOCS.read_text("utf-8"), re.MULTILINE)
    assert rows == [str(kind) for kind in EventKind]


class TestOnSqlite(EventPromises):
    """On SQLite."""

    @pytest.fixture
    def service(self, tmp_path: Path) -> Iterator[Service]:
        with service_in(tmp_path, compile_in_child=compile_either) as made:
            yield made


@pytest.mark.postgresql
class TestOnPostgresql(EventPromises):
    """On a real PostgreSQL."""

    @pytest.fixture
    def service(self, tmp_path: Path, postgresql_server: PostgresqlServer) -> Iterator[Service]:
        url = migrated_postgresql(postgresql_server)
        environ = on_postgresql(postgresql_server, tmp_path, url)
        with service_in(tmp_path, environ=environ, compile_in_child=compile_either) as made:
            yield made
