"""Answers for the board: which reports are out, to whom, how often they are opened, and how fast who asks is answered.

Numbers, company names and mail domains; no person. What is counted is said where it is counted. Making a report is a
pull of the log, and so an entry.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any, TypeVar

from service.audit import Actor, Clock, Random
from service.cuts import pages_of
from service.decision import has_ended
from service.errors import invalid
from service.facts import Facts
from service.freemail import is_shared
from service.log import LogFilter, pulled
from service.ports import Database, Records
from service.records import (
    AccessRequest,
    Cut,
    Document,
    Kind,
    Link,
    LoggedEntry,
    LogState,
    Recipient,
    RequestState,
    Share,
    Version,
)
from service.sequencer import LOG

DEFAULT_WEEKS = 26
EARLIEST = date(2000, 1, 1)
"""The first day of a report: no log is older, and the calendar's end stays far."""

MAX_DAYS = 1830
"""Five years: some 260 weeks, as many as a chart can tell apart."""

MAX_EXCEPTIONS = 20
"""Exceptions that are listed, those most looked at."""

BATCH = 500
"""Records of one query."""

DOWNLOAD, VIEW, DRAWN, PUBLIC = "download.granted", "page.viewed", "page.drawn", "public.downloaded"

R = TypeVar("R")


@dataclass(frozen=True)
class Out:
    """A document that is lent now: its open shares, and to how many people they are."""

    document: str
    name: str
    kind: Kind
    shares: int
    people: int


@dataclass(frozen=True)
class Company:
    """To whom: a mail domain with its open shares; the name that most of its people gave, unless anybody can have an
    address there."""

    domain: str
    name: str
    shares: int
    people: int


@dataclass(frozen=True)
class Week:
    """The accesses of one week (UTC): downloads that were granted (of a view-only share, sittings), pages of links
    that were opened and showed their report, and downloads of public files."""

    monday: date
    downloads: int
    views: int
    public: int


@dataclass(frozen=True)
class Answered:
    """The requests for access that came in, how they stand now, and the median time from request to first link."""

    asked: int
    approved: int
    denied: int
    pending: int
    median_seconds: int | None  # None: no link has been made for any of them


@dataclass(frozen=True)
class LookedAt:
    """How often pages that speak of an exception were shown in view-only shares, a page each time. What is read in a
    copy that was downloaded, nobody knows."""

    document: str
    name: str
    version: int
    control: str
    criterion: str
    shown: int


@dataclass(frozen=True)
class BoardReport:
    """All answers. What is out is so at `made_at`; the rest is of the days [first, last], in UTC."""

    made_at: datetime
    first: date
    last: date
    out: tuple[Out, ...]
    companies: tuple[Company, ...]
    weeks: tuple[Week, ...]
    requests: Answered
    exceptions: tuple[LookedAt, ...]


class Reporting:
    """Makes reports for the board."""

    def __init__(self, database: Database, clock: Clock, random: Random) -> None:
        self._database = database
        self._clock = clock
        self._random = random

    def report(self, actor: Actor, first: date | None = None, last: date | None = None) -> BoardReport:
        """The answers for the days [first, last] (default: the last 26 weeks); when it returns, the pull is an entry.

        Raises `DomainError` (invalid), `DatabaseUnavailable`.
        """
        now = self._clock()
        if min(first or EARLIEST, last or EARLIEST) < EARLIEST:
            raise invalid("first", f"A report is of days from {EARLIEST} on.")
        last = last or now.astimezone(UTC).date()
        first = first or _monday(last) - timedelta(weeks=DEFAULT_WEEKS - 1)
        if not first <= last <= date.max - timedelta(days=7):
            raise invalid("last", "A report ends on the day on which it begins, or later.")
        if (last - first).days > MAX_DAYS:
            raise invalid("first", f"A report is of at most {MAX_DAYS} days.")
        span = _start(first), _start(last + timedelta(days=1))
        with self._database.write() as records:
            state = records.get(LogState, LOG)
            size = state.size if state else 0
            chosen = LogFilter(since=span[0], until=span[1])
            records.add(pulled(actor, chosen, "report", size, now, self._random))
        out, companies = self._out(now)
        weeks, exceptions = self._accesses(first, last, *span)
        return BoardReport(now, first, last, out, companies, weeks, self._answered(*span), exceptions)

    def _out(self, now: datetime) -> tuple[tuple[Out, ...], tuple[Company, ...]]:
        shares, people = Counter[str](), Counter[str]()
        of_company, in_company = Counter[str](), Counter[str]()
        names: dict[str, Counter[str]] = {}
        seen: set[tuple[str, str]] = set()
        met: set[str] = set()
        documents: dict[str, Document] = {}
        for some in self._batches(Share, revoked_at=None, expires_at__gt=now):
            known = self._by_id(Recipient, {share.recipient_id for share in some})
            documents |= self._by_id(Document, {share.document_id for share in some} - documents.keys())
            for share in some:
                if not _is_lent(documents[share.document_id], now):
                    continue
                recipient = known[share.recipient_id]
                shares[share.document_id] += 1
                of_company[recipient.domain] += 1
                if (share.document_id, recipient.id) not in seen:
                    seen.add((share.document_id, recipient.id))
                    people[share.document_id] += 1
                if recipient.id not in met:
                    met.add(recipient.id)
                    in_company[recipient.domain] += 1
                    names.setdefault(recipient.domain, Counter())[recipient.company] += 1
        out = [
            Out(key, documents[key].name, documents[key].kind, number, people[key])
            for key, number in shares.items()
        ]
        companies = [
            Company(domain, _name(domain, names[domain]), number, in_company[domain])
            for domain, number in of_company.items()
        ]
        return (
            tuple(sorted(out, key=lambda one: (-one.shares, one.name, one.document))),
            tuple(sorted(companies, key=lambda one: (-one.shares, one.domain))),
        )

    def _accesses(
        self, first: date, last: date, since: datetime, until: datetime
    ) -> tuple[tuple[Week, ...], tuple[LookedAt, ...]]:
        found: dict[str, Counter[date]] = {kind: Counter() for kind in (DOWNLOAD, VIEW, PUBLIC)}
        drawn = Counter[tuple[str, str, int]]()
        for logged in self._entries(since, until):
            body = json.loads(logged.leaf)
            details = body.get("details", {})
            if logged.kind == DRAWN:
                drawn[logged.version or "", logged.share or "", int(details["page"])] += 1
            elif _counts(logged.kind, body, details):
                found[logged.kind][_monday(logged.time.astimezone(UTC).date())] += 1
        weeks = []
        monday = _monday(first)
        while monday <= last:
            counts = (found[kind][monday] for kind in (DOWNLOAD, VIEW, PUBLIC))
            weeks.append(Week(monday, *counts))
            monday += timedelta(weeks=1)
        return tuple(weeks), self._looked_at(drawn)

    def _looked_at(self, drawn: Counter[tuple[str, str, int]]) -> tuple[LookedAt, ...]:
        versions = self._by_id(Version, {version for version, _, _ in drawn})
        documents = self._by_id(Document, {version.document_id for version in versions.values()})
        shares = self._by_id(Share, {share for _, share, _ in drawn})
        cuts = self._by_id(Cut, {share.cut_id for share in shares.values() if share.cut_id})
        shown: dict[str, Counter[int]] = {key: Counter() for key in versions}
        for (version_id, share_id, page), number in drawn.items():
            share = shares.get(share_id)
            if version_id in versions and share is not None:
                cut = cuts.get(share.cut_id) if share.cut_id else None
                shown[version_id][_page_of(versions[version_id], cut, page)] += number
        found = [
            LookedAt(
                version.document_id,
                documents[version.document_id].name,
                version.number,
                exception.control,
                exception.criterion,
                sum(shown[version.id][page] for page in set(exception.pages)),
            )
            for version in versions.values()
            for exception in Facts.model_validate(version.facts).exceptions
        ]
        found = sorted(found, key=lambda one: (-one.shown, one.name, -one.version, one.control))
        return tuple(one for one in found[:MAX_EXCEPTIONS] if one.shown)

    def _answered(self, since: datetime, until: datetime) -> Answered:
        states = Counter[RequestState]()
        waited: list[float] = []
        for some in self._batches(AccessRequest, created_at__ge=since, created_at__lt=until):
            states.update(request.state for request in some)
            with self._database.read() as records:
                first = _first_links(records, [request.share_id for request in some if request.share_id])
            waited += [
                (first[request.share_id] - request.created_at).total_seconds()
                for request in some
                if request.share_id in first
            ]
        return Answered(
            asked=sum(states.values()),
            approved=states[RequestState.APPROVED],
            denied=states[RequestState.DENIED],
            pending=states[RequestState.PENDING],
            median_seconds=round(median(waited)) if waited else None,
        )

    def _entries(self, since: datetime, until: datetime) -> Iterator[LoggedEntry]:
        after = -1
        while True:
            with self._database.read() as records:
                found = records.find(
                    LoggedEntry,
                    order="index",
                    limit=BATCH,
                    index__gt=after,
                    kind__in=[DOWNLOAD, VIEW, DRAWN, PUBLIC],
                    time__ge=since,
                    time__lt=until,
                )
            yield from found
            if len(found) < BATCH:
                return
            after = found[-1].index

    def _batches(self, kind: type[R], **where: Any) -> Iterator[list[R]]:
        after = ""
        while True:
            with self._database.read() as records:
                found = records.find(kind, order="id", limit=BATCH, id__gt=after, **where)
            if found:
                yield found
            if len(found) < BATCH:
                return
            after = found[-1].id  # type: ignore[attr-defined]

    def _by_id(self, kind: type[R], ids: set[str]) -> dict[str, R]:
        wanted = sorted(ids)
        found: list[Any] = []
        for start in range(0, len(wanted), BATCH):
            with self._database.read() as records:
                found += records.find(kind, id__in=wanted[start : start + BATCH])
        return {one.id: one for one in found}


def _is_lent(document: Document, now: datetime) -> bool:
    return document.revoked_at is None and not has_ended(document, now)


def _counts(kind: str, body: dict[str, Any], details: dict[str, Any]) -> bool:
    """Not a page that only asked for a code or a signature, and not a further part of a public file."""
    if kind == VIEW:
        return "reason" not in body
    return kind != PUBLIC or details["first"] == 0


def _first_links(records: Records, share_ids: Sequence[str]) -> dict[str, datetime]:
    """When the first link of each share was made, where there is one."""
    if not share_ids:
        return {}
    links = records.find(Link, share_id__in=list(share_ids), order="-created_at")
    return {link.share_id: link.created_at for link in links}


def _page_of(version: Version, cut: Cut | None, page: int) -> int:
    """The page of the version that is this page of a cut of it; 0: of none."""
    if cut is None:
        return page
    pages = pages_of(Facts.model_validate(version.facts), cut.sections)
    return pages[page - 1] if 0 < page <= len(pages) else 0


def _name(domain: str, names: Counter[str]) -> str:
    if is_shared(domain):
        return ""
    return min(names, key=lambda name: (-names[name], name))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
