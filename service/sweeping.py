"""Sweeping: what time ends, the worker ends. Sends that fell silent, agreements that ran out, rows and objects
that nothing needs any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from service.archives import ROLE as ARCHIVE
from service.archives import Archives
from service.audit import Actor, Clock, Random, entry
from service.blobs import BlobStore
from service.discarding import owe
from service.holds import fence, standing
from service.ndas import end_uncovered
from service.objects import PREFIX, SIDECAR, TRASH
from service.ports import Database, Records
from service.records import (
    Answer,
    Check,
    Copy,
    Delivery,
    Event,
    Message,
    Nda,
    NdaState,
    RateWindow,
    Recipient,
    SealedObject,
    Send,
    Session,
    Share,
    StaffSession,
    Throttle,
)
from service.rollback import Rollback
from service.sending import close_send
from service.webhooks import KEPT_FOR as EVENTS_KEPT_FOR

WORKER = Actor("worker")
ORPHAN_AGE = timedelta(days=1)
"""How old an object without a row must be before it is moved to the trash: no upload takes so long."""

NDA_OVERLAP = timedelta(days=2)
"""How far before the last look agreements are looked at again: clocks of processes differ, a transaction may lag."""

ANSWER_AGE = timedelta(hours=24)
CHECK_AGE = timedelta(hours=24)
"""A mail check is over after minutes; for a day it can be seen why somebody did not get in."""

MESSAGE_AGE = timedelta(days=30)
"""How long it can be seen to whom a mail was sent, for who asks after one; the log's entry stays."""


class Sweeping:
    """The worker's tidying. Each method is safe to run at any time, in any process."""

    def __init__(
        self,
        database: Database,
        store: BlobStore,
        rollback: Rollback,
        archives: Archives,
        silent: timedelta,
        evidence: timedelta,
        clock: Clock,
        random: Random,
    ) -> None:
        """After `silent` without a sign of life a send is over; `evidence` outlives its agreement so long."""
        self._database = database
        self._store = store
        self._rollback = rollback
        self._archives = archives
        self._silent = silent
        self._evidence = evidence
        self._clock = clock
        self._random = random
        self._ndas_seen: datetime | None = None  # when this process last looked

    def end_silent_sends(self) -> int:
        """End as *unknown* the sends whose process fell silent; returns how many."""
        now = self._clock()
        with self._database.write() as records:
            silent = records.find(Send, ended_at=None, alive_at__le=now - self._silent, lock=True, limit=100)
            for send in silent:
                references = _references(records, send)
                close_send(records, send, send.sent, "unknown", WORKER, now, self._random, references)
        return len(silent)

    def end_expired_ndas(self) -> int:
        """End the shares whose agreement has run out and that no other covers; returns how many shares.

        The first look of a process is at all that ever ran out; later ones only at those since the last.
        """
        now = self._clock()
        ended = 0
        where: dict[str, Any] = {"valid_until__le": now}
        if self._ndas_seen is not None:
            where["valid_until__ge"] = self._ndas_seen - NDA_OVERLAP
        with self._database.write() as records:
            for nda in records.find(Nda, state=NdaState.APPROVED, **where):
                ended += end_uncovered(records, WORKER, now, self._random, nda)
        self._ndas_seen = now
        return ended

    def forget_old_rows(self) -> None:
        """Remove what was kept for a time that is over: answers, counts, codes, sessions, messages, events …"""
        now = self._clock()
        with self._database.write() as records:
            records.remove(Answer, created_at__le=now - ANSWER_AGE)
            records.remove(Throttle, until__le=now)
            records.remove(RateWindow, until__le=now)
            records.remove(Session, until__le=now)
            records.remove(StaffSession, until__le=now)
            records.remove(Check, created_at__le=now - CHECK_AGE)
            records.remove(Message, sent_at__le=now - MESSAGE_AGE)
            records.remove(Message, failed_at__le=now - MESSAGE_AGE)
            for ended in ("sent_at__ne", "failed_at__ne"):
                records.remove(Event, created_at__le=now - EVENTS_KEPT_FOR, **{ended: None})

    def erase_evidence(self) -> int:
        """Take the signed agreements of erased people whose retention is over and on whom no hold stands; how many."""
        now = self._clock()
        erased = 0
        with self._database.read() as records:
            kept = records.find(Nda, evidence_id__ne=None, recipient_id__ne=None)
            people = [(nda, records.get(Recipient, nda.recipient_id or "")) for nda in kept]
        due = [nda for nda, recipient in people if recipient and self._retained_until(nda, recipient) <= now]
        for nda in due:
            with self._database.write() as records:
                fence(records)
                recipient = records.get(Recipient, nda.recipient_id or "")
                if recipient is None or standing(records, recipient):
                    continue
                if records.change(nda, expect={"evidence_id": nda.evidence_id}, evidence_id=None) is None:
                    continue
                owe(records, str(nda.evidence_id), now, self._random)
                records.add(
                    entry(
                        "nda.evidence-erased", WORKER, now, self._random, nda=nda.id, recipient=recipient.id
                    )
                )
                erased += 1
        return erased

    def _retained_until(self, nda: Nda, recipient: Recipient) -> datetime:
        """The end of the retention; for one who is not erased there is none."""
        if recipient.erased_at is None:
            return datetime.max.replace(tzinfo=UTC)
        ends = [end for end in (nda.valid_until, nda.revoked_at) if end is not None]
        return min(ends, default=recipient.erased_at) + self._evidence

    def trash_orphans(self) -> int:
        """Move objects that have no row and are older than a day to the trash; returns how many.

        The trash keeps payload and sidecar under the day's name; only an archive of values that are elsewhere, too, is
        deleted for good, and is not counted. Raises `DatabaseBehind` for a database that went back: rows that it lost
        are no reason to move their objects.
        """
        self._rollback.require_now()
        now = self._clock()
        moved = 0
        for blob in self._store.list(PREFIX):
            object_id = blob.key.rsplit("/", 1)[-1].removesuffix(SIDECAR)
            if blob.modified > now - ORPHAN_AGE or self._known(object_id):
                continue
            if blob.key.startswith(f"{PREFIX}{ARCHIVE}/"):
                # Personal values, which are elsewhere too: the trash would keep them from being erased.
                if self._archives.redundant(object_id):
                    self._store.delete(blob.key)
                continue
            target = f"{TRASH}{now:%Y-%m-%d}/{blob.key}"
            self._store.put(target, self._store.read(blob.key))
            self._store.delete(blob.key)
            moved += 1
        if moved:
            with self._database.write() as records:
                made = entry("store.swept", WORKER, now, self._random, details={"objects": moved})
                records.add(made)
        return moved

    def _known(self, object_id: str) -> bool:
        with self._database.read() as records:
            return records.get(SealedObject, object_id) is not None


def _references(records: Records, send: Send) -> dict[str, Any]:
    delivery = records.get(Delivery, send.delivery_id)
    share = records.get(Share, delivery.share_id) if delivery else None
    copy = records.get(Copy, delivery.copy_id) if delivery else None
    if delivery is None or share is None or copy is None:
        return {}
    return {
        "share": share.id,
        "link": delivery.link_hash,
        "document": share.document_id,
        "version": copy.version_id,
        "recipient": share.recipient_id,
        "copy": copy.id,
        "delivery": delivery.id,
    }
