"""The answers for the board: charts on a page, and the numbers as a file."""

from __future__ import annotations

from datetime import date

from flask import Response

from service.app import Sealmark
from service.board import as_csv, charts
from service.reporting import BoardReport
from service.web.console import fields
from service.web.console.gate import Visitor
from service.web.console.rendering import html

CSV = "text/csv; charset=utf-8; header=present"


class Presenting:
    """Each look is an entry with the staff actor, as each pull through the API is."""

    def __init__(self, sealmark: Sealmark) -> None:
        self._reporting = sealmark.reporting

    def report(self, visitor: Visitor) -> Response:
        """The charts of the days that are asked for, the last 26 weeks where none are."""
        made = self._made(visitor)
        return html("report", report=made, charts=charts(made))

    def numbers(self, visitor: Visitor) -> Response:
        """The same as a table."""
        answer = Response(as_csv(self._made(visitor)), content_type=CSV)
        answer.headers["Content-Disposition"] = 'attachment; filename="sealmark-report.csv"'
        return answer

    def _made(self, visitor: Visitor) -> BoardReport:
        return self._reporting.report(visitor.actor, _day("from"), _day("until"))


def _day(name: str) -> date | None:
    found = fields.day(name)
    return found.date() if found else None
