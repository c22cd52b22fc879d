"""`sealmark documents …`"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from service.cli.failures import RefusedHere
from service.cli.log import write_new
from service.cli.output import after_option, answer, answer_list, as_dict, json_option, limit_option, plain
from service.cli.remote import over_http
from service.cli.session import opened, system_user
from service.cli.values import DAY
from service.document_policy import KEEP
from service.questionnaires import Form
from service.questions import Columns
from service.records import Classification, Kind, Listing, MailCheck
from service.workbooks import MAX_BYTES

COLUMNS = ("id", "kind", "classification", "created_at", "revoked_at", "name")

FORMS: dict[str, Form] = {".csv": "csv", ".xlsx": "xlsx"}
"""What a questionnaire is, by its name."""


@click.group()
def documents() -> None:
    """Reports: their name, kind, classification and owner."""


@documents.command()
@click.argument("name")
@click.option("--kind", type=click.Choice([str(kind) for kind in Kind]), required=True, help="What it is.")
@click.option(
    "--classification",
    type=click.Choice([str(item) for item in Classification]),
    default=str(Classification.NDA),
    show_default=True,
    help="nda: only for people under NDA. public: for anyone it is shared with.",
)
@click.option(
    "--owner", "owner_mail", metavar="MAIL", required=True, help="Mail address of who answers for it."
)
@json_option
@over_http(lambda client, **given: client.documents.create(**given))
def add(name: str, kind: str, classification: str, owner_mail: str, as_json: bool) -> None:
    """Make a document called NAME, still without a version."""
    with opened() as sealmark:
        made = sealmark.documents.create(
            system_user(),
            name=name,
            kind=Kind(kind),
            classification=Classification(classification),
            owner_mail=owner_mail,
        )
    answer(as_dict(made), as_json)


@documents.command("list")
@limit_option
@after_option
@json_option
@over_http(lambda client, **given: client.documents.list(**given), COLUMNS)
def list_(limit: int, after: str | None, as_json: bool) -> None:
    """List documents."""
    with opened() as sealmark:
        found = sealmark.documents.list(after=after, limit=limit + 1)
    answer_list("documents", [as_dict(item) for item in found], COLUMNS, limit, as_json)


@documents.command()
@click.argument("document")
@json_option
@over_http(lambda client, document: client.documents.show(document))
def show(document: str, as_json: bool) -> None:
    """Show one document (doc_…)."""
    with opened() as sealmark:
        answer(as_dict(sealmark.documents.get(document)), as_json)


@documents.command()
@click.argument("document")
@click.argument("classification", type=click.Choice([str(item) for item in Classification]))
@json_option
def classify(document: str, classification: str, as_json: bool) -> None:
    """Change who may have a document: only people under NDA, or anyone it is shared with."""
    with opened() as sealmark:
        changed = sealmark.documents.classify(system_user(), document, Classification(classification))
    answer(as_dict(changed), as_json)


@documents.command()
@click.argument("document")
@click.option(
    "--mail-check",
    type=click.Choice([str(one) for one in MailCheck]),
    help="Where recipients of new shares must enter a mailed code; limited: where downloads are.",
)
@click.option(
    "--listing", type=click.Choice([str(one) for one in Listing]), help="What the trust page says of it."
)
@click.option(
    "--report", metavar="ID", help="Of a bridge letter: the report (doc_…) that it goes along with."
)
@click.option("--no-report", is_flag=True, help="It belongs to no report any more.")
@click.option("--ends", type=DAY, help="The last day (UTC) on which it is lent, such as 2026-12-31.")
@click.option("--no-end", is_flag=True, help="It has no last day any more.")
@click.option(
    "--citation",
    metavar="WORDING",
    help="How it is cited, such as 'Please refer to our {kind}[ {period}][, for {items}]. See {address}'; "
    "empty: the usual wording.",
)
@json_option
def policy(
    document: str,
    mail_check: str | None,
    listing: str | None,
    citation: str | None,
    report: str | None,
    no_report: bool,
    ends: date | None,
    no_end: bool,
    as_json: bool,
) -> None:
    """Change a document's mail check, what the trust page says of it, how it is cited, its report, or its last day."""
    if (report and no_report) or (ends and no_end):
        raise click.UsageError("Say what it is to be, or that there is none, not both.")
    with opened() as sealmark:
        changed = sealmark.documents.change(
            system_user(),
            document,
            mail_check=MailCheck(mail_check) if mail_check else None,
            listing=Listing(listing) if listing else None,
            report=report or (None if no_report else KEEP),
            ends=ends or (None if no_end else KEEP),
            citation=citation,
        )
    answer(as_dict(changed), as_json)


@documents.command()
@click.argument("document")
@click.option("--items", default="", help="Items of the questionnaire, such as 45-72,80.")
@click.option(
    "--criteria", default="", help="Criteria of the report, such as CC6.1,CC6.2: add controls and pages."
)
@json_option
def cite(document: str, items: str, criteria: str, as_json: bool) -> None:
    """Print the sentence that cites DOCUMENT (doc_…) in a questionnaire."""
    with opened() as sealmark:
        wanted = [one.strip() for one in criteria.split(",") if one.strip()]
        cited = sealmark.citations.cite(document, items=items, criteria=wanted)
    if as_json:
        answer(as_dict(cited), as_json)
    else:
        click.echo(plain(cited.sentence))


@documents.command()
@click.argument("document")
@click.argument("source", metavar="IN", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("output", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--item-column", metavar="HEADER", help="The column of the items, where its header is unusual.")
@click.option("--criteria-column", metavar="HEADER", help="The column of the criteria, likewise.")
@click.option("--sheet", metavar="NAME", help="The only sheet to cite in; otherwise all with such columns.")
@json_option
def questionnaire(
    document: str,
    source: Path,
    output: Path,
    item_column: str | None,
    criteria_column: str | None,
    sheet: str | None,
    as_json: bool,
) -> None:
    """Cite DOCUMENT (doc_…) for each question of IN (.csv or .xlsx) that names criteria; writes OUT, a new file."""
    form = FORMS.get(source.suffix.lower())
    if form is None or output.suffix.lower() != source.suffix.lower():
        raise RefusedHere(
            "A questionnaire is a .csv or .xlsx file, and stays what it is: name both files so."
        )
    with source.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    with opened() as sealmark:
        cited = sealmark.questionnaires.cite(
            document, form, content, Columns(item_column, criteria_column, sheet)
        )
    write_new(output, iter([cited.content]))
    answer({"file": str(output), "cited": cited.cited, "open": cited.open}, as_json)


@documents.command()
@click.argument("document")
@json_option
@over_http(lambda client, document: client.documents.revoke(document))
def revoke(document: str, as_json: bool) -> None:
    """Lend a document to nobody any more. Its links and running downloads end within a second."""
    with opened() as sealmark:
        answer(as_dict(sealmark.documents.revoke(system_user(), document)), as_json)
