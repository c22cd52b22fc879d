"""The rows of a batch as they are kept: their places in the list, and what each wants until it has its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from service.audit import Actor
from service.mail import parse_address
from service.ports import Records
from service.records import Batch, BatchRow, NdaMode
from service.terms import Terms


@dataclass(frozen=True)
class Person:
    """One row as it was given."""

    mail: str
    name: str
    company: str = ""
    purpose: str | None = None  # None: the batch's


@dataclass(frozen=True)
class Wanted:
    """What a row asks for. Of the `actor` there is who asked; from where stands in the entry `batch.begun`."""

    actor: Actor
    person: Person
    purpose: str
    terms: Terms
    send: bool

    def stored(self) -> dict[str, Any]:
        """As the row keeps it."""
        person, terms, actor = self.person, self.terms, self.actor
        return {
            "mail": parse_address(person.mail).mail,
            "name": person.name,
            "company": person.company,
            "purpose": self.purpose,
            "terms": {**asdict(terms), "expires_at": terms.expires_at and terms.expires_at.isoformat()},
            "send": self.send,
            "actor": {"type": actor.type, "id": actor.id, "name": actor.name, "request": actor.request},
        }

    @classmethod
    def of(cls, row: BatchRow) -> Wanted | None:
        """What the row asks for; None of a recipient who was erased while it waited."""
        kept = row.wanted
        if not kept:
            return None
        person = Person(kept["mail"], kept["name"], kept["company"])
        return cls(Actor(**kept["actor"]), person, kept["purpose"], _terms(kept["terms"]), kept["send"])


def number_of(row: BatchRow) -> int:
    """The row's place in its list, from 0."""
    return int(row.id.rpartition(":")[2])


def row_id(batch_id: str, number: int) -> str:
    """The key of the row at this place. Keys sort as places do."""
    return f"{batch_id}:{number:08d}"


def after(batch: Batch, number: int | None) -> dict[str, Any]:
    """The condition of the batch's rows after this place (None: of all)."""
    where: dict[str, Any] = {"batch_id": batch.id}
    return where if number is None else {**where, "id__gt": row_id(batch.id, number)}


def forget_waiting(records: Records, mail: str) -> None:
    """Forget what rows with this address want that wait: nobody knew yet whose it is. For erasing."""
    for batch in records.find(Batch, done_at=None):
        for row in records.find(BatchRow, batch_id=batch.id, done_at=None, recipient_id=None):
            if row.wanted.get("mail") == mail:
                records.change(row, wanted={})


def _terms(stored: Mapping[str, Any]) -> Terms:
    expires_at = stored["expires_at"] and datetime.fromisoformat(stored["expires_at"])
    return Terms(**{**stored, "expires_at": expires_at, "nda": NdaMode(stored["nda"])})
