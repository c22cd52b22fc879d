"""Working batches off: some rows a transaction, each with its entries and its row's answer.

So a process that is killed leaves no half, and whoever goes on makes none twice. What a row wanted is forgotten once it
has its answer. Rows that fail together are taken one by one, so that no row holds up the others or later batches.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from service.audit import Actor, Clock, Details, Random, entry
from service.batch_rows import Wanted, number_of
from service.errors import DomainError, Problem
from service.gathering import Gathered
from service.outbox import Mail, queue
from service.ports import Database, DatabaseUnavailable, Records, Taken
from service.recipients import admit
from service.records import Batch, BatchRow, Nda, Recipient
from service.sharing import Sharing

LOG = logging.getLogger("sealmark.batches")

CHUNK = 100
"""Rows of one transaction: a fifth of a second, for which SQLite's other writers wait."""

REST = 0.02
"""Seconds between two transactions, so that other processes get at an SQLite file, too."""

TRIES = 3
"""How often a chunk is begun anew because somebody made one of its recipients meanwhile; and how often a row that
fails by itself is tried before that is its answer."""

TRY_AGAIN = 1.0
"""Seconds between two tries of the rows of a chunk that failed by themselves."""

PASSING = frozenset({Problem.BUSY, Problem.UNAVAILABLE})
"""Problems that are not the row's: it is tried again."""

WORKER = Actor("worker")

_Answer = dict[str, str | None]
_Answering = Callable[[Gathered, datetime, Batch, BatchRow], _Answer]

_OF_THE_SERVICE = (DatabaseUnavailable, DomainError)
"""Errors of a chunk that are no row's: a `DomainError` that is one's is its answer."""


class BatchWorking:
    """Answers rows that wait. Any number of processes may: each batch is worked by one at a time."""

    def __init__(
        self,
        database: Database,
        sharing: Sharing,
        clock: Clock,
        random: Random,
        pause: Callable[[float], None],
    ) -> None:
        self._database = database
        self._sharing = sharing
        self._clock = clock
        self._random = random
        self._pause = pause

    def run_once(self, batch_id: str | None = None) -> bool:
        """Work off some rows of a batch that is not done (this one, if it is named); whether there was one.

        The worker's task. A row that fails in a way that nobody foresaw is answered with `internal` after a few tries.
        Raises `DatabaseUnavailable`, and `DomainError` (busy, unavailable) for what is not the rows' fault: try again.
        """
        worked = True
        for _ in range(TRIES):
            try:
                worked = self._work(batch_id, self._answer)
                break
            except Taken:  # a recipient was made meanwhile: now there is one
                continue
            except _OF_THE_SERVICE:
                raise
            except Exception:
                LOG.warning("rows that could not be shared with together are taken one by one", exc_info=True)
                self._work_singly(batch_id)
                break
        else:
            self._work_singly(batch_id)
        if worked:
            self._pause(REST)
        return worked

    def _work(self, batch_id: str | None, answer: _Answering, row_id: str | None = None) -> bool:
        """Answer the next rows of a batch (or this one), and end it when there are no more; whether it was there."""
        now = self._clock()
        with self._database.write() as records:
            batch = _next(records, batch_id, lock=True)
            if batch is None:
                return False
            where = {} if row_id is None else {"id": row_id}
            rows = _waiting(records, batch, **where)
            gathered = Gathered(records)
            look_ahead(gathered, [row.wanted["mail"] for row in rows if row.wanted])
            answers = [answer(gathered, now, batch, row) for row in rows]
            gathered.write()
            for row, answered in zip(rows, answers, strict=True):
                values: dict[str, Any] = {"wanted": {}, "done_at": now, **answered}
                records.change(row, **values)
            if len(rows) < CHUNK and row_id is None:
                self._end(records, batch, now)
        return True

    def _work_singly(self, batch_id: str | None) -> None:
        """Answer the next rows of a batch, each in its own transaction. What fails again and again is answered so."""
        with self._database.read() as records:
            batch = _next(records, batch_id)
            rows = [] if batch is None else _waiting(records, batch)
        for number in range(TRIES):
            if number and rows:
                self._pause(TRY_AGAIN)
            rows = [row for row in rows if not self._worked_alone(row)]
        for row in rows:
            self._work(row.batch_id, _given_up, row.id)

    def _worked_alone(self, row: BatchRow) -> bool:
        try:
            self._work(row.batch_id, self._answer, row.id)
        except _OF_THE_SERVICE:
            raise
        except Exception:
            told = {"batch": row.batch_id, "row": number_of(row)}
            LOG.warning("a row of a batch failed", extra=told, exc_info=True)
            return False
        return True

    def _answer(self, gathered: Gathered, now: datetime, batch: Batch, row: BatchRow) -> _Answer:
        """What is kept of the row: its share and recipient, or its problem, and then nothing of it is gathered."""
        wanted = Wanted.of(row)
        if wanted is None:
            return {"problem": Problem.WRONG_STATE}
        mark = gathered.mark()
        try:
            recipient, share_id = lend_to(
                self._sharing, gathered, now, self._random, batch.document_id, wanted
            )
        except DomainError as error:
            if error.problem in PASSING:
                raise
            gathered.drop(mark)
            return {"problem": error.problem}
        if row.recipient_id not in (None, recipient.id):  # who was known was erased, and is nobody new
            gathered.drop(mark)
            return {"problem": Problem.WRONG_STATE, "recipient_id": None}
        if wanted.send:
            queue(
                gathered,
                self._random,
                now,
                kind=Mail.LINK,
                about=share_id,
                mail=recipient.mail,
                language=recipient.language,
                recipient_id=recipient.id,
            )
        return {"recipient_id": recipient.id, "share_id": share_id}

    def _end(self, records: Records, batch: Batch, now: datetime) -> None:
        problems = len(records.find(BatchRow, batch_id=batch.id, problem__ne=None))
        records.change(batch, done_at=now)
        details: Details = {"batch": batch.id, "shares": batch.size - problems, "problems": problems}
        records.add(
            entry("batch.ended", WORKER, now, self._random, details=details, document=batch.document_id)
        )


def lend_to(
    sharing: Sharing, records: Records, now: datetime, random: Random, document_id: str, wanted: Wanted
) -> tuple[Recipient, str]:
    """What a row wants: its recipient, made if unknown, and the id of the new share. Raises `DomainError`."""
    actor, person = wanted.actor, wanted.person
    recipient = admit(records, actor, now, random, mail=person.mail, name=person.name, company=person.company)
    share = sharing.lend(records, actor, now, recipient, document_id, wanted.purpose, wanted.terms)
    return recipient, share.id


def look_ahead(gathered: Gathered, mails: Sequence[str] | Mapping[str, int]) -> list[Recipient]:
    """Read at once who is known of these, and their agreements."""
    known = gathered.look_ahead(Recipient, "mail", mails)
    gathered.look_ahead(Nda, "recipient_id", [recipient.id for recipient in known])
    return known


def _given_up(gathered: Gathered, now: datetime, batch: Batch, row: BatchRow) -> _Answer:
    """The answer of a row that failed in a way that nobody foresaw. The log says how."""
    return {"problem": Problem.INTERNAL}


def _next(records: Records, batch_id: str | None, *, lock: bool = False) -> Batch | None:
    """The oldest batch that is not done, or this one unless it is."""
    where: dict[str, Any] = {"id": batch_id} if batch_id else {}
    due = records.find(Batch, order="created_at", limit=1, lock=lock, done_at=None, **where)
    return due[0] if due else None


def _waiting(records: Records, batch: Batch, **where: Any) -> list[BatchRow]:
    """The next rows that have no answer."""
    return records.find(BatchRow, order="id", limit=CHUNK, batch_id=batch.id, done_at=None, **where)
