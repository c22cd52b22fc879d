"""The policy of a document: what its owner may change of it while it is lent, and what of that cannot be."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any

from service.along import MAX_LETTERS
from service.audit import Details
from service.citing import check_wording
from service.errors import DomainError, Problem, invalid, not_found
from service.ports import Records
from service.records import Document, Kind, Listing, MailCheck

MAX_DOCUMENT_LIFE = timedelta(days=3660)
"""Ten years from now: a later last day is a slip of the pen."""


class Keep(Enum):
    """Stands for a value that stays as it is, where None takes it away."""

    KEEP = "keep"


KEEP = Keep.KEEP


def changes_of(
    document: Document,
    mail_check: MailCheck | None,
    listing: Listing | None,
    citation: str | None,
    report: str | Keep | None,
    ends: date | Keep | None,
) -> dict[str, Any]:
    """The fields whose values are to change. Raises `DomainError` (invalid) for a wording that cannot be."""
    wanted: dict[str, Any] = {"mail_check": mail_check, "listing": listing}
    given = {name: value for name, value in wanted.items() if value is not None}
    given |= {"citation": check_wording(citation) if citation else None} if citation is not None else {}
    given |= {"report_id": report} if report is not KEEP else {}
    given |= {"ends_on": ends} if ends is not KEEP else {}
    return {name: value for name, value in given.items() if value != getattr(document, name)}


def details_of(changes: dict[str, Any]) -> Details:
    """What the entry says of them; what was taken away is empty."""
    names = {"report_id": "report", "ends_on": "ends"}
    said = {names.get(name, name): "" if value is None else str(value) for name, value in changes.items()}
    return said | ({"citation": _named(changes["citation"])} if "citation" in changes else {})


def check_ends(ends: date, now: datetime) -> None:
    """Raise `DomainError` (invalid) for a last day that a document cannot be given now."""
    today = now.astimezone(UTC).date()
    if not today <= ends <= today + MAX_DOCUMENT_LIFE:
        detail = (
            "The last day on which it is lent is today or later, within ten years. To end it now, revoke it."
        )
        raise invalid("ends", detail)


def check_report(records: Records, letter: Document, report_id: str) -> None:
    """Raise `DomainError` (not-found, invalid, wrong-state) unless this letter may belong to this report."""
    if letter.kind != Kind.BRIDGE_LETTER:
        raise invalid("report", "Only a bridge letter belongs to a report.")
    report = records.get(Document, report_id, lock=True)  # so that two at once do not pass its number
    if report is None:
        raise not_found("document", report_id)
    if report.kind == Kind.BRIDGE_LETTER:
        raise invalid("report", "A bridge letter belongs to a report, not to another letter.")
    if report.owner_mail != letter.owner_mail:
        raise invalid("report", "A bridge letter belongs to a report of the same owner.")
    if report.revoked_at:
        raise DomainError(Problem.WRONG_STATE, "That report is revoked: it is lent to nobody any more.")
    if len(records.find(Document, report_id=report_id, revoked_at=None)) >= MAX_LETTERS:
        detail = f"That report has {MAX_LETTERS} letters: revoke one that is out of date, or take it away."
        raise DomainError(Problem.WRONG_STATE, detail)


def _named(wording: str | None) -> str:
    """A wording in an entry: by its SHA-256, since it is free text and an entry is for ever."""
    return "default" if wording is None else hashlib.sha256(wording.encode()).hexdigest()
