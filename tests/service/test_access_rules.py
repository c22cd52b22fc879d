"""Rules that approve requests: which, in which order, with which entries; and the lists that a CRM keeps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service import access_rules as module
from service.errors import DomainError, Problem
from service.outbox import Mail
from service.records import (
    Classification,
    Document,
    Kind,
    Listing,
    NdaMode,
    NdaText,
    RequestState,
    RuleKind,
    RuleMember,
)
from tests.migrated import migrated_postgresql
from tests.servers.postgresql import PostgresqlServer
from tests.service.acting import an_nda
from tests.service.asking import CRM, a_listed_document, a_rule, ask, kinds_after, queued, said
from tests.service.erasing_cases import on_postgresql
from tests.service_fixture import OPERATOR, Service, service_in


class RulePromises:
    """What holds on every database. A subclass gives the fixture `service`."""

    @pytest.fixture
    def service(self) -> Service:
        raise NotImplementedError("given by the subclass")

    @pytest.fixture
    def document(self, service: Service) -> Document:
        an_nda(service)
        return a_listed_document(service)

    def test_a_rule_by_domain_approves_at_once_with_entries_that_name_it(
        self, service: Service, document: Document
    ) -> None:
        rule = a_rule(
            service, RuleKind.DOMAIN, domain="ACME.example", days=7, download_limit=2, view_only=True
        )
        made = ask(service, document)
        assert (made.state, made.rule_id, made.decided_at) == (
            RequestState.APPROVED,
            rule.id,
            service.clock(),
        )
        share = service.sealmark.sharing.get(made.share_id or "")
        assert (share.expires_at, share.download_limit, share.view_only) == (
            service.clock() + timedelta(days=7),
            2,
            True,
        )
        assert kinds_after(service, "access.requested") == [
            "access.requested",
            "share.created",
            "access.approved",
        ]
        (entry,) = said(service, "access.approved")
        assert (entry["access"], entry["rule"], entry["share"], entry["document"]) == (
            made.id,
            rule.id,
            share.id,
            document.id,
        )
        assert (entry["actor_type"], entry["request"]) == ("worker", "req_browser")
        assert queued(service) == [(Mail.APPROVED, made.id, "ana@acme.example", "de")]

    @pytest.mark.parametrize("mail", ["ana@sub.acme.example", "ana@acme.example.org", "ana@notacme.example"])
    def test_a_domain_is_met_exactly(self, service: Service, document: Document, mail: str) -> None:
        an_nda(service, domain=mail.partition("@")[2])
        a_rule(service, RuleKind.DOMAIN, domain="acme.example")
        assert ask(service, document, mail=mail).state == RequestState.PENDING

    def test_a_rule_by_agreement_asks_for_one_in_force_now(
        self, service: Service, document: Document
    ) -> None:
        a_rule(service, RuleKind.NDA)
        until = service.clock() + timedelta(days=1)
        an_nda(service, domain="ended.example", valid_until=until)
        an_nda(service, domain="pending.example", approved=False)
        revoked = an_nda(service, domain="revoked.example")
        service.sealmark.ndas.revoke(OPERATOR, revoked.id)
        an_nda(service, domain=None, mail="cy@alone.example", name="Cy", company="Alone")
        service.clock.now = until
        states = {
            mail: ask(service, document, mail=mail).state
            for mail in (
                "ana@acme.example",
                "cy@alone.example",
                "bo@alone.example",
                "ana@ended.example",
                "ana@pending.example",
                "ana@revoked.example",
                "ana@stranger.example",
            )
        }
        assert [mail for mail, state in states.items() if state == RequestState.APPROVED] == [
            "ana@acme.example",
            "cy@alone.example",
        ]

    def test_a_rule_by_list_approves_who_stands_on_it_when_they_ask(
        self, service: Service, document: Document
    ) -> None:
        rules = service.sealmark.access_rules
        rule = a_rule(service, RuleKind.LIST)
        assert rules.put_members(CRM, rule.id, ["ANA@Acme.example"]) == 1
        assert ask(service, document).rule_id == rule.id
        assert ask(service, document, mail="bo@acme.example").state == RequestState.PENDING
        assert rules.add_members(CRM, rule.id, ["cy@acme.example"]) == 2
        assert rules.remove_members(CRM, rule.id, ["ana@acme.example"]) == 1
        other = a_listed_document(service)
        assert ask(service, other).state == RequestState.PENDING
        assert ask(service, other, mail="cy@acme.example").rule_id == rule.id

    def test_a_rule_of_a_later_moment_does_not_decide_over_what_was_asked_before(
        self, service: Service, document: Document
    ) -> None:
        made = ask(service, document)
        a_rule(service, RuleKind.DOMAIN, domain="acme.example")
        assert ask(service, document) == made
        assert service.sealmark.access_requests.get(made.id).request.state == RequestState.PENDING
        assert ask(service, document, mail="bo@acme.example").state == RequestState.APPROVED

    def test_the_oldest_rule_that_can_make_its_share_decides(self, service: Service) -> None:
        document = a_listed_document(service)
        with service.sealmark.database.write() as records:
            records.add(NdaText("txt_1", 1, "# Agreement", "00" * 32, None, service.clock()))
        a_rule(service, RuleKind.DOMAIN, domain="acme.example")  # requires an agreement, and there is none
        second = a_rule(service, RuleKind.DOMAIN, domain="acme.example", nda=NdaMode.ASK)
        a_rule(service, RuleKind.DOMAIN, domain="acme.example", nda=NdaMode.ASK, days=1)
        made = ask(service, document)
        assert made.rule_id == second.id
        assert service.sealmark.sharing.get(made.share_id or "").nda == NdaMode.ASK
        assert len(service.entries("share.created")) == 1
        assert len(service.entries("access.approved")) == 1

    def test_a_rule_that_cannot_make_its_share_leaves_the_request_pending_and_nothing_half(
        self, service: Service
    ) -> None:
        document = a_listed_document(service)
        a_rule(service, RuleKind.DOMAIN, domain="acme.example")
        made = ask(service, document)
        assert made.state == RequestState.PENDING
        assert kinds_after(service, "access.requested") == ["access.requested"]
        assert service.sealmark.sharing.list() == []
        assert queued(service) == []

    def test_what_fails_after_the_share_was_made_leaves_nothing_of_it(
        self, service: Service, document: Document, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise DomainError(Problem.MAIL_NOT_CONFIGURED, "refused after the share was made")

        monkeypatch.setattr("service.access_requests.queue", refuse)
        a_rule(service, RuleKind.DOMAIN, domain="acme.example")
        made = ask(service, document)
        assert (made.state, made.share_id) == (RequestState.PENDING, None)
        assert kinds_after(service, "access.requested") == ["access.requested"]
        assert service.sealmark.sharing.list() == []

    def test_a_rule_without_a_document_is_for_those_that_are_listed(
        self, service: Service, document: Document
    ) -> None:
        rule = a_rule(service, RuleKind.DOMAIN, domain="acme.example")
        hidden = a_listed_document(service, listing=Listing.HIDDEN)
        assert ask(service, hidden).state == RequestState.PENDING
        assert ask(service, document).rule_id == rule.id

    def test_a_rule_of_one_document_is_for_no_other(self, service: Service, document: Document) -> None:
        hidden = a_listed_document(service, listing=Listing.HIDDEN)
        rule = a_rule(service, RuleKind.DOMAIN, domain="acme.example", document_id=hidden.id)
        assert ask(service, document).state == RequestState.PENDING
        assert ask(service, hidden).rule_id == rule.id

    def test_a_rule_asks_nobody_to_sign_for_a_public_document(self, service: Service) -> None:
        a_rule(service, RuleKind.DOMAIN, domain="acme.example", nda=NdaMode.ASK)
        public = a_listed_document(service, kind=Kind.OVERVIEW, classification=Classification.PUBLIC)
        share = service.sealmark.sharing.get(ask(service, public).share_id or "")
        assert (share.nda, share.mail_check) == (NdaMode.REQUIRE, False)

    def test_a_removed_rule_decides_nothing_and_its_list_is_forgotten(
        self, service: Service, document: Document
    ) -> None:
        rules = service.sealmark.access_rules
        rule = a_rule(service, RuleKind.LIST)
        rules.put_members(CRM, rule.id, ["ana@acme.example"])
        removed = rules.remove(CRM, rule.id)
        assert removed.removed_at == service.clock()
        assert rules.remove(CRM, rule.id) == removed
        assert len(service.entries("rule.removed")) == 1
        with service.sealmark.database.read() as records:
            assert records.find(RuleMember) == []
        assert ask(service, document).state == RequestState.PENDING
        for edit in (rules.put_members, rules.add_members, rules.remove_members):
            with pytest.raises(DomainError) as caught:
                edit(CRM, rule.id, ["bo@acme.example"])
            assert caught.value.problem == Problem.WRONG_STATE
        assert list(rules.list(in_force=True)) == []
        assert list(rules.list()) == [removed]

    def test_a_removed_rule_forgets_its_domain(self, service: Service, document: Document) -> None:
        rule = a_rule(service, RuleKind.DOMAIN, domain="acme.example")
        assert service.sealmark.access_rules.remove(CRM, rule.id).domain == ""
        assert ask(service, document).state == RequestState.PENDING

    def test_making_a_rule_is_an_entry_with_its_policy(self, service: Service, document: Document) -> None:
        rule = a_rule(
            service,
            RuleKind.DOMAIN,
            document_id=document.id,
            domain="acme.example",
            nda=NdaMode.ASK,
            view_only=True,
            download_limit=4,
            days=9,
        )
        (entry,) = said(service, "rule.created")
        expected = {
            "rule": rule.id,
            "on": "domain",
            "nda": "ask",
            "view_only": 1,
            "limit": 4,
            "days": 9,
            "document": document.id,
            "company": "acme.example",
            "actor": "smk_crm",
        }
        assert {name: entry[name] for name in expected} == expected
        assert service.sealmark.access_rules.get(rule.id) == rule

    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"kind": RuleKind.DOMAIN}, Problem.INVALID),
            ({"kind": RuleKind.NDA, "domain": "acme.example"}, Problem.INVALID),
            ({"kind": RuleKind.LIST, "domain": "acme.example"}, Problem.INVALID),
            ({"kind": RuleKind.DOMAIN, "domain": "GMail.com"}, Problem.INVALID),
            ({"kind": RuleKind.DOMAIN, "domain": "mail.gmail.com"}, Problem.INVALID),
            ({"kind": RuleKind.DOMAIN, "domain": "co.uk"}, Problem.INVALID),
            ({"kind": RuleKind.DOMAIN, "domain": "no domain"}, Problem.INVALID),
            ({"kind": RuleKind.NDA, "days": 0}, Problem.INVALID),
            ({"kind": RuleKind.NDA, "days": 367}, Problem.INVALID),
            ({"kind": RuleKind.NDA, "download_limit": 0}, Problem.INVALID),
            ({"kind": RuleKind.NDA, "document_id": "doc_" + "0" * 26}, Problem.NOT_FOUND),
        ],
        ids=str,
    )
    def test_a_rule_that_cannot_be_is_refused(
        self, service: Service, changes: dict[str, Any], problem: Problem
    ) -> None:
        with pytest.raises(DomainError) as caught:
            service.sealmark.access_rules.add(CRM, **changes)
        assert caught.value.problem == problem
        assert service.entries("rule.created") == []

    def test_the_number_of_rules_in_force_is_bounded(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MAX_RULES", 2)
        first = a_rule(service, RuleKind.NDA)
        a_rule(service, RuleKind.NDA)
        with pytest.raises(DomainError, match="remove one first"):
            a_rule(service, RuleKind.NDA)
        service.sealmark.access_rules.remove(CRM, first.id)
        a_rule(service, RuleKind.NDA)

    def test_a_whole_list_of_ten_thousand_is_put_and_put_again(self, service: Service) -> None:
        rules = service.sealmark.access_rules
        rule = a_rule(service, RuleKind.LIST)
        whole = [f"person{number}@acme.example" for number in range(module.MAX_MEMBERS)]
        assert rules.put_members(CRM, rule.id, whole) == len(whole)
        with pytest.raises(DomainError) as full:
            rules.add_members(CRM, rule.id, ["one.more@acme.example"])
        with pytest.raises(DomainError) as many:
            rules.put_members(CRM, rule.id, [*whole, "one.more@acme.example"])
        assert [caught.value.problem for caught in (full, many)] == [Problem.WRONG_STATE, Problem.INVALID]
        assert rules.put_members(CRM, rule.id, reversed(whole)) == len(whole)  # changes nothing: no entry
        assert rules.put_members(CRM, rule.id, [*whole[:3], "new@acme.example"]) == 4
        counts = [(entry["added"], entry["removed"]) for entry in said(service, "rule.listed")]
        assert counts == [(10_000, 0), (1, 9_997)]
        with service.sealmark.database.read() as records:
            left = {member.mail for member in records.find(RuleMember)}
        assert left == {*whole[:3], "new@acme.example"}

    def test_an_address_that_cannot_be_is_named_by_its_place_and_nothing_is_changed(
        self, service: Service
    ) -> None:
        rules = service.sealmark.access_rules
        rule = a_rule(service, RuleKind.LIST)
        with pytest.raises(DomainError) as caught:
            rules.put_members(CRM, rule.id, ["ana@acme.example", "nobody"])
        assert caught.value.fields["where"] == "mails.1"
        assert list(rules.members(rule.id)) == []

    def test_members_are_listed_by_pages_and_only_of_lists(self, service: Service) -> None:
        rules = service.sealmark.access_rules
        rule = a_rule(service, RuleKind.LIST)
        rules.put_members(CRM, rule.id, ["a@acme.example", "b@acme.example", "a@ACME.example"])
        first = list(rules.members(rule.id, limit=1))
        rest = list(rules.members(rule.id, after=first[0].id))
        assert {member.mail for member in first + rest} == {"a@acme.example", "b@acme.example"}
        other = a_rule(service, RuleKind.NDA)
        with pytest.raises(DomainError) as caught:
            rules.members(other.id)
        assert caught.value.problem == Problem.WRONG_STATE
        with pytest.raises(DomainError) as unknown:
            rules.get("rul_" + "0" * 26)
        assert unknown.value.problem == Problem.NOT_FOUND


class TestOnSqlite(RulePromises):
    """On SQLite."""

    @pytest.fixture
    def service(self, tmp_path: Path) -> Iterator[Service]:
        with service_in(tmp_path) as made:
            yield made


@pytest.mark.postgresql
class TestOnPostgresql(RulePromises):
    """On a real PostgreSQL."""

    @pytest.fixture
    def service(self, tmp_path: Path, postgresql_server: PostgresqlServer) -> Iterator[Service]:
        url = migrated_postgresql(postgresql_server)
        with service_in(tmp_path, environ=on_postgresql(postgresql_server, tmp_path, url)) as made:
            yield made
