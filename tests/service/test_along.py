"""Bridge letters go along with their report: whenever they came, once, and as long as it is shared."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest

from service import along as module
from service.along import BATCH, MAX_LETTERS, Along
from service.decision import Allowed, Denial
from service.delivery import Page, Waiting
from service.errors import DomainError, Problem
from service.opening import Denied
from service.ports import Records
from service.records import Classification, Document, Job, Kind, Listing, MailCheck, Session, Share
from tests.migrated import migrated_postgresql
from tests.servers.postgresql import PostgresqlServer
from tests.service.acting import a_document, a_report_under_nda, a_share, a_version, an_nda, token_of
from tests.service.erasing_cases import on_postgresql
from tests.service_fixture import OPERATOR, START, Service, service_in


@pytest.fixture
def report(service: Service) -> Document:
    return a_report_under_nda(service)


def a_letter(service: Service, report: Document | None = None, **changes: Any) -> Document:
    """A bridge letter with a file; of this report, if one is named."""
    given = {"name": "Bridge letter Q1", "kind": Kind.BRIDGE_LETTER, **changes}
    letter = a_document(service, **given)
    a_version(service, letter)
    if report is not None:
        letter = service.sealmark.documents.change(OPERATOR, letter.id, report=report.id)
    return letter


def along(service: Service, share: Share) -> list[Share]:
    """The shares that go along with this one."""
    with service.sealmark.database.read() as records:
        return records.find(Share, with_id=share.id, order="id")


def walk(service: Service) -> None:
    """Let the worker do all that is due."""
    while service.sealmark.along.run_once():
        pass


def test_sharing_a_report_shares_its_letter_too_on_the_same_terms_without_a_limit(
    service: Service, report: Document
) -> None:
    letter = a_letter(service, report)
    share, _ = a_share(service, report, download_limit=1, mail_check=True, view_only=True)

    (other,) = along(service, share)
    same = ("recipient_id", "purpose", "expires_at", "nda", "mail_check", "view_only")
    assert [getattr(other, name) for name in same] == [getattr(share, name) for name in same]
    assert (other.document_id, other.download_limit, other.pinned_version_id) == (letter.id, None, None)
    made = service.entries("share.created")
    assert [row["share"] for row in made] == [share.id, other.id]
    assert f'"with": "{share.id}"' in str(made[1]["details"])
    assert made[1]["recipient"] == share.recipient_id


def test_nothing_goes_along_that_is_revoked_ended_or_not_ready(service: Service, report: Document) -> None:
    revoked, ended = a_letter(service, report), a_letter(service, report)
    service.sealmark.documents.revoke(OPERATOR, revoked.id)
    service.sealmark.documents.change(OPERATOR, ended.id, ends=START.date())
    unready = a_document(service, kind=Kind.BRIDGE_LETTER)
    service.sealmark.documents.change(OPERATOR, unready.id, report=report.id)
    service.clock.advance(days=1)
    share, _ = a_share(service, report)
    assert along(service, share) == []


def test_a_letter_that_is_linked_later_goes_along_with_open_shares_once(
    service: Service, report: Document
) -> None:
    shares = [
        a_share(service, report, mail=f"r{at}@acme.example", name=f"R {at}")[0] for at in range(BATCH + 3)
    ]
    service.sealmark.sharing.revoke(OPERATOR, shares[0].id)
    letter = a_letter(service, report)
    walk(service)
    service.clock.advance(minutes=2)
    walk(service)

    assert along(service, shares[0]) == []
    assert [len(along(service, share)) for share in shares[1:]] == [1] * (BATCH + 2)
    with service.sealmark.database.read() as records:
        assert len(records.find(Share, document_id=letter.id)) == BATCH + 2
        assert records.find(Job, kind="bridge-letter", done_at=None) == []
    assert {
        row["actor_type"] for row in service.entries("share.created") if row["document"] == letter.id
    } == {"worker"}


def test_a_letter_that_becomes_ready_later_goes_along_then(service: Service, report: Document) -> None:
    letter = a_document(service, kind=Kind.BRIDGE_LETTER)
    service.sealmark.documents.change(OPERATOR, letter.id, report=report.id)
    share, _ = a_share(service, report)
    walk(service)
    assert along(service, share) == []
    a_version(service, letter)
    service.clock.advance(minutes=1)
    walk(service)
    assert [other.document_id for other in along(service, share)] == [letter.id]


def test_a_share_that_was_being_made_while_the_worker_walked_gets_the_letter_too(
    service: Service, report: Document
) -> None:
    a_letter(service, report)
    walk(service)
    share, _ = a_share(service, report)
    with service.sealmark.database.write() as records:  # as if it had not seen the letter
        records.remove(Share, with_id=share.id)
    walk(service)
    assert along(service, share) == []
    service.clock.advance(minutes=1)
    walk(service)
    assert len(along(service, share)) == 1


def test_what_goes_along_ends_with_the_reports_share(service: Service, report: Document) -> None:
    a_letter(service, report)
    share, _ = a_share(service, report)
    for _ in range(2):
        service.sealmark.sharing.revoke(OPERATOR, share.id)
    (other,) = along(service, share)
    assert (other.revoked_at, other.revoked_reason) == (service.clock(), "with-report")
    rows = [(row["share"], row.get("reason")) for row in service.entries("share.revoked")]
    assert rows == [(share.id, None), (other.id, "with-report")]


def test_the_letters_own_end_ends_nothing_else_and_it_is_not_lent_again(
    service: Service, report: Document
) -> None:
    letter = a_letter(service, report)
    share, link = a_share(service, report)
    (other,) = along(service, share)
    service.sealmark.sharing.revoke(OPERATOR, other.id)
    service.clock.advance(minutes=2)
    walk(service)
    assert service.sealmark.sharing.get(share.id).revoked_at is None
    assert [one.id for one in along(service, share)] == [other.id]
    assert page_of(service, token_of(link)) == []
    assert letter.revoked_at is None


def test_an_agreement_that_ends_ends_each_once(service: Service) -> None:
    document = a_document(service)
    a_version(service, document)
    nda = an_nda(service)
    a_letter(service, document, classification=Classification.PUBLIC, name="Public letter")
    a_letter(service, document)
    share, _ = a_share(service, document)
    service.sealmark.ndas.revoke(OPERATOR, nda.id)
    assert all(other.revoked_at for other in along(service, share))
    rows = service.entries("share.revoked")
    assert sorted(row["share"] for row in rows) == sorted(
        [share.id, *(other.id for other in along(service, share))]
    )


def test_erasing_the_recipient_ends_both_and_forgets_what_both_say(
    service: Service, report: Document
) -> None:
    a_letter(service, report)
    share, _ = a_share(service, report)
    service.sealmark.erasing.begin(OPERATOR, share.recipient_id)
    (other,) = along(service, share)
    assert (other.revoked_at, other.revoked_reason, other.purpose) == (service.clock(), "erased", "")
    assert len(service.entries("share.revoked")) == 2


def page_of(service: Service, token: str, *, checked: bool = False) -> list[str]:
    """The letters on the page of a link."""
    shown = service.sealmark.deliveries.page(token, OPERATOR, record=False, checked=lambda _: checked)
    assert isinstance(shown, Page)
    return [one.document.name for one in shown.along]


def test_the_page_has_the_letters_by_name_and_only_those_that_may_be_had(
    service: Service, report: Document
) -> None:
    second = a_letter(service, report, name="Letter of May")
    a_letter(service, report, name="Letter of April")
    _, link = a_share(service, report)
    assert page_of(service, token_of(link)) == ["Letter of April", "Letter of May"]
    service.sealmark.documents.revoke(OPERATOR, second.id)
    assert page_of(service, token_of(link)) == ["Letter of April"]


def test_a_letter_with_a_mail_check_asks_for_it_with_its_report(service: Service, report: Document) -> None:
    letter = a_letter(service, report)
    unchecked, link = a_share(service, report)
    service.sealmark.documents.change(OPERATOR, letter.id, mail_check=MailCheck.ALWAYS)
    share, strict = a_share(service, report)
    assert share.mail_check
    assert along(service, share)[0].mail_check
    waiting = service.sealmark.deliveries.page(token_of(strict), OPERATOR, record=False)
    assert isinstance(waiting, Waiting)
    assert page_of(service, token_of(strict), checked=True) == ["Bridge letter Q1"]
    assert page_of(service, token_of(link)) == ["Bridge letter Q1"]  # made before
    assert not unchecked.mail_check


def test_a_letter_with_a_mail_check_that_comes_later_makes_open_shares_ask_for_it(
    service: Service, report: Document
) -> None:
    share, link = a_share(service, report)
    strict, _ = a_share(service, report, mail_check=True)
    letter = a_letter(service)
    service.sealmark.documents.change(OPERATOR, letter.id, mail_check=MailCheck.ALWAYS)
    service.sealmark.documents.change(OPERATOR, letter.id, report=report.id)
    walk(service)

    assert [other.mail_check for one in (share, strict) for other in along(service, one)] == [True, True]
    assert service.sealmark.sharing.get(share.id).mail_check
    waiting = service.sealmark.deliveries.page(token_of(link), OPERATOR, record=False)
    assert isinstance(waiting, Waiting)
    assert page_of(service, token_of(link), checked=True) == ["Bridge letter Q1"]
    (changed,) = service.entries("share.changed")
    assert (changed["share"], changed["actor_type"]) == (share.id, "worker")
    assert changed["details"] == '{"mail_check": 1}'


def test_a_letter_with_a_mail_check_waits_until_a_mail_can_be_sent(
    service: Service, report: Document
) -> None:
    sealmark = service.sealmark
    share, _ = a_share(service, report)
    letter = a_letter(service)
    sealmark.documents.change(OPERATOR, letter.id, mail_check=MailCheck.ALWAYS, report=report.id)
    mute = Along(sealmark.database, sealmark.clock, sealmark.random, can_mail=False)
    while mute.run_once():
        pass
    assert along(service, share) == []
    assert not sealmark.sharing.get(share.id).mail_check
    service.clock.advance(minutes=1)
    walk(service)
    assert len(along(service, share)) == 1


@pytest.mark.postgresql
def test_two_workers_at_two_jobs_of_one_letter_lend_it_once(
    tmp_path: Path, postgresql_server: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = on_postgresql(postgresql_server, tmp_path, migrated_postgresql(postgresql_server))
    with service_in(tmp_path, environ=environ) as service:
        document = a_document(service)
        a_version(service, document)
        an_nda(service)
        share, _ = a_share(service, document)
        letter = a_letter(service, document)
        for report_id in (None, document.id):  # a slip, put right at once: a second job
            service.sealmark.documents.change(OPERATOR, letter.id, report=report_id)
        both, without = Barrier(2), module._without

        def at_once(records: Records, shares: Sequence[Share], given: Document) -> list[Share]:
            found = without(records, shares, given)
            with suppress(BrokenBarrierError):  # whom the other's lock holds up comes here alone
                both.wait(2)
            return found

        monkeypatch.setattr(module, "_without", at_once)
        with ThreadPoolExecutor(2) as pool:
            assert all(pool.map(lambda _: service.sealmark.along.run_once(), range(2)))
        assert len(along(service, share)) == 1


def test_what_goes_along_has_no_link_of_its_own(service: Service, report: Document) -> None:
    a_letter(service, report)
    share, _ = a_share(service, report)
    (other,) = along(service, share)
    for act in (service.sealmark.sharing.send, service.sealmark.sharing.link):
        with pytest.raises(DomainError) as caught:
            act(OPERATOR, other.id)
        assert caught.value.problem == Problem.WRONG_STATE
        assert caught.value.fields["share"] == share.id


@pytest.mark.parametrize("wrong", ["kind", "letter", "owner", "self", "unknown", "revoked"])
def test_only_a_bridge_letter_belongs_and_only_to_a_report_of_the_same_owner(
    service: Service, report: Document, wrong: str
) -> None:
    letter = a_letter(service)
    documents = service.sealmark.documents
    subject, to, problem = letter.id, report.id, Problem.INVALID
    if wrong == "kind":
        subject = a_document(service).id
    if wrong == "letter":
        to = a_letter(service).id
    if wrong == "self":
        to = letter.id
    if wrong == "owner":
        to = a_document(service, owner_mail="other@lender.example").id
    if wrong == "unknown":
        to, problem = "doc_" + "0" * 26, Problem.NOT_FOUND
    if wrong == "revoked":
        documents.revoke(OPERATOR, report.id)
        problem = Problem.WRONG_STATE
    with pytest.raises(DomainError) as caught:
        documents.change(OPERATOR, subject, report=to)
    assert caught.value.problem == problem
    assert documents.get(subject).report_id is None
    assert service.entries("document.changed") == []


def test_a_report_has_so_many_letters_and_no_more(service: Service, report: Document) -> None:
    letters = [a_letter(service, report) for _ in range(MAX_LETTERS)]
    with pytest.raises(DomainError, match="8 letters"):
        a_letter(service, report)
    service.sealmark.documents.change(OPERATOR, letters[0].id, report=None)
    a_letter(service, report)
    changed = [str(row["details"]) for row in service.entries("document.changed")]
    assert changed[MAX_LETTERS] == '{"report": ""}'
    assert changed[0] == f'{{"report": "{report.id}"}}'


def test_a_letter_that_is_taken_away_goes_along_with_no_further_share(
    service: Service, report: Document
) -> None:
    letter = a_letter(service, report)
    before, _ = a_share(service, report)
    service.sealmark.documents.change(OPERATOR, letter.id, report=None)
    after, _ = a_share(service, report)
    walk(service)
    assert len(along(service, before)) == 1
    assert along(service, after) == []


def test_a_document_is_lent_on_its_last_day_and_nothing_opens_on_the_day_after(
    service: Service, report: Document
) -> None:
    share, link = a_share(service, report)
    service.sealmark.documents.change(OPERATOR, report.id, ends=date(2026, 3, 3))
    later, _ = a_share(service, report)
    assert later.expires_at.isoformat() == "2026-03-04T00:00:00+00:00"
    service.clock.now = START.replace(day=3, hour=23, minute=59, second=59)
    assert isinstance(page_allowed(service, token_of(link)), Allowed)
    service.clock.advance(seconds=1)

    assert service.sealmark.deliveries.page(token_of(link), OPERATOR, record=True) == Denied(
        Denial.DOCUMENT_ENDED
    )
    assert service.entries("download.denied")[0]["reason"] == "document-ended"
    for act in (
        lambda: a_share(service, report),
        lambda: service.sealmark.sharing.link(OPERATOR, share.id),
        lambda: service.sealmark.access_requests.ask(
            OPERATOR,
            document_id=report.id,
            mail="bo@acme.example",
            name="Bo",
            company="Acme",
            purpose="review",
            language="",
        ),
    ):
        with pytest.raises(DomainError, match="past its last day"):
            act()
    assert service.sealmark.fresh_links.document(report.id) is None
    service.sealmark.documents.change(OPERATOR, report.id, ends=None)
    assert isinstance(page_allowed(service, token_of(link)), Allowed)


def page_allowed(service: Service, token: str) -> Allowed:
    shown = service.sealmark.deliveries.page(token, OPERATOR, record=False)
    assert isinstance(shown, Page)
    return shown.allowed


def test_a_letter_that_ends_earlier_ends_its_share_earlier_and_not_the_reports(
    service: Service, report: Document
) -> None:
    letter = a_letter(service, report)
    service.sealmark.documents.change(OPERATOR, letter.id, ends=date(2026, 3, 10))
    share, _ = a_share(service, report)
    (other,) = along(service, share)
    assert service.sealmark.sharing.get(other.id).expires_at.isoformat() == "2026-03-11T00:00:00+00:00"
    assert share.expires_at == START + timedelta(days=30)


def test_the_trust_page_leaves_out_what_has_ended(service: Service, report: Document) -> None:
    service.sealmark.documents.change(OPERATOR, report.id, listing=Listing.NAMED, ends=START.date())
    assert len(service.sealmark.trust_page.listed()) == 1
    service.clock.advance(days=1)
    assert service.sealmark.trust_page.listed() == []


@pytest.mark.parametrize("wrong", [date(2026, 3, 1), date(2037, 1, 1), date.max])
def test_a_last_day_lies_ahead_and_within_ten_years(service: Service, report: Document, wrong: date) -> None:
    with pytest.raises(DomainError) as caught:
        service.sealmark.documents.change(OPERATOR, report.id, ends=wrong)
    assert (caught.value.problem, caught.value.fields["where"]) == (Problem.INVALID, "ends")
    assert service.sealmark.documents.get(report.id).ends_on is None


def test_a_fresh_link_at_the_letters_address_is_the_reports(service: Service, report: Document) -> None:
    letter = a_letter(service, report)
    share, _ = a_share(service, report)
    with service.sealmark.database.read() as records:
        found = service.sealmark.fresh_links._share(records, _session(share), letter.id)
    assert found is not None
    assert found.id == share.id


def _session(share: Share) -> Session:
    return Session("hash", share.document_id, share.recipient_id, "ana@acme.example", START, START)


def test_a_letter_that_must_be_checked_makes_no_share_where_no_mail_can_be_sent(tmp_path: Any) -> None:
    no_mail = {"SEALMARK_SMTP": "", "SEALMARK_MAIL_FROM": ""}
    with service_in(tmp_path, environ=no_mail) as service:
        document = a_document(service)
        a_version(service, document)
        an_nda(service)
        letter = a_letter(service, document)
        service.sealmark.documents.change(OPERATOR, letter.id, mail_check=MailCheck.ALWAYS)
        with pytest.raises(DomainError) as caught:
            a_share(service, document)
        assert caught.value.problem == Problem.MAIL_NOT_CONFIGURED
