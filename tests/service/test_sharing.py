"""Agreements, shares and links."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from crypto import tokens
from service.audit import Actor
from service.blobs import StoreUnavailable
from service.delivery import Waiting
from service.errors import DomainError, Problem
from service.ndas import MAX_EVIDENCE
from service.ports import Taken
from service.records import Classification, Kind, Link, MailCheck, NdaMode, NdaState, NdaText
from tests.service.acting import a_document, a_share, a_version, an_nda, stored_keys, token_of
from tests.service_fixture import OPERATOR, URL, Service


def test_one_call_makes_recipient_share_and_link_each_with_its_entry(service: Service) -> None:
    document = a_document(service)
    a_version(service, document)
    an_nda(service)
    share, link = a_share(service, document)
    assert re.fullmatch(rf"{URL}/s/v1\.[A-Za-z0-9_-]+", link.url)
    assert link.expires_at == service.clock() + timedelta(hours=72)
    kinds = [entry["kind"] for entry in service.entries()][-3:]
    assert kinds == ["recipient.created", "share.created", "link.created"]
    assert [entry["purpose"] for entry in service.entries("share.created")] == ["vendor review"]
    assert service.sealmark.sharing.get(share.id) == share


def test_no_row_and_no_entry_holds_a_usable_link(service: Service) -> None:
    document = a_document(service)
    a_version(service, document)
    an_nda(service)
    _, link = a_share(service, document)
    token = tokens.verify(
        token_of(link), service.sealmark.keys.verifying("link"), int(service.clock().timestamp())
    )
    with service.sealmark.database.read() as records:
        (row,) = records.find(Link)
    assert row.hash == tokens.link_hash(token.link_id)
    assert token.link_id not in repr(row) + repr(service.entries())


def test_without_an_agreement_a_share_says_what_to_do_and_makes_nothing(service: Service) -> None:
    document = a_document(service)
    a_version(service, document)
    before = len(service.entries())
    with pytest.raises(DomainError) as caught:
        a_share(service, document)
    assert caught.value.problem == Problem.NDA_REQUIRED
    assert caught.value.fields["mail_domain"] == "acme.example"
    assert "POST /v1/ndas" in caught.value.detail
    assert len(service.entries()) == before
    assert service.sealmark.recipients.list() == []


def test_a_public_document_needs_no_agreement(service: Service) -> None:
    document = a_document(service, kind=Kind.OVERVIEW, classification=Classification.PUBLIC)
    a_version(service, document)
    a_share(service, document)


@pytest.mark.parametrize(
    "covering",
    [
        {"domain": "sub.acme.example"},
        {"domain": "example.org"},
        {"approved": False},
        {"domain": None, "mail": "bob@acme.example", "name": "Bob"},
        {"valid_from": 1},
        {"valid_until": 0},
    ],
    ids=str,
)
def test_an_agreement_that_is_not_in_force_for_this_recipient_does_not_cover(
    service: Service, covering: dict[str, object]
) -> None:
    document = a_document(service)
    a_version(service, document)
    changes = dict(covering)
    if "valid_from" in changes:
        changes["valid_from"] = service.clock() + timedelta(days=1)
    if "valid_until" in changes:
        changes["valid_from"] = service.clock() - timedelta(days=2)
        changes["valid_until"] = service.clock()
    an_nda(service, **changes)
    with pytest.raises(DomainError) as caught:
        a_share(service, document)
    assert caught.value.problem == Problem.NDA_REQUIRED


def test_a_persons_own_agreement_covers(service: Service) -> None:
    document = a_document(service)
    a_version(service, document)
    an_nda(service, domain=None, mail="Ana@ACME.example", name="Ana Example", company="Acme")
    a_share(service, document)


def test_free_mail_is_no_company(service: Service) -> None:
    with pytest.raises(DomainError, match="no company"):
        an_nda(service, domain="GMail.com")


def test_a_company_domain_is_compared_in_its_ascii_form(service: Service) -> None:
    document = a_document(service)
    a_version(service, document)
    an_nda(service, domain="BÜCHER.example")
    a_share(service, document, mail="ana@xn--bcher-kva.example")


def test_revoking_an_agreement_ends_the_shares_that_no_other_covers(service: Service) -> None:
    document = a_document(service)
    a_version(service, document)
    first, second = an_nda(service), an_nda(service)
    share, _ = a_share(service, document)
    service.sealmark.ndas.revoke(OPERATOR, first.id)
    assert service.sealmark.sharing.get(share.id).revoked_at is None
    for _ in range(2):
        service.sealmark.ndas.revoke(OPERATOR, second.id)
    ended = service.sealmark.sharing.get(share.id)
    assert (ended.revoked_at, ended.revoked_reason) == (service.clock(), "nda-ended")
    (entry,) = service.entries("share.revoked")
    assert (entry["reason"], entry["nda"], entry["share"]) == ("nda-ended", second.id, share.id)
    an_nda(service)
    assert service.sealmark.sharing.get(share.id).revoked_at is not None  # ended is ended


def test_an_agreement_that_runs_out_ends_its_shares_when_the_worker_sweeps(service: Service) -> None:
    nda_document = a_document(service)
    a_version(service, nda_document)
    public = a_document(service, kind=Kind.OVERVIEW, classification=Classification.PUBLIC)
    a_version(service, public)
    an_nda(service, valid_until=service.clock() + timedelta(days=1))
    share, _ = a_share(service, nda_document)
    kept, _ = a_share(service, public)
    assert service.sealmark.sweeping.end_expired_ndas() == 0
    service.clock.advance(days=1)
    assert service.sealmark.sweeping.end_expired_ndas() == 1
    assert service.sealmark.sweeping.end_expired_ndas() == 0
    assert service.sealmark.sharing.get(share.id).revoked_reason == "nda-ended"
    assert service.sealmark.sharing.get(kept.id).revoked_at is None


def test_a_revoked_agreement_stays_revoked_and_a_pending_one_is_approved_once(service: Service) -> None:
    nda = an_nda(service, approved=False)
    for _ in range(2):
        assert service.sealmark.ndas.approve(OPERATOR, nda.id).state == NdaState.APPROVED
    assert len(service.entries("nda.approved")) == 1
    service.sealmark.ndas.revoke(OPERATOR, nda.id)
    with pytest.raises(DomainError) as caught:
        service.sealmark.ndas.approve(OPERATOR, nda.id)
    assert caught.value.problem == Problem.WRONG_STATE


@pytest.mark.parametrize(
    "wrong",
    [
        {"domain": None},
        {"mail": "ana@acme.example", "name": "Ana"},
        {"valid_until": "before"},
        {"source": "Paper Archive"},
        {"reference": "x" * 201},
        {"domain": "no domain"},
    ],
    ids=str,
)
def test_an_agreement_that_cannot_be_is_refused(service: Service, wrong: dict[str, object]) -> None:
    changes = {**wrong}
    if changes.get("valid_until") == "before":
        changes["valid_until"] = service.clock()
    with pytest.raises(DomainError) as caught:
        an_nda(service, **changes)
    assert caught.value.problem == Problem.INVALID


def test_evidence_is_sealed_recorded_and_never_replaced(service: Service) -> None:
    nda = an_nda(service)
    signed = b"%PDF-1.7 " + b"signed" * 1000
    kept = service.sealmark.ndas.attach_evidence(OPERATOR, nda.id, [signed[:3], signed[3:]])
    assert kept.evidence_id
    with pytest.raises(DomainError) as caught:
        service.sealmark.ndas.attach_evidence(OPERATOR, nda.id, [b"%PDF-1.7 another"])
    assert caught.value.problem == Problem.WRONG_STATE
    assert len(stored_keys(service)) == 2
    (entry,) = service.entries("nda.evidence")
    assert entry["nda"] == nda.id
    for key in stored_keys(service):
        assert b"signed" not in b"".join(service.sealmark.store.read(key))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", Problem.INVALID),
        (b"MZ not a PDF", Problem.INVALID),
        (b"%PDF" + bytes(2000), Problem.INVALID),
        (b"%PDF-1.7" + bytes(MAX_EVIDENCE), Problem.TOO_LARGE),
    ],
    ids=["empty", "program", "nearly", "large"],
)
def test_evidence_that_is_no_pdf_or_too_large_leaves_nothing(
    service: Service, content: bytes, problem: Problem
) -> None:
    nda = an_nda(service)
    with pytest.raises(DomainError) as caught:
        service.sealmark.ndas.attach_evidence(OPERATOR, nda.id, [content])
    assert caught.value.problem == problem
    assert stored_keys(service) == []
    assert service.entries("nda.evidence") == []
    assert service.sealmark.ndas.get(nda.id).evidence_id is None


def test_a_differing_name_is_a_conflict_not_a_change(service: Service) -> None:
    document = a_document(service)
    a_version(service, document)
    an_nda(service)
    a_share(service, document)
    a_share(service, document, name="Ana  Example".replace("  ", " "))
    for change in ({"name": "Anna Example"}, {"company": "Acme Inc"}):
        with pytest.raises(DomainError) as caught:
            a_share(service, document, **change)
        assert caught.value.problem == Problem.RECIPIENT_CONFLICT
    assert [r.name for r in service.sealmark.recipients.list(mail="ANA@acme.example")] == ["Ana Example"]


@pytest.mark.parametrize("field", ["name", "company"])
@pytest.mark.parametrize("unseen", ["\u200d", "\u115f", "\u3164\u3164", "\uffa0", "\u0301", "--"])
def test_a_name_that_nobody_can_read_is_refused(service: Service, field: str, unseen: str) -> None:
    document = a_document(service)
    with pytest.raises(DomainError) as caught:
        a_share(service, document, **{field: unseen})
    assert (caught.value.problem, caught.value.fields["where"]) == (Problem.INVALID, f"recipient.{field}")
    assert service.entries("recipient.created") == []


@pytest.mark.parametrize("name", ["Ana\u202eExample", "Ana\u2028Example", "\U000e0001Ana"])
def test_a_name_that_the_mark_cannot_print_is_refused(service: Service, name: str) -> None:
    document = a_document(service)
    a_version(service, document)
    an_nda(service)
    with pytest.raises(DomainError) as caught:
        a_share(service, document, name=name)
    assert caught.value.problem == Problem.UNMARKABLE_NAME
    assert caught.value.fields["field"] == "name"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"purpose": "  "}, "purpose"),
        ({"purpose": "x" * 501}, "purpose"),
        ({"download_limit": 0}, "download_limit"),
        ({"download_limit": 1001}, "download_limit"),
        ({"name": ""}, "recipient.name"),
        ({"name": "x" * 201}, "recipient.name"),
        ({"name": "Ana\u0000"}, "recipient.name"),
        ({"company": "Ac\nme"}, "recipient.company"),
        ({"mail": "ana"}, "recipient.mail"),
        ({"link_life": timedelta(days=8)}, "link_life"),
        ({"expires_at": "now"}, "expires_at"),
        ({"expires_at": "far"}, "expires_at"),
    ],
    ids=str,
)
def test_a_share_that_cannot_be_is_refused_with_its_place(
    service: Service, change: dict[str, object], where: str
) -> None:
    document = a_document(service)
    a_version(service, document)
    an_nda(service)
    times = {"now": service.clock(), "far": service.clock() + timedelta(days=367)}
    changes = {
        name: times.get(value, value) if isinstance(value, str) else value for name, value in change.items()
    }
    with pytest.raises(DomainError) as caught:
        a_share(service, document, **changes)
    assert (caught.value.problem, caught.value.fields["where"]) == (Problem.INVALID, where)


def test_a_document_that_has_no_ready_file_or_is_revoked_is_not_shared(service: Service) -> None:
    document = a_document(service)
    an_nda(service)
    with pytest.raises(DomainError, match="no file"):
        a_share(service, document)
    version = a_version(service, document)
    a_share(service, document, pinned_version_id=version.id)
    with pytest.raises(DomainError, match="pinned"):
        a_share(service, document, pinned_version_id="ver_" + "0" * 26)
    service.sealmark.documents.revoke(OPERATOR, document.id)
    with pytest.raises(DomainError, match="revoked"):
        a_share(service, document)
    with pytest.raises(DomainError) as caught:
        a_share(service, document, document_id="doc_" + "0" * 26)
    assert caught.value.problem == Problem.NOT_FOUND


def test_a_link_never_outlives_its_share(service: Service) -> None:
    document = a_document(service)
    a_version(service, document)
    an_nda(service)
    until = service.clock() + timedelta(hours=5)
    share, link = a_share(service, document, expires_at=until)
    assert link.expires_at == until
    assert service.sealmark.sharing.link(OPERATOR, share.id).expires_at == until
    service.clock.advance(hours=5)
    with pytest.raises(DomainError) as caught:
        service.sealmark.sharing.link(OPERATOR, share.id)
    assert caught.value.problem == Problem.WRONG_STATE


def test_a_revoked_share_gets_no_link_and_is_revoked_once(service: Service) -> None:
    document = a_document(service)
    a_version(service, document)
    an_nda(service)
    share, _ = a_share(service, document)
    for _ in range(2):
        service.sealmark.sharing.revoke(OPERATOR, share.id)
    assert len(service.entries("share.revoked")) == 1
    with pytest.raises(DomainError):
        service.sealmark.sharing.link(OPERATOR, share.id)


def test_shares_are_listed_by_document_recipient_and_whether_they_are_open(service: Service) -> None:
    first, second = a_document(service), a_document(service)
    for document in (first, second):
        a_version(service, document)
    an_nda(service)
    ana, _ = a_share(service, first)
    bob, _ = a_share(service, first, mail="bob@acme.example", name="Bob")
    other, _ = a_share(service, second)
    service.sealmark.sharing.revoke(OPERATOR, bob.id)
    sharing = service.sealmark.sharing
    assert {s.id for s in sharing.list(document=first.id)} == {ana.id, bob.id}
    assert {s.id for s in sharing.list(recipient=ana.recipient_id)} == {ana.id, other.id}
    assert {s.id for s in sharing.list(active=True)} == {ana.id, other.id}
    assert {s.id for s in sharing.list()} == {ana.id, bob.id, other.id}
    page = sharing.list(limit=2)
    assert len(page) == 2
    assert len(sharing.list(after=page[-1].id)) == 1


def test_the_same_new_recipient_in_many_calls_at_once_is_one_recipient(service: Service) -> None:
    document = a_document(service)
    a_version(service, document)
    an_nda(service)
    with ThreadPoolExecutor(8) as pool:
        shares = list(pool.map(lambda _: a_share(service, document)[0], range(16)))
    assert len({share.id for share in shares}) == 16
    assert len({share.recipient_id for share in shares}) == 1
    assert len(service.entries("recipient.created")) == 1


def test_no_link_is_handed_out_that_would_not_open(service: Service) -> None:
    document = a_document(service)
    a_version(service, document)
    nda = an_nda(service, valid_until=service.clock() + timedelta(days=1))
    share, _ = a_share(service, document)
    service.clock.advance(days=1)  # the agreement has run out, and nothing was swept yet
    with pytest.raises(DomainError) as caught:
        service.sealmark.sharing.link(OPERATOR, share.id)
    assert caught.value.problem == Problem.NDA_REQUIRED
    an_nda(service)
    service.sealmark.sharing.link(OPERATOR, share.id)
    service.sealmark.documents.revoke(OPERATOR, document.id)
    with pytest.raises(DomainError, match="revoked"):
        service.sealmark.sharing.link(OPERATOR, share.id)
    assert nda.valid_until == service.clock()
    with pytest.raises(DomainError) as caught:
        service.sealmark.sharing.link(OPERATOR, f"shr_{'0' * 26}")
    assert caught.value.problem == Problem.NOT_FOUND


@pytest.mark.parametrize("name", ["Ana\u202eExample", "\U000e0001Ana"])
def test_an_agreement_admits_nobody_whom_the_mark_cannot_print(service: Service, name: str) -> None:
    with pytest.raises(DomainError) as caught:
        an_nda(service, domain=None, mail="ana@acme.example", name=name)
    assert caught.value.problem == Problem.UNMARKABLE_NAME
    assert service.sealmark.recipients.list() == []


def test_an_address_is_marked_as_it_is_kept(service: Service) -> None:
    document = a_document(service)
    a_version(service, document)
    an_nda(service)
    share, _ = a_share(service, document, mail="a\u0308nne@acme.example")
    assert service.sealmark.recipients.get(share.recipient_id).mail == "änne@acme.example"


def test_evidence_that_was_overtaken_by_other_evidence_is_not_kept(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    nda = an_nda(service)
    ndas = service.sealmark.ndas

    def slowly(first: bytes) -> Iterator[bytes]:
        yield b"%PDF-1.7 " + first
        yield bytes(2000)
        ndas.attach_evidence(OPERATOR, nda.id, [b"%PDF-1.7 the other"])

    with pytest.raises(DomainError) as caught:
        ndas.attach_evidence(OPERATOR, nda.id, slowly(b"mine"))

    assert caught.value.problem == Problem.WRONG_STATE
    assert len([key for key in stored_keys(service) if "/evidence/" in key]) == 2  # payload and sidecar
    assert len(service.entries("nda.evidence")) == 1


def test_evidence_that_cannot_be_taken_back_is_left_to_the_sweeper(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    nda = an_nda(service)
    ndas = service.sealmark.ndas

    def slowly() -> Iterator[bytes]:
        yield b"%PDF-1.7 mine"
        yield bytes(2000)
        ndas.attach_evidence(OPERATOR, nda.id, [b"%PDF-1.7 the other"])

    def away(*_: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(service.sealmark.objects, "discard", away)

    with pytest.raises(DomainError) as caught:
        ndas.attach_evidence(OPERATOR, nda.id, slowly())
    assert caught.value.problem == Problem.WRONG_STATE
    assert len([key for key in stored_keys(service) if "/evidence/" in key]) == 4


def test_a_recipient_that_others_make_again_and_again_is_busy_and_nothing_is_made(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = a_document(service, kind=Kind.OVERVIEW, classification=Classification.PUBLIC)
    a_version(service, document)

    def taken(*_: object, **__: object) -> None:
        raise Taken("mail")

    monkeypatch.setattr("service.sharing.admit", taken)

    with pytest.raises(DomainError) as caught:
        a_share(service, document)
    assert caught.value.problem == Problem.BUSY
    assert service.entries("share.created") == []


@pytest.mark.parametrize(
    ("policy", "limit", "asked", "checked"),
    [
        (MailCheck.LIMITED, None, None, False),
        (MailCheck.LIMITED, 1, None, True),
        (MailCheck.LIMITED, 1, False, False),
        (MailCheck.LIMITED, None, True, True),
        (MailCheck.NEVER, 1, None, False),
        (MailCheck.NEVER, 1, True, True),
        (MailCheck.ALWAYS, None, None, True),
        (MailCheck.ALWAYS, None, False, True),
    ],
)
def test_a_mail_check_is_asked_as_the_document_says_and_the_share_may_ask_for_more(
    service: Service, policy: MailCheck, limit: int | None, asked: bool | None, checked: bool
) -> None:
    document = a_document(service)
    a_version(service, document)
    an_nda(service)
    service.sealmark.documents.change(OPERATOR, document.id, mail_check=policy)
    share, _ = a_share(service, document, download_limit=limit, mail_check=asked)
    assert share.mail_check is checked
    assert [json.loads(entry["details"])["mail_check"] for entry in service.entries("share.created")] == [
        int(checked)
    ]


def test_a_share_may_wait_for_its_agreement_where_there_is_a_text_to_sign(service: Service) -> None:
    document = a_document(service)
    a_version(service, document)
    with pytest.raises(DomainError, match="nda-texts") as caught:
        a_share(service, document, nda=NdaMode.ASK)
    assert caught.value.problem == Problem.WRONG_STATE
    with service.sealmark.database.write() as records:
        records.add(NdaText("txt_1", 1, "Keep it.", "ab" * 32, None, service.clock()))

    share, link = a_share(service, document, nda=NdaMode.ASK, mail_check=False)

    assert (share.nda, share.mail_check) == (NdaMode.ASK, True)
    shown = service.sealmark.deliveries.page(token_of(link), Actor("recipient"), record=True)
    assert isinstance(shown, Waiting)
    assert [entry["reason"] for entry in service.entries("page.viewed")] == ["mail-check"]


def test_an_agreement_that_was_revoked_is_not_offered_by_a_new_share(service: Service) -> None:
    document = a_document(service)
    a_version(service, document)
    service.sealmark.ndas.revoke(OPERATOR, an_nda(service).id)
    with pytest.raises(DomainError, match="revoked") as caught:
        a_share(service, document, nda=NdaMode.ASK)
    assert caught.value.problem == Problem.NDA_REQUIRED
