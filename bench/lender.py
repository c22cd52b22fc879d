"""A whole service with a report to lend, many shares of it, and a minted copy for each: what downloads need."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.reports import Report
from service import settings
from service.adapters.sql.migrate import migrate
from service.app import Sealmark, build
from service.audit import Actor
from service.cli.session import system_user
from service.delivery import Granted
from service.facts import Facts
from service.records import Classification, Copy, Delivery, Kind, VersionState

MAIL, NAME, COMPANY = "ana.silva@northmere.example", "Ana Silva", "Northmere Bank"
RECIPIENT = Actor("recipient")

PLAIN_OBJECT = "bench/plain"
"""What the rival's server sends: as long as the longest copy, unmarked and unsealed, in the same store."""

DRAIN_SECONDS = 120.0
"""The worker gives thousands of entries their place within it, or something is wrong."""


class NotReady(Exception):
    """The bench cannot lend its report; the message says why."""


@dataclass(frozen=True)
class Lender:
    """The service in this process, and the path of one open link for each share."""

    sealmark: Sealmark
    links: tuple[str, ...]
    copy_bytes: int

    def end_deliveries(self) -> None:
        """End all that run, so that each link's next asking is a new grant; wait until the log has caught up."""
        now = self.sealmark.clock()
        with self.sealmark.database.write() as records:
            for delivery in records.find(Delivery, until__gt=now):
                records.change(delivery, until=now)
        end = time.monotonic() + DRAIN_SECONDS
        while self.sealmark.sequencer.lag() > 0:
            if time.monotonic() > end:
                raise NotReady("the worker does not give the entries their place: see worker.log")
            time.sleep(0.05)


@contextmanager
def lending(environment: Mapping[str, str], report: Report, shares: int) -> Iterator[Lender]:
    """A migrated service under these settings that lends `report` by that many shares, until the end of the block.

    All copies are minted: a download that is measured is one of those that follow the first.
    """
    chosen = settings.load(environment)
    password = None
    if chosen.database_password_file:
        password = settings.read_secret(chosen.database_password_file, "DATABASE_PASSWORD_FILE")
    migrate(chosen.database, password)
    with closing(build(chosen)) as sealmark:
        sealmark.master_keys.init(system_user())
        links = _links(sealmark, _document(sealmark, report), shares)
        for link in links:
            if not isinstance(sealmark.deliveries.ask(token(link), RECIPIENT), Granted):
                raise NotReady("a link that was just made does not open")
        with sealmark.database.read() as records:
            length = max(copy.length for copy in records.find(Copy))
        sealmark.store.put(PLAIN_OBJECT, [report.pdf.ljust(length, b"\n")[:length]])
        while sealmark.sequencer.run_once():
            pass
        yield Lender(sealmark, links, length)


def token(link: str) -> str:
    """The token at the end of a link's path."""
    return link.rsplit("/", 1)[1]


def _document(sealmark: Sealmark, report: Report) -> str:
    """The id of a document whose one version is the compiled report."""
    actor = system_user()
    document = sealmark.documents.create(
        actor,
        name=report.name,
        kind=Kind.OTHER,
        classification=Classification.NDA,
        owner_mail="owner@lender.example",
    )
    version = sealmark.documents.add_version(actor, document.id, Facts())
    sealmark.documents.upload(actor, document.id, version.id, [report.pdf])
    while sealmark.compiling.run_once():
        pass
    version = sealmark.documents.version(document.id, version.id)
    if version.state != VersionState.READY:
        raise NotReady(f"the report is refused ({version.reason}): {version.message}")
    return document.id


def _links(sealmark: Sealmark, document: str, shares: int) -> tuple[str, ...]:
    actor = system_user()
    nda = sealmark.ndas.add(actor, mail=MAIL, name=NAME, company=COMPANY, source="bench", reference="BENCH-1")
    sealmark.ndas.approve(actor, nda.id)
    paths = []
    for _ in range(shares):
        _, _, link = sealmark.sharing.create(
            actor, document_id=document, mail=MAIL, name=NAME, company=COMPANY, purpose="bench"
        )
        paths.append(urlsplit(link.url).path)
    return tuple(paths)


def inherited() -> dict[str, str]:
    """This process's environment without settings of Sealmark: what the started servers see besides their own."""
    return {name: value for name, value in os.environ.items() if not name.startswith(settings.PREFIX)}
