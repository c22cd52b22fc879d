"""The sample report together with its facts, whose pages come out of the same build."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from service.demo.report import SECTION_TITLES, Built, build_report
from service.demo.report_catalogue import CONTROLS, DEVIATIONS
from service.demo.report_identity import AUDITOR, CATEGORIES, OPINION, PERIOD_END, PERIOD_START


@dataclass(frozen=True)
class Sample:
    """A report to lend: its PDF, and its version's facts as JSON-able values, pages counted from 1."""

    pdf: bytes
    facts: dict[str, Any]


def make_sample() -> Sample:
    """The sample report and facts that match it page by page. The same every time."""
    built = build_report()
    return Sample(built.pdf, _facts(built))


def _facts(built: Built) -> dict[str, Any]:
    return {
        "period_start": PERIOD_START.isoformat(),
        "period_end": PERIOD_END.isoformat(),
        "auditor": AUDITOR,
        "opinion": OPINION,
        "criteria": list(CATEGORIES),
        "sections": _sections(built),
        "controls": [
            {
                "id": control.id,
                "criteria": list(control.criteria),
                "pages": built.places.pages(f"control:{control.id}"),
            }
            for control in CONTROLS
        ],
        "exceptions": [
            {
                "control": item.control,
                "criterion": item.criterion,
                "deviation": item.text,
                "response": item.response,
                "remediated": item.remediated,
                "pages": built.places.pages(f"exception:{item.control}"),
            }
            for item in DEVIATIONS
        ],
    }


def _sections(built: Built) -> list[dict[str, Any]]:
    """Each section ends before the next begins; the page that opens Section IV belongs to none of its parts."""
    first = {kind: built.places.pages(f"section:{kind}")[0] for kind in SECTION_TITLES}
    begins = sorted([*first.values(), *built.places.pages("section-iv"), built.page_count + 1])
    return [
        {
            "kind": kind,
            "title": title,
            "first_page": first[kind],
            "last_page": min(page for page in begins if page > first[kind]) - 1,
        }
        for kind, title in SECTION_TITLES.items()
    ]
