"""Erasing a recipient: the values go, and what the log proves stays.

It begins with one transaction: from then on the recipient is erased, what was lent to them is closed, and the entry
says so. What is left, which may be a hundred thousand entries, goes in small transactions; a job stands for it until
all is done, so that a crash only delays it. Erased ids lie in the store too: a restored database brings nobody back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from crypto import canonical, erasures, identifiers
from crypto.errors import ErasureInvalid
from service.archives import Archives
from service.audit import Actor, Clock, Random, entry
from service.batch_rows import forget_waiting
from service.blobs import BlobStore, StoreError
from service.erased import KIND, without_values
from service.errors import DomainError, not_found
from service.holds import RECIPIENT, fence, require_none
from service.keys import NamedKeys
from service.limits import Limits
from service.ports import Database, Records
from service.records import (
    AccessRequest,
    Answer,
    BatchRow,
    Check,
    Copy,
    Event,
    Hold,
    InboxEntry,
    Job,
    Link,
    LoggedEntry,
    Message,
    Nda,
    RateWindow,
    Recipient,
    RequestState,
    RuleMember,
    Session,
    Share,
    Signature,
)

log = logging.getLogger("sealmark.erasing")

PREFIX = "erased/"
"""Where the store lists who is erased: an id and the entry's id, nothing personal."""

JOB = "erase"
DOMAIN = "erased.invalid"
"""RFC 2606: no address there is anybody's."""

REASON = "erased"

BATCH = 200
"""Rows of one transaction: below a tenth of a second, for which SQLite's other writers wait."""

REST = 0.05
"""Seconds between two transactions, so that other processes get at an SQLite file, too: they ask every tenth."""

SETTLES = timedelta(hours=1)
"""After which all is looked through once more: requests that had begun have then left their entries. The longest, a
download, is cut off within seconds, and ended by the worker when its process died."""

RETRY = timedelta(minutes=5)
"""How long one that failed waits, so that it does not hold up the others."""

WORKER = Actor("worker")


class Erasing:
    """Erases recipients, goes on with what was begun, and erases again what a restored backup brought back."""

    def __init__(
        self,
        database: Database,
        store: BlobStore,
        archives: Archives,
        keys: NamedKeys,
        limits: Limits,
        clock: Clock,
        random: Random,
        pause: Callable[[float], None],
    ) -> None:
        self._database = database
        self._store = store
        self._archives = archives
        self._keys = keys
        self._limits = limits
        self._clock = clock
        self._random = random
        self._pause = pause

    def begin(self, actor: Actor, recipient_id: str) -> Recipient:
        """Erase a recipient, and close what was lent to them; erasing again changes nothing.

        Afterwards their mail, name and company are gone, no link of theirs opens, running downloads are cut off, and
        `finish`, or the worker, takes what is left. Raises `DomainError` (not-found, held).
        """
        now = self._clock()
        with self._database.write() as records:
            fence(records)
            found = records.get(Recipient, recipient_id, lock=True)
            if found is None:
                raise not_found("recipient", recipient_id)
            if found.erased_at:
                return found
            require_none(records, found)
            gone: dict[str, Any] = {
                "mail": f"{found.id}@{DOMAIN}",
                "domain": DOMAIN,
                "name": "",
                "company": "",
                "language": "",
            }
            records.remove(RuleMember, mail=found.mail)  # only now is it known
            records.remove(Message, mail=found.mail)  # before shares, as whoever sends them locks them
            erased = records.change(found, erased_at=now, **gone)
            made = entry(KIND, actor, now, self._random, recipient=found.id)
            job_id = identifiers.new_id("job", self._random(16))
            records.add(made, Job(job_id, JOB, f"{found.id} {made.id}", now, now))
            self._erase_rows(records, found.id, now)
            # What was kept of the address before anybody knew whose it was.
            records.remove(Check, mail=found.mail)
            records.remove(Session, mail=found.mail)
            forget_waiting(records, found.mail)
            records.remove(RateWindow, subject=self._limits.subject(found.mail))
            _erase_waiting(records, found.id, made.id, limit=BATCH)
        return erased or found

    def finish(self, recipient_id: str) -> bool:
        """Take what is left of this recipient; whether all is done, as far as no request is still under way.

        False: part of it could not be reached now; the worker tries again.
        """
        with self._database.read() as records:
            due = [job for job in records.find(Job, kind=JOB, done_at=None) if _ids(job)[0] == recipient_id]
        try:
            for job in due:
                if job.attempts == 0:
                    self._pass(job)
        except StoreError:
            log.exception("erasing goes on later")
            return False
        return True

    def run_once(self) -> bool:
        """Go on with one erasing that is due; whether there was one. The worker's task.

        One that fails raises, and waits `RETRY`.
        """
        now = self._clock()
        with self._database.read() as records:
            due = records.find(Job, kind=JOB, done_at=None, run_after__le=now, order="run_after", limit=1)
        if not due:
            return False
        try:
            self._pass(due[0])
        except Exception:
            with self._database.write() as records:
                records.change(due[0], run_after=now + RETRY)
            raise
        return True

    def apply_again(self) -> int:
        """Erase again whom the store knows as erased and the database does not; how many. The worker's task.

        So a restored backup brings nobody back for good. While a hold stands on somebody, they wait.
        """
        listed = [blob.key.removeprefix(PREFIX) for blob in self._store.list(PREFIX)]
        again = 0
        for at in range(0, len(listed), BATCH):
            with self._database.read() as records:
                back = records.find(Recipient, id__in=listed[at : at + BATCH], erased_at=None)
            for recipient in back:
                try:
                    self._require_ours(recipient.id)
                    self.begin(WORKER, recipient.id)
                except (DomainError, ErasureInvalid) as error:
                    log.warning("a recipient is not erased again", extra={"why": str(error)})
                else:
                    again += 1
        return again

    def _pass(self, job: Job) -> None:
        """One pass over all that is left. After the last one, when nothing can come any more, the job goes."""
        recipient_id, entry_id = _ids(job)
        known = erasures.encode(self._keys.signing("service").secret, recipient_id, entry_id)
        self._store.put(f"{PREFIX}{recipient_id}", [known])
        self._repeat(lambda records: self._erase_rows(records, recipient_id, self._clock()))
        self._erase_inbox(recipient_id, entry_id)
        self._erase_entries(recipient_id, entry_id)
        self._archives.erase(recipient_id, entry_id)
        settled = job.created_at + SETTLES
        with self._database.write() as records:
            if self._clock() < settled:
                records.change(job, run_after=settled, attempts=job.attempts + 1)
            else:
                records.remove(Job, id=job.id)

    def _require_ours(self, recipient_id: str) -> None:
        """Raise `ErasureInvalid` unless we wrote that this recipient was erased."""
        data = b"".join(self._store.read(f"{PREFIX}{recipient_id}", 0, erasures.MAX_BYTES))
        if erasures.decode(self._keys.signing("service").secret, data)[0] != recipient_id:
            raise ErasureInvalid("the store has an erasing under another recipient's name")

    def _repeat(self, step: Callable[[Records], bool]) -> None:
        more = True
        while more:
            with self._database.write() as records:
                more = step(records)
            if more:
                self._pause(REST)

    def _erase_rows(self, records: Records, recipient_id: str, now: datetime) -> bool:
        """One batch of each table; whether there may be more."""
        of_theirs: dict[str, Any] = {"recipient_id": recipient_id}
        records.remove(Message, **of_theirs)
        shares = records.find(Share, purpose__ne="", limit=BATCH, **of_theirs)
        for share in shares:
            self._close(records, share, now)
        copies = records.find(Copy, mail__ne="", limit=BATCH, **of_theirs)
        for copy in copies:
            records.change(copy, name="", mail="", company="", fill=b"")
        ndas = records.find(Nda, reference__ne="", limit=BATCH, **of_theirs)
        for nda in ndas:
            records.change(nda, reference="")
        signatures = records.find(Signature, mail__ne="", limit=BATCH, **of_theirs)
        for signature in signatures:  # their record stays as long as the evidence of agreements does
            records.change(signature, name="", mail="", company="", address="", agent="")
        answers = records.find(Answer, request_hash__ne="", limit=BATCH, **of_theirs)
        for answer in answers:  # the hash, too: who guesses the request could confirm it
            records.change(answer, sealed=None, request_hash="")
        events = records.find(Event, body__ne="", limit=BATCH, **of_theirs)
        for event in events:
            records.change(event, body="")
        wanted = records.find(BatchRow, limit=BATCH, **of_theirs)
        for row in wanted:  # its share tells whose it was
            records.change(row, wanted={}, recipient_id=None)
        records.remove(Check, **of_theirs)
        records.remove(Session, **of_theirs)
        holds = records.find(Hold, kind=RECIPIENT, subject=recipient_id, reason__ne="", limit=BATCH)
        for hold in holds:
            records.change(hold, reason="")
        requests = records.find(AccessRequest, name__ne="", limit=BATCH, **of_theirs)
        for request in requests:
            self._forget_request(records, request, now)
        batches: tuple[Sequence[object], ...] = (
            *(shares, copies, ndas, signatures, answers),
            *(events, wanted, holds, requests),
        )
        return any(len(found) == BATCH for found in batches)

    def _close(self, records: Records, share: Share, now: datetime) -> None:
        locked = records.get(Share, share.id, lock=True) or share
        open_now = locked.revoked_at is None
        ended: dict[str, Any] = {"revoked_at": now, "revoked_reason": REASON} if open_now else {}
        records.change(share, purpose="", **ended)
        for link in records.find(Link, share_id=share.id, revoked_at=None):
            records.change(link, revoked_at=now)
        if open_now:
            made = entry(
                "share.revoked",
                WORKER,
                now,
                self._random,
                reason=REASON,
                share=share.id,
                document=share.document_id,
                recipient=share.recipient_id,
            )
            records.add(made)

    def _forget_request(self, records: Records, request: AccessRequest, now: datetime) -> None:
        """Nobody is left to be answered: what is pending is denied, without a message."""
        pending = request.state == RequestState.PENDING
        decided: dict[str, Any] = {"state": RequestState.DENIED, "decided_at": now} if pending else {}
        records.change(request, name="", company="", purpose="", language="", **decided)
        if pending:
            made = entry(
                "access.denied",
                WORKER,
                now,
                self._random,
                outcome="denied",
                reason=REASON,
                details={"access": request.id},
                document=request.document_id,
                recipient=request.recipient_id,
            )
            records.add(made)

    def _erase_inbox(self, recipient_id: str, entry_id: str) -> None:
        after = -1
        while True:
            with self._database.write() as records:
                fence(records)  # else an entry could take its place in the tree with the values that it had
                found = _erase_waiting(records, recipient_id, entry_id, limit=BATCH, after=after)
            if len(found) < BATCH:
                return
            after = found[-1].position or 0
            self._pause(REST)

    def _erase_entries(self, recipient_id: str, entry_id: str) -> None:
        after = -1
        while True:
            where: dict[str, Any] = {"recipient": recipient_id, "index__gt": after}
            with self._database.write() as records:
                found = records.find(LoggedEntry, order="index", limit=BATCH, **where)
                changed = 0
                for logged in found:
                    left = without_values(logged.revealed, entry_id)
                    if logged.kind != KIND and left != logged.revealed:
                        records.change(logged, revealed=left)
                        changed += 1
            if len(found) < BATCH:
                return
            after = found[-1].index
            if changed:
                self._pause(REST)


def _erase_waiting(
    records: Records, recipient_id: str, entry_id: str, *, limit: int, after: int = -1
) -> list[InboxEntry]:
    """Erase the values of some entries that have no place yet; all that were looked at."""
    found = records.find(InboxEntry, order="position", limit=limit, position__gt=after)
    for waiting in found:
        body = canonical.decode(waiting.leaf)
        if not isinstance(body, dict) or body.get("recipient") != recipient_id or body["kind"] == KIND:
            continue
        left = without_values(waiting.revealed, entry_id)
        if left != waiting.revealed:
            records.change(waiting, revealed=left)
    return found


def _ids(job: Job) -> tuple[str, str]:
    recipient_id, entry_id = job.subject.split(" ")
    return recipient_id, entry_id
