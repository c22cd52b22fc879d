"""Where a batch of `sealmark shares bulk` is worked: in this process, or by a service that is asked over its API."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from service.audit import timestamp
from service.batch_rows import Person, number_of
from service.cli.failures import RefusedHere
from service.cli.remote import said
from service.cli.sections import cut_id_of
from service.cli.session import system_user
from service.errors import DomainError, ManyInvalid, Problem
from service.terms import Terms

if TYPE_CHECKING:
    from sealmark.client import Client
    from service.app import Sealmark

PAGE = 200
"""Rows that are read, and links that are made, at once."""

LOOK_EVERY = 0.2
"""Seconds between two looks at a batch that another process works on."""


OTHER_END = (
    "This file was shared with before, with another --expires or --skip-problems. Say them as then (with --url a "
    "moment, not a span), or go on with --batch and the id that was printed; --again shares once more."
)


@dataclass(frozen=True)
class Asked:
    """What is asked for all people of a list."""

    document: str
    purpose: str
    terms: Terms
    sections: Sequence[int | str]  # of the pinned version; none: all of it
    send: bool
    skip_problems: bool
    end: str  # of the shares, as it was said: a span stays one, although it is another moment each time


@dataclass(frozen=True)
class Seen:
    """How far a batch is."""

    id: str
    size: int
    worked: int
    problems: int
    done_at: str | None


@dataclass(frozen=True)
class Row:
    """What came of a row: its share or the problem; and whose it is, where that is known and may be."""

    share: str | None
    problem: str | None
    recipient: str | None
    mail: str | None


class RowsWrong(Exception):
    """Rows that cannot be shared with: `places` has each one's place and what is wrong there."""

    def __init__(self, detail: str, places: Sequence[tuple[str, str]]) -> None:
        super().__init__(detail)
        self.places = places


class Side(Protocol):
    """A side."""

    def begin(self, asked: Asked, people: Sequence[Person], same: str | None) -> str:
        """The id of a new batch, or of the one that was begun with the same text. Raises `RowsWrong`."""

    def look(self, batch_id: str) -> Seen:
        """How far it is."""

    def work(self, batch_id: str) -> None:
        """Work on it for a moment, or wait for who does."""

    def rows(self, batch_id: str) -> Iterator[Row]:
        """What came of each row, in their order."""

    def links(self, batch_id: str, life: timedelta) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """The number of each row that has a share, and its new link, or why there is none."""


class Here:
    """Over the domain, in this process."""

    def __init__(self, sealmark: Sealmark) -> None:
        self._sealmark = sealmark
        self._batches = sealmark.batches

    def begin(self, asked: Asked, people: Sequence[Person], same: str | None) -> str:
        """See `Side.begin`."""
        actor, pinned = system_user(), asked.terms.pinned_version_id
        cut_id = cut_id_of(self._sealmark, actor, asked.document, pinned, asked.sections)
        try:
            return self._batches.begin(
                actor,
                document_id=asked.document,
                people=people,
                purpose=asked.purpose,
                terms=replace(asked.terms, cut_id=cut_id),
                send=asked.send,
                skip_problems=asked.skip_problems,
                same=same,
                given=f"{asked.end} {'skip-problems' if asked.skip_problems else ''}".strip(),
            ).id
        except ManyInvalid as error:
            raise RowsWrong(error.detail, error.places) from None
        except DomainError as error:
            if error.problem == Problem.IDEMPOTENCY_MISMATCH:
                raise RefusedHere(OTHER_END) from None
            raise

    def look(self, batch_id: str) -> Seen:
        """See `Side.look`."""
        seen = self._batches.get(batch_id)
        batch = seen.batch
        done_at = None if batch.done_at is None else timestamp(batch.done_at)
        return Seen(batch.id, batch.size, seen.worked, seen.problems, done_at)

    def work(self, batch_id: str) -> None:
        """See `Side.work`."""
        if not self._sealmark.batch_working.run_once(batch_id):  # a worker has it
            time.sleep(LOOK_EVERY)

    def rows(self, batch_id: str) -> Iterator[Row]:
        """See `Side.rows`."""
        after: int | None = None
        while found := self._batches.rows(batch_id, after=after, limit=PAGE):
            mails = self._batches.mails(found)
            for row in found:
                mail = mails.get(row.recipient_id or "")  # none: they are being erased at this moment
                yield Row(row.share_id, row.problem, row.recipient_id if mail else None, mail)
            after = number_of(found[-1])

    def links(self, batch_id: str, life: timedelta) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """See `Side.links`."""
        after: int | None = None
        while made := self._batches.links(system_user(), batch_id, after=after, limit=PAGE, life=life):
            for one in made:
                if one.link is None:
                    yield one.number, {"problem": one.problem}
                else:
                    expires_at = timestamp(one.link.expires_at)
                    yield one.number, {"link": one.link.url, "link_expires_at": expires_at}
            after = made[-1].number


class Elsewhere:
    """Over the API; the service's worker works the batch."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def begin(self, asked: Asked, people: Sequence[Person], same: str | None) -> str:
        """See `Side.begin`. The service knows the same text for a day."""
        from sealmark.errors import IdempotencyMismatch, Invalid

        rows: Any = [
            {"mail": one.mail, "name": one.name, "company": one.company, "purpose": one.purpose}
            for one in people
        ]
        terms = asked.terms
        try:
            return self._client.batches.create(
                document=asked.document,
                rows=rows,
                purpose=asked.purpose,
                expires_at=said(terms.expires_at),
                download_limit=said(terms.download_limit),
                version=said(terms.pinned_version_id),
                sections=said(list(asked.sections) or None),
                nda=said(str(terms.nda)),
                view_only=terms.view_only,
                mail_check=said(terms.mail_check),
                send=asked.send,
                skip_problems=asked.skip_problems,
                idempotency_key=same,
            )["id"]
        except Invalid as error:
            places = [(one["where"], one["detail"]) for one in error.errors]
            if not places or not all(where.startswith("rows.") for where, _ in places):
                raise
            raise RowsWrong(error.detail, places) from None
        except IdempotencyMismatch:
            raise RefusedHere(OTHER_END) from None

    def look(self, batch_id: str) -> Seen:
        """See `Side.look`."""
        seen = self._client.batches.show(batch_id)
        return Seen(seen["id"], seen["size"], seen["worked"], seen["problems"], seen["done_at"])

    def work(self, batch_id: str) -> None:
        """See `Side.work`."""
        time.sleep(LOOK_EVERY)

    def rows(self, batch_id: str) -> Iterator[Row]:
        """See `Side.rows`."""
        for row in self._client.batches.rows(batch_id, limit=PAGE):
            yield Row(row["share"], row["problem"], row["recipient"], row["mail"])

    def links(self, batch_id: str, life: timedelta) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """See `Side.links`."""
        for one in self._client.batch_links(batch_id, limit=PAGE, link_life=int(life.total_seconds())):
            if one["url"] is None:
                yield one["number"], {"problem": one["problem"]}
            else:
                yield one["number"], {"link": one["url"], "link_expires_at": one["expires_at"]}
