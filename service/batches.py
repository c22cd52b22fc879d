"""Batches: one call shares a document with up to ten thousand people.

The list is checked as a whole first, by the very code that makes the shares, and refused with all that is wrong in it.
Then the worker makes the shares, some rows a transaction, each with its entries and its row's answer: so a process
that is killed leaves no half, and whoever goes on makes none twice. What a row wanted is forgotten once it is done.
Rows that fail together are taken one by one, so that no row holds up the others or later batches.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from crypto import identifiers, replay
from service.audit import Actor, Clock, Details, Random, entry
from service.errors import DomainError, ManyInvalid, Problem, invalid, not_found
from service.gathering import Gathered
from service.keys import NamedKeys
from service.mail import parse_address
from service.outbox import Mail, queue
from service.ports import Database, DatabaseUnavailable, Records, Taken
from service.recipients import CheckMark, admit, check_markable_person
from service.records import Batch, BatchRow, Document, Nda, NdaMode, Recipient
from service.sharing import NewLink, Sharing
from service.terms import Terms, check_purpose, check_terms

LOG = logging.getLogger("sealmark.batches")

MAX_ROWS = 10_000
"""People of one batch: a customer list of most who lend reports; its check takes seconds, its shares below a minute."""

MAX_NAMED = 100
"""Rows that a refusal names. Who has more wrong has a wrong column."""

CHUNK = 100
"""Rows of one transaction: a fifth of a second, for which SQLite's other writers wait."""

REST = 0.02
"""Seconds between two transactions, so that other processes get at an SQLite file, too."""

TRIES = 3
"""How often a chunk is begun anew because somebody made one of its recipients meanwhile; and how often a row that
fails by itself is tried before that is its answer."""

TRY_AGAIN = 1.0
"""Seconds between two tries of the rows of a chunk that failed by themselves."""

OF_ALL = frozenset({Problem.NOT_FOUND, Problem.WRONG_STATE, Problem.MAIL_NOT_CONFIGURED})
"""Problems that are the document's or the service's if every row has them: stated once, as for one share."""

PASSING = frozenset({Problem.BUSY, Problem.UNAVAILABLE})
"""Problems that are not the row's: it is tried again."""

DUPLICATE = "The address stands in the list before: give each person once."

WORKER = Actor("worker")


@dataclass(frozen=True)
class Person:
    """One row as it was given."""

    mail: str
    name: str
    company: str = ""
    purpose: str | None = None  # None: the batch's


@dataclass(frozen=True)
class Checked:
    """A list that was checked as a whole, and can be taken in."""

    document_id: str
    people: Sequence[Person]
    purpose: str
    terms: Terms
    send: bool
    problems: Mapping[int, Problem]  # of rows that are not shared with, by number
    recipients: Mapping[int, str]  # who was known already, by number


@dataclass(frozen=True)
class Progress:
    """How far a batch is."""

    batch: Batch
    worked: int  # rows that have their answer, from the first on
    problems: int  # of these and of those that were wrong at once


@dataclass(frozen=True)
class RowLink:
    """A link for one row's share; None where there can be none, with the problem."""

    number: int
    share_id: str
    link: NewLink | None
    problem: str | None


class Batches:
    """Takes batches in, works them off, and tells what came of each row."""

    def __init__(
        self,
        database: Database,
        keys: NamedKeys,
        sharing: Sharing,
        check_mark: CheckMark,
        mail_needed: Callable[[], None],
        clock: Clock,
        random: Random,
        pause: Callable[[float], None],
    ) -> None:
        """`mail_needed` raises `DomainError` (mail-not-configured) where no mail can be sent."""
        self._database = database
        self._keys = keys
        self._sharing = sharing
        self._check_mark = check_mark
        self._mail_needed = mail_needed
        self._clock = clock
        self._random = random
        self._pause = pause

    def begin(
        self,
        actor: Actor,
        *,
        document_id: str,
        people: Sequence[Person],
        purpose: str,
        terms: Terms,
        send: bool = False,
        skip_problems: bool = False,
        same: str | None = None,
        given: str = "",
    ) -> Batch:
        """`check` a list, and `take` it in.

        With `same`, a text of the caller's, the batch that was begun with it before is given again, whatever is asked
        now; but `given`, a text that says what else was asked for, must be what it was then.

        Raises `DomainError`: as `check` does, and idempotency-mismatch for another `given`.
        """
        if same is not None:
            with self._database.read() as records:
                known = records.get(Batch, self._id(same))
            if known is not None:
                return _alike(known, given)
        checked = self.check(
            actor,
            document_id=document_id,
            people=people,
            purpose=purpose,
            terms=terms,
            send=send,
            skip_problems=skip_problems,
        )
        return self.take(actor, checked, same=same, given=given)

    def check(
        self,
        actor: Actor,
        *,
        document_id: str,
        people: Sequence[Person],
        purpose: str,
        terms: Terms,
        send: bool = False,
        skip_problems: bool = False,
    ) -> Checked:
        """Check a list as a whole. It takes seconds and changes nothing, so it belongs before a transaction.

        With `skip_problems` rows that cannot be shared with will be answered with their problem, else any refuses the
        whole list. `send`: each link is to be mailed to its recipient.

        Raises `DomainError`: invalid (`ManyInvalid` for rows), and what `Sharing.create` raises where it is the same
        for all rows.
        """
        now = self._clock()
        if not 1 <= len(people) <= MAX_ROWS:
            raise invalid("rows", f"A batch has 1 to {MAX_ROWS} rows.")
        if send:
            self._mail_needed()
        check_terms(terms, purpose, now)
        with self._database.read() as records:
            if records.get(Document, document_id) is None:
                raise not_found("document", document_id)
        problems, recipients = self._try_rows(actor, now, document_id, people, purpose, terms)
        _refuse(problems, len(people), skip=skip_problems)
        found = {number: error.problem for number, error in problems.items()}
        return Checked(document_id, people, purpose, terms, send, found, recipients)

    def take(self, actor: Actor, checked: Checked, *, same: str | None = None, given: str = "") -> Batch:
        """Take in a batch; its shares are made next, by `run_once`, which decides anew on each row.

        `same` and `given` are those of `begin`.
        """
        now = self._clock()
        batch = Batch(
            id=self._id(same),
            document_id=checked.document_id,
            size=len(checked.people),
            created_at=now,
            given=given,
        )
        rows = _rows(batch, actor, checked)
        details: Details = {"batch": batch.id, "size": batch.size}
        made = entry("batch.begun", actor, now, self._random, details=details, document=batch.document_id)
        try:
            with self._database.write() as records:
                records.add(batch)
                records.add(*rows)
                records.add(made)
        except Taken:  # with `same`, by another call at the same time
            return _alike(self.get(batch.id).batch, given)
        return batch

    def run_once(self, batch_id: str | None = None) -> bool:
        """Work off some rows of a batch that is not done (this one, if it is named); whether there was one.

        The worker's task. Any number may run: each batch is worked by one at a time. A row that fails in a way that
        nobody foresaw is answered with `internal` after a few tries. Raises `DatabaseUnavailable`, and `DomainError`
        (busy, unavailable) for what is not the rows' fault: try again.
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

    def get(self, batch_id: str) -> Progress:
        """How far a batch is. Raises `DomainError` (not-found)."""
        with self._database.read() as records:
            batch = _required(records, batch_id)
            waiting = records.find(BatchRow, order="id", limit=1, batch_id=batch.id, done_at=None)
            problems = len(records.find(BatchRow, batch_id=batch.id, problem__ne=None))
        return Progress(batch, number_of(waiting[0]) if waiting else batch.size, problems)

    def rows(self, batch_id: str, *, after: int | None = None, limit: int = 50) -> list[BatchRow]:
        """The rows after this number, in their order, with what came of each. Raises `DomainError` (not-found)."""
        with self._database.read() as records:
            batch = _required(records, batch_id)
            return records.find(BatchRow, order="id", limit=limit, **_after(batch, after))

    def mails(self, rows: Sequence[BatchRow]) -> dict[str, str]:
        """The addresses of the recipients of these rows, a page of them, by their id; of those who were not erased."""
        wanted = [row.recipient_id for row in rows if row.recipient_id is not None]
        with self._database.read() as records:
            found = records.find(Recipient, id__in=wanted, erased_at=None) if wanted else []
        return {recipient.id: recipient.mail for recipient in found}

    def links(
        self, actor: Actor, batch_id: str, *, after: int | None = None, limit: int, life: timedelta
    ) -> list[RowLink]:
        """A new link for each share of the rows after this number, as many as `limit`; shown this once.

        Raises `DomainError` (not-found, invalid).
        """
        made = []
        with self._database.write() as records:
            batch = _required(records, batch_id)
            rows = records.find(BatchRow, order="id", limit=limit, share_id__ne=None, **_after(batch, after))
            gathered = Gathered(records)
            for row in rows:
                share_id = str(row.share_id)
                try:
                    link = self._sharing.link_in(gathered, actor, share_id, life)
                    made.append(RowLink(number_of(row), share_id, link, None))
                except DomainError as error:
                    if error.problem == Problem.INVALID or error.problem in PASSING:
                        raise
                    made.append(RowLink(number_of(row), share_id, None, error.problem))
            gathered.write()
        return made

    def list(self, *, after: str | None = None, limit: int = 50) -> list[Batch]:
        """Batches in order of their id, those after `after`."""
        where: dict[str, Any] = {"id__gt": after} if after else {}
        with self._database.read() as records:
            return records.find(Batch, order="id", limit=limit, **where)

    def _id(self, same: str | None) -> str:
        """Random; or by the caller's text, keyed, so that nobody else can say what was asked."""
        if same is None:
            return identifiers.new_id("bat", self._random(16))
        key = self._keys.signing("service").secret
        return identifiers.new_id("bat", bytes.fromhex(replay.idempotency_hash(key, f"batch {same}"))[:16])

    def _try_rows(
        self,
        actor: Actor,
        now: datetime,
        document_id: str,
        people: Sequence[Person],
        purpose: str,
        terms: Terms,
    ) -> tuple[dict[int, DomainError], dict[int, str]]:
        """The problem of each row that has one, and the recipients that are known already, by number.

        Each row is shared with, and then not: nothing is written.
        """
        problems: dict[int, DomainError] = {}
        mails: dict[str, int] = {}
        for number, person in enumerate(people):
            try:
                check_markable_person(self._check_mark, person.name, person.mail, person.company)
                if person.purpose is not None:
                    check_purpose(person.purpose)
                mail = parse_address(person.mail, "mail").mail
                if mails.setdefault(mail, number) != number:
                    raise invalid("mail", DUPLICATE)
            except DomainError as error:
                problems[number] = error
        known: dict[int, str] = {}
        with self._database.read() as records:
            gathered = Gathered(records, dry=True)
            for stored in _look_ahead(gathered, mails):
                known[mails[stored.mail]] = stored.id
            for number, person in enumerate(people):
                if number in problems:
                    continue
                try:
                    self._share(gathered, actor, now, document_id, person, purpose, terms)
                except DomainError as error:
                    if error.problem in PASSING:
                        raise
                    problems[number] = error
                gathered.drop(0)
        return problems, known

    def _share(
        self,
        records: Records,
        actor: Actor,
        now: datetime,
        document_id: str,
        person: Person,
        purpose: str,
        terms: Terms,
    ) -> tuple[Recipient, str]:
        recipient = admit(
            records, actor, now, self._random, mail=person.mail, name=person.name, company=person.company
        )
        share = self._sharing.lend(
            records, actor, now, recipient, document_id, person.purpose or purpose, terms
        )
        return recipient, share.id

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
            _look_ahead(gathered, [row.wanted["mail"] for row in rows if row.wanted])
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
        if not row.wanted:  # its recipient was erased while it waited
            return {"problem": Problem.WRONG_STATE}
        wanted = row.wanted
        person = Person(wanted["mail"], wanted["name"], wanted["company"], wanted["purpose"])
        actor = Actor(**wanted["actor"])
        mark = gathered.mark()
        try:
            recipient, share_id = self._share(
                gathered, actor, now, batch.document_id, person, wanted["purpose"], _terms(wanted["terms"])
            )
        except DomainError as error:
            if error.problem in PASSING:
                raise
            gathered.drop(mark)
            return {"problem": error.problem}
        if row.recipient_id not in (None, recipient.id):  # who was known was erased, and is nobody new
            gathered.drop(mark)
            return {"problem": Problem.WRONG_STATE, "recipient_id": None}
        if wanted["send"]:
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


_Answer = dict[str, str | None]
_Answering = Callable[[Gathered, datetime, Batch, BatchRow], _Answer]

_OF_THE_SERVICE = (DatabaseUnavailable, DomainError)
"""Errors of a chunk that are no row's: a `DomainError` that is one's is its answer."""


def number_of(row: BatchRow) -> int:
    """The row's place in its list, from 0."""
    return int(row.id.rpartition(":")[2])


def forget_waiting(records: Records, mail: str) -> None:
    """Forget what rows with this address want that wait: nobody knew yet whose it is. For erasing."""
    for batch in records.find(Batch, done_at=None):
        for row in records.find(BatchRow, batch_id=batch.id, done_at=None, recipient_id=None):
            if row.wanted.get("mail") == mail:
                records.change(row, wanted={})


def _given_up(gathered: Gathered, now: datetime, batch: Batch, row: BatchRow) -> _Answer:
    """The answer of a row that failed in a way that nobody foresaw. The log says how."""
    return {"problem": Problem.INTERNAL}


def _alike(known: Batch, given: str) -> Batch:
    if known.given != given:
        detail = "A batch was begun with this text before, and asked for something else."
        raise DomainError(Problem.IDEMPOTENCY_MISMATCH, detail, batch=known.id)
    return known


def _rows(batch: Batch, actor: Actor, checked: Checked) -> list[BatchRow]:
    given = {"terms": _stored_terms(checked.terms), "send": checked.send, "actor": _stored_actor(actor)}
    rows = []
    for number, person in enumerate(checked.people):
        problem = checked.problems.get(number)
        row = BatchRow(
            id=_row_id(batch.id, number),
            batch_id=batch.id,
            wanted={} if problem else {**given, **_stored_person(person, checked.purpose)},
            recipient_id=None if problem else checked.recipients.get(number),
            problem=problem,
            done_at=batch.created_at if problem else None,
        )
        rows.append(row)
    return rows


def _next(records: Records, batch_id: str | None, *, lock: bool = False) -> Batch | None:
    """The oldest batch that is not done, or this one unless it is."""
    where: dict[str, Any] = {"id": batch_id} if batch_id else {}
    due = records.find(Batch, order="created_at", limit=1, lock=lock, done_at=None, **where)
    return due[0] if due else None


def _waiting(records: Records, batch: Batch, **where: Any) -> list[BatchRow]:
    """The next rows that have no answer."""
    return records.find(BatchRow, order="id", limit=CHUNK, batch_id=batch.id, done_at=None, **where)


def _row_id(batch_id: str, number: int) -> str:
    return f"{batch_id}:{number:08d}"


def _after(batch: Batch, number: int | None) -> dict[str, Any]:
    where: dict[str, Any] = {"batch_id": batch.id}
    return where if number is None else {**where, "id__gt": _row_id(batch.id, number)}


def _required(records: Records, batch_id: str) -> Batch:
    batch = records.get(Batch, batch_id)
    if batch is None:
        raise not_found("batch", batch_id)
    return batch


def _look_ahead(gathered: Gathered, mails: Sequence[str] | Mapping[str, int]) -> list[Recipient]:
    """Read at once who is known of these, and their agreements."""
    known = gathered.look_ahead(Recipient, "mail", mails)
    gathered.look_ahead(Nda, "recipient_id", [recipient.id for recipient in known])
    return known


def _refuse(problems: Mapping[int, DomainError], size: int, *, skip: bool) -> None:
    """Raise what is wrong with the batch; with `skip` only what is wrong with all of it."""
    if not problems:
        return
    kinds = {(error.problem, error.detail) for error in problems.values()}
    first = problems[min(problems)]
    if len(problems) == size and len(kinds) == 1 and first.problem in OF_ALL:
        raise first
    if skip:
        return
    named = sorted(problems)[:MAX_NAMED]
    places = [(_place(number, problems[number]), problems[number].detail) for number in named]
    more = f"; the first {MAX_NAMED} are named" if len(problems) > MAX_NAMED else ""
    raise ManyInvalid(
        f"{len(problems)} of {size} rows cannot be shared with{more}. Nothing was shared. Mend them, or let the others "
        "be shared with: `skip_problems`.",
        places,
        rows=len(problems),
    )


def _place(number: int, error: DomainError) -> str:
    where = str(error.fields.get("where") or error.fields.get("field") or "")
    return ".".join(part for part in ("rows", str(number), where.removeprefix("recipient.")) if part)


def _stored_person(person: Person, purpose: str) -> dict[str, str]:
    return {
        "mail": parse_address(person.mail).mail,
        "name": person.name,
        "company": person.company,
        "purpose": person.purpose or purpose,
    }


def _stored_actor(actor: Actor) -> dict[str, str | None]:
    """Who asked; from where stands in the entry `batch.begun` of the same request."""
    return {"type": actor.type, "id": actor.id, "name": actor.name, "request": actor.request}


def _stored_terms(terms: Terms) -> dict[str, Any]:
    given = asdict(terms)
    return {**given, "expires_at": terms.expires_at and terms.expires_at.isoformat()}


def _terms(stored: Mapping[str, Any]) -> Terms:
    expires_at = stored["expires_at"] and datetime.fromisoformat(stored["expires_at"])
    return Terms(**{**stored, "expires_at": expires_at, "nda": NdaMode(stored["nda"])})
