"""May this share's recipient have the report now? A pure function of the state and the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from service.ports import Grant
from service.records import Classification, Copy, Cut, Document, NdaMode, Recipient, Share, Template, Version


class Denial(StrEnum):
    """Why not: the closed list that entries, pages and metrics use."""

    LINK_EXPIRED = "link-expired"
    LINK_REVOKED = "link-revoked"
    SHARE_EXPIRED = "share-expired"
    SHARE_REVOKED = "share-revoked"
    DOCUMENT_REVOKED = "document-revoked"
    DOCUMENT_ENDED = "document-ended"
    NDA_ENDED = "nda-ended"
    MAIL_CHECK = "mail-check"
    NDA_ASKED = "nda-asked"
    VIEW_ONLY = "view-only"
    NOT_READY = "not-ready"
    USED_UP = "used-up"
    DELIVERY_OVER = "delivery-over"
    TOO_MANY_BYTES = "too-many-bytes"
    TOO_MANY_SENDS = "too-many-sends"


MAY_BE_MET = frozenset({Denial.MAIL_CHECK, Denial.NDA_ASKED})
"""What the recipient can do something about, on the page itself."""


@dataclass(frozen=True)
class Allowed:
    """Yes; with what is to be lent, so that nobody needs to ask again whether it is there."""

    share: Share
    recipient: Recipient
    document: Document
    version: Version
    template: Template
    copy: Copy | None
    cut: Cut | None = None  # what is lent of the version, if not all of it


def decide(
    grant: Grant, now: datetime, *, asking: bool, checked: bool = False, viewing: bool = False
) -> Allowed | Denial:
    """Decide over one share.

    `checked`: the asker has shown that the recipient's mail address is theirs. Asking and viewing need it, and it
    comes before the agreement: who signs is the recipient.

    `asking`: by its link, for the page or a new delivery, where the link's own end counts; else for a delivery
    that was granted, which lives on when its link expires but not when link, share, NDA or document are revoked.
    `viewing`: not asking, a page of that delivery; else its file, which a view-only share never gives.
    The download limit is not decided here: it is taken in the transaction of the grant (`granting`).
    An expiry has no grace: at its instant it is over.
    """
    share, link = grant.share, grant.link
    uncovered = grant.document.classification != Classification.PUBLIC and not _covered(grant, now)
    offered = uncovered and _offered(grant)
    reasons = (
        (link is None or link.revoked_at is not None, Denial.LINK_REVOKED),
        (share.revoked_at is not None or grant.recipient.erased_at is not None, Denial.SHARE_REVOKED),
        (grant.document.revoked_at is not None, Denial.DOCUMENT_REVOKED),
        (has_ended(grant.document, now), Denial.DOCUMENT_ENDED),
        (share.expires_at <= now, Denial.SHARE_EXPIRED),
        (asking and link is not None and link.expires_at <= now, Denial.LINK_EXPIRED),
        (uncovered and not offered, Denial.NDA_ENDED),
        ((asking or viewing) and not checked and (share.mail_check or offered), Denial.MAIL_CHECK),
        (uncovered, Denial.NDA_ASKED),
        (share.view_only and not (asking or viewing), Denial.VIEW_ONLY),
    )
    for holds, reason in reasons:
        if holds:
            return reason
    if grant.version is None or grant.template is None:
        return Denial.NOT_READY
    # Whatever the database says: who has a cut gets no template of the whole, and of no other cut.
    if grant.template.cut_id != share.cut_id or (share.cut_id is not None and grant.cut is None):
        return Denial.NOT_READY
    return Allowed(
        share, grant.recipient, grant.document, grant.version, grant.template, grant.copy, grant.cut
    )


def has_ended(document: Document, now: datetime) -> bool:
    """Whether the last day (UTC) on which the document is lent is over."""
    ends = end_of(document)
    return ends is not None and ends <= now


def end_of(document: Document) -> datetime | None:
    """The instant from which the document is lent to nobody; None: there is none."""
    if document.ends_on is None:
        return None
    return datetime.combine(document.ends_on + timedelta(days=1), time(), UTC)


def ends_at(share: Share, document: Document) -> datetime:
    """The instant from which a share of this document opens nothing, as the document's last day is now."""
    return min(share.expires_at, end_of(document) or share.expires_at)


def _offered(grant: Grant) -> bool:
    """Whether the agreement may be signed on the page: one that was revoked is never offered again."""
    if grant.text_id is None or grant.nda_revoked:
        return False
    return grant.share.nda == NdaMode.ASK or grant.nda_signed


def _covered(grant: Grant, now: datetime) -> bool:
    nda = grant.nda
    return nda is not None and nda.valid_from <= now and (nda.valid_until is None or now < nda.valid_until)
