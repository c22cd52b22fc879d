"""The sample report's tables of criteria, controls, tests and exceptions, which note where each one stands."""

from __future__ import annotations

from reportlab.platypus import CondPageBreak, Flowable, Paragraph, Spacer, Table

from service.demo.report_catalogue import (
    CONTROLS,
    DEVIATIONS,
    FAMILIES,
    NO_EXCEPTIONS,
    Control,
    Family,
    deviation_of,
)
from service.demo.report_criteria import CRITERIA, CRITERIA_GROUPS
from service.demo.report_flow import Cell, Flow, table
from service.demo.report_layout import (
    BODY,
    CELL,
    CELL_BAND,
    CELL_ID,
    CELL_WARN,
    RULE,
    WARN_PALE,
    WIDE_WIDTH,
    WIDTH,
    Marked,
    Places,
    marked,
)

_ID = 66.0  # points; wide enough for an identifier and the criteria under it
_STATED = 196.0
_TEST = 282.0
_RESULT = WIDE_WIDTH - _ID - _STATED - _TEST
_PAD = 10.0  # left and right padding of a cell together


def _link(control: str) -> str:
    return f'<a href="#control-{control}" color="#1d4f73">{control}</a>'


class ControlTables:
    """Makes the tables and notes the pages of `control:<id>` and `exception:<control>` in `places`."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def _mark(self, text: str, *keys: str, anchor: str | None = None) -> Marked:
        return marked(text, CELL_ID, self._places, *keys, anchor=anchor)

    def criteria(self) -> list[Flowable]:
        """Every criterion with its meaning, by group."""
        rows: list[list[Cell]] = [["Criterion", "Meaning"]]
        bands = []
        for group, title in CRITERIA_GROUPS.items():
            bands.append(len(rows))
            rows.append([Paragraph(f"{group}  {title}", CELL_BAND)])
            for criterion, meaning in CRITERIA.items():
                if criterion.partition(".")[0] == group:
                    rows.append([Paragraph(criterion, CELL_ID), meaning])
        return table(rows, (64, WIDTH - 64), bands=bands)

    def controls(self) -> list[Flowable]:
        """Every control as management states it. Links to a control lead here."""
        rows: list[list[Cell]] = [["Control", "Criteria", "Description"]]
        bands = []
        for family in FAMILIES:
            bands.append(len(rows))
            rows.append([Paragraph(family.title, CELL_BAND)])
            for control in family.controls:
                mark = self._mark(control.id, f"control:{control.id}", anchor=f"control-{control.id}")
                rows.append([mark, ", ".join(control.criteria), control.description])
        return table(rows, (52, 62, WIDTH - 114), bands=bands)

    def matrix(self) -> list[Flowable]:
        """Each criterion with the controls that meet it, as links."""
        rows: list[list[Cell]] = [["Criterion", "Controls", "Criterion", "Controls"]]
        cells: list[tuple[Cell, Cell]] = [
            (
                Paragraph(criterion, CELL_ID),
                ", ".join(_link(control.id) for control in CONTROLS if criterion in control.criteria),
            )
            for criterion in CRITERIA
        ]
        half = (len(cells) + 1) // 2
        rows += [[*left, *right] for left, right in zip(cells[:half], cells[half:], strict=True)]
        rest = WIDTH / 2 - 56
        return table(rows, (56, rest, 56, rest))

    def tests(self, flow: Flow) -> list[Flowable]:
        """Each control with its tests and their results, a table a family. For landscape pages."""
        out: list[Flowable] = []
        for family in FAMILIES:
            rows: list[list[Cell]] = [
                ["Control", "Description", "Test performed by the service auditor", "Result"]
            ]
            shades: list[tuple[object, ...]] = []
            for control in family.controls:
                if deviation_of(control.id):
                    shades.append(("BACKGROUND", (0, len(rows)), (-1, len(rows)), WARN_PALE))
                rows.append(self._tested(control))
            shades += [("SPAN", (2, row), (3, row)) for row in range(1, len(rows))]
            out.append(CondPageBreak(170))
            out.append(flow.heading(family.title, 2))
            out += table(rows, (_ID, _STATED, _TEST, _RESULT), style=shades)
        return out

    def _tested(self, control: Control) -> list[Cell]:
        deviation = deviation_of(control.id)
        keys = [f"control:{control.id}"] + ([f"exception:{control.id}"] if deviation else [])
        lines: list[list[Flowable]] = []
        for number, test in enumerate(control.tests):
            result = Paragraph(NO_EXCEPTIONS, CELL)
            if deviation and deviation.test == number:
                result = Paragraph(f"<b>Exception noted.</b> {deviation.text}", CELL_WARN)
            lines.append([Paragraph(test, CELL), result])
        inner = Table(
            lines,
            colWidths=(_TEST, _RESULT - _PAD),
            style=[
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (0, -1), 0),
                ("LEFTPADDING", (1, 0), (1, -1), 0),
                ("RIGHTPADDING", (0, 0), (0, -1), _PAD),
                ("RIGHTPADDING", (1, 0), (1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, 0), 0),
                ("TOPPADDING", (0, 1), (-1, -1), 3),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                ("LINEABOVE", (0, 1), (-1, -1), 0.3, RULE),
            ],
        )
        head: list[Flowable] = [
            self._mark(f'<a href="#control-{control.id}">{control.id}</a>', *keys),
            Paragraph("<br/>".join(control.criteria), CELL),
        ]
        return [head, control.description, [inner], ""]

    def tally(self) -> list[Flowable]:
        """How many controls, tests and exceptions each family has."""
        rows: list[list[Cell]] = [["Family", "Controls", "Tests", "Exceptions"]]
        for family in (*FAMILIES, Family("All families", CONTROLS)):
            tests = sum(len(control.tests) for control in family.controls)
            noted = sum(deviation_of(control.id) is not None for control in family.controls)
            rows.append(
                [family.title, str(len(family.controls)), str(tests), str(noted) if noted else "None"]
            )
        return table(rows, (WIDTH - 210, 70, 70, 70))

    def exceptions(self) -> list[Flowable]:
        """The exceptions in short. Links to an exception lead here."""
        rows: list[list[Cell]] = [["Control", "Criterion", "Exception", "Bearing"]]
        for deviation in DEVIATIONS:
            name = deviation.control
            mark = self._mark(name, f"exception:{name}", anchor=f"exception-{name}")
            rows.append([mark, deviation.criterion, deviation.text, deviation.effect])
        return table(rows, (52, 54, (WIDTH - 106) / 2, (WIDTH - 106) / 2))

    def responses(self) -> list[Flowable]:
        """Management's answer to each exception."""
        out: list[Flowable] = []
        for deviation in DEVIATIONS:
            name = deviation.control
            state = "Remediated" if deviation.remediated else "Not yet remediated"
            rows: list[list[Cell]] = [
                ["Subject", f"Exception at control {name}"],
                ["Control", [self._mark(_link(name), f"exception:{name}")]],
                ["Criterion", deviation.criterion],
                ["What deviated", deviation.text],
                ["Response", deviation.response],
                ["State", f"<b>{state}.</b> {deviation.due}"],
            ]
            out += [CondPageBreak(150), *table(rows, (92, WIDTH - 92))]
        return out

    def actions(self) -> list[Flowable]:
        """What is done about each exception, by whom and until when."""
        rows: list[list[Cell]] = [["Control", "Action", "Owner", "State"]]
        rows += [[_link(item.control), item.action, item.owner, item.due] for item in DEVIATIONS]
        lead = Paragraph("Two of the three actions were complete when this report was issued.", BODY)
        return [lead, Spacer(1, 2), *table(rows, (52, WIDTH - 262, 100, 110))]
