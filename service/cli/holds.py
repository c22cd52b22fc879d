"""`sealmark holds …`"""

from __future__ import annotations

import click

from service.cli.output import after_option, answer, answer_list, as_dict, json_option, limit_option
from service.cli.session import opened, system_user

COLUMNS = ("id", "kind", "subject", "reason", "placed_at", "released_at")


@click.group()
def holds() -> None:
    """What must not be erased while a matter is open."""


@holds.command()
@click.option("--recipient", metavar="ID", help="On one person (rcp_…) …")
@click.option("--company", metavar="DOMAIN", help="… or on all people of a company's mail domain …")
@click.option("--document", metavar="ID", help="… or on all whom a document (doc_…) was shared with.")
@click.option("--reason", required=True, help="Why, such as the name of the matter.")
@json_option
def place(
    recipient: str | None, company: str | None, document: str | None, reason: str, as_json: bool
) -> None:
    """Forbid to erase a recipient, a company's people, or a document's readers."""
    with opened() as sealmark:
        made = sealmark.holds.place(
            system_user(), recipient=recipient, company=company, document=document, reason=reason
        )
    answer(as_dict(made), as_json)


@holds.command("list")
@click.option("--standing", is_flag=True, help="Only those that are not released.")
@limit_option
@after_option
@json_option
def list_(standing: bool, limit: int, after: str | None, as_json: bool) -> None:
    """List holds."""
    with opened() as sealmark:
        found = sealmark.holds.list(standing=standing, after=after, limit=limit + 1)
    answer_list("holds", [as_dict(item) for item in found], COLUMNS, limit, as_json)


@holds.command()
@click.argument("hold")
@json_option
def release(hold: str, as_json: bool) -> None:
    """End a hold (hld_…)."""
    with opened() as sealmark:
        answer(as_dict(sealmark.holds.release(system_user(), hold)), as_json)
