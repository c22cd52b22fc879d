"""Announcing: what nobody asked for but a recipient or an auditor should know is put into the outbox.

A share that ends soon (once a share and end), a new version (once a share and version), the newest checkpoint (once a
day an address). A row that is unlike all others stands for each, in the transaction of its messages, so that any number
of workers announce once. Where no mail can be sent nothing is queued, nor of a share whose downloads are used up.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from crypto import identifiers
from service.audit import Clock, Random, timestamp
from service.ends import ending_soon
from service.granting import used_up
from service.outbox import Mail, queue
from service.ports import Database, Records, Taken
from service.records import (
    Job,
    LogCheckpoint,
    Message,
    Recipient,
    Share,
    Throttle,
    Version,
    VersionState,
)

NOTICE = timedelta(days=7)
"""How long before its end a share is said to end. One that is made for no longer was said to with its link."""

FRESH = timedelta(days=2)
"""How old a version may be that is announced: a worker that was away for a weekend still does, and a mail server that
is configured after a year does not bring a flood."""

JOB = "new-version"

BATCH = 100
"""Shares of one transaction: below a tenth of a second, for which SQLite's other writers wait."""


class Announcing:
    """Queues announcements. Each method is a task of the worker."""

    def __init__(
        self,
        database: Database,
        published: Callable[[], LogCheckpoint | None],
        auditors: tuple[str, ...],
        clock: Clock,
        random: Random,
        *,
        can_mail: bool,
    ) -> None:
        """`published` gives the log's newest checkpoint, which the `auditors` are mailed."""
        self._database = database
        self._published = published
        self._auditors = auditors
        self._clock = clock
        self._random = random
        self._can_mail = can_mail

    def endings(self) -> bool:
        """Queue a message for each share that ends soon and has none yet that says so of this end."""
        with suppress(Taken):  # else another worker is at it, and does what is left
            after: str | None = "" if self._can_mail else None
            while after is not None:
                after = self._some_endings(after)
        return False

    def _some_endings(self, after: str) -> str | None:
        """A batch of shares after this one; the last of them, or None when there is no more."""
        now = self._clock()
        with self._database.write() as records:
            ending, rest = ending_soon(records, now, NOTICE, after, BATCH)
            said = records.find(Throttle, key__in=[_ending(share) for share in ending]) if ending else []
            known = {throttle.key for throttle in said}
            for share in ending:
                if _ending(share) not in known and not used_up(share):
                    records.add(Throttle(_ending(share), share.expires_at))
                    self._queue(records, Mail.EXPIRING, share)
        return rest

    def new_versions(self) -> bool:
        """Begin with versions that became ready, and go on with one; whether there is more to do."""
        if not self._can_mail:
            return False
        now = self._clock()
        with self._database.read() as records:
            fresh = records.find(Version, state=VersionState.READY, settled_at__gt=now - FRESH)
        for version in fresh:
            with suppress(Taken):
                self._begin(version)
        return self._go_on()

    def _begin(self, version: Version) -> None:
        """A job that walks over the shares of the version's document, once a version. Raises `Taken`."""
        now, key = self._clock(), f"{JOB}:{version.id}"
        with self._database.read() as records:
            if records.get(Throttle, key) is not None:
                return
        with self._database.write() as records:
            records.add(Throttle(key, now + 2 * FRESH))
            if not _newer(records, version):
                job_id = identifiers.new_id("job", self._random(16))
                records.add(Job(job_id, JOB, f"{version.id} ", now, now))

    def _go_on(self) -> bool:
        """A batch of shares of one job; whether there was a job."""
        now = self._clock()
        with self._database.read() as records:
            if not records.find(Job, kind=JOB, done_at=None, limit=1):
                return False
        with self._database.write() as records:
            due = records.find(Job, kind=JOB, done_at=None, order="created_at", limit=1, lock=True)
            if not due:
                return False
            version_id, after = due[0].subject.split(" ")
            version = records.get(Version, version_id)
            shares = self._concerned(records, version, after) if version else []
            for share in shares:
                if not _is_closed(records, share) and not _waits(records, share):
                    self._queue(records, Mail.NEW_VERSION, share)
            if len(shares) < BATCH:
                records.change(due[0], done_at=now)
            else:
                records.change(due[0], subject=f"{version_id} {shares[-1].id}")
        return True

    def _concerned(self, records: Records, version: Version, after: str) -> list[Share]:
        """Shares that follow the newest version and were there before this one; those that go along too."""
        return records.find(
            Share,
            order="id",
            limit=BATCH,
            id__gt=after,
            document_id=version.document_id,
            pinned_version_id=None,
            revoked_at=None,
            expires_at__gt=self._clock(),
            created_at__lt=version.settled_at,
        )

    def checkpoint(self) -> bool:
        """Queue today's checkpoint for the auditors, once a day (UTC)."""
        if not self._can_mail or not self._auditors:
            return False
        now = self._clock()
        key = f"checkpoint-mail:{now:%Y-%m-%d}"
        newest = self._published()
        with self._database.read() as records:
            if newest is None or records.get(Throttle, key) is not None:
                return False
        with suppress(Taken), self._database.write() as records:
            records.add(Throttle(key, now + timedelta(days=2)))
            for mail in self._auditors:
                queue(records, self._random, now, kind=Mail.CHECKPOINT, about=newest.id, mail=mail)
        return False

    def _queue(self, records: Records, kind: Mail, share: Share) -> None:
        recipient = records.get(Recipient, share.recipient_id)
        if recipient is None or recipient.erased_at is not None:
            return
        queue(
            records,
            self._random,
            self._clock(),
            kind=kind,
            about=share.id,
            mail=recipient.mail,
            language=recipient.language,
            recipient_id=recipient.id,
        )


def _ending(share: Share) -> str:
    return f"expiring:{share.id}:{timestamp(share.expires_at)}"


def _newer(records: Records, version: Version) -> bool:
    """Whether there is a newer version that is ready: that one is announced."""
    return bool(
        records.find(
            Version,
            limit=1,
            document_id=version.document_id,
            state=VersionState.READY,
            number__gt=version.number,
        )
    )


def _is_closed(records: Records, share: Share) -> bool:
    """Whether the page on which the share's document stands, for what goes along its report's, gives no download."""
    report = records.get(Share, share.with_id) if share.with_id else share
    return report is None or used_up(report)


def _waits(records: Records, share: Share) -> bool:
    """Whether a message of a new version is still to be sent: it will lead to this one too."""
    waiting: dict[str, Any] = {"kind": Mail.NEW_VERSION, "sent_at": None, "failed_at": None}
    return bool(records.find(Message, limit=1, about=share.id, **waiting))
