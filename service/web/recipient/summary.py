"""What the page of a link shows, out of what was decided: plain values in words, ready for the template. Pure.

The share's purpose is not shown: it is the lender's own note. What the facts do not say is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from service.cuts import facts_of, tells_responses
from service.decision import Allowed, ends_at
from service.delivery import Page
from service.facts import Facts, ReportException, Section, SectionKind
from service.records import Classification, Share
from service.web.recipient import wording

SHOWN_EXCEPTIONS = 20
"""More make no summary, and with `SHOWN_TEXT` the page stays below 50 KB; the report itself has them all."""

SHOWN_TEXT = 500
"""Characters of a deviation or response before it is shortened."""

SHOWN_SECTIONS = 40
"""Sections that are listed: reports have five to ten, and their own contents."""


@dataclass(frozen=True)
class Row:
    """A name and its value, in lines that may each run in a direction of its own."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class OpinionView:
    """The auditor's opinion in words."""

    kind: str
    title: str
    meaning: str
    where: str


@dataclass(frozen=True)
class ExceptionView:
    """One exception as it is shown."""

    control: str
    criterion: str
    deviation: str
    response: str  # empty: the extract does not tell it, nor the state
    remediated: bool
    where: str


@dataclass(frozen=True)
class Place:
    """A part of the report and its pages."""

    title: str
    where: str


@dataclass(frozen=True)
class Reader:
    """Where one kind of reader starts."""

    who: str
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Letter:
    """A bridge letter that goes along."""

    share_id: str
    button: str
    size: str


@dataclass(frozen=True)
class Get:
    """How the report is had: downloaded, or read here."""

    skip: str
    title: str
    button: str
    size: str
    marked: str
    logged: str


@dataclass(frozen=True)
class Summary:
    """The whole page."""

    title: str
    kind: str
    document: str
    rows: tuple[Row, ...]
    get: Get
    running: str
    along: tuple[Letter, ...]
    extract: str  # empty: it is the whole report
    opinion: OpinionView | None
    exceptions: tuple[ExceptionView, ...]
    exceptions_lead: str  # empty: nothing is said about exceptions
    exceptions_more: str
    readers: tuple[Reader, ...]
    sections: tuple[Place, ...]
    sections_cut: bool


def summarize(page: Page) -> Summary:
    """The page of an open link."""
    allowed = page.allowed
    facts = Facts.model_validate(allowed.version.facts)
    answered = True
    if allowed.cut is not None:
        answered = tells_responses(facts, allowed.cut.sections)
        facts = facts_of(facts, allowed.cut.sections)
    extract = allowed.cut is not None
    rest = len(facts.exceptions) - SHOWN_EXCEPTIONS
    name = allowed.document.name
    return Summary(
        title=wording.say("title", document=name, name=allowed.recipient.name),
        kind=wording.kind(allowed.document.kind),
        document=name,
        rows=_rows(page, facts),
        get=_get(page),
        running=_running(page),
        along=tuple(_letter(letter) for letter in page.along),
        extract=_extract(facts) if extract else "",
        opinion=_opinion(facts),
        exceptions=tuple(
            _exception(found, answered=answered) for found in facts.exceptions[:SHOWN_EXCEPTIONS]
        ),
        exceptions_lead=_exceptions_lead(facts, extract=extract),
        exceptions_more=wording.count("exceptions.more", rest) if rest > 0 else "",
        readers=_readers(facts),
        sections=tuple(Place(section.title, _where(section)) for section in facts.sections[:SHOWN_SECTIONS]),
        sections_cut=len(facts.sections) > SHOWN_SECTIONS,
    )


def _rows(page: Page, facts: Facts) -> tuple[Row, ...]:
    say = wording.say
    recipient = page.allowed.recipient
    rows = []
    if facts.period_start and facts.period_end:
        period = say("period.value", start=wording.day(facts.period_start), end=wording.day(facts.period_end))
        rows.append(Row(say("period"), (period,)))
    if facts.as_of:
        rows.append(Row(say("as_of"), (wording.day(facts.as_of),)))
    if facts.auditor:
        rows.append(Row(say("auditor"), (facts.auditor,)))
    if facts.criteria:
        rows.append(
            Row(say("criteria"), (wording.joined(wording.criteria(item) for item in facts.criteria),))
        )
    rows.append(Row(say("for"), tuple(part for part in (recipient.name, recipient.company) if part)))
    ends = min(page.link.expires_at, ends_at(page.allowed.share, page.allowed.document))
    rows.append(Row(say("expires"), (wording.moment(ends),)))
    left = _downloads_left(page.allowed.share)
    if left is not None:
        counted = "readings" if page.allowed.share.view_only else "downloads"
        rows.append(Row(say(counted), (wording.count(counted, left),)))
    return tuple(rows)


def _downloads_left(share: Share) -> int | None:
    if share.download_limit is None:
        return None
    return max(0, share.download_limit - share.downloads_taken)


def _page_count(allowed: Allowed) -> int:
    """Of what is lent: all of the version, or the cut of it."""
    return (allowed.version.pages if allowed.cut is None else allowed.cut.pages) or 0


def _get(page: Page) -> Get:
    allowed, say = page.allowed, wording.say
    marked = "marked.public" if allowed.document.classification == Classification.PUBLIC else "marked.nda"
    pages = wording.count("pages", _page_count(allowed))
    if allowed.share.view_only:
        return Get(
            skip=say("read.skip"),
            title=say("read.get"),
            button=say("read.button"),
            size=say("read.button.size", pages=pages),
            marked=say(f"read.{marked}"),
            logged=say("read.logged"),
        )
    length = allowed.copy.length if allowed.copy else allowed.template.size
    return Get(
        skip=say("skip"),
        title=say("get"),
        button=say("button"),
        size=say("button.size", size=wording.size(length), pages=pages),
        marked=say(marked),
        logged=say("logged"),
    )


def _letter(allowed: Allowed) -> Letter:
    length = allowed.copy.length if allowed.copy else allowed.template.size
    pages = wording.count("pages", allowed.version.pages or 0)
    return Letter(
        allowed.share.id,
        wording.say(
            "along.read" if allowed.share.view_only else "along.button", document=allowed.document.name
        ),
        wording.say("button.size", size=wording.size(length), pages=pages),
    )


def _running(page: Page) -> str:
    """Said where it matters: where downloads are counted."""
    share = page.allowed.share
    if page.delivery is None or share.download_limit is None:
        return ""
    until = wording.moment(page.delivery.until)
    return wording.say("read.running" if share.view_only else "running", until=until)


def _opinion(facts: Facts) -> OpinionView | None:
    if facts.opinion is None:
        return None
    title, meaning = wording.opinion(facts.opinion)
    places = [_where(s) for s in facts.sections if s.kind == SectionKind.AUDITORS_OPINION]
    where = wording.say("opinion.read", pages=places[0]) if places else ""
    return OpinionView(facts.opinion.value, title, meaning, where)


def _extract(facts: Facts) -> str:
    """What an extract is not: its readers must not take it for the report."""
    opined = any(section.kind == SectionKind.AUDITORS_OPINION for section in facts.sections)
    return wording.say("extract.with_opinion" if opined else "extract.without_opinion")


def _exceptions_lead(facts: Facts, *, extract: bool) -> str:
    """Silence where nothing was tested: only a report with test results can have no exceptions.

    An extract says what its pages tell of; that there is nothing, only the whole report can say.
    """
    if extract:
        return wording.count("extract.exceptions", len(facts.exceptions)) if facts.exceptions else ""
    if facts.exceptions:
        return wording.count("exceptions.lead", len(facts.exceptions))
    tested = any(section.kind == SectionKind.TEST_RESULTS for section in facts.sections)
    return wording.say("exceptions.none") if tested else ""


def _exception(found: ReportException, *, answered: bool) -> ExceptionView:
    """Where responses stand in a section that an extract omits, it cannot say that none is given either."""
    response = _shortened(found.response) if found.response else wording.say("exception.no_response")
    return ExceptionView(
        control=wording.say("exception.of", control=found.control),
        criterion=wording.say("exception.criterion", criterion=found.criterion),
        deviation=_shortened(found.deviation),
        response=response if answered else "",
        remediated=found.remediated,
        where=wording.say("exception.pages", pages=wording.pages(found.pages)) if found.pages else "",
    )


def _readers(facts: Facts) -> tuple[Reader, ...]:
    found = []
    for who, wanted in wording.READERS:
        places = [place for part in wanted for place in _parts(facts, part)]
        if places:
            found.append(Reader(wording.say(who), tuple(places)))
    return tuple(found)


def _parts(facts: Facts, part: str) -> list[Place]:
    if part == "exceptions":
        numbers = [number for found in facts.exceptions for number in found.pages]
        return [Place(wording.say("exceptions"), wording.pages(numbers))] if numbers else []
    return [Place(section.title, _where(section)) for section in facts.sections if section.kind == part]


def _where(section: Section) -> str:
    return wording.page_range(section.first_page, section.last_page)


def _shortened(text: str) -> str:
    if len(text) <= SHOWN_TEXT:
        return text
    return text[:SHOWN_TEXT].rsplit(" ", 1)[0] + " …"
