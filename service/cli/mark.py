"""`sealmark mark`: one file for one person, without a service."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service.cli.output import answer, json_option, note
from service.cli.progress import progress

if TYPE_CHECKING:
    from service.standalone.marking import Marked, Order


@click.command(short_help="Mark a PDF for one person, without a service.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--for",
    "person",
    metavar='"NAME <MAIL>"',
    required=True,
    help="Whose copy it is, as it stands on each page.",
)
@click.option("--company", default="", help="The person's company, on the copy too.")
@click.option(
    "-o", "--output", "out", type=click.Path(path_type=Path), required=True, help="Where the copy is put."
)
@click.option(
    "--key",
    "key",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of your key, made with the first copy. Default: sealmark/mark.key in your configuration folder.",
)
@click.option("--force", is_flag=True, help="Replace the file that is at --output.")
@json_option
def mark(
    file: Path, person: str, company: str, out: Path, key: Path | None, force: bool, as_json: bool
) -> None:
    """Mark FILE (a PDF) for one person, without a service.

    The copy has the person's name on every page and a random id. A register beside your key says whose copy has which
    id. Keep key and register: they are what a leaked copy is traced by.
    """
    from service.standalone.child import unconfined_is_allowed
    from service.standalone.key import default_key_path
    from service.standalone.marking import Order, mark_file
    from service.standalone.person import read_person

    now = datetime.now(UTC)
    order = Order(
        file, read_person(person, company, now.date()), out, key or default_key_path(os.environ), force
    )
    with progress() as line:
        line.say("compiling …")
        made = mark_file(order, now, allow_unconfined=unconfined_is_allowed(os.environ))
    _answer(order, made, as_json)


def _answer(order: Order, made: Marked, as_json: bool) -> None:
    from service.cli.carrying import capacity_values, note_signatures, removed_text, removed_values

    shown: dict[str, Any] = {
        "file": str(order.out),
        "copy": made.copy_id,
        "name": order.person.name,
        "mail": order.person.mail,
        "company": order.person.company,
        "issued": made.marked_at.date().isoformat(),
        "pages": made.pages,
        "size": made.size,
        "sha256": made.sha256,
        "source_sha256": made.origin.sha256,
        "key": str(order.key),
        "register": str(made.origin.register),
    }
    if as_json:
        carried = {"capacity": capacity_values(made.capacity), "removed": removed_values(made.removed)}
        answer({**shown, **carried, "key_is_new": made.origin.key_is_new}, as_json)
        return
    answer({**shown, "carries": made.capacity.statement, "removed": removed_text(made.removed)}, as_json)
    note_signatures(made.removed)
    if made.origin.key_is_new:
        note(f"Made your key {order.key}: keep it and its register, and a copy of both.")
