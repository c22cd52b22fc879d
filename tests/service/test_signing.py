"""Signing on the page: who signs is who was asked, what is signed is what is offered, and all of it is kept."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pypdf import PdfReader

from crypto.errors import SealBroken
from service.blobs import StoreUnavailable
from service.decision import Denial
from service.errors import DomainError, Problem
from service.limits import TooMany
from service.ndafiles import RECORDS, KeptFile
from service.opening import Denied
from service.records import (
    Classification,
    Kind,
    Nda,
    NdaMode,
    NdaState,
    SealedObject,
    Session,
    Signature,
)
from service.signing import MAX_NAME, SIGNINGS, TEXT_CHANGED
from tests.migrated import migrated_postgresql
from tests.servers.postgresql import PostgresqlServer
from tests.service.acting import a_document, a_version, an_nda, stored_keys
from tests.service.erasing_cases import on_postgresql
from tests.service.signing_cases import CONSENTS, SIGNER, TEXT, Waiting, a_session, a_text, a_waiting_share
from tests.service_fixture import OPERATOR, Service, service_in


@pytest.fixture
def waiting(service: Service) -> Waiting:
    return a_waiting_share(service)


def signature_of(service: Service, nda: Nda) -> Signature:
    with service.sealmark.database.read() as records:
        (found,) = records.find(Signature, nda_id=nda.id)
    return found


def refused(sign: Callable[[], object]) -> DomainError:
    with pytest.raises(DomainError) as caught:
        sign()
    return caught.value


def kept(service: Service, nda: Nda) -> bytes:
    return b"".join(service.sealmark.nda_files.pull(OPERATOR, nda.id).pieces)


def test_a_share_that_waits_grants_nothing_until_its_recipient_has_signed(waiting: Waiting) -> None:
    assert waiting.decided() == Denial.NDA_ASKED
    nda = waiting.sign()
    assert not isinstance(waiting.decided(), Denial)
    now = waiting.service.clock()
    assert (nda.recipient_id, nda.domain, nda.state) == (
        waiting.share.recipient_id,
        None,
        NdaState.APPROVED,
    )
    assert (nda.valid_from, nda.valid_until, nda.approved_at) == (now, now + timedelta(days=365), now)
    assert (nda.source, nda.text_id) == ("page", waiting.text.id)
    signature = signature_of(waiting.service, nda)
    assert nda.reference == signature.id
    assert waiting.service.sealmark.ndas.get(nda.id) == nda


def test_all_that_makes_the_signature_is_kept_as_it_was_given(waiting: Waiting) -> None:
    signature = signature_of(waiting.service, waiting.sign(name=" Ana  María\u00a0Example "))
    assert signature.name == " Ana  María\u00a0Example "
    assert (signature.mail, signature.company) == ("ana@acme.example", "Acme")
    assert (signature.address, signature.agent) == (SIGNER.address, SIGNER.agent)
    assert signature.consents == list(CONSENTS)
    assert (signature.text_id, signature.share_id) == (waiting.text.id, waiting.share.id)
    assert signature.signed_at == waiting.service.clock()
    assert signature.timestamp is None


def test_signing_is_four_entries_by_the_recipient_with_what_was_signed(waiting: Waiting) -> None:
    nda = waiting.sign()
    signature = signature_of(waiting.service, nda)
    entries = [entry for entry in waiting.service.entries() if entry.get("nda") == nda.id]
    assert [entry["kind"] for entry in entries] == [
        "nda.created",
        "nda.evidence",
        "nda.approved",
        "nda.signed",
    ]
    for entry in entries:
        assert (entry["actor_type"], entry["address"], entry["agent"]) == (
            "recipient",
            SIGNER.address,
            SIGNER.agent,
        )
        assert entry["recipient"] == waiting.share.recipient_id
    created, evidence, _, signed = entries
    assert created["reference"] == signature.id
    assert json.loads(created["details"])["source"] == "page"
    assert json.loads(signed["details"]) == {
        "text": waiting.text.id,
        "sha256": hashlib.sha256(TEXT.encode()).hexdigest(),
        "record": signature.record_sha256,
        "signature": signature.id,
    }
    assert json.loads(evidence["details"])["sha256"] == signature.record_sha256
    assert (signed["name"], signed["mail"], signed["company"]) == (
        "Ana María Example",
        "ana@acme.example",
        "Acme",
    )
    assert (signed["share"], signed["link"]) == (waiting.share.id, waiting.link_hash)
    assert signed["document"] == waiting.document.id


def test_the_record_is_sealed_and_says_all_of_it(waiting: Waiting) -> None:
    service = waiting.service
    nda = waiting.sign()
    signature = signature_of(service, nda)
    record = kept(service, nda)
    assert hashlib.sha256(record).hexdigest() == signature.record_sha256
    for key in stored_keys(service):
        assert b"Ana" not in b"".join(service.sealmark.store.read(key))
    words = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(record)).pages).split())
    for said in (
        nda.id,
        waiting.text.id,
        waiting.text.sha256,
        "Ana María Example",
        "ana@acme.example",
        "Acme",
        "198.51.100.9",
        "Firefox/140 (test)",
        "2026-03-02 09:00:00 Z",
        *CONSENTS,
        waiting.share.id,
        waiting.document.id,
        waiting.document.name,
        signature.id,
        "Lender Example Ltd",
        "Mutual non-disclosure agreement",
        "1. Do not pass it on.",
        "• every print.",
        "https://lender.example/policy",
    ):
        assert said in words, said


def test_the_record_carries_the_very_text_whose_hash_it_names(waiting: Waiting) -> None:
    record = kept(waiting.service, waiting.sign())
    with pikepdf.open(io.BytesIO(record)) as opened:
        (attached,) = opened.attachments.values()
        content = attached.get_file().read_bytes()
    assert content == TEXT.encode()
    assert hashlib.sha256(content).hexdigest() == waiting.text.sha256


def test_who_signs_is_the_shares_recipient_with_the_mail_checked_for_this_share(waiting: Waiting) -> None:
    service = waiting.service
    other = a_waiting_share(
        service, text=waiting.text, document=waiting.document, mail="bob@acme.example", name="Bob"
    )
    wrong = {
        "another's": other.session,
        "not kept": replace(waiting.session, hash="unknown"),
        "of another subject": a_session(
            service, waiting.share, "ana@acme.example", hash="h1", subject=a_document(service).id
        ),
        "of another mail": a_session(service, waiting.share, "eve@acme.example", hash="h2"),
        "over": a_session(service, waiting.share, "ana@acme.example", hash="h3", until=service.clock()),
    }
    for session in wrong.values():
        error = refused(lambda session=session: waiting.sign(session=session))  # type: ignore[misc]
        assert (error.problem, error.fields["reason"]) == (Problem.WRONG_STATE, Denial.MAIL_CHECK)
    assert waiting.decided() == Denial.NDA_ASKED
    assert service.entries("nda.signed") == []


def test_a_mail_that_was_checked_at_the_documents_stable_address_is_checked(waiting: Waiting) -> None:
    session = a_session(
        waiting.service, waiting.share, "ana@acme.example", hash="h1", subject=waiting.document.id
    )
    assert waiting.sign(session=session).state == NdaState.APPROVED


def test_signings_are_limited_for_each_share_and_mail(waiting: Waiting) -> None:
    for _ in range(SIGNINGS.number):
        refused(lambda: waiting.sign(text_id="txt_" + "0" * 26))
    with pytest.raises(TooMany):
        waiting.sign()
    assert waiting.decided() == Denial.NDA_ASKED
    waiting.service.clock.advance(hours=1)
    waiting.sign()


def test_pulls_of_ones_own_record_are_limited(waiting: Waiting) -> None:
    waiting.sign()
    files = waiting.service.sealmark.nda_files
    for _ in range(RECORDS.number):
        assert isinstance(files.pull_own(waiting.token, SIGNER, checked=lambda _: True), KeptFile)
    with pytest.raises(TooMany):
        files.pull_own(waiting.token, SIGNER, checked=lambda _: True)
    assert len(waiting.service.entries("nda.record-pulled")) == RECORDS.number


def test_a_session_is_believed_as_it_is_kept_not_as_it_is_given(waiting: Waiting) -> None:
    with waiting.service.sealmark.database.write() as records:
        records.remove(Session, hash=waiting.session.hash)
    assert refused(waiting.sign).fields["reason"] == Denial.MAIL_CHECK


@pytest.mark.parametrize(
    "name",
    [
        *["", "  ", "x" * (MAX_NAME + 1), "Ana\nExample", "Ana\u202eExample", "\u2066Ana", "Ana\ud800"],
        *[
            "\u200b",
            "\ufeff",
            "\u200f\u200d",
            "\u00ad",
            "\u115f\u1160",
            "\u3164",
            "\uffa0",
            "\u0301",
            "42",
            "!",
        ],
    ],
)
def test_a_name_that_cannot_be_is_refused_and_nothing_is_kept(waiting: Waiting, name: str) -> None:
    error = refused(lambda: waiting.sign(name=name))
    assert (error.problem, error.fields["where"]) == (Problem.INVALID, "name")
    assert waiting.service.entries("nda.signed") == []


@pytest.mark.parametrize("consents", [(), ("One.",), ("One.", " "), ("One.", "One."), ("1", "2", "3")])
def test_each_of_the_two_consents_is_given_by_itself(waiting: Waiting, consents: tuple[str, ...]) -> None:
    assert refused(lambda: waiting.sign(consents=consents)).fields["where"] == "consents"
    assert waiting.decided() == Denial.NDA_ASKED


def test_a_text_that_changed_while_it_was_read_is_to_be_read_again(waiting: Waiting) -> None:
    newer = a_text(waiting.service, "# Another\n")
    for text_id in (waiting.text.id, "txt_" + "0" * 26):
        error = refused(lambda text_id=text_id: waiting.sign(text_id=text_id))  # type: ignore[misc]
        assert (error.problem, error.fields["reason"]) == (Problem.WRONG_STATE, TEXT_CHANGED)
    assert waiting.sign(text_id=newer.id).text_id == newer.id


def test_a_text_that_changes_while_the_record_is_made_is_to_be_read_again(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = waiting.service
    put = service.sealmark.objects.put

    def slowly(*arguments: Any) -> Any:
        made = put(*arguments)
        a_text(service, "# Another\n")
        return made

    before = stored_keys(service)
    monkeypatch.setattr(service.sealmark.objects, "put", slowly)
    assert refused(waiting.sign).fields["reason"] == TEXT_CHANGED
    assert stored_keys(service) == before
    assert service.entries("nda.created") == []


def test_a_share_that_ends_while_the_record_is_made_is_not_signed_for(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = waiting.service
    put = service.sealmark.objects.put

    def slowly(*arguments: Any) -> Any:
        made = put(*arguments)
        service.sealmark.sharing.revoke(OPERATOR, waiting.share.id)
        return made

    def away(*_: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(service.sealmark.objects, "put", slowly)
    monkeypatch.setattr(service.sealmark.objects, "discard", away)  # then the sweeper takes it
    assert refused(waiting.sign).fields["reason"] == Denial.SHARE_REVOKED
    with service.sealmark.database.read() as records:
        assert records.find(Nda) == []


@pytest.mark.parametrize("end", ["share", "link", "document", "recipient", "unknown"])
def test_what_has_ended_is_not_signed_for(waiting: Waiting, end: str) -> None:
    sealmark = waiting.service.sealmark
    changes: dict[str, Any] = {}
    if end == "share":
        sealmark.sharing.revoke(OPERATOR, waiting.share.id)
    elif end == "link":
        waiting.service.clock.advance(hours=72)
        with sealmark.database.write() as records:
            records.change(waiting.session, until=waiting.service.clock() + timedelta(hours=1))
    elif end == "document":
        sealmark.documents.revoke(OPERATOR, waiting.document.id)
    elif end == "recipient":
        sealmark.erasing.begin(OPERATOR, waiting.share.recipient_id)
    else:
        changes["share_id"] = "shr_" + "0" * 26
    error = refused(lambda: waiting.sign(**changes))
    assert error.problem == Problem.WRONG_STATE
    assert isinstance(error.fields["reason"], Denial)
    assert waiting.service.entries("nda.signed") == []


def test_signing_again_is_the_same_agreement_and_nothing_more(waiting: Waiting) -> None:
    nda = waiting.sign()
    keys, entries = stored_keys(waiting.service), len(waiting.service.entries())
    assert waiting.sign() == nda
    assert (stored_keys(waiting.service), len(waiting.service.entries())) == (keys, entries)


def test_signing_is_for_this_recipient_only_and_for_all_their_shares(waiting: Waiting) -> None:
    service, text, document = waiting.service, waiting.text, waiting.document
    colleague = a_waiting_share(
        service, text=text, document=document, mail="bob@acme.example", name="Bob Example"
    )
    again = a_waiting_share(service, text=text, document=document)
    waiting.sign()
    assert colleague.decided() == Denial.NDA_ASKED
    assert not isinstance(again.decided(), Denial)


def test_a_public_documents_share_has_nothing_to_sign(service: Service) -> None:
    document = a_document(service, kind=Kind.OVERVIEW, classification=Classification.PUBLIC)
    a_version(service, document)
    waiting = a_waiting_share(service, document=document)
    assert refused(waiting.sign).problem == Problem.WRONG_STATE


def test_a_new_text_asks_those_again_who_signed_on_the_page_and_old_signatures_stay(
    waiting: Waiting,
) -> None:
    service = waiting.service
    first = waiting.sign()
    record = kept(service, first)
    newer = a_text(service, "# Another\n")
    assert waiting.decided() == Denial.NDA_ASKED
    second = waiting.sign(text_id=newer.id)
    assert not isinstance(waiting.decided(), Denial)
    assert (first.text_id, second.text_id) == (waiting.text.id, newer.id)
    assert service.sealmark.ndas.get(first.id) == first
    assert kept(service, first) == record
    assert signature_of(service, first).text_id == waiting.text.id


def test_a_new_text_does_not_ask_those_with_a_paper(service: Service) -> None:
    waiting = a_waiting_share(service)
    an_nda(service)
    assert not isinstance(waiting.decided(), Denial)
    a_text(service, "# Another\n")
    assert not isinstance(waiting.decided(), Denial)
    assert waiting.sign().source == "paper"  # the one in force; nothing is signed
    assert service.entries("nda.signed") == []


def test_who_signed_on_the_page_is_asked_again_also_where_the_share_did_not_ask(service: Service) -> None:
    first = a_waiting_share(service)
    first.sign()
    second = a_waiting_share(service, text=first.text, document=first.document, nda=NdaMode.REQUIRE)
    assert not isinstance(second.decided(), Denial)
    newer = a_text(service, "# Another\n")
    assert second.decided() == Denial.NDA_ASKED
    assert service.sealmark.sharing.link(OPERATOR, second.share.id).url
    second.sign(text_id=newer.id)
    assert not isinstance(second.decided(), Denial)


def test_a_revoked_agreement_is_never_offered_again(waiting: Waiting) -> None:
    service = waiting.service
    nda = waiting.sign()
    other = a_waiting_share(service, text=waiting.text, document=waiting.document)
    service.sealmark.ndas.revoke(OPERATOR, nda.id)
    newer = a_text(service, "# Another\n")
    for share in (waiting, other):
        assert share.decided() == Denial.SHARE_REVOKED
        error = refused(lambda share=share: share.sign(text_id=newer.id))  # type: ignore[misc]
        assert error.fields["reason"] == Denial.SHARE_REVOKED
    error = refused(lambda: a_waiting_share(service, text=newer, document=waiting.document))
    assert error.problem == Problem.NDA_REQUIRED


def ends(service: Service) -> list[tuple[Any, Any, Any]]:
    """Share, reason and agreement of the entries of shares that were ended."""
    return [(row["share"], row["reason"], row["nda"]) for row in service.entries("share.revoked")]


def test_revoking_what_was_signed_ends_its_shares_and_a_later_agreement_does_not_open_them(
    waiting: Waiting,
) -> None:
    service = waiting.service
    nda = waiting.sign()
    service.sealmark.ndas.revoke(OPERATOR, nda.id)
    ended = service.sealmark.sharing.get(waiting.share.id)
    assert (ended.revoked_at, ended.revoked_reason) == (service.clock(), "nda-ended")
    assert ends(service) == [(waiting.share.id, "nda-ended", nda.id)]
    an_nda(service)
    assert waiting.decided() == Denial.SHARE_REVOKED


def test_revoking_a_paper_ends_what_would_have_waited_without_it(service: Service) -> None:
    paper = an_nda(service)
    share = a_waiting_share(service).share
    service.sealmark.ndas.revoke(OPERATOR, paper.id)
    assert ends(service) == [(share.id, "nda-ended", paper.id)]


def test_where_one_was_revoked_the_last_agreement_that_runs_out_ends_what_would_have_waited(
    service: Service,
) -> None:
    waiting = a_waiting_share(service)
    signed = waiting.sign()
    paper = an_nda(service, valid_until=service.clock() + timedelta(days=1))
    service.sealmark.ndas.revoke(OPERATOR, signed.id)
    assert ends(service) == []  # the paper covers it
    service.clock.advance(days=1)
    assert service.sealmark.sweeping.end_expired_ndas() == 1
    assert ends(service) == [(waiting.share.id, "nda-ended", paper.id)]


def test_a_paper_that_ran_out_leaves_to_wait_who_signed_on_the_page_before(service: Service) -> None:
    first = a_waiting_share(service)
    first.sign()
    a_text(service, "# Another\n")
    an_nda(service, valid_until=service.clock() + timedelta(days=1))
    second = a_waiting_share(service, text=first.text, document=first.document, nda=NdaMode.REQUIRE)
    service.clock.advance(days=1)
    assert service.sealmark.sweeping.end_expired_ndas() == 0
    assert first.decided() == second.decided() == Denial.NDA_ASKED


def test_an_agreement_that_ran_out_is_offered_again(service: Service) -> None:
    waiting = a_waiting_share(service, text=a_text(service, days=10))
    first = waiting.sign()
    service.clock.advance(days=10)
    link = service.sealmark.sharing.link(OPERATOR, waiting.share.id)
    again = a_waiting_share(service, text=waiting.text, document=waiting.document)
    assert link.url
    assert service.sealmark.sweeping.end_expired_ndas() == 0  # its shares wait
    assert again.decided() == Denial.NDA_ASKED
    second = again.sign()
    assert second.id != first.id
    assert second.valid_until == service.clock() + timedelta(days=10)
    assert not isinstance(again.decided(), Denial)


def test_a_signature_of_a_text_without_days_has_no_end(service: Service) -> None:
    assert a_waiting_share(service, text=a_text(service, days=None)).sign().valid_until is None


class SigningAtOnce:
    """What holds on every database. A subclass gives the fixture `service`."""

    @pytest.fixture
    def service(self) -> Service:
        raise NotImplementedError("given by the subclass")

    def test_several_signings_at_once_give_one_agreement(self, service: Service) -> None:
        waiting = a_waiting_share(service)
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda _: waiting.sign(), range(4)))
        assert len({nda.id for nda in made}) == 1
        with service.sealmark.database.read() as records:
            assert len(records.find(Nda)) == len(records.find(Signature)) == 1
        assert len(service.entries("nda.signed")) == 1
        assert len([key for key in stored_keys(service) if "/evidence/" in key]) == 2

    def test_erasing_reaches_what_was_signed_and_the_record_stays_as_evidence(self, service: Service) -> None:
        waiting = a_waiting_share(service)
        nda = waiting.sign()
        record = kept(service, nda)
        service.sealmark.erasing.begin(OPERATOR, waiting.share.recipient_id)
        assert service.sealmark.erasing.finish(waiting.share.recipient_id)
        signature = signature_of(service, nda)
        personal = (signature.name, signature.mail, signature.company, signature.address, signature.agent)
        assert personal == ("",) * 5
        assert kept(service, nda) == record
        service.clock.advance(days=365 + 2555)
        assert service.sealmark.sweeping.erase_evidence() == 1
        assert service.sealmark.discarding.run_once()
        assert refused(lambda: kept(service, nda)).problem == Problem.NOT_FOUND
        assert stored_keys(service, "/evidence/") == []


class TestSigningOnSqlite(SigningAtOnce):
    """SQLite."""

    @pytest.fixture
    def service(self, tmp_path: Path) -> Any:
        with service_in(tmp_path) as made:
            yield made


@pytest.mark.postgresql
class TestSigningOnPostgresql(SigningAtOnce):
    """PostgreSQL."""

    @pytest.fixture
    def service(self, tmp_path: Path, postgresql_server: PostgresqlServer) -> Any:
        environ = on_postgresql(postgresql_server, tmp_path, migrated_postgresql(postgresql_server))
        with service_in(tmp_path, environ=environ) as made:
            yield made


def test_a_pull_of_the_record_is_an_entry_and_a_tampered_one_is_refused_without(waiting: Waiting) -> None:
    service = waiting.service
    nda = waiting.sign()
    kept(service, nda)
    (pulled,) = service.entries("nda.record-pulled")
    assert (pulled["nda"], pulled["actor_type"]) == (nda.id, "cli")
    sha256 = signature_of(service, nda).record_sha256
    assert json.loads(pulled["details"]) == {"sha256": sha256}
    (key,) = [key for key in stored_keys(service, "/evidence/") if not key.endswith(".key")]
    sealed = bytearray(b"".join(service.sealmark.store.read(key)))
    sealed[len(sealed) // 2] ^= 1
    service.sealmark.store.put(key, [bytes(sealed)])
    with pytest.raises(SealBroken):
        kept(service, nda)
    assert len(service.entries("nda.record-pulled")) == 1


def test_a_file_that_is_not_the_one_that_was_signed_is_refused(waiting: Waiting) -> None:
    service = waiting.service
    nda = waiting.sign()
    other, _ = service.sealmark.objects.put("evidence", "nda", nda.id, [b"%PDF-1.7 another"])
    with service.sealmark.database.write() as records:
        records.add(other)
        records.change(nda, evidence_id=other.id)
    assert refused(lambda: kept(service, nda)).problem == Problem.INTERNAL
    assert service.entries("nda.record-pulled") == []


def test_a_paper_is_pulled_as_it_was_attached(service: Service) -> None:
    nda = an_nda(service)
    assert refused(lambda: kept(service, nda)).problem == Problem.NOT_FOUND
    service.sealmark.ndas.attach_evidence(OPERATOR, nda.id, [b"%PDF-1.7 a scan"])
    assert kept(service, nda) == b"%PDF-1.7 a scan"
    assert refused(lambda: service.sealmark.nda_files.pull(OPERATOR, "nda_" + "0" * 26)).problem == (
        Problem.NOT_FOUND
    )


def test_the_recipient_pulls_their_own_record_by_their_link_once_their_mail_was_checked(
    waiting: Waiting,
) -> None:
    service = waiting.service
    files = service.sealmark.nda_files
    assert files.pull_own(waiting.token, SIGNER, checked=lambda _: True) is None
    nda = waiting.sign()
    assert files.pull_own(waiting.token, SIGNER, checked=lambda _: False) == Denied(Denial.MAIL_CHECK)
    assert service.entries("nda.record-pulled") == []
    own = files.pull_own(waiting.token, SIGNER, checked=lambda _: True)
    assert isinstance(own, KeptFile)
    assert b"".join(own.pieces) == kept(service, nda)
    a_text(service, "# Another\n")
    asked_again = files.pull_own(waiting.token, SIGNER, checked=lambda _: True)
    assert isinstance(asked_again, KeptFile)
    assert asked_again.nda.id == nda.id
    service.sealmark.sharing.revoke(OPERATOR, waiting.share.id)
    assert files.pull_own(waiting.token, SIGNER, checked=lambda _: True) == Denied(Denial.SHARE_REVOKED)
    assert [e["actor_type"] for e in service.entries("nda.record-pulled")] == [
        "recipient",
        "cli",
        "recipient",
    ]
    with service.sealmark.database.read() as records:
        assert records.find(SealedObject, role="evidence")


def test_a_record_that_was_erased_while_it_was_read_does_not_leave(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = waiting.service
    nda = waiting.sign()
    opened = service.sealmark.objects.open

    def slowly(stored: SealedObject) -> Any:
        with service.sealmark.database.write() as records:
            records.change(nda, evidence_id=None)
        return opened(stored)

    monkeypatch.setattr(service.sealmark.objects, "open", slowly)
    assert refused(lambda: kept(service, nda)).problem == Problem.NOT_FOUND
    assert service.entries("nda.record-pulled") == []
    assert service.sealmark.nda_files.signed_last(waiting.share) is None
