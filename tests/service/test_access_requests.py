"""Requests for access: asked once, decided once, and nothing half."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.access_requests import AccessRequests, Policy
from service.errors import DomainError, Problem
from service.outbox import Mail
from service.ports import Taken
from service.records import (
    AccessRequest,
    Classification,
    Document,
    Kind,
    Listing,
    Message,
    NdaMode,
    NdaText,
    Recipient,
    RequestState,
    RuleKind,
    RuleMember,
    Share,
)
from tests.migrated import migrated_postgresql
from tests.servers.postgresql import PostgresqlServer
from tests.service.acting import a_document, a_share, an_nda
from tests.service.asking import BROWSER, CRM, a_listed_document, a_rule, ask, kinds_after, queued, said
from tests.service.erasing_cases import on_postgresql
from tests.service_fixture import OPERATOR, Service, service_in


def a_text(service: Service) -> None:
    """A text of the agreement, to be signed on the page."""
    with service.sealmark.database.write() as records:
        records.add(NdaText("txt_1", 1, "# Agreement", "00" * 32, None, service.clock()))


def requests_of(service: Service) -> list[AccessRequest]:
    with service.sealmark.database.read() as records:
        return records.find(AccessRequest, order="created_at")


class RequestPromises:
    """What holds on every database. A subclass gives the fixture `service`."""

    @pytest.fixture
    def service(self) -> Service:
        raise NotImplementedError("given by the subclass")

    @pytest.fixture
    def document(self, service: Service) -> Document:
        return a_listed_document(service)

    def test_asking_makes_recipient_and_request_each_with_its_entry(
        self, service: Service, document: Document
    ) -> None:
        made = ask(service, document, purpose="  vendor\nreview ")
        assert (made.state, made.purpose, made.language) == (RequestState.PENDING, "vendor review", "de")
        assert kinds_after(service, "recipient.created") == ["recipient.created", "access.requested"]
        (entry,) = said(service, "access.requested")
        assert (entry["access"], entry["document"], entry["recipient"]) == (
            made.id,
            document.id,
            made.recipient_id,
        )
        assert (entry["mail"], entry["name"], entry["company"], entry["purpose"]) == (
            "ana@acme.example",
            "Ana Example",
            "Acme",
            "vendor review",
        )
        assert (entry["actor_type"], entry["address"]) == ("recipient", "192.0.2.7")
        assert service.sealmark.recipients.get(made.recipient_id).language == "de"
        assert queued(service) == []

    def test_asking_again_gives_the_same_and_changes_nothing(
        self, service: Service, document: Document
    ) -> None:
        first = ask(service, document)
        assert ask(service, document, mail="ANA@Acme.example", name="Other", purpose="other") == first
        assert len(service.entries("access.requested")) == 1
        assert requests_of(service) == [first]

    def test_asking_at_the_same_moment_makes_one_request_and_one_share(
        self, service: Service, document: Document
    ) -> None:
        an_nda(service)
        rule = a_rule(service, RuleKind.DOMAIN, domain="acme.example")
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda _: ask(service, document), range(4)))
        assert len({request.id for request in made}) == 1
        assert {request.rule_id for request in made} == {rule.id}
        assert len(service.sealmark.sharing.list()) == 1
        assert [kind for kind, *_ in queued(service)] == [Mail.APPROVED]

    def test_a_name_that_differs_is_kept_in_the_request_and_the_record_stays(
        self, service: Service, document: Document
    ) -> None:
        an_nda(service)
        share, _ = a_share(service, document)
        other = a_listed_document(service)
        made = ask(service, other, name="A. Example", company="Acme Inc")
        assert (made.name, made.company, made.recipient_id) == ("A. Example", "Acme Inc", share.recipient_id)
        recipient = service.sealmark.recipients.get(made.recipient_id)
        assert (recipient.name, recipient.company) == ("Ana Example", "Acme")
        approved = service.sealmark.access_requests.approve(CRM, made.id)
        assert (approved.request.name, approved.recipient.name) == ("A. Example", "Ana Example")

    def test_what_was_denied_or_has_ended_can_be_asked_for_again(
        self, service: Service, document: Document
    ) -> None:
        an_nda(service)
        requests, sharing = service.sealmark.access_requests, service.sealmark.sharing
        denied = requests.deny(CRM, ask(service, document).id).request
        approved = requests.approve(CRM, ask(service, document).id).request
        assert ask(service, document) == approved  # its share is open
        sharing.revoke(OPERATOR, approved.share_id or "")
        third = ask(service, document)
        assert len({denied.id, approved.id, third.id}) == 3
        assert third.state == RequestState.PENDING

    def test_what_is_used_up_can_be_asked_for_again_and_no_rule_gives_it_again(
        self, service: Service, document: Document
    ) -> None:
        an_nda(service)
        rule = a_rule(service, RuleKind.DOMAIN, domain="acme.example", download_limit=1)
        first = ask(service, document)
        assert first.rule_id == rule.id
        share = service.sealmark.sharing.get(first.share_id or "")
        with service.sealmark.database.write() as records:
            records.change(share, downloads_taken=1)
        again = ask(service, document)
        assert (again.id != first.id, again.state, again.share_id) == (True, RequestState.PENDING, None)
        assert ask(service, document) == again
        assert service.sealmark.access_requests.approve(CRM, again.id).request.share_id != share.id

    @pytest.mark.parametrize(
        ("changes", "problem", "where"),
        [
            ({"name": ""}, Problem.INVALID, "name"),
            ({"name": "x" * 201}, Problem.INVALID, "name"),
            ({"name": "Ana\x07"}, Problem.INVALID, "name"),
            ({"name": "Ana \u202eoof"}, Problem.UNMARKABLE_NAME, "name"),
            ({"company": " "}, Problem.INVALID, "company"),
            ({"company": "\U0001f600"}, Problem.INVALID, "company"),
            ({"company": "Acme \U0001f600"}, Problem.UNMARKABLE_NAME, "company"),
            ({"purpose": " \n "}, Problem.INVALID, "purpose"),
            ({"purpose": "x" * 501}, Problem.INVALID, "purpose"),
            ({"purpose": "a\x00b"}, Problem.INVALID, "purpose"),
            ({"mail": "ana"}, Problem.INVALID, "mail"),
        ],
        ids=str,
    )
    def test_what_cannot_be_says_at_which_field_and_makes_nothing(
        self, service: Service, document: Document, changes: dict[str, Any], problem: Problem, where: str
    ) -> None:
        before = len(service.entries())
        with pytest.raises(DomainError) as caught:
            ask(service, document, **changes)
        assert (caught.value.problem, caught.value.fields["where"]) == (problem, where)
        assert len(service.entries()) == before
        assert requests_of(service) == []

    def test_a_revoked_or_unknown_document_cannot_be_asked_for(
        self, service: Service, document: Document
    ) -> None:
        service.sealmark.documents.revoke(OPERATOR, document.id)
        with pytest.raises(DomainError) as revoked:
            ask(service, document)
        with pytest.raises(DomainError) as unknown:
            service.sealmark.access_requests.ask(
                BROWSER,
                document_id="doc_" + "0" * 26,
                mail="a@b.example",
                name="A",
                company="B",
                purpose="c",
                language="",
            )
        assert [caught.value.problem for caught in (revoked, unknown)] == [
            Problem.WRONG_STATE,
            Problem.NOT_FOUND,
        ]

    @pytest.mark.parametrize("tag", ["", "x" * 36, "de_DE", "ü", "-", "<b>"])
    def test_a_language_that_is_no_tag_is_not_kept(
        self, service: Service, document: Document, tag: str
    ) -> None:
        assert ask(service, document, language=tag).language == ""

    def test_approving_makes_share_entries_and_message_in_one(
        self, service: Service, document: Document
    ) -> None:
        an_nda(service)
        made = ask(service, document)
        until = service.clock() + timedelta(days=5)
        policy = Policy(expires_at=until, download_limit=3, view_only=True)
        approved = service.sealmark.access_requests.approve(CRM, made.id, policy).request
        share = service.sealmark.sharing.get(approved.share_id or "")
        assert (approved.state, approved.decided_at, approved.rule_id) == (
            RequestState.APPROVED,
            service.clock(),
            None,
        )
        assert (share.recipient_id, share.document_id, share.purpose) == (
            made.recipient_id,
            document.id,
            "vendor review",
        )
        assert (share.expires_at, share.download_limit, share.view_only) == (until, 3, True)
        assert (share.nda, share.mail_check) == (NdaMode.REQUIRE, True)  # counted downloads: mail is checked
        assert kinds_after(service, "share.created") == ["share.created", "access.approved"]
        (entry,) = said(service, "access.approved")
        assert (entry["access"], entry["share"], entry["actor"], entry["outcome"]) == (
            made.id,
            share.id,
            "smk_crm",
            "ok",
        )
        assert "rule" not in entry
        assert queued(service) == [(Mail.APPROVED, made.id, "ana@acme.example", "de")]
        assert service.entries("link.created") == []  # it is made when the message is sent

    def test_denying_is_an_entry_and_a_message(self, service: Service, document: Document) -> None:
        made = ask(service, document)
        denied = service.sealmark.access_requests.deny(CRM, made.id).request
        assert (denied.state, denied.share_id) == (RequestState.DENIED, None)
        (entry,) = said(service, "access.denied")
        assert (entry["access"], entry["outcome"], entry["actor"]) == (made.id, "denied", "smk_crm")
        assert queued(service) == [(Mail.DENIED, made.id, "ana@acme.example", "de")]

    def test_a_request_is_decided_once(self, service: Service, document: Document) -> None:
        an_nda(service)
        requests = service.sealmark.access_requests
        made = ask(service, document)
        requests.approve(CRM, made.id)
        for decide in (requests.approve, requests.deny):
            with pytest.raises(DomainError) as caught:
                decide(CRM, made.id)
            assert (caught.value.problem, caught.value.fields["state"]) == (Problem.WRONG_STATE, "approved")
        assert len(service.entries("access.approved")) == 1
        assert len(queued(service)) == 1

    def test_of_many_who_decide_at_once_one_does(self, service: Service, document: Document) -> None:
        an_nda(service)
        requests = service.sealmark.access_requests
        made = ask(service, document)

        def decide(number: int) -> bool:
            try:
                (requests.approve if number % 2 else requests.deny)(CRM, made.id)
            except DomainError as error:
                return error.problem != Problem.WRONG_STATE
            return True

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(decide, range(4))) == 1
        assert len(service.entries("access.approved") + service.entries("access.denied")) == 1
        assert len(queued(service)) == 1

    def test_without_agreement_and_text_approving_changes_nothing(
        self, service: Service, document: Document
    ) -> None:
        made = ask(service, document)
        before = len(service.entries())
        with pytest.raises(DomainError) as caught:
            service.sealmark.access_requests.approve(CRM, made.id)
        assert caught.value.problem == Problem.NDA_REQUIRED
        assert service.sealmark.access_requests.get(made.id).request == made
        assert len(service.entries()) == before
        assert queued(service) == []

    def test_without_agreement_the_share_waits_for_a_signature_where_there_is_a_text(
        self, service: Service, document: Document
    ) -> None:
        a_text(service)
        requests = service.sealmark.access_requests
        waiting = requests.approve(CRM, ask(service, document).id).request
        share = service.sealmark.sharing.get(waiting.share_id or "")
        assert (share.nda, share.mail_check) == (NdaMode.ASK, True)
        made = ask(service, document, mail="bo@acme.example", name="Bo")
        with pytest.raises(DomainError) as caught:
            requests.approve(CRM, made.id, Policy(nda=NdaMode.REQUIRE))
        assert caught.value.problem == Problem.NDA_REQUIRED

    def test_an_agreement_in_force_or_a_public_document_asks_for_no_signature(self, service: Service) -> None:
        a_text(service)
        an_nda(service)
        requests = service.sealmark.access_requests
        public = a_listed_document(service, kind=Kind.OVERVIEW, classification=Classification.PUBLIC)
        covered = ask(service, a_listed_document(service))
        free = ask(service, public, mail="bo@other.example", name="Bo")
        shares = [
            service.sealmark.sharing.get(requests.approve(CRM, made.id).request.share_id or "")
            for made in (covered, free)
        ]
        assert [(share.nda, share.mail_check) for share in shares] == [(NdaMode.REQUIRE, False)] * 2

    def test_a_revoked_agreement_is_not_offered_by_an_approval(
        self, service: Service, document: Document
    ) -> None:
        a_text(service)
        service.sealmark.ndas.revoke(OPERATOR, an_nda(service).id)
        with pytest.raises(DomainError) as caught:
            service.sealmark.access_requests.approve(CRM, ask(service, document).id)
        assert caught.value.problem == Problem.NDA_REQUIRED

    def test_where_no_mail_can_be_sent_nothing_is_decided(self, service: Service, document: Document) -> None:
        an_nda(service)
        a_rule(service, RuleKind.DOMAIN, domain="acme.example")
        sealmark = service.sealmark

        def no_mail() -> None:
            raise DomainError(Problem.WRONG_STATE, "no mail is configured")

        requests = AccessRequests(
            sealmark.database, sealmark.sharing, lambda *_: None, no_mail, service.clock, sealmark.random
        )
        made = requests.ask(
            BROWSER,
            document_id=document.id,
            mail="ana@acme.example",
            name="Ana",
            company="Acme",
            purpose="x",
            language="",
        )
        assert made.state == RequestState.PENDING
        for decide in (requests.approve, requests.deny):
            with pytest.raises(DomainError, match="no mail"):
                decide(CRM, made.id)
        assert sealmark.sharing.list() == []
        assert requests.get(made.id).request == made

    def test_a_recipient_that_others_make_again_and_again_is_busy_and_nothing_is_made(
        self, service: Service, document: Document, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def taken(*_: object, **__: object) -> None:
            raise Taken("mail")

        monkeypatch.setattr("service.access_requests.admit", taken)
        with pytest.raises(DomainError) as caught:
            ask(service, document)
        assert caught.value.problem == Problem.BUSY
        assert requests_of(service) == []
        assert service.entries("access.requested") == []

    @pytest.mark.parametrize("decide", ["approve", "deny"])
    def test_a_request_that_is_not_there_is_not_decided(self, service: Service, decide: str) -> None:
        with pytest.raises(DomainError) as caught:
            getattr(service.sealmark.access_requests, decide)(OPERATOR, f"acc_{'0' * 26}")
        assert caught.value.problem == Problem.NOT_FOUND
        assert queued(service) == []

    def test_requests_are_listed_with_who_asks(self, service: Service, document: Document) -> None:
        an_nda(service)
        requests = service.sealmark.access_requests
        first = ask(service, document)
        second = ask(service, document, mail="bo@acme.example", name="Bo")
        requests.deny(CRM, second.id)
        assert [
            (one.request.id, one.recipient.mail) for one in requests.list(state=RequestState.PENDING)
        ] == [(first.id, "ana@acme.example")]
        assert {one.request.id for one in requests.list(document=document.id)} == {first.id, second.id}
        assert [one.request.id for one in requests.list(recipient=second.recipient_id)] == [second.id]
        one, two = sorted([first.id, second.id])
        assert [found.request.id for found in requests.list(limit=1)] == [one]
        assert [found.request.id for found in requests.list(after=one)] == [two]
        with pytest.raises(DomainError) as caught:
            requests.get("acc_" + "0" * 26)
        assert caught.value.problem == Problem.NOT_FOUND

    def test_erasing_forgets_what_was_typed_and_denies_what_is_pending_without_a_message(
        self, service: Service, document: Document
    ) -> None:
        an_nda(service)
        sealmark = service.sealmark
        rule = a_rule(service, RuleKind.LIST)
        sealmark.access_rules.put_members(CRM, rule.id, ["ana@acme.example", "bo@acme.example"])
        other = a_listed_document(service, listing=Listing.HIDDEN)
        approved, pending = ask(service, document), ask(service, other)
        assert [approved.state, pending.state] == [RequestState.APPROVED, RequestState.PENDING]
        beside = ask(service, other, mail="cy@acme.example", name="Cy")
        sealmark.erasing.begin(OPERATOR, pending.recipient_id)
        sealmark.erasing.finish(pending.recipient_id)
        with sealmark.database.read() as records:
            left = {one.id: one for one in records.find(AccessRequest)}
            assert [member.mail for member in records.find(RuleMember)] == ["bo@acme.example"]
            assert [one.kind for one in records.find(Message)].count(Mail.DENIED) == 0
            assert records.get(Recipient, pending.recipient_id).language == ""  # type: ignore[union-attr]
        for made in (approved, pending):
            gone = left[made.id]
            assert (gone.name, gone.company, gone.purpose, gone.language) == ("", "", "", "")
        assert left[approved.id].state == RequestState.APPROVED
        assert left[pending.id].state == RequestState.DENIED
        assert left[beside.id] == beside
        (entry,) = said(service, "access.denied")
        assert (entry["access"], entry["actor_type"], entry["reason"]) == (pending.id, "worker", "erased")
        with pytest.raises(DomainError) as caught:
            sealmark.access_requests.approve(CRM, pending.id)
        assert caught.value.problem == Problem.WRONG_STATE

    def test_a_document_without_a_file_can_be_asked_for_and_is_approved_once_it_is_ready(
        self, service: Service
    ) -> None:
        an_nda(service)
        document = a_document(service)
        made = ask(service, document)
        with pytest.raises(DomainError) as caught:
            service.sealmark.access_requests.approve(CRM, made.id)
        assert caught.value.problem == Problem.WRONG_STATE
        assert service.sealmark.access_requests.get(made.id).request.state == RequestState.PENDING
        with service.sealmark.database.read() as records:
            assert records.find(Share) == []


class TestOnSqlite(RequestPromises):
    """On SQLite."""

    @pytest.fixture
    def service(self, tmp_path: Path) -> Iterator[Service]:
        with service_in(tmp_path) as made:
            yield made


@pytest.mark.postgresql
class TestOnPostgresql(RequestPromises):
    """On a real PostgreSQL."""

    @pytest.fixture
    def service(self, tmp_path: Path, postgresql_server: PostgresqlServer) -> Iterator[Service]:
        url = migrated_postgresql(postgresql_server)
        with service_in(tmp_path, environ=on_postgresql(postgresql_server, tmp_path, url)) as made:
            yield made
