"""`sealmark shares …`, and `sealmark share` for the first verb. Only the answers of `create` and `link` hold a link."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from service.audit import timestamp
from service.cli import remote_shares
from service.cli.bulk import bulk
from service.cli.output import after_option, answer, answer_list, as_dict, json_option, limit_option
from service.cli.remote import over_http
from service.cli.sections import check_pinned, cut_id_of, section_option, sections_of
from service.cli.session import opened, system_user
from service.cli.terms import terms_options
from service.cli.values import AHEAD, SPAN
from service.records import Message, NdaMode
from service.sharing import NewLink

COLUMNS = (
    "id",
    "document_id",
    "recipient_id",
    "expires_at",
    "downloads_taken",
    "download_limit",
    "revoked_at",
)

life_option = click.option(
    "--link-life", type=SPAN, default="72h", show_default=True, help="How long the link opens: at most 7d."
)
send_option = click.option(
    "--send", is_flag=True, help="Mail the link to the recipient; it lives 72h from then. It is not printed."
)


@click.group()
def shares() -> None:
    """Who may have which document, and the links to it."""


@shares.command(short_help="Share a document with one person.")
@click.argument("document")
@click.option("--mail", required=True, help="The recipient's address.")
@click.option("--name", required=True, help="The recipient's name, as it stands on each page of the copy.")
@click.option("--company", default="", help="The recipient's company, on the copy too.")
@click.option("--purpose", required=True, help="What it is lent for, in a sentence.")
@click.option(
    "--expires", "expires_at", type=AHEAD, help="When the share ends. Default: in 30d; at most 366d."
)
@terms_options
@section_option(required=False)
@life_option
@send_option
@json_option
@over_http(remote_shares.create)
def create(
    document: str,
    mail: str,
    name: str,
    company: str,
    purpose: str,
    expires_at: datetime | None,
    download_limit: int | None,
    pinned: str | None,
    sections: tuple[str, ...],
    nda: str,
    view_only: bool,
    mail_check: bool | None,
    link_life: timedelta,
    send: bool,
    as_json: bool,
) -> None:
    """Share DOCUMENT (doc_…) with one person, and print the link for them, this once, or mail it to them.

    With --section only these sections of --version are shared, as a file of their own (`sealmark cuts create` first).
    """
    actor = system_user()
    check_pinned(sections, pinned)
    with opened(sealing=True) as sealmark:
        share, recipient, link = sealmark.sharing.create(
            actor,
            document_id=document,
            mail=mail,
            name=name,
            company=company,
            purpose=purpose,
            expires_at=expires_at,
            download_limit=download_limit,
            pinned_version_id=pinned,
            nda=NdaMode(nda),
            view_only=view_only,
            mail_check=mail_check,
            cut_id=cut_id_of(sealmark, actor, document, pinned, sections_of(sections)),
            link_life=link_life,
            send=send,
        )
    shown = {**as_dict(share), "mail": recipient.mail, "name": recipient.name, "company": recipient.company}
    answer({**shown, **_shown_link(link)}, as_json)


@shares.command()
@click.argument("share")
@life_option
@send_option
@json_option
@over_http(remote_shares.link)
def link(share: str, link_life: timedelta, send: bool, as_json: bool) -> None:
    """Print a new link for a share (shr_…) that has not ended, or mail it to the recipient."""
    with opened(sealing=True) as sealmark:
        sharing = sealmark.sharing
        made = sharing.send(system_user(), share) if send else sharing.link(system_user(), share, link_life)
    answer({"id": share, **_shown_link(made)}, as_json)


def _shown_link(link: NewLink | Message) -> dict[str, str | None]:
    """The link, this once; or the mail that it goes out with (`mail.sent` in the log names it)."""
    if isinstance(link, Message):
        return {"message": link.id}
    return {"link": link.url, "link_expires_at": timestamp(link.expires_at)}


@shares.command("list")
@click.option("--document", metavar="ID", help="Only those of this document (doc_…).")
@click.option("--recipient", metavar="ID", help="Only those of this person (rcp_…).")
@click.option("--active", is_flag=True, help="Only those neither revoked nor run out.")
@limit_option
@after_option
@json_option
@over_http(remote_shares.list_, remote_shares.COLUMNS)
def list_(
    document: str | None, recipient: str | None, active: bool, limit: int, after: str | None, as_json: bool
) -> None:
    """List shares."""
    with opened() as sealmark:
        found = sealmark.sharing.list(
            document=document, recipient=recipient, active=active, after=after, limit=limit + 1
        )
    answer_list("shares", [as_dict(item) for item in found], COLUMNS, limit, as_json)


@shares.command()
@click.argument("share")
@json_option
@over_http(lambda client, share: client.shares.revoke(share))
def revoke(share: str, as_json: bool) -> None:
    """End a share: its links and running downloads end within a second."""
    with opened() as sealmark:
        answer(as_dict(sealmark.sharing.revoke(system_user(), share)), as_json)


@shares.command()
@click.argument("share")
@json_option
@over_http(lambda client, share: client.shares.show(share))
def show(share: str, as_json: bool) -> None:
    """Show one share (shr_…)."""
    with opened() as sealmark:
        answer(as_dict(sealmark.sharing.get(share)), as_json)


shares.add_command(bulk)
