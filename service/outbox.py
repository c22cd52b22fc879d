"""The outbox: mails that are to be sent, in the transaction of what they tell of. `service/mailing.py` sends them.

A message holds no link and no code. They are made when it is sent, so that no row ever holds one that works.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from crypto import identifiers
from service.audit import Random
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
