"""Decisions: a pure function, so each reason is shown by one changed fact."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.decision import Allowed, Denial, decide
from service.ports import Grant
from service.records import (
    Classification,
    Document,
    Kind,
    Link,
    Nda,
    NdaMode,
    NdaState,
    Recipient,
    Share,
    Template,
    Version,
    VersionState,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def a_grant() -> Grant:
    """A share that is allowed now."""
    return Grant(
        share=Share("shr_1", "doc_1", "rcp_1", "due diligence", LATER, None, 0, None, NOW),
        recipient=Recipient("rcp_1", "ana@acme.example", "acme.example", "Ana", "Acme", NOW),
        document=Document("doc_1", "SOC 2", Kind.SOC2_TYPE2, Classification.NDA, "o@lender.example", NOW),
        link=Link("hash", "shr_1", LATER, NOW),
        nda=Nda("nda_1", "rcp_1", None, NdaState.APPROVED, NOW, LATER, "paper", "", NOW),
        version=Version("ver_1", "doc_1", 1, VersionState.READY, {}, NOW),
        template=Template("tpl_1", "ver_1", "obj_1", 1, 1000, NOW),
        copy=None,
    )


def test_a_share_in_force_is_allowed_with_all_that_is_lent() -> None:
    grant = a_grant()
    decided = decide(grant, NOW, asking=True)
    assert decided == Allowed(
        grant.share, grant.recipient, grant.document, grant.version, grant.template, None
    )  # type: ignore[arg-type]


CHANGES = {
    Denial.LINK_REVOKED: lambda g: replace(g, link=replace(g.link, revoked_at=NOW)),
    Denial.SHARE_REVOKED: lambda g: replace(g, share=replace(g.share, revoked_at=NOW)),
    Denial.DOCUMENT_REVOKED: lambda g: replace(g, document=replace(g.document, revoked_at=NOW)),
    Denial.DOCUMENT_ENDED: lambda g: replace(
        g, document=replace(g.document, ends_on=NOW.date() - timedelta(days=1))
    ),
    Denial.SHARE_EXPIRED: lambda g: replace(g, share=replace(g.share, expires_at=NOW)),
    Denial.NDA_ENDED: lambda g: replace(g, nda=None),
    Denial.NOT_READY: lambda g: replace(g, version=None),
}


@pytest.mark.parametrize("reason", CHANGES)
@pytest.mark.parametrize("asking", [True, False])
def test_each_reason_denies_asking_and_sending(reason: Denial, asking: bool) -> None:
    assert decide(CHANGES[reason](a_grant()), NOW, asking=asking) == reason


def test_an_expired_link_denies_asking_but_not_a_delivery_that_was_granted() -> None:
    grant = a_grant()
    grant = replace(grant, link=replace(grant.link, expires_at=NOW))  # type: ignore[type-var]
    assert decide(grant, NOW, asking=True) == Denial.LINK_EXPIRED
    assert isinstance(decide(grant, NOW, asking=False), Allowed)


def test_a_missing_link_denies() -> None:
    assert decide(replace(a_grant(), link=None), NOW, asking=True) == Denial.LINK_REVOKED


def test_an_expiry_has_no_grace() -> None:
    grant = a_grant()
    assert isinstance(decide(grant, LATER - timedelta(microseconds=1), asking=True), Allowed)
    assert decide(grant, LATER, asking=True) == Denial.SHARE_EXPIRED


@pytest.mark.parametrize(
    ("begins", "ends", "covered"),
    [
        (NOW, None, True),
        (NOW, NOW + timedelta(microseconds=1), True),
        (NOW - timedelta(days=9), NOW, False),
        (NOW + timedelta(microseconds=1), None, False),
    ],
)
def test_an_agreement_covers_from_its_first_instant_to_before_its_last(
    begins: datetime, ends: datetime | None, covered: bool
) -> None:
    grant = a_grant()
    grant = replace(grant, nda=replace(grant.nda, valid_from=begins, valid_until=ends))  # type: ignore[type-var]
    assert isinstance(decide(grant, NOW, asking=True), Allowed) is covered


def test_a_public_document_needs_no_agreement() -> None:
    grant = replace(a_grant(), nda=None)
    grant = replace(grant, document=replace(grant.document, classification=Classification.PUBLIC))
    assert isinstance(decide(grant, NOW, asking=True), Allowed)


def test_a_version_without_a_template_is_not_ready() -> None:
    assert decide(replace(a_grant(), template=None), NOW, asking=True) == Denial.NOT_READY


def test_where_a_mail_check_is_asked_only_asking_needs_it() -> None:
    grant = replace(a_grant(), share=replace(a_grant().share, mail_check=True))
    assert decide(grant, NOW, asking=True) == Denial.MAIL_CHECK
    assert isinstance(decide(grant, NOW, asking=True, checked=True), Allowed)
    assert isinstance(decide(grant, NOW, asking=False), Allowed)


def waiting(**changes: object) -> Grant:
    """A share that waits for a signature."""
    grant = a_grant()
    share = replace(grant.share, nda=NdaMode.ASK, mail_check=True)
    return replace(grant, **{"share": share, "nda": None, "text_id": "txt_1", **changes})  # type: ignore[arg-type]


def test_a_share_that_waits_asks_for_the_mail_first_and_then_for_the_agreement() -> None:
    assert decide(waiting(), NOW, asking=True) == Denial.MAIL_CHECK
    assert decide(waiting(), NOW, asking=True, checked=True) == Denial.NDA_ASKED
    assert isinstance(decide(waiting(nda=a_grant().nda), NOW, asking=True, checked=True), Allowed)


def test_who_has_signed_on_the_page_before_is_asked_again_whatever_the_share_says() -> None:
    grant = waiting(share=a_grant().share, nda_signed=True)
    assert decide(grant, NOW, asking=True) == Denial.MAIL_CHECK
    assert decide(grant, NOW, asking=True, checked=True) == Denial.NDA_ASKED


@pytest.mark.parametrize("changes", [{"nda_revoked": True}, {"text_id": None}, {"share": a_grant().share}])
def test_an_agreement_is_not_offered_after_a_revoked_one_nor_without_a_text_nor_where_it_was_not_asked(
    changes: dict[str, object],
) -> None:
    assert decide(waiting(**changes), NOW, asking=True, checked=True) == Denial.NDA_ENDED


def test_what_the_recipient_cannot_mend_is_said_before_what_they_can() -> None:
    for reason in (Denial.LINK_REVOKED, Denial.SHARE_REVOKED, Denial.DOCUMENT_REVOKED, Denial.SHARE_EXPIRED):
        assert decide(CHANGES[reason](waiting()), NOW, asking=True) == reason


def a_view_only_grant(**changes: bool) -> Grant:
    grant = a_grant()
    return replace(grant, share=replace(grant.share, view_only=True, **changes))


def test_a_view_only_share_gives_its_page_and_its_pages_but_never_its_file() -> None:
    grant = a_view_only_grant()
    assert isinstance(decide(grant, NOW, asking=True), Allowed)
    assert isinstance(decide(grant, NOW, asking=False, viewing=True), Allowed)
    assert decide(grant, NOW, asking=False) == Denial.VIEW_ONLY


@pytest.mark.parametrize("reason", CHANGES)
def test_each_reason_denies_viewing(reason: Denial) -> None:
    assert decide(CHANGES[reason](a_view_only_grant()), NOW, asking=False, viewing=True) == reason


def test_viewing_needs_the_mail_check_each_time_as_asking_does() -> None:
    grant = a_view_only_grant(mail_check=True)
    assert decide(grant, NOW, asking=False, viewing=True) == Denial.MAIL_CHECK
    assert isinstance(decide(grant, NOW, asking=False, viewing=True, checked=True), Allowed)
