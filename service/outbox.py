"""The outbox: mails that are to be sent, in the transaction of what they tell of. `service/mailing.py` sends them.

A message holds no link and no code. They are made when it is sent, so that no row ever holds one that works.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from crypto import identifiers
from service.audit import Random
from service.errors import DomainError, Problem
from service.ports import Records
from service.records import Message


class Mail(StrEnum):
    """What a message is; each has a template of its own, and an `about` of one kind."""

    LINK = "link"  # shr_…: a new link to the share
    CODE = "code"  # mck_…: the code of a mail check
    APPROVED = "approved"  # acc_…: access was approved, with a link to its share
    DENIED = "denied"  # acc_…
    EXPIRING = "expiring"  # shr_…: the share ends soon
    NEW_VERSION = "new-version"  # shr_…: a newer version can be read, with a link
    PERIOD_ENDING = "period-ending"  # ver_…: to the owner: the report's period will soon be a year old
    CHECKPOINT = "checkpoint"  # chk_…: to an auditor, who keeps it


def queue(
    records: Records,
    random: Random,
    now: datetime,
    *,
    kind: Mail,
    about: str,
    mail: str,
    language: str = "",
    recipient_id: str | None = None,
) -> Message:
    """Put a message into the outbox; it is sent once this transaction is durable."""
    message = Message(
        id=identifiers.new_id("msg", random(16)),
        kind=kind,
        about=about,
        recipient_id=recipient_id,
        mail=mail,
        language=language,
        created_at=now,
        run_after=now,
    )
    records.add(message)
    return message


class MailSettings(Protocol):
    """What is known of mail from outside; `service.settings.Settings` is it."""

    @property
    def can_mail(self) -> bool:
        """Whether a server is configured that mails are handed to."""


def require_mail(settings: MailSettings) -> None:
    """Raise `DomainError` (mail-not-configured) unless mails can be sent."""
    if not settings.can_mail:
        raise no_mail("No mail can be sent here: set SEALMARK_SMTP and SEALMARK_MAIL_FROM.")


def no_mail(detail: str) -> DomainError:
    """The error for what needs a mail where none can be sent; `detail` says what to do."""
    return DomainError(Problem.MAIL_NOT_CONFIGURED, detail)
