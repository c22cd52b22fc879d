"""`sealmark recipients …`"""

from __future__ import annotations

import click

from service.cli.output import after_option, answer, answer_list, as_dict, json_option, limit_option, note
from service.cli.session import opened, system_user

COLUMNS = ("id", "mail", "name", "company", "created_at")


@click.group()
def recipients() -> None:
    """People who may be lent a report.

    They are made by their first share or agreement.
    """


@recipients.command("list")
@click.option("--mail", help="Only the one of this address.")
@limit_option
@after_option
@json_option
def list_(mail: str | None, limit: int, after: str | None, as_json: bool) -> None:
    """List recipients."""
    with opened() as sealmark:
        found = sealmark.recipients.list(mail=mail, after=after, limit=limit + 1)
    answer_list("recipients", [as_dict(item) for item in found], COLUMNS, limit, as_json)


@recipients.command()
@click.argument("recipient")
@json_option
def show(recipient: str, as_json: bool) -> None:
    """Show one recipient (rcp_…)."""
    with opened() as sealmark:
        answer(as_dict(sealmark.recipients.get(recipient)), as_json)


@recipients.command()
@click.argument("recipient")
@json_option
def erase(recipient: str, as_json: bool) -> None:
    """Erase one recipient (rcp_…) for good: mail, name, company, copies, and their values in the log.

    What was lent to them is closed. Their id, and what the log proves, stay. A hold refuses it.
    """
    with opened(sealing=True) as sealmark:
        erased = sealmark.erasing.begin(system_user(), recipient)
        if not sealmark.erasing.finish(recipient):
            note("Part of it could not be reached; the worker goes on with it.")
        answer(as_dict(erased), as_json)
