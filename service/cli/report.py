"""`sealmark report`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path

import click

from service.audit import timestamp
from service.cli.failures import Unavailable
from service.cli.log import bring_up_to_date, write_new
from service.cli.output import answer, json_option, note, plain, table
from service.cli.session import opened, system_user
from service.cli.values import DAY


@click.command()
@click.option("--from", "first", type=DAY, help="The first day (UTC), such as 2026-01-01. Default: 26 weeks.")
@click.option("--until", "last", type=DAY, help="The last day (UTC). Default: today.")
@click.option("--csv", "as_csv", is_flag=True, help="All numbers as CSV on standard output.")
@click.option(
    "--svg",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the charts, one SVG each, to this folder, made if it is not there.",
)
@json_option
def report(first: date | None, last: date | None, as_csv: bool, svg: Path | None, as_json: bool) -> None:
    """Answers for the board: reports out, to whom, accesses a week, time to a link, exceptions most looked at.

    Numbers, and the names of companies; no person. The pull is an entry of the log.
    """
    from service import board

    if as_csv and as_json:
        raise click.UsageError("Ask for --csv or --json, not for both.")
    with opened() as sealmark:
        bring_up_to_date(sealmark)
        made = sealmark.reporting.report(system_user(), first, last)
    if svg is not None:
        try:
            svg.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"cannot make {svg}: {error.strerror}") from error
        for chart in board.charts(made):
            write_new(svg / f"{chart.name}.svg", iter([chart.svg.encode()]))
    if as_csv:
        click.echo(board.as_csv(made).decode(), nl=False)
        return
    if as_json:
        answer({name: _value(value) for name, value in asdict(made).items()}, as_json)
        return
    _section(f"Open shares by document, {made.made_at:%Y-%m-%d}")
    table([asdict(one) for one in made.out], ("shares", "people", "kind", "document", "name"))
    _section("Open shares by company")
    table([asdict(one) for one in made.companies], ("shares", "people", "domain", "name"))
    _section(f"Accesses a week, {made.first} to {made.last}")
    table([asdict(one) for one in made.weeks], ("monday", "downloads", "views", "public"))
    _section("Requests for access")
    waited = made.requests.median_seconds
    took = "-" if waited is None else str(timedelta(seconds=waited))
    answer({**asdict(made.requests), "median_seconds": None, "median_from_request_to_link": took}, False)
    _section("Exceptions most looked at")
    table(
        [asdict(one) for one in made.exceptions],
        ("shown", "control", "criterion", "document", "version", "name"),
    )
    note("shown: how often its pages were shown in view-only shares; what is read in a download is not known")


def _section(title: str) -> None:
    click.echo(f"\n{plain(title)}")


def _value(value: object) -> object:
    if isinstance(value, dict):
        return {name: _value(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_value(one) for one in value]
    if isinstance(value, datetime):
        return timestamp(value)
    return value.isoformat() if isinstance(value, date) else value
