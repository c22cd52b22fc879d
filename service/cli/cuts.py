"""`sealmark cuts …`: sections of a version, cut out as a report of their own."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from service.cli.failures import RefusedHere, Unavailable
from service.cli.output import answer, as_dict, json_option, table
from service.cli.progress import Progress, progress
from service.cli.sections import section_option, sections_of
from service.cli.session import opened, system_user
from service.cli.values import SPAN
from service.cli.versions import ASK_EVERY
from service.records import Cut, CutState
from watermark.errors import RefusalReason, Refused

if TYPE_CHECKING:
    from service.app import Sealmark

COLUMNS = ("id", "sections", "state", "reason", "pages", "created_at", "settled_at")


@click.group()
def cuts() -> None:
    """Sections of a version, cut out as a report of their own, to share instead of the whole."""


@cuts.command()
@click.argument("document")
@click.argument("version")
@section_option(required=True)
@click.option("--compile", "here", is_flag=True, help="Compile in this process, where no worker runs.")
@click.option(
    "--wait", type=SPAN, default="15m", show_default=True, help="How long to wait for it to be ready."
)
@json_option
def create(
    document: str, version: str, sections: tuple[str, ...], here: bool, wait: timedelta, as_json: bool
) -> None:
    """Cut sections out of VERSION (ver_…) of DOCUMENT (doc_…); wait until that is ready or refused.

    The same sections give the same cut.
    """
    with opened(sealing=True) as sealmark, progress() as line:
        found = sealmark.documents.version(document, version)
        cut = sealmark.cuts.ask(system_user(), found.id, sections_of(sections))
        cut = _settled(sealmark, document, cut, wait.total_seconds(), line, here=here)
    answer(as_dict(cut), as_json)
    if cut.state == CutState.REFUSED:
        raise RefusedHere(f"the sections cannot be cut out ({cut.reason}): {_why(cut)}")


@cuts.command("list")
@click.argument("document")
@click.argument("version")
@json_option
def list_(document: str, version: str, as_json: bool) -> None:
    """List the cuts of VERSION (ver_…) of DOCUMENT (doc_…), the oldest first."""
    with opened() as sealmark:
        rows = [as_dict(cut) for cut in sealmark.cuts.of_version(document, version)]
    if as_json:
        answer({"items": rows}, as_json)
        return
    table(rows, COLUMNS)


@cuts.command()
@click.argument("document")
@click.argument("version")
@click.argument("cut")
@json_option
def show(document: str, version: str, cut: str, as_json: bool) -> None:
    """Show one cut (cut_…)."""
    with opened() as sealmark:
        answer(as_dict(sealmark.cuts.get(document, version, cut)), as_json)


def _settled(
    sealmark: Sealmark, document: str, cut: Cut, seconds: float, line: Progress, *, here: bool
) -> Cut:
    """The cut once it is ready or refused. Raises `Unavailable` when that takes longer than `seconds`."""
    begun = time.monotonic()
    while cut.state == CutState.COMPILING:
        waited = time.monotonic() - begun
        if waited > seconds:
            raise Unavailable(
                "The cut is not compiled yet: see that `sealmark worker` runs, and look with `sealmark cuts show`."
            )
        line.say(f"cutting … {waited:.0f} s")
        if not (here and sealmark.compiling.run_once()):
            time.sleep(ASK_EVERY)
        cut = sealmark.cuts.get(document, cut.version_id, cut.id)
    return cut


def _why(cut: Cut) -> str:
    try:
        return Refused(RefusalReason(cut.reason or "")).message
    except ValueError:
        return "choose other sections, or share the whole report"
