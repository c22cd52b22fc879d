"""A fresh link is promised where one opens, and nowhere else: of several shares to the newest that does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from service.outbox import Mail
from service.records import Document, NdaMode, Session, Share
from tests.migrated import migrated_postgresql
from tests.servers.postgresql import PostgresqlServer
from tests.service.acting import a_document, a_share, a_version, an_nda
from tests.service.asking import queued
from tests.service.erasing_cases import on_postgresql
from tests.service.signing_cases import a_text
from tests.service_fixture import OPERATOR, Service, service_in


def use_up(service: Service, share: Share) -> None:
    """As if its downloads had been taken, and were over."""
    with service.sealmark.database.write() as records:
        records.change(share, downloads_taken=share.download_limit)


class FreshLinkPromises:
    """What holds on every database. A subclass gives the fixture `service`."""

    @pytest.fixture
    def service(self) -> Service:
        raise NotImplementedError("given by the subclass")

    @pytest.fixture
    def document(self, service: Service) -> Document:
        document = a_document(service)
        a_version(service, document)
        return document

    @staticmethod
    def linked(service: Service, document: Document) -> str | None:
        """The share to which Ana is mailed a link; None where she is told that she may ask."""
        service.clock.advance(seconds=1)
        links, now = service.sealmark.fresh_links, service.clock()
        session = Session("hash", document.id, None, "ana@acme.example", now, now + timedelta(hours=1))
        before = len(queued(service))
        promised = links.shared(session, document.id)
        assert links.send(session, document.id) == promised
        made = queued(service)[before:]
        assert [kind for kind, *_ in made] == [Mail.LINK] * promised
        return made[0][1] if made else None

    def test_it_leads_to_the_newest_share(self, service: Service, document: Document) -> None:
        an_nda(service)
        assert self.linked(service, document) is None
        a_share(service, document)
        service.clock.advance(minutes=1)
        newer, _ = a_share(service, document)
        assert self.linked(service, document) == newer.id

    def test_a_newer_share_that_is_used_up_hides_no_older_one(
        self, service: Service, document: Document
    ) -> None:
        an_nda(service)
        older, _ = a_share(service, document)
        service.clock.advance(minutes=1)
        newer, _ = a_share(service, document, download_limit=1)
        assert self.linked(service, document) == newer.id
        use_up(service, newer)
        assert self.linked(service, document) == older.id

    def test_whose_only_share_is_used_up_may_ask(self, service: Service, document: Document) -> None:
        an_nda(service)
        share, _ = a_share(service, document, download_limit=2, mail_check=False)
        use_up(service, share)
        assert self.linked(service, document) is None

    def test_where_the_agreement_ran_out_nothing_is_promised_before_the_worker_sweeps(
        self, service: Service, document: Document
    ) -> None:
        an_nda(service, valid_until=service.clock() + timedelta(days=1))
        share, _ = a_share(service, document)
        service.clock.advance(days=1)
        assert self.linked(service, document) is None
        assert service.sealmark.sharing.get(share.id).revoked_at is None

    def test_a_share_that_can_be_signed_for_is_worth_a_link(
        self, service: Service, document: Document
    ) -> None:
        a_text(service)
        share, _ = a_share(service, document, nda=NdaMode.ASK)
        assert self.linked(service, document) == share.id

    def test_where_the_agreement_was_revoked_nothing_is_promised(
        self, service: Service, document: Document
    ) -> None:
        a_text(service)
        nda = an_nda(service)
        a_share(service, document, nda=NdaMode.ASK)
        service.sealmark.ndas.revoke(OPERATOR, nda.id)
        assert self.linked(service, document) is None


class TestOnSqlite(FreshLinkPromises):
    """On SQLite."""

    @pytest.fixture
    def service(self, tmp_path: Path) -> Iterator[Service]:
        with service_in(tmp_path) as made:
            yield made


@pytest.mark.postgresql
class TestOnPostgresql(FreshLinkPromises):
    """On a real PostgreSQL."""

    @pytest.fixture
    def service(self, tmp_path: Path, postgresql_server: PostgresqlServer) -> Iterator[Service]:
        environ = on_postgresql(postgresql_server, tmp_path, migrated_postgresql(postgresql_server))
        with service_in(tmp_path, environ=environ) as made:
            yield made
