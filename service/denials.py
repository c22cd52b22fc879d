"""Denials: an entry for each authentic link that does not open, one a link and minute. What is not authentic is only
counted (`tallies`)."""

from __future__ import annotations

from datetime import datetime, timedelta

from service.audit import Actor, Random, entry
from service.decision import Denial
from service.ports import Database, Taken
from service.records import Recipient, Share, Throttle

ONCE_A = timedelta(minutes=1)


class Denials:
    """Records denials."""

    def __init__(self, database: Database, random: Random) -> None:
        self._database = database
        self._random = random

    def record(self, reason: Denial, share: Share, link_hash: str, actor: Actor, now: datetime) -> None:
        """The entry of this denial, unless this link had one within the minute.

        Raises `DatabaseUnavailable`: an answer that says why needs its entry.
        """
        minute = int(now.timestamp()) // int(ONCE_A.total_seconds())
        try:
            with self._database.write() as records:
                records.add(Throttle(key=f"denied:{link_hash}:{minute}", until=now + ONCE_A))
                recipient = records.get(Recipient, share.recipient_id)
                if recipient is not None and recipient.erased_at:
                    # Nothing personal of theirs is taken in again.
                    actor = Actor(actor.type, request=actor.request)
                made = entry(
                    "download.denied",
                    actor,
                    now,
                    self._random,
                    outcome="denied",
                    reason=reason,
                    share=share.id,
                    link=link_hash,
                    document=share.document_id,
                    recipient=share.recipient_id,
                )
                records.add(made)
        except Taken:
            return
