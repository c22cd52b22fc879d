"""What a message needs to become a mail: it is looked up, and made, in a write transaction just before sending.

Here alone a new link or a new code comes into a mail. What a message tells of may have ended since it was queued;
then there is nothing to send.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from service.audit import Clock
from service.ends import in_effect
from service.mail_sentences import day, moment
from service.mailchecks import CODE_LIFE
from service.ndas import covering
from service.outbox import Mail
from service.ports import Attachment, Records
from service.records import (
    AccessRequest,
    Check,
    Classification,
    Document,
    Listing,
    LogCheckpoint,
    Message,
    Recipient,
    Share,
    Version,
)
from service.reminding import a_year_after, newest_of, period_end
from service.sharing import NewLink, Sharing

CODE_MINUTES = CODE_LIFE // timedelta(minutes=1)
"""How long a code works from when it is sent, as its mail says."""

Issue = Callable[[Records, str, datetime], str | None]
"""(records, check, now) → the code of a mail check that is sent now, or None when the check has ended."""


@dataclass(frozen=True)
class Needs:
    """What goes into the mail of one message; `link_hash` is of the link that was made for it."""

    values: Mapping[str, object]
    references: Mapping[str, str | None]
    link_hash: str | None = None
    attachments: tuple[Attachment, ...] = field(default=())


class Letters:
    """Makes what messages need."""

    def __init__(self, sharing: Sharing, issue: Issue, base_url: str, clock: Clock) -> None:
        self._sharing = sharing
        self._issue = issue
        self._base_url = base_url
        self._clock = clock

    def needs(self, records: Records, message: Message) -> Needs | None:
        """What this message needs, made now in the caller's transaction. None: nothing is to be sent any more.

        A link that an earlier attempt at it made opens nothing from then on.
        """
        if message.recipient_id is not None:
            recipient = records.get(Recipient, message.recipient_id)
            if recipient is None or recipient.erased_at is not None:
                return None
        match Mail(message.kind):
            case Mail.LINK | Mail.NEW_VERSION:
                return self._with_link(records, message, message.about)
            case Mail.APPROVED:
                asked = records.get(AccessRequest, message.about)
                return self._with_link(records, message, asked.share_id if asked else None)
            case Mail.CODE:
                return self._with_code(records, message)
            case Mail.DENIED:
                return self._denial(records, message)
            case Mail.EXPIRING:
                return self._ending(records, message)
            case Mail.PERIOD_ENDING:
                return self._period(records, message)
            case Mail.CHECKPOINT:
                return _checkpoint(records, message)

    def _with_link(self, records: Records, message: Message, share_id: str | None) -> Needs | None:
        """What is said of this share. The link of what goes along is its report's, on whose page it stands."""
        now = self._clock()
        told = records.get(Share, share_id or "")
        share = records.get(Share, told.with_id) if told and told.with_id else told
        if told is None or share is None or _has_ended(records, told, now):
            return None
        link = self._sharing.mailed_link(records, share.id, message.link_hash)
        if link is None:
            return None
        about = _About.load(records, share, now)
        values = {
            **self._of_share(_About.load(records, told, now)),
            "link": link.url,
            "link_until": moment(link.expires_at, message.language),
            "share_until": moment(in_effect(records, [share])[0].expires_at, message.language),
            "sign": not about.covered,
            "checked": share.mail_check,
            "view_only": share.view_only,
        }
        return Needs(values, _references(share, link), link.hash)

    def _with_code(self, records: Records, message: Message) -> Needs | None:
        check = records.get(Check, message.about)
        code = self._issue(records, message.about, self._clock())
        if check is None or code is None:
            return None
        share = records.get(Share, check.subject)
        references = _references(share) if share else {}
        return Needs({"code": code, "minutes": CODE_MINUTES}, references)

    def _denial(self, records: Records, message: Message) -> Needs | None:
        asked = records.get(AccessRequest, message.about)
        document = records.get(Document, asked.document_id) if asked else None
        if asked is None or document is None:
            return None
        named = document.name if document.listing != Listing.HIDDEN else ""
        references = {"document": document.id, "recipient": asked.recipient_id}
        return Needs({"name": asked.name, "document": named}, references)

    def _ending(self, records: Records, message: Message) -> Needs | None:
        """Without a link: who still needs the document gets one at its stable address, after a mail check."""
        share = self._sharing.still_open(records, message.about)
        if share is None:
            return None
        values = {
            **self._of_share(_About.load(records, share, self._clock())),
            "share_until": moment(share.expires_at, message.language),
            "share_day": day(share.expires_at, message.language),
        }
        return Needs(values, _references(share))

    def _period(self, records: Records, message: Message) -> Needs | None:
        """To the owner, so it names the document whatever others may know. Nothing once a newer version is ready."""
        version = records.get(Version, message.about)
        document = records.get(Document, version.document_id) if version else None
        newest = newest_of(records, document, self._clock()) if document else None
        ended = period_end(newest) if newest else None
        if document is None or newest is None or ended is None or newest.id != message.about:
            return None
        values = {
            "document": document.name,
            "period_day": day(ended, message.language),
            "year_day": day(a_year_after(ended), message.language),
        }
        return Needs(values, {"document": document.id, "version": newest.id})

    def _of_share(self, about: _About) -> dict[str, object]:
        known = about.covered or about.document.listing != Listing.HIDDEN
        return {
            "name": about.recipient.name,
            "document": about.document.name if known else "",
            "stable": f"{self._base_url}/r/{about.document.id}",
        }


@dataclass(frozen=True)
class _About:
    """Whom and what a share is about, and whether its recipient may know what only those under NDA may."""

    recipient: Recipient
    document: Document
    covered: bool

    @classmethod
    def load(cls, records: Records, share: Share, now: datetime) -> _About:
        recipient = records.get(Recipient, share.recipient_id)
        document = records.get(Document, share.document_id)
        if recipient is None or document is None:
            raise LookupError("a share without its recipient or document")
        public = document.classification == Classification.PUBLIC
        return cls(recipient, document, public or covering(records, recipient, now) is not None)


def _has_ended(records: Records, share: Share, now: datetime) -> bool:
    document = records.get(Document, share.document_id)
    if document is None or document.revoked_at is not None or share.revoked_at is not None:
        return True
    return in_effect(records, [share])[0].expires_at <= now


def _references(share: Share, link: NewLink | None = None) -> dict[str, str | None]:
    found = {"share": share.id, "document": share.document_id, "recipient": share.recipient_id}
    return {**found, "link": link.hash if link else None}


def _checkpoint(records: Records, message: Message) -> Needs | None:
    checkpoint = records.get(LogCheckpoint, message.about)
    if checkpoint is None:
        return None
    name = f"checkpoint-{checkpoint.signed_at:%Y-%m-%dT%H%M%SZ}-{checkpoint.size}.txt"
    values = {
        "size": checkpoint.size,
        "signed_at": moment(checkpoint.signed_at, message.language),
        "note": checkpoint.note.rstrip("\n"),
    }
    return Needs(values, {}, attachments=(Attachment(name, checkpoint.note.encode()),))
