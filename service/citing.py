"""The sentence that cites a report in somebody's questionnaire: what it says of the report, in the owner's wording.

A wording is a line of text with names in braces (`PLACEHOLDERS`). What stands in square brackets is left out where a
name in it has nothing to say: `[ for {items}]`. The names bring their nouns along, so that one item is an *item* and
two are *items*; braces and brackets serve for nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from service.errors import DomainError, invalid
from service.facts import Facts
from service.records import Classification, Kind

DEFAULT_WORDING = (
    "Please refer to our {kind}[ ({access})][ {period}][, for {items}][: {controls}][, {pages}]. "
    "See {address}"
)

PLACEHOLDERS = ("kind", "access", "period", "items", "criteria", "controls", "pages", "address")
"""What a wording may name."""

REQUIRED = ("kind", "period", "address")
"""What a wording has to name: a citation that does not say which report, of when and where it is, cites nothing."""

MAX_WORDING = 1000
"""Characters of a wording: several sentences; questionnaires give an answer little more room."""

MAX_ITEMS = 2000
"""Characters of the items of one citation: hundreds of ranges, which nobody reads any more."""

MAX_CRITERIA = 100
"""Criteria of one citation: SOC 2 has 61 in all five categories."""

MAX_NAMED = 20
"""Controls that one sentence names; more are counted, since an answer is read, and its pages lead there anyway."""

NAMED_IN_ERRORS = 5
"""Unknown criteria that one message repeats."""

_LABEL = r"[A-Za-z]{0,10}\.?[0-9]{1,6}(?:\.[0-9]{1,6}){0,5}"
_ITEM = re.compile(rf"({_LABEL})(?:\s*[-–]\s*({_LABEL}))?")
_PARTS = re.compile(r"([A-Za-z]{0,10}\.?)([0-9.]+)")
_NAME = re.compile(r"\{([a-z]*)\}")
_GROUP = re.compile(r"\[([^\[\]]*)\]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_KINDS = {
    Kind.SOC2_TYPE1: "SOC 2 Type I report",
    Kind.SOC2_TYPE2: "SOC 2 Type II report",
    Kind.SOC3: "SOC 3 report",
    Kind.ISO27001: "ISO/IEC 27001 certificate",
    Kind.PENTEST: "penetration test report",
    Kind.BRIDGE_LETTER: "bridge letter",
    Kind.OVERVIEW: "overview",
}
"""Kinds within a sentence. A document of another kind is called by its name."""

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True)
class Place:
    """Where a report speaks of a criterion: a control, and the pages (from 1) that speak of it."""

    control: str
    criteria: tuple[str, ...]
    pages: tuple[int, ...]


@dataclass(frozen=True)
class Report:
    """What a citation says of one version of a document, in words. Empty: there is nothing to say."""

    version: str
    kind: str
    access: str
    period: str
    address: str
    wording: str
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Citation:
    """A sentence, and of what it is made."""

    sentence: str
    kind: str
    period: str
    address: str
    version: str
    items: str
    criteria: list[str]
    controls: list[str]
    pages: list[int]


def check_wording(text: str) -> str:
    """The wording, if sentences can be made of it. Raises `DomainError` (invalid) that says what to mend."""
    if not text.strip() or len(text) > MAX_WORDING:
        raise invalid("citation", f"A wording has 1 to {MAX_WORDING} characters.")
    if _CONTROL.search(text):
        raise invalid("citation", "A wording is one line of text.")
    named = _NAME.findall(text)
    unknown = [name for name in named if name not in PLACEHOLDERS]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise invalid("citation", f"A wording does not know {{{unknown[0]}}}. There are {known}.")
    if set("{}") & set(_NAME.sub("", text)):
        raise invalid("citation", "Braces stand around a name only, such as {kind}.")
    groups = _GROUP.findall(text)
    if set("[]") & set(_GROUP.sub("", text)) or not all(_NAME.search(group) for group in groups):
        detail = (
            "Square brackets stand around a part with a name, such as [ for {items}], and not within another."
        )
        raise invalid("citation", detail)
    missing = [name for name in REQUIRED if name not in named]
    if missing:
        raise invalid("citation", f"A wording names {{{missing[0]}}}: without it the report is not found.")
    return text


def report_of(
    facts: Facts,
    *,
    version: str,
    kind: Kind,
    name: str,
    classification: Classification,
    wording: str | None,
    address: str,
    bridged: Kind | None = None,
) -> Report:
    """What a citation says of this version. `bridged` is the kind of the report that a bridge letter belongs to."""
    said = _KINDS.get(kind) or f"document “{name}”"
    if bridged in _KINDS:
        said = f"{said} to our {_KINDS[bridged]}"
    return Report(
        version=version,
        kind=said,
        access="" if classification == Classification.PUBLIC else "available under NDA",
        period=_period(facts),
        address=address,
        wording=wording or DEFAULT_WORDING,
        places=(
            *(Place(one.id, tuple(one.criteria), tuple(one.pages)) for one in facts.controls),
            *(Place(one.control, (one.criterion,), tuple(one.pages)) for one in facts.exceptions),
        ),
    )


def cite(report: Report, items: str, criteria: Iterable[str]) -> Citation:
    """The citation for these items (in words, see `items_in_words`) and known criteria (see `known_criteria`)."""
    wanted = list(dict.fromkeys(criteria))
    found = [place for place in report.places if set(place.criteria) & set(wanted)]
    controls = list(dict.fromkeys(place.control for place in found))
    pages = sorted({page for place in found for page in place.pages})
    values = {
        "kind": report.kind,
        "access": report.access,
        "period": report.period,
        "items": items,
        "criteria": _counted("criterion", "criteria", wanted),
        "controls": _counted("control", "controls", controls),
        "pages": _pages(pages),
        "address": report.address,
    }
    return Citation(
        sentence=_filled(report.wording, values),
        kind=report.kind,
        period=report.period,
        address=report.address,
        version=report.version,
        items=items,
        criteria=wanted,
        controls=controls,
        pages=pages,
    )


def items_in_words(text: str) -> str:
    """`items 45–72, 80` of `45-72,80`. Raises `DomainError` (invalid) for what cannot be items of a questionnaire."""
    if not text.strip():
        return ""
    if len(text) > MAX_ITEMS:
        raise invalid("items", f"Items have at most {MAX_ITEMS} characters.")
    ranges: list[str] = []
    single = False
    for part in text.split(","):
        found = _ITEM.fullmatch(part.strip())
        if found is None:
            raise invalid("items", "Items are numbers and ranges, such as 45-72,80 or A.1-A.9.")
        first, last = found[1], found[2]
        if last is not None and not _ascending(first, last):
            raise invalid("items", f"{first}-{last} is no range: it goes upwards, within one chapter.")
        single = not ranges and last is None
        ranges.append(first if last is None else f"{first}–{last}")
    return item_in_words(ranges[0]) if single else "items " + ", ".join(ranges)


def item_in_words(item: str) -> str:
    """One item of a questionnaire as it is called there; empty for an empty one."""
    return f"item {item}" if item else ""


def known_criteria(report: Report, given: Sequence[str]) -> list[str]:
    """The criteria as the report spells them. Raises `DomainError` (invalid) that names those it does not have."""
    if len(given) > MAX_CRITERIA:
        raise invalid("criteria", f"One citation has at most {MAX_CRITERIA} criteria.")
    known = spellings(report)
    unknown = [criterion for criterion in given if criterion.casefold() not in known]
    if unknown:
        raise unknown_criteria(report, unknown)
    return [known[criterion.casefold()] for criterion in given]


def spellings(report: Report) -> Mapping[str, str]:
    """The criteria of a report's controls and exceptions, by their spelling in lower case."""
    return {criterion.casefold(): criterion for place in report.places for criterion in place.criteria}


def unknown_criteria(report: Report, named: Sequence[str]) -> DomainError:
    """The refusal of criteria that a report does not speak of."""
    shown = ", ".join(_CONTROL.sub("�", name)[:80] for name in named[:NAMED_IN_ERRORS])
    more = f" and {len(named) - NAMED_IN_ERRORS} more" if len(named) > NAMED_IN_ERRORS else ""
    why = (
        "The report's newest version that is ready names no such criterion in its controls or exceptions"
        if report.places
        else "The facts of the report's newest version that is ready name no controls"
    )
    return invalid("criteria", f"{why}: {shown}{more}.")


def _ascending(first: str, last: str) -> bool:
    """Whether two labels begin and end a range: alike but in their last number, which grows."""
    (prefix, numbers), (prefix2, numbers2) = _split(first), _split(last)
    return prefix == prefix2 and numbers[:-1] == numbers2[:-1] and numbers[-1:] < numbers2[-1:]


def _split(label: str) -> tuple[str, list[int]]:
    found = _PARTS.fullmatch(label)
    if found is None:
        raise AssertionError("a label is a prefix and numbers")
    return found[1].casefold(), [int(number) for number in found[2].split(".")]


def _period(facts: Facts) -> str:
    if facts.period_start and facts.period_end:
        return f"for the period {_day(facts.period_start)} to {_day(facts.period_end)}"
    return f"as of {_day(facts.as_of)}" if facts.as_of else ""


def _day(value: date) -> str:
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def _counted(one: str, many: str, names: Sequence[str]) -> str:
    if len(names) < 2:
        return " ".join([one, *names]) if names else ""
    if len(names) > MAX_NAMED:
        return f"{many} {', '.join(names[:MAX_NAMED])} and {len(names) - MAX_NAMED} more"
    return f"{many} {', '.join(names[:-1])} and {names[-1]}"


def _pages(pages: Sequence[int]) -> str:
    """`page 4`, `pages 4–6, 9`: neighbours joined."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][1] + 1:
            runs[-1][1] = page
        else:
            runs.append([page, page])
    text = ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in runs)
    return f"{'page' if len(pages) == 1 else 'pages'} {text}" if pages else ""


def _filled(wording: str, values: Mapping[str, str]) -> str:
    """The wording with its values, put in once: braces in a value are text."""

    def group(found: re.Match[str]) -> str:
        return found[1] if all(values[name] for name in _NAME.findall(found[1])) else ""

    return _NAME.sub(lambda found: values[found[1]], _GROUP.sub(group, wording)).strip()
