"""The sample report that `make demo` lends: a PDF in the shape of a SOC 2 Type II report of an invented company."""

from __future__ import annotations

import io
from dataclasses import dataclass
from xml.sax.saxutils import escape

from reportlab.platypus import Flowable, NextPageTemplate, PageBreak, Paragraph, Spacer, Table

from service.demo import report_figures as figures
from service.demo import report_narrative as narrative
from service.demo import report_system as system
from service.demo import report_tables as rows
from service.demo.report_control_tables import ControlTables
from service.demo.report_flow import Flow, Part, figure, table
from service.demo.report_fonts import register_fonts
from service.demo.report_identity import AUDITOR, COMPANY, PERIOD, REPORT_DATE, SYSTEM, written
from service.demo.report_layout import BODY, NOTE, WIDE_WIDTH, WIDTH, Places, ReportTemplate, contents

SECTION_TITLES: dict[str, str] = {
    "auditors-opinion": "Independent service auditor’s report",
    "managements-assertion": "Management’s assertion",
    "system-description": "Description of the system",
    "controls": "Criteria and controls",
    "test-results": "Tests and results",
    "managements-responses": "Other information provided by management",
    "other": "Glossary and references",
}
"""The sections that the facts name: kind and title, in the report's order."""

SECTION_IV = "Criteria, controls, tests and results"


@dataclass(frozen=True)
class Built:
    """The report and where everything in it stands.

    `places` holds the pages of `section:<kind>`, `section-iv`, `control:<id>` and `exception:<control>`.
    """

    pdf: bytes
    places: Places
    page_count: int


def make_report() -> bytes:
    """The sample report as a PDF. The same bytes every time."""
    return build_report().pdf


def build_report() -> Built:
    """The sample report with the places that its facts name, both of the same build."""
    register_fonts()
    places = Places()
    out = io.BytesIO()
    template = ReportTemplate(out, places)
    template.multiBuild(_story(places))
    return Built(out.getvalue(), places, template.page_count)


def _story(places: Places) -> list[Flowable]:
    flow = Flow(places)
    controls = ControlTables(places)
    return [
        *_front(flow),
        *_section_one_and_two(flow),
        *_section_three(flow),
        *_section_four(flow, controls),
        *_section_five(flow, controls),
        *_appendix(flow),
    ]


def _front(flow: Flow) -> list[Flowable]:
    facts = {"facts": lambda: table(rows.FACTS, (150, WIDTH - 150))}
    return [
        NextPageTemplate("upright"),
        Spacer(1, 1),
        PageBreak(),
        flow.heading("About this report", 0),
        *flow.text(narrative.NOTICE, facts),
        PageBreak(),
        flow.heading("Contents", 0),
        contents(),
    ]


def _section_one_and_two(flow: Flow) -> list[Flowable]:
    sign: dict[str, Part] = {
        "signature-auditor": lambda: _signatures((AUDITOR, "Service auditor, Saint Orrin")),
        "signature-management": lambda: _signatures(
            ("Ilsabet Quarrow", "Chief Executive"), ("Teodrin Maske", "Chief Information Security Officer")
        ),
    }
    return [
        *_divider(
            flow, "Section I", "auditors-opinion", f"Report of {AUDITOR}, dated {written(REPORT_DATE)}"
        ),
        *flow.text(narrative.OPINION_TEXT, sign),
        *_divider(flow, "Section II", "managements-assertion", f"Of the management of {COMPANY}"),
        *flow.text(narrative.ASSERTION_TEXT, sign),
    ]


def _divider(flow: Flow, label: str, kind: str, summary: str) -> list[Flowable]:
    opening = flow.divider(label, SECTION_TITLES[kind], escape(summary), f"section:{kind}")
    return [NextPageTemplate("upright"), PageBreak(), *opening, PageBreak()]


def _signatures(*signers: tuple[str, str]) -> list[Flowable]:
    """The signatures of people or firms (name and role), side by side."""
    cells = [
        [
            Paragraph(f"/s/ {name}", NOTE),
            Paragraph(f"<b>{name}</b><br/>{role}<br/>{written(REPORT_DATE)}", BODY),
        ]
        for name, role in signers
    ]
    return [
        Spacer(1, 16),
        Table(
            [cells], colWidths=[WIDTH / len(cells)] * len(cells), style=[("LEFTPADDING", (0, 0), (-1, -1), 0)]
        ),
    ]


def _section_three(flow: Flow) -> list[Flowable]:
    parts: dict[str, Part] = {
        "commitments": lambda: table(rows.COMMITMENTS, (92, WIDTH - 92)),
        "software": lambda: table(rows.SOFTWARE, (118, 218, WIDTH - 336)),
        "figure-architecture": lambda: figure(
            figures.architecture(),
            "Figure 1. The production environment. Shaded in green: where access is decided.",
        ),
        "figure-organisation": lambda: figure(
            figures.organisation(), "Figure 2. Functions that take part in operating the system."
        ),
        "figure-dataflow": lambda: figure(
            figures.data_flow(),
            "Figure 3. The way of a document from its sender to its recipient, and where it rests.",
        ),
        "figure-risk": lambda: figure(
            figures.risk_map(),
            "Figure 4. The 82 risks of the register in February 2026, as rated after treatment.",
        ),
        "figure-availability": lambda: figure(
            figures.availability(),
            "Figure 5. Availability by month, October 2025 to September 2026, in per cent. Dashed: the commitment.",
        ),
        "classes": lambda: table(rows.CLASSES, (68, 200, WIDTH - 268)),
        "stores": lambda: table(rows.STORES, (88, 138, 66, 66, 72, 84, 62, WIDE_WIDTH - 576)),
        "incidents": lambda: table(rows.INCIDENTS, (58, 48, 168, WIDTH - 332, 58)),
        "recovery": lambda: table(rows.RECOVERY, (120, *[(WIDTH - 120) / 4] * 4)),
        "changes": lambda: table(rows.CHANGES, (52, 212, WIDTH - 264)),
        "subservice": lambda: table(rows.SUBSERVICE, (82, 112, WIDTH - 264, 70)),
        "cuecs": lambda: table(rows.CUECS, (28, WIDTH - 112, 84)),
    }
    return [
        *_divider(flow, "Section III", "system-description", f"The {SYSTEM} system in the period {PERIOD}"),
        *flow.text(system.OVERVIEW_TEXT, parts),
        NextPageTemplate("wide"),
        PageBreak(),
        *flow.text(system.DATAFLOW_TEXT, parts),
        PageBreak(),
        *flow.text(system.STORES_TEXT, parts),
        NextPageTemplate("upright"),
        PageBreak(),
        *flow.text(system.PROCESS_TEXT, parts),
    ]


def _section_four(flow: Flow, controls: ControlTables) -> list[Flowable]:
    parts: dict[str, Part] = {
        "criteria": controls.criteria,
        "controls": controls.controls,
        "matrix": controls.matrix,
        "procedures": lambda: table(rows.PROCEDURES, (92, WIDTH - 92)),
        "samples": lambda: table(rows.SAMPLES, (190, WIDTH - 190)),
        "tally": controls.tally,
        "exceptions": controls.exceptions,
    }
    keys = {SECTION_TITLES[kind]: f"section:{kind}" for kind in ("controls", "test-results")}
    opening = flow.divider("Section IV", SECTION_IV, f"Tests by {AUDITOR}", "section-iv")
    return [
        NextPageTemplate("upright"),
        PageBreak(),
        *opening,
        PageBreak(),
        *flow.text(narrative.METHOD_TEXT, parts, keys),
        PageBreak(),
        *flow.text(narrative.CONTROLS_TEXT, parts),
        PageBreak(),
        *flow.text(narrative.MATRIX_TEXT, parts),
        PageBreak(),
        *flow.text(narrative.TESTS_TEXT, parts, keys),
        PageBreak(),
        *flow.text(narrative.EXCEPTIONS_TEXT, parts),
        NextPageTemplate("wide"),
        PageBreak(),
        *controls.tests(flow),
    ]


def _section_five(flow: Flow, controls: ControlTables) -> list[Flowable]:
    parts: dict[str, Part] = {"responses": controls.responses, "actions": controls.actions}
    return [
        *_divider(flow, "Section V", "managements-responses", "Not examined by the service auditor"),
        *flow.text(narrative.RESPONSES_TEXT, parts),
    ]


def _appendix(flow: Flow) -> list[Flowable]:
    links = [
        rows.REFERENCES[0],
        *((subject, f'<a href="{url}" color="#1d4f73">{url}</a>') for subject, url in rows.REFERENCES[1:]),
    ]
    return [
        PageBreak(),
        flow.heading(SECTION_TITLES["other"], 0, "section:other", label="Appendix"),
        *flow.text("## Terms"),
        *table(rows.GLOSSARY, (140, WIDTH - 140)),
        *flow.text("## References"),
        *table(links, (210, WIDTH - 210)),
    ]
