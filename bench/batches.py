"""Sharing with many people, as a batch and by one call each: `python -m bench.batches`.

A batch is checked as a whole, its shares are made, and then its links, as `sealmark shares bulk` does. The rival is the
call that makes one share with its link, again and again in one process; over HTTP it would be slower. Nobody of either
list is known before.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bench.figures import Figure, alone, rate_against, table
from bench.lender import lending
from bench.parts import each_database
from bench.reports import sample
from service.app import Sealmark
from service.batch_rows import Person, number_of
from service.cli.session import system_user
from service.records import Document
from service.terms import Terms

SINGLY = 20
"""How many times fewer people the rival shares with: its rate does not depend on how many there are."""

PAGE = 200
"""Links that are made at once, as the command line does."""

PER_SECOND = "shares/s"
ONE_CALL_EACH = "one call each"
PURPOSE = "yearly review"


class NotShared(Exception):
    """A row of the batch was refused; the figure is worth nothing."""


def measure(*, people: int, real_parts: bool, note: Callable[[str], None]) -> list[Figure]:
    """Seconds until all of a batch are shared with, and shares with their links a second, on SQLite and PostgreSQL.

    PostgreSQL is measured with `real_parts`, and left out with a note if it is not here.
    """
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="sealmark-batches-") as scratch:
        found = each_database("batches", Path(scratch), real_parts=real_parts, note=note)
        for database, _, environment in found:
            with lending(environment, sample(), 1) as lender:
                figures += _figures(database, lender.sealmark, people)
    return figures


def _figures(database: str, sealmark: Sealmark, people: int) -> list[Figure]:
    with sealmark.database.read() as records:
        document = records.find(Document)[0].id
    for domain in ("singly.example", "batch.example"):
        sealmark.ndas.add(system_user(), domain=domain, source="bench", approved=True)
    few = people // SINGLY
    begin = time.perf_counter()
    for person in _people(few, "singly.example"):
        sealmark.sharing.create(
            system_user(),
            document_id=document,
            mail=person.mail,
            name=person.name,
            company=person.company,
            purpose=PURPOSE,
        )
    singly = few / (time.perf_counter() - begin)
    shared, linked = _batch(sealmark, document, people)
    rate = rate_against(f"a batch with its links: {database}", people / linked, ONE_CALL_EACH, singly)
    return [
        alone(f"a batch of {people:,}, shared with: {database}", shared, "s"),
        replace(rate, unit=PER_SECOND),
    ]


def _batch(sealmark: Sealmark, document: str, people: int) -> tuple[float, float]:
    """Seconds until all are shared with, and until all have their links."""
    begin = time.perf_counter()
    batch = sealmark.batches.begin(
        system_user(),
        document_id=document,
        people=_people(people, "batch.example"),
        purpose=PURPOSE,
        terms=Terms(),
    )
    while sealmark.batch_working.run_once(batch.id):
        pass
    shared = time.perf_counter() - begin
    if (problems := sealmark.batches.get(batch.id).problems) != 0:
        raise NotShared(f"{problems} of {people} rows were refused")
    after = None
    while rows := sealmark.batches.rows(batch.id, after=after, limit=PAGE):
        sealmark.batches.links(system_user(), batch.id, after=after, limit=PAGE, life=timedelta(hours=1))
        after = number_of(rows[-1])
    return shared, time.perf_counter() - begin


def _people(number: int, domain: str) -> list[Person]:
    return [Person(f"person{at}@{domain}", f"Person Number {at}", "Example Bank") for at in range(number)]


if __name__ == "__main__":
    print(f"load average {os.getloadavg()[0]:.2f}, {os.cpu_count()} cores")
    print(table(measure(people=10_000, real_parts=True, note=print)))
    print(f"load average {os.getloadavg()[0]:.2f}")
