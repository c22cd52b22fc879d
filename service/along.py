"""What goes along: with a share of a report, a share of each bridge letter that belongs to it.

It is a share of its own, for the same recipient on the same terms but without a download limit: so its copy has its
own mark, and its downloads cost none of the report's. It has no link: the page of the report's link has it. It ends
with the report's share, and its own end ends nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from crypto import identifiers
from service.audit import Actor, Clock, Details, Random, entry, timestamp
from service.decision import has_ended
from service.ports import Database, Records
from service.records import Document, Job, MailCheck, Share, Version, VersionState

MAX_LETTERS = 8
"""Bridge letters of one report: one a quarter for two years. Each is one more share with each share of it."""

JOB = "bridge-letter"

BATCH = 100
"""Shares of one transaction: below a tenth of a second, for which SQLite's other writers wait."""

LOOK_AGAIN = timedelta(minutes=1)
"""After which all shares are walked over once more: what was being shared meanwhile has then ended. So long, too, rests
a letter that is not compiled yet, or that asks for a code where no mail can be sent."""

WALKS = 2

WITH_REPORT = "with-report"
"""Why a share ended that goes along with another: that one did."""

WORKER = Actor("worker")


def letters_of(records: Records, report_id: str, now: datetime) -> list[Document]:
    """The bridge letters that go along with a report that is shared now: lent, and with a file that is ready."""
    found = records.find(Document, report_id=report_id, revoked_at=None, order="id")
    return [letter for letter in found if not has_ended(letter, now) and _is_ready(records, letter)]


def lend_along(
    records: Records, actor: Actor, now: datetime, random: Random, share: Share, letter: Document
) -> Share:
    """The share of a letter that goes along with the report's `share`, and its entry, in the caller's transaction.

    It asks for a code where that one does: so what the report's page shows may be had.
    """
    along = replace(
        share,
        id=identifiers.new_id("shr", random(16)),
        document_id=letter.id,
        download_limit=None,
        downloads_taken=0,
        pinned_version_id=None,
        created_at=now,
        cut_id=None,
        with_id=share.id,
    )
    details: Details = {
        "expires": timestamp(along.expires_at),
        "nda": along.nda,
        "mail_check": int(along.mail_check),
        "view_only": int(along.view_only),
        "with": along.with_id,
    }
    made = entry(
        "share.created",
        actor,
        now,
        random,
        details=details,
        personal={"purpose": along.purpose},
        share=along.id,
        document=along.document_id,
        recipient=along.recipient_id,
    )
    records.add(along)
    records.add(made)
    return along


def end_along(records: Records, actor: Actor, now: datetime, random: Random, share_id: str) -> None:
    """End what goes along with a share that ends, in the transaction in which that ends."""
    for along in records.find(Share, with_id=share_id, revoked_at=None, order="id"):
        ended = {"revoked_at": now, "revoked_reason": WITH_REPORT}
        if records.change(along, expect={"revoked_at": None}, **ended) is None:
            continue
        made = entry(
            "share.revoked",
            actor,
            now,
            random,
            reason=WITH_REPORT,
            share=along.id,
            document=along.document_id,
            recipient=along.recipient_id,
        )
        records.add(made)


def begin(records: Records, now: datetime, random: Random, letter_id: str, report_id: str) -> None:
    """Have the worker lend a letter along with the shares that its report has, in the caller's transaction."""
    job_id = identifiers.new_id("job", random(16))
    records.add(Job(job_id, JOB, _subject(letter_id, report_id, 1, ""), now, now))


class Along:
    """Lends letters that came to belong to a report, or became ready, after that was shared."""

    def __init__(self, database: Database, clock: Clock, random: Random, *, can_mail: bool) -> None:
        """`can_mail`: whether mails can be sent; until then a letter that asks for a code goes along with nothing."""
        self._database = database
        self._clock = clock
        self._random = random
        self._can_mail = can_mail

    def run_once(self) -> bool:
        """Go on with a job that is due; whether there was one. The worker's task.

        A share that has a share of the letter, be it revoked, gets no other: any number of workers lend it once. A
        share that asked for no code does, from when a letter goes along whose mail check is `always`; that is an entry.
        """
        now = self._clock()
        with self._database.read() as records:
            if not records.find(Job, kind=JOB, done_at=None, run_after__le=now, limit=1):
                return False
        with self._database.write() as records:
            due = records.find(
                Job, kind=JOB, done_at=None, run_after__le=now, order="run_after", limit=1, lock=True
            )
            if not due:
                return False
            self._go_on(records, due[0], now)
        return True

    def _go_on(self, records: Records, job: Job, now: datetime) -> None:
        letter_id, report_id, walk, after = job.subject.split(" ")
        letter = records.get(Document, letter_id)
        if letter is None or letter.report_id != report_id or letter.revoked_at or has_ended(letter, now):
            records.change(job, done_at=now)
            return
        asks = letter.mail_check == MailCheck.ALWAYS
        if not _is_ready(records, letter) or (asks and not self._can_mail):
            records.change(job, run_after=now + LOOK_AGAIN)
            return
        shares = records.find(
            Share,
            order="id",
            limit=BATCH,
            id__gt=after,
            document_id=report_id,
            with_id=None,
            revoked_at=None,
            expires_at__gt=now,
        )
        for share in _without(records, shares, letter):
            held = records.get(Share, share.id, lock=True)
            if held is None or held.revoked_at or not _without(records, [held], letter):
                continue  # the latter by another worker's job of this letter, while this one waited for the share
            if asks and not held.mail_check:
                held = _asking(records, now, self._random, held)
            lend_along(records, WORKER, now, self._random, held, letter)
        if len(shares) == BATCH:
            records.change(job, subject=_subject(letter_id, report_id, int(walk), shares[-1].id))
        elif int(walk) < WALKS:
            subject = _subject(letter_id, report_id, int(walk) + 1, "")
            records.change(job, subject=subject, run_after=now + LOOK_AGAIN)
        else:
            records.change(job, done_at=now)


def _without(records: Records, shares: Sequence[Share], letter: Document) -> list[Share]:
    """Those of the shares with which this letter does not go along."""
    ids = [share.id for share in shares]
    known = records.find(Share, document_id=letter.id, with_id__in=ids) if ids else []
    have = {along.with_id for along in known}
    return [share for share in shares if share.id not in have]


def _asking(records: Records, now: datetime, random: Random, share: Share) -> Share:
    """The share, which asks for a code from now on, and the entry of that."""
    made = entry(
        "share.changed",
        WORKER,
        now,
        random,
        details={"mail_check": 1},
        share=share.id,
        document=share.document_id,
        recipient=share.recipient_id,
    )
    records.add(made)
    return records.change(share, mail_check=True) or share


def _is_ready(records: Records, letter: Document) -> bool:
    return bool(records.find(Version, limit=1, document_id=letter.id, state=VersionState.READY))


def _subject(letter_id: str, report_id: str, walk: int, after: str) -> str:
    return f"{letter_id} {report_id} {walk} {after}"
