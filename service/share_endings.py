"""Shares that end soon, told to receivers of webhooks when `announcing` mails it.

No entry can become that event: nothing happens then.
"""

from __future__ import annotations

from datetime import datetime

from service import events
from service.announcing import NOTICE
from service.audit import Clock, timestamp
from service.ends import ending_soon
from service.events import EventKind
from service.ports import Database, Records
from service.records import Event, Receiver, Share
from service.sequencer import locked_state

BATCH = 200
"""Shares of one transaction, which the sequencer waits for."""


class ShareEndings:
    """Makes `share.expiring`, once a share, its end and receiver."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def run_once(self) -> bool:
        """Tell of all shares that end soon and were not told of. The worker's task."""
        now = self._clock()
        with self._database.read() as records:
            wanted = _interested(records)
        after: str | None = "" if wanted else None
        while after is not None:
            after = self._some(after, now)
        return False

    def _some(self, after: str, now: datetime) -> str | None:
        """A batch of shares after this one; the last of them, or None when there is no more."""
        with self._database.write() as records:
            locked_state(records)  # so that positions have the order in which they become durable
            receivers = _interested(records)
            ending, rest = ending_soon(records, now, NOTICE, after, BATCH)
            made: list[Event] = []
            for share in ending:
                made += _told(records, receivers, share, now)
            fresh = events.new(records, made)
            if fresh:
                records.add(*fresh)
        return rest


def _interested(records: Records) -> list[Receiver]:
    return [receiver for receiver in events.wanting(records) if EventKind.SHARE_EXPIRING in receiver.kinds]


def _told(records: Records, receivers: list[Receiver], share: Share, now: datetime) -> list[Event]:
    ends = timestamp(share.expires_at)
    data = {
        "share": share.id,
        "document": share.document_id,
        "recipient": share.recipient_id,
        "expires_at": ends,
    }
    about = f"{share.id} {ends}"
    return events.events(records, receivers, EventKind.SHARE_EXPIRING, about, timestamp(now), data, now)
