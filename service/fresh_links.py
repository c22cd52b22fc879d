"""Fresh links: at a document's stable address, who shows that a mail address is theirs is mailed a new link to what is
shared with it. The address lasts as long as the document, and opens nothing by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from service.audit import Clock, Random
from service.decision import has_ended
from service.limits import Limit, Limits
from service.outbox import Mail, queue
from service.ports import Database, Records
from service.records import Document, Recipient, Session, Share
from service.sharing import Sharing

FRESH_LINKS = Limit("fresh-links", 5, timedelta(hours=1))
"""For one document and mail: each is a mail, and a link that works for days."""


class FreshLinks:
    """Finds what is shared with a mail address that was checked, and mails its link. Raises `DatabaseUnavailable`."""

    def __init__(
        self,
        database: Database,
        sharing: Sharing,
        limits: Limits,
        require_mail: Callable[[], None],
        clock: Clock,
        random: Random,
    ) -> None:
        self._database = database
        self._sharing = sharing
        self._limits = limits
        self._require_mail = require_mail
        self._clock = clock
        self._random = random

    def document(self, document_id: str) -> Document | None:
        """The document with this stable address; None where there is none, or it was revoked or has ended."""
        with self._database.read() as records:
            found = records.get(Document, document_id)
        ended = found is None or found.revoked_at is not None or has_ended(found, self._clock())
        return None if ended else found

    def shared(self, session: Session, document_id: str) -> bool:
        """Whether a share of this document that opens belongs to who holds the session."""
        with self._database.read() as records:
            return self._share(records, session, document_id) is not None

    def send(self, session: Session, document_id: str, language: str = "") -> bool:
        """Queue a mail with a new link to the newest share that opens; False where there is none.

        Raises `TooMany`, `DomainError` (mail-not-configured).
        """
        self._require_mail()
        self._limits.require((FRESH_LINKS.of(document_id), session.mail))
        now = self._clock()
        with self._database.write() as records:
            share = self._share(records, session, document_id)
            recipient = records.get(Recipient, share.recipient_id) if share else None
            if share is None or recipient is None:
                return False
            queue(
                records,
                self._random,
                now,
                kind=Mail.LINK,
                about=share.id,
                mail=recipient.mail,
                language=language or recipient.language,
                recipient_id=recipient.id,
            )
        return True

    def _share(self, records: Records, session: Session, document_id: str) -> Share | None:
        """The newest one whose link opens, be it to sign first: no other is worth a mail."""
        known = records.find(Recipient, mail=session.mail, erased_at=None, limit=1)
        if not known:
            return None
        theirs = records.find(
            Share,
            document_id=document_id,
            recipient_id=known[0].id,
            revoked_at=None,
            expires_at__gt=self._clock(),
            order="-created_at",
        )
        for share in theirs:
            # What goes along has no link: it is on the page of its report.
            found = self._sharing.still_open(records, share.with_id or share.id)
            if found is not None:
                return found
        return None
