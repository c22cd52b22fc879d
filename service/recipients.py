"""Recipients: people who may be lent a report, one for each mail address."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any

from crypto import identifiers
from service.audit import Actor, Random, entry
from service.errors import DomainError, Problem, invalid, not_found
from service.lines import is_line
from service.mail import parse_address
from service.names import can_be_read
from service.ports import Database, Records
from service.records import Recipient

MAX_NAME = 200
"""Code points of a name or a company: what the footer of the mark has room for (watermark/mark.py)."""

CheckMark = Callable[[str, str, str], None]
"""(name, mail, company): raises `DomainError` (unmarkable-name) for what the mark cannot print."""


class Recipients:
    """Lists and shows recipients. They are made by their first share, or by their first agreement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, recipient_id: str) -> Recipient:
        """One recipient. Raises `DomainError` (not-found)."""
        with self._database.read() as records:
            found = records.get(Recipient, recipient_id)
        if found is None:
            raise not_found("recipient", recipient_id)
        return found

    def list(self, *, mail: str | None = None, after: str | None = None, limit: int = 50) -> list[Recipient]:
        """Recipients in order of their id, those after `after`; with `mail`, the one of that address."""
        where: dict[str, Any] = {"mail": parse_address(mail).mail} if mail else {}
        if after:
            where["id__gt"] = after
        with self._database.read() as records:
            return records.find(Recipient, order="id", limit=limit, **where)


def admit(
    records: Records, actor: Actor, now: datetime, random: Random, *, mail: str, name: str, company: str
) -> Recipient:
    """The recipient of this address, made if unknown, in the caller's transaction.

    Raises `DomainError` (recipient-conflict) when the address is known under another name or company: the name
    is what the mark says, so a person settles it. Raises `ports.Taken` when another transaction made the
    recipient meanwhile: try again.
    """
    address = parse_address(mail, "recipient.mail")
    name = printable(name, "recipient.name")
    company = printable(company, "recipient.company") if company else ""
    known = records.find(Recipient, mail=address.mail, limit=1)
    if known:
        # Held until this transaction ends: who is being erased is lent nothing meanwhile.
        recipient = records.get(Recipient, known[0].id, lock=True)
        if recipient is None or recipient.erased_at or recipient.mail != address.mail:
            raise DomainError(
                Problem.WRONG_STATE, "This recipient was erased: nothing is lent to them any more."
            )
        if (recipient.name, recipient.company) != (name, company):
            raise DomainError(
                Problem.RECIPIENT_CONFLICT,
                "This address is known under another name or company. Use the one that stands, "
                "or settle with the owner which is right.",
                recipient=recipient.id,
            )
        return recipient
    recipient = Recipient(
        id=identifiers.new_id("rcp", random(16)),
        mail=address.mail,
        domain=address.domain,
        name=name,
        company=company,
        created_at=now,
    )
    personal = {"mail": recipient.mail, "name": name, "company": company}
    records.add(recipient)
    records.add(entry("recipient.created", actor, now, random, personal=personal, recipient=recipient.id))
    return recipient


def check_markable_person(check_mark: CheckMark, name: str, mail: str, company: str) -> None:
    """Raise `DomainError` unless this person, as `admit` would keep them, can be printed on a mark."""
    kept_company = printable(company, "recipient.company") if company else ""
    check_mark(printable(name, "recipient.name"), parse_address(mail, "recipient.mail").mail, kept_company)


def printable(text: str, where: str) -> str:
    """The text in NFC, white space at its ends cut.

    Raises `DomainError` (invalid) when it is empty or too long, holds control characters or half of a character, or
    neither a letter nor a number that can be seen.
    What else cannot be printed on the mark is the mark's to say.
    """
    text = unicodedata.normalize("NFC", text).strip()
    if not is_line(text):
        raise invalid(where, "Remove the control characters.")
    if not text or len(text) > MAX_NAME:
        raise invalid(where, f"Give 1 to {MAX_NAME} characters.")
    if not can_be_read(text):
        raise invalid(where, "Give at least one letter or number.")
    return text
