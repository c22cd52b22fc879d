"""Cuts: named sections of one version as a report of their own, to be shared instead of the whole.

A cut has an id of its own, under which its template is sealed, and a weave key of its own. It is compiled when it is
asked for (`service.cutting`), out of the version's original, in which nothing of the other pages then remains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crypto import identifiers
from service.audit import Actor, Clock, Random, entry
from service.errors import DomainError, Problem, invalid, not_found
from service.facts import Facts, SectionKind
from service.ports import Database, Records
from service.records import Cut, CutState, Document, Job, Version, VersionState

KIND = "cut"
"""Of the job that compiles one."""

MAX_CUTS = 50
"""Of one version: each is a file in the store. Who lends more choices than that lends the whole."""


@dataclass(frozen=True)
class Offered:
    """A cut that can be lent, with the titles of its sections."""

    cut: Cut
    titles: list[str]


class Cuts:
    """Makes cuts, and says where they stand."""

    def __init__(self, database: Database, clock: Clock, random: Random) -> None:
        self._database = database
        self._clock = clock
        self._random = random

    def ask(self, actor: Actor, version_id: str, sections: Sequence[int | str]) -> Cut:
        """The cut of these sections: by their places in the facts (from 0), kinds or titles.

        The same sections of a version give the same cut, wherever it stands; a new one is `compiling`. Raises
        `DomainError`: not-found, wrong-state, invalid.
        """
        now = self._clock()
        with self._database.write() as records:
            version = records.get(Version, version_id, lock=True)  # one at a time makes cuts of it
            if version is None:
                raise not_found("version", version_id)
            document = records.get(Document, version.document_id)
            if document is None or document.revoked_at:
                raise DomainError(
                    Problem.WRONG_STATE, "This document is revoked: it is lent to nobody any more."
                )
            if version.state != VersionState.READY:
                detail = "This version is not ready: wait until it is compiled."
                raise DomainError(Problem.WRONG_STATE, detail, state=version.state)
            places = places_of(Facts.model_validate(version.facts), sections)
            made = records.find(Cut, version_id=version_id)
            for cut in made:
                if cut.sections == places:
                    return cut
            if len(made) >= MAX_CUTS:
                detail = f"A version has at most {MAX_CUTS} cuts: share one of those, or the whole."
                raise DomainError(Problem.WRONG_STATE, detail, limit=MAX_CUTS)
            _check_less_than_all(version, places)
            return self._make(records, actor, version, places, now)

    def ready(self, actor: Actor, version_id: str, sections: Sequence[int | str]) -> Cut:
        """The cut of these sections, which can be lent now.

        Raises as `ask` does, and `DomainError` (wrong-state) while it is compiled (it is begun then, so that asking
        again is enough) and once it is refused.
        """
        cut = self.ask(actor, version_id, sections)
        if cut.state == CutState.READY:
            return cut
        if cut.state == CutState.REFUSED:
            detail = (
                "These sections cannot be cut out of this version's file: share the whole, or other sections."
            )
            raise DomainError(Problem.WRONG_STATE, detail, state=cut.state, cut=cut.id, reason=cut.reason)
        detail = "These sections are being compiled as a file of their own: ask again in a moment."
        raise DomainError(Problem.WRONG_STATE, detail, state=cut.state, cut=cut.id)

    def get(self, document_id: str, version_id: str, cut_id: str) -> Cut:
        """One cut. Raises `DomainError` (not-found)."""
        with self._database.read() as records:
            version = records.get(Version, version_id)
            cut = records.get(Cut, cut_id)
        if version is None or version.document_id != document_id:
            raise not_found("version", version_id)
        if cut is None or cut.version_id != version_id:
            raise not_found("cut", cut_id)
        return cut

    def of_version(self, document_id: str, version_id: str) -> list[Cut]:
        """The cuts of a version, at most `MAX_CUTS`, the oldest first. Raises `DomainError` (not-found)."""
        with self._database.read() as records:
            version = records.get(Version, version_id)
            if version is None or version.document_id != document_id:
                raise not_found("version", version_id)
            return records.find(Cut, version_id=version_id, order="created_at")

    def titles(self, cut_id: str) -> list[str]:
        """The titles of the sections of a cut. Raises `DomainError` (not-found)."""
        with self._database.read() as records:
            cut = records.get(Cut, cut_id)
            version = records.get(Version, cut.version_id) if cut else None
        if cut is None or version is None:
            raise not_found("cut", cut_id)
        return titles_of(Facts.model_validate(version.facts), cut.sections)

    def offered(self, document_id: str) -> list[Offered]:
        """The cuts of the document's newest ready version that can be lent now, the oldest first."""
        ready = VersionState.READY
        with self._database.read() as records:
            for version in records.find(
                Version, document_id=document_id, state=ready, order="-number", limit=1
            ):
                cuts = records.find(Cut, version_id=version.id, state=CutState.READY, order="created_at")
                facts = Facts.model_validate(version.facts)
                return [Offered(cut, titles_of(facts, cut.sections)) for cut in cuts]
        return []

    def _make(
        self, records: Records, actor: Actor, version: Version, places: list[int], now: datetime
    ) -> Cut:
        cut = Cut(
            id=identifiers.new_id("cut", self._random(16)),
            version_id=version.id,
            sections=places,
            state=CutState.COMPILING,
            created_at=now,
        )
        job = Job(
            id=identifiers.new_id("job", self._random(16)),
            kind=KIND,
            subject=cut.id,
            created_at=now,
            run_after=now,
        )
        made = entry(
            "cut.created",
            actor,
            now,
            self._random,
            details={"cut": cut.id, "sections": " ".join(map(str, places))},
            document=version.document_id,
            version=version.id,
        )
        records.add(cut, job, made)
        return cut


def places_of(facts: Facts, wanted: Sequence[int | str]) -> list[int]:
    """Where these sections stand in the facts, ascending: a place, a kind (all of it) or a title each.

    Raises `DomainError` (invalid).
    """
    found: set[int] = set()
    for number, one in enumerate(wanted):
        if isinstance(one, int):
            places = [one] if 0 <= one < len(facts.sections) else []
        else:
            places = [at for at, section in enumerate(facts.sections) if one in (section.kind, section.title)]
        if not places:
            detail = "The facts of this version name no such section: give its title, its kind, or its place from 0."
            raise invalid(f"sections.{number}", detail)
        found.update(places)
    if not found:
        raise invalid("sections", "Name one section at least.")
    return sorted(found)


def titles_of(facts: Facts, places: Sequence[int]) -> list[str]:
    """The titles of these sections."""
    return [facts.sections[place].title for place in places]


def pages_of(facts: Facts, places: Sequence[int]) -> list[int]:
    """The pages of these sections in the whole report, from 1, ascending. A page that two sections share is in both."""
    chosen = [facts.sections[place] for place in places]
    return sorted({page for one in chosen for page in range(one.first_page, one.last_page + 1)})


def facts_of(facts: Facts, places: Sequence[int]) -> Facts:
    """What a cut of these sections says of itself: nothing that stands elsewhere only, with its own numbers of pages.

    The opinion is said only where the auditor's opinion is among the sections, and management's responses only where
    `tells_responses`. An exception that names no page, or no page of the cut, is not.
    """
    pages = {page: number for number, page in enumerate(pages_of(facts, places), 1)}

    def mapped(listed: Sequence[int]) -> list[int]:
        return [pages[page] for page in listed if page in pages]

    sections = [facts.sections[place] for place in places]
    untold = {} if tells_responses(facts, places) else {"response": None}
    exceptions = [
        one.model_copy(update={"pages": mapped(one.pages), **untold})
        for one in facts.exceptions
        if mapped(one.pages)
    ]
    named = {one.control for one in exceptions}
    opined = any(section.kind == SectionKind.AUDITORS_OPINION for section in sections)
    return facts.model_copy(
        update={
            "opinion": facts.opinion if opined else None,
            "sections": [
                one.model_copy(
                    update={"first_page": pages[one.first_page], "last_page": pages[one.last_page]}
                )
                for one in sections
            ],
            "controls": [
                one.model_copy(update={"pages": mapped(one.pages)})
                for one in facts.controls
                if one.id in named or mapped(one.pages)
            ],
            "exceptions": exceptions,
        }
    )


def tells_responses(facts: Facts, places: Sequence[int]) -> bool:
    """Whether a cut of these sections tells management's responses, and what is remediated, which stands with them.

    It does not where the report has a section for them and the cut has none such.
    """
    answering = {at for at, one in enumerate(facts.sections) if one.kind == SectionKind.MANAGEMENTS_RESPONSES}
    return not answering or not answering.isdisjoint(places)


def _check_less_than_all(version: Version, places: list[int]) -> None:
    pages = pages_of(Facts.model_validate(version.facts), places)
    if len(pages) == version.pages:
        raise invalid("sections", "These sections are all pages of the report: share it without `sections`.")
