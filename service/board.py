"""How a report for the board is shown: as charts, and as one table of numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from service.charts import Chart, Series, bars, columns
from service.exporting import harmless
from service.reporting import BoardReport

COLUMNS = ("part", "item", "detail", "measure", "value")

MAX_BARS = 15
"""Bars of one chart; the table has all rows."""


def charts(report: BoardReport) -> list[Chart]:
    """The charts of a report, in the order in which they are read."""
    weeks = report.weeks
    days = f"{report.first.isoformat()} to {report.last.isoformat()}"
    downloads, views = sum(week.downloads for week in weeks), sum(week.views for week in weeks)
    busiest = max(weeks, key=lambda week: week.downloads)
    shares = sum(one.shares for one in report.out)
    return [
        bars(
            "reports-out",
            "Open shares by document",
            f"{shares} open shares of {len(report.out)} documents on {report.made_at:%Y-%m-%d}{_most(report.out)}.",
            [(one.name, one.shares) for one in report.out[:MAX_BARS]],
        ),
        bars(
            "to-whom",
            "Open shares by company",
            f"The open shares are to people of {len(report.companies)} mail domains{_most(report.companies)}.",
            [
                (f"{one.name} ({one.domain})" if one.name else one.domain, one.shares)
                for one in report.companies
            ][:MAX_BARS],
        ),
        columns(
            "accesses",
            "Accesses a week",
            f"{downloads} downloads and {views} page views in {len(weeks)} weeks, {days}; most downloads, "
            f"{busiest.downloads}, in the week of {busiest.monday.isoformat()}.",
            [week.monday.isoformat() for week in weeks],
            [
                Series("Downloads", [week.downloads for week in weeks]),
                Series("Page views", [week.views for week in weeks]),
                Series("Public downloads", [week.public for week in weeks]),
            ],
        ),
        bars(
            "exceptions",
            "Exceptions most looked at",
            f"How often pages that speak of an exception were shown in view-only shares, {days}. What is read in "
            "copies that were downloaded is not known.",
            [(f"{one.control}, {one.name}", one.shown) for one in report.exceptions[:MAX_BARS]],
        ),
    ]


def as_csv(report: BoardReport) -> bytes:
    """All numbers, one a row (RFC 4180); cells that a spreadsheet would run are quoted against it."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    writer.writerows([harmless(str(cell)) for cell in row] for row in _rows(report))
    return written.getvalue().encode()


def _rows(report: BoardReport) -> Iterator[tuple[str, str, str, str, object]]:
    for out in report.out:
        yield "out", out.name, out.document, "open shares", out.shares
        yield "out", out.name, out.document, "people", out.people
    for company in report.companies:
        yield "to whom", company.domain, company.name, "open shares", company.shares
        yield "to whom", company.domain, company.name, "people", company.people
    for week in report.weeks:
        yield "week", week.monday.isoformat(), "", "downloads", week.downloads
        yield "week", week.monday.isoformat(), "", "page views", week.views
        yield "week", week.monday.isoformat(), "", "public downloads", week.public
    requests = report.requests
    days = f"{report.first.isoformat()} to {report.last.isoformat()}"
    yield "requests", days, "", "asked", requests.asked
    yield "requests", days, "", "approved", requests.approved
    yield "requests", days, "", "denied", requests.denied
    yield "requests", days, "", "pending", requests.pending
    if requests.median_seconds is not None:
        yield "requests", days, "", "median seconds from request to link", requests.median_seconds
    for one in report.exceptions:
        where = f"version {one.version}, {one.control}, {one.criterion}"
        yield "exceptions", one.name, where, "pages shown in view-only shares", one.shown


def _most(rows: tuple[object, ...]) -> str:
    """The first row in words, which has most."""
    if not rows:
        return ""
    first = rows[0]
    return f"; most, {getattr(first, 'shares', 0)}, of {getattr(first, 'name', '') or getattr(first, 'domain', '')}"
