"""The facts of a version: what a report says about itself, as its owner states them.

Pages are counted from 1, as the file has them. What cannot be is refused: when it shows in the facts alone, here;
when it takes the file (`beyond_file`), after compiling.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.errors import DomainError, invalid
from service.records import Kind

MAX_ITEMS = 1000
"""Sections, controls or exceptions of one report: several times what the largest real ones have."""

MAX_PAGE = 20_000
"""The highest page a fact may name: the most that `SEALMARK_MAX_PAGES` may allow. The file's own end is the real bound,
and `beyond_file` holds facts to it."""

NAMED_IN_ERRORS = 5
"""Control ids that one message repeats; each is a `Code`, so of 40 characters at most."""

Text = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$")]
LongText = Annotated[str, Field(min_length=1, max_length=4000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]+$")]
Code = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]*$")]
Page = Annotated[int, Field(ge=1, le=MAX_PAGE)]
Pages = Annotated[list[Page], Field(max_length=200)]


class Opinion(StrEnum):
    """The auditor's conclusion, in the terms of the attestation standards."""

    UNQUALIFIED = "unqualified"
    QUALIFIED = "qualified"
    ADVERSE = "adverse"
    DISCLAIMER = "disclaimer"


class Criteria(StrEnum):
    """The categories of the trust services criteria."""

    SECURITY = "security"
    AVAILABILITY = "availability"
    PROCESSING_INTEGRITY = "processing-integrity"
    CONFIDENTIALITY = "confidentiality"
    PRIVACY = "privacy"


class SectionKind(StrEnum):
    """What a section is; readers are led to sections by it."""

    MANAGEMENTS_ASSERTION = "managements-assertion"
    AUDITORS_OPINION = "auditors-opinion"
    SYSTEM_DESCRIPTION = "system-description"
    CONTROLS = "controls"
    TEST_RESULTS = "test-results"
    MANAGEMENTS_RESPONSES = "managements-responses"
    OTHER = "other"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)


class Section(_Model):
    """A named part of the report."""

    kind: SectionKind
    title: Text
    first_page: Page
    last_page: Page

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last_page < self.first_page:
            raise ValueError("a section's last_page must not lie before its first_page")
        return self


class Control(_Model):
    """A control of the organisation, the criteria it serves and where the report speaks of it."""

    id: Code
    criteria: Annotated[list[Code], Field(max_length=60)]
    pages: Pages


class ReportException(_Model):
    """A control that deviated in the auditor's tests, with management's response."""

    control: Code
    criterion: Code
    deviation: LongText
    response: LongText | None = None
    remediated: bool
    pages: Pages


class Facts(_Model):
    """All facts of one version.

    Each may be left out, the period of a Type II report and the date of a Type I report too: what cannot be is refused,
    what is not said is not. A version never changes, so what is left out stays unsaid; a new version can say it.

    Exceptions may stand without a list of controls. Once any control is listed, every exception must name a listed one.
    """

    period_start: date | None = None
    period_end: date | None = None
    as_of: date | None = None
    auditor: Text | None = None
    opinion: Opinion | None = None
    criteria: Annotated[list[Criteria], Field(max_length=len(Criteria))] = []
    sections: Annotated[list[Section], Field(max_length=MAX_ITEMS)] = []
    controls: Annotated[list[Control], Field(max_length=MAX_ITEMS)] = []
    exceptions: Annotated[list[ReportException], Field(max_length=MAX_ITEMS)] = []

    @model_validator(mode="after")
    def _period_or_date(self) -> Self:
        if (self.period_start is None) != (self.period_end is None):
            raise ValueError("give both period_start and period_end, or neither")
        if self.period_start and self.period_end and self.period_end < self.period_start:
            raise ValueError("period_end must not lie before period_start")
        if self.period_start and self.as_of:
            raise ValueError("a report covers a period or is as of a date: give one of them")
        if len(set(self.criteria)) != len(self.criteria):
            raise ValueError("criteria must not repeat")
        ids = [control.id for control in self.controls]
        if len(set(ids)) != len(ids):
            raise ValueError("controls must not repeat an id")
        unknown = sorted({found.control for found in self.exceptions} - set(ids))
        if ids and unknown:
            named = ", ".join(unknown[:NAMED_IN_ERRORS])
            more = f" and {len(unknown) - NAMED_IN_ERRORS} more" if len(unknown) > NAMED_IN_ERRORS else ""
            raise ValueError(f"exceptions name controls that are not listed: {named}{more}")
        return self


def check_kind(facts: Facts, kind: Kind) -> None:
    """Raise `DomainError` for facts that a report of this kind cannot have.

    A Type I report is as of a date and has no tests of operation; a Type II report covers a period.
    """
    if kind == Kind.SOC2_TYPE1:
        if facts.period_start:
            raise invalid("facts.period_start", "A Type I report is as of a date: give as_of instead.")
        for place, section in enumerate(facts.sections):
            if section.kind == SectionKind.TEST_RESULTS:
                where = f"facts.sections.{place}.kind"
                raise invalid(where, "A Type I report has no test results: leave the section out.")
        if facts.exceptions:
            raise invalid("facts.exceptions", "A Type I report tests no operation, so it has no exceptions.")
    if kind == Kind.SOC2_TYPE2 and facts.as_of:
        raise invalid(
            "facts.as_of", "A Type II report covers a period: give period_start and period_end instead."
        )


def beyond_file(facts: Facts, pages: int) -> DomainError | None:
    """The error for the first fact that names a page beyond the file's last, or None."""
    named: list[tuple[str, list[int]]] = [
        (f"facts.sections.{i}.last_page", [section.last_page]) for i, section in enumerate(facts.sections)
    ]
    named += [(f"facts.controls.{i}.pages", list(item.pages)) for i, item in enumerate(facts.controls)]
    named += [(f"facts.exceptions.{i}.pages", list(item.pages)) for i, item in enumerate(facts.exceptions)]
    for where, found in named:
        if found and max(found) > pages:
            detail = f"The facts name page {max(found)} and the file has {pages}: mend the facts or the file."
            return invalid(where, detail)
    return None
