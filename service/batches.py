"""Batches: one call shares a document with up to ten thousand people.

The list is checked as a whole first, by the very code that makes the shares, and refused with all that is wrong in it.
Then the worker makes the shares (`service.batch_working`), and here stands what came of each row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crypto import identifiers, replay
from service.audit import Actor, Clock, Details, Random, entry
from service.batch_rows import Person, Wanted, number_of, row_id
from service.batch_rows import after as rows_after
from service.batch_working import PASSING, lend_to, look_ahead
from service.errors import DomainError, ManyInvalid, Problem, invalid, not_found
from service.gathering import Gathered
from service.keys import NamedKeys
from service.mail import parse_address
from service.ports import Database, Records, Taken
from service.recipients import CheckMark, check_markable_person
from service.records import Batch, BatchRow, Document, Recipient
from service.sharing import NewLink, Sharing
from service.terms import Terms, check_purpose, check_terms

MAX_ROWS = 10_000
"""People of one batch: a customer list of most who lend reports; its check takes seconds, its shares below a minute."""

MAX_NAMED = 100
"""Rows that a refusal names. Who has more wrong has a wrong column."""

OF_ALL = frozenset({Problem.NOT_FOUND, Problem.WRONG_STATE, Problem.MAIL_NOT_CONFIGURED})
"""Problems that are the document's or the service's if every row has them: stated once, as for one share."""

DUPLICATE = "The address stands in the list before: give each person once."


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
    """Takes batches in, and tells what came of each row."""

    def __init__(
        self,
        database: Database,
        keys: NamedKeys,
        sharing: Sharing,
        check_mark: CheckMark,
        mail_needed: Callable[[], None],
        clock: Clock,
        random: Random,
    ) -> None:
        """`mail_needed` raises `DomainError` (mail-not-configured) where no mail can be sent."""
        self._database = database
        self._keys = keys
        self._sharing = sharing
        self._check_mark = check_mark
        self._mail_needed = mail_needed
        self._clock = clock
        self._random = random

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
        """Take in a batch; its shares are made next, by the worker, which decides anew on each row.

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
            return records.find(BatchRow, order="id", limit=limit, **rows_after(batch, after))

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
            rows = records.find(
                BatchRow, order="id", limit=limit, share_id__ne=None, **rows_after(batch, after)
            )
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
            for stored in look_ahead(gathered, mails):
                known[mails[stored.mail]] = stored.id
            for number, person in enumerate(people):
                if number in problems:
                    continue
                try:
                    wanted = _wanted(actor, person, purpose, terms, send=False)
                    lend_to(self._sharing, gathered, now, self._random, document_id, wanted)
                except DomainError as error:
                    if error.problem in PASSING:
                        raise
                    problems[number] = error
                gathered.drop(0)
        return problems, known


def _alike(known: Batch, given: str) -> Batch:
    if known.given != given:
        detail = "A batch was begun with this text before, and asked for something else."
        raise DomainError(Problem.IDEMPOTENCY_MISMATCH, detail, batch=known.id)
    return known


def _rows(batch: Batch, actor: Actor, checked: Checked) -> list[BatchRow]:
    rows = []
    for number, person in enumerate(checked.people):
        problem = checked.problems.get(number)
        wanted = _wanted(actor, person, checked.purpose, checked.terms, send=checked.send)
        row = BatchRow(
            id=row_id(batch.id, number),
            batch_id=batch.id,
            wanted={} if problem else wanted.stored(),
            recipient_id=None if problem else checked.recipients.get(number),
            problem=problem,
            done_at=batch.created_at if problem else None,
        )
        rows.append(row)
    return rows


def _wanted(actor: Actor, person: Person, purpose: str, terms: Terms, *, send: bool) -> Wanted:
    return Wanted(actor, person, person.purpose or purpose, terms, send)


def _required(records: Records, batch_id: str) -> Batch:
    batch = records.get(Batch, batch_id)
    if batch is None:
        raise not_found("batch", batch_id)
    return batch


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
