"""Holds: as long as one stands, nothing of a recipient, a company or a document is erased.

A hold that is released keeps no personal value of its own; who placed it, on what and why stays in the log.
"""

from __future__ import annotations

from typing import Any

from crypto import identifiers
from service.audit import Actor, Clock, Random, entry
from service.errors import DomainError, Problem, invalid, not_found
from service.lines import is_line
from service.mail import parse_domain
from service.ports import Database, Records
from service.records import Document, Hold, LogState, Recipient, Share
from service.sequencer import LOG

RECIPIENT, COMPANY, DOCUMENT = "recipient", "company", "document"

MAX_REASON = 500
"""Characters of a reason: the name of a matter and a sentence."""


class Holds:
    """Places, lists and releases holds."""

    def __init__(self, database: Database, clock: Clock, random: Random) -> None:
        self._database = database
        self._clock = clock
        self._random = random

    def place(
        self,
        actor: Actor,
        *,
        recipient: str | None = None,
        company: str | None = None,
        document: str | None = None,
        reason: str,
    ) -> Hold:
        """A hold on one recipient, one company (its mail domain) or one document.

        Once this has returned, no erasing that it forbids begins. One that has begun goes on. Raises `DomainError`
        (invalid, not-found).
        """
        given = {RECIPIENT: recipient, COMPANY: company, DOCUMENT: document}
        named = [(kind, subject) for kind, subject in given.items() if subject is not None]
        if len(named) != 1:
            raise invalid("recipient", "A hold is on a recipient, a company or a document: name one.")
        (kind, subject) = named[0]
        if kind == COMPANY:
            subject = parse_domain(subject, "company")
        reason = reason.strip()
        if not reason or len(reason) > MAX_REASON or not is_line(reason):
            raise invalid("reason", f"Say in 1 to {MAX_REASON} characters why, without control characters.")
        now = self._clock()
        hold = Hold(identifiers.new_id("hld", self._random(16)), kind, subject, reason, now)
        with self._database.write() as records:
            fence(records)
            if kind == RECIPIENT:
                found = records.get(Recipient, subject)
                if found is None:
                    raise not_found("recipient", subject)
                if found.erased_at:
                    raise DomainError(
                        Problem.WRONG_STATE, "This recipient is erased: there is nothing to hold."
                    )
            if kind == DOCUMENT and records.get(Document, subject) is None:
                raise not_found("document", subject)
            records.add(hold)
            self._record(records, "hold.placed", actor, hold)
        return hold

    def release(self, actor: Actor, hold_id: str) -> Hold:
        """End a hold; ending it again changes nothing. Its reason, and the company's name, go from its row."""
        with self._database.write() as records:
            hold = records.get(Hold, hold_id, lock=True)
            if hold is None:
                raise not_found("hold", hold_id)
            if hold.released_at:
                return hold
            subject = "" if hold.kind == COMPANY else hold.subject
            changed = records.change(hold, released_at=self._clock(), reason="", subject=subject)
            self._record(records, "hold.released", actor, hold)
        return changed or hold

    def list(self, *, standing: bool = False, after: str | None = None, limit: int = 50) -> list[Hold]:
        """Holds in order of their id, those after `after`; `standing`: only those that are not released."""
        where: dict[str, Any] = {"released_at": None} if standing else {}
        if after:
            where["id__gt"] = after
        with self._database.read() as records:
            return records.find(Hold, order="id", limit=limit, **where)

    def _record(self, records: Records, kind: str, actor: Actor, hold: Hold) -> None:
        company = hold.subject if hold.kind == COMPANY else None
        made = entry(
            kind,
            actor,
            self._clock(),
            self._random,
            details={"hold": hold.id, "on": hold.kind},
            personal={"company": company, "reference": hold.reason},
            recipient=hold.subject if hold.kind == RECIPIENT else None,
            document=hold.subject if hold.kind == DOCUMENT else None,
        )
        records.add(made)


def fence(records: Records) -> None:
    """Until this transaction ends, nobody else places a hold, begins to erase or gives entries their place."""
    records.get(LogState, LOG, lock=True)


def standing(records: Records, recipient: Recipient) -> list[Hold]:
    """The holds that stand on this recipient, on their company, or on a document that was ever shared with them."""
    documents = {share.document_id for share in records.find(Share, recipient_id=recipient.id)}
    subjects = [recipient.id, recipient.domain, *sorted(documents)]
    return records.find(Hold, order="id", released_at=None, subject__in=subjects)


def require_none(records: Records, recipient: Recipient) -> None:
    """Raise `DomainError` (held) when a hold forbids to erase this recipient."""
    found = standing(records, recipient)
    if found:
        raise DomainError(
            Problem.HELD,
            "A hold forbids to erase this recipient. Release it first, if whoever placed it agrees.",
            holds=" ".join(hold.id for hold in found),
        )
