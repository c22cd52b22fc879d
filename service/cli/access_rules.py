"""`sealmark rules …`"""

from __future__ import annotations

from typing import TextIO

import click

from service.cli.output import after_option, answer, answer_list, as_dict, json_option, limit_option
from service.cli.session import opened, system_user
from service.records import NdaMode, RuleKind
from service.terms import DEFAULT_SHARE_LIFE

COLUMNS = (
    "id",
    "kind",
    "document_id",
    "domain",
    "nda",
    "view_only",
    "download_limit",
    "days",
    "removed_at",
)

EDITS = {"put": "put_members", "add": "add_members", "remove": "remove_members"}


@click.group()
def rules() -> None:
    """What approves requests for access by itself."""


@rules.command()
@click.option(
    "--kind",
    type=click.Choice([str(one) for one in RuleKind]),
    required=True,
    help="domain: by the mail domain. nda: whose agreement is in force. list: who stands on the rule's list.",
)
@click.option("--document", metavar="ID", help="Only this document (doc_…). Default: all that are listed.")
@click.option("--domain", help="The company's mail domain, such as acme.example; never a free-mail one.")
@click.option(
    "--nda",
    type=click.Choice([str(one) for one in NdaMode]),
    default=str(NdaMode.REQUIRE),
    show_default=True,
    help="Where no agreement is in force. ask: sign on the page first. require: a person decides.",
)
@click.option("--view-only", is_flag=True, help="Let the report be read on the page, not downloaded.")
@click.option("--downloads", "download_limit", type=int, help="At most so many downloads. Default: no limit.")
@click.option(
    "--days", type=int, default=DEFAULT_SHARE_LIFE.days, show_default=True, help="How long a share lives."
)
@json_option
def add(
    kind: str,
    document: str | None,
    domain: str | None,
    nda: str,
    view_only: bool,
    download_limit: int | None,
    days: int,
    as_json: bool,
) -> None:
    """Add a rule; it applies to requests that are made after it."""
    with opened() as sealmark:
        made = sealmark.access_rules.add(
            system_user(),
            kind=RuleKind(kind),
            document_id=document,
            domain=domain,
            nda=NdaMode(nda),
            view_only=view_only,
            download_limit=download_limit,
            days=days,
        )
    answer(as_dict(made), as_json)


@rules.command("list")
@click.option("--in-force", is_flag=True, help="Only those that are not removed.")
@limit_option
@after_option
@json_option
def list_(in_force: bool, limit: int, after: str | None, as_json: bool) -> None:
    """List rules."""
    with opened() as sealmark:
        found = sealmark.access_rules.list(in_force=in_force, after=after, limit=limit + 1)
    answer_list("rules", [as_dict(rule) for rule in found], COLUMNS, limit, as_json)


@rules.command()
@click.argument("rule")
@json_option
def show(rule: str, as_json: bool) -> None:
    """Show one rule (rul_…)."""
    with opened() as sealmark:
        answer(as_dict(sealmark.access_rules.get(rule)), as_json)


@rules.command()
@click.argument("rule")
@json_option
def remove(rule: str, as_json: bool) -> None:
    """End a rule (rul_…) and forget its list; what it approved stays approved."""
    with opened() as sealmark:
        answer(as_dict(sealmark.access_rules.remove(system_user(), rule)), as_json)


@rules.command()
@click.argument("rule")
@click.argument("edit", type=click.Choice(["list", *EDITS]), default="list")
@click.argument("file", type=click.File(encoding="utf-8"), default="-")
@limit_option
@after_option
@json_option
def members(rule: str, edit: str, file: TextIO, limit: int, after: str | None, as_json: bool) -> None:
    """List who stands on the list of RULE (rul_…), or edit it: put the whole list, add to it, remove from it.

    The addresses come from FILE, one a line; - is standard input.
    """
    with opened() as sealmark:
        if edit == "list":
            found = sealmark.access_rules.members(rule, after=after, limit=limit + 1)
            shown = [as_dict(member) for member in found]
            answer_list("members", shown, ("id", "mail", "created_at"), limit, as_json)
            return
        mails = [line.strip() for line in file if line.strip()]
        count = getattr(sealmark.access_rules, EDITS[edit])(system_user(), rule, mails)
    answer({"id": rule, "members": count}, as_json)
