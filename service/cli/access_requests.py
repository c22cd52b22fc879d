"""`sealmark requests …`"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from service.access_requests import Asked, Policy
from service.cli.output import after_option, answer, answer_list, as_dict, json_option, limit_option
from service.cli.remote import over_http, said, said_all
from service.cli.session import opened, system_user
from service.cli.values import AHEAD
from service.records import NdaMode, RequestState

if TYPE_CHECKING:
    from sealmark.client import Client

REMOTE_COLUMNS = ("id", "state", "document", "recipient", "name", "company", "purpose", "created_at")
COLUMNS = ("id", "state", "document_id", "mail", "name", "company", "purpose", "created_at")


def _approve_remote(client: Client, request: str, pinned: str | None, **policy: Any) -> Any:
    return client.access_requests.approve(request, version=said(pinned), **said_all(policy))


@click.group()
def requests() -> None:
    """Who asks for a document, and what was decided."""


@requests.command("list")
@click.option(
    "--state", type=click.Choice([str(one) for one in RequestState]), help="Only those in this state."
)
@click.option("--document", metavar="ID", help="Only those for this document (doc_…).")
@click.option("--recipient", metavar="ID", help="Only those of this person (rcp_…).")
@limit_option
@after_option
@json_option
@over_http(lambda client, **given: client.access_requests.list(**given), REMOTE_COLUMNS)
def list_(
    state: str | None,
    document: str | None,
    recipient: str | None,
    limit: int,
    after: str | None,
    as_json: bool,
) -> None:
    """List requests."""
    with opened() as sealmark:
        found = sealmark.access_requests.list(
            state=RequestState(state) if state else None,
            document=document,
            recipient=recipient,
            after=after,
            limit=limit + 1,
        )
    answer_list("requests", [_shown(asked) for asked in found], COLUMNS, limit, as_json)


@requests.command()
@click.argument("request")
@json_option
@over_http(lambda client, request: client.access_requests.show(request))
def show(request: str, as_json: bool) -> None:
    """Show one request (acc_…)."""
    with opened() as sealmark:
        answer(_shown(sealmark.access_requests.get(request)), as_json)


@requests.command()
@click.argument("request")
@click.option(
    "--expires", "expires_at", type=AHEAD, help="When the share ends. Default: in 30d; at most 366d."
)
@click.option("--downloads", "download_limit", type=int, help="At most so many downloads. Default: no limit.")
@click.option(
    "--version", "pinned", metavar="ID", help="Only this version (ver_…). Default: the newest ready one."
)
@click.option(
    "--nda",
    type=click.Choice([str(one) for one in NdaMode]),
    help="Where no agreement is in force. Default: ask, where there is a text to sign on the page.",
)
@click.option("--view-only", is_flag=True, help="Let the report be read on the page, not downloaded.")
@click.option(
    "--mail-check/--no-mail-check",
    default=None,
    help="Mail the recipient a code first. Default: by document.",
)
@json_option
@over_http(_approve_remote)
def approve(
    request: str,
    expires_at: datetime | None,
    download_limit: int | None,
    pinned: str | None,
    nda: str | None,
    view_only: bool,
    mail_check: bool | None,
    as_json: bool,
) -> None:
    """Approve a request (acc_…): its share is made, and its link is mailed to who asked."""
    policy = Policy(
        expires_at=expires_at,
        download_limit=download_limit,
        pinned_version_id=pinned,
        nda=NdaMode(nda) if nda else None,
        view_only=view_only,
        mail_check=mail_check,
    )
    with opened() as sealmark:
        answer(_shown(sealmark.access_requests.approve(system_user(), request, policy)), as_json)


@requests.command()
@click.argument("request")
@json_option
@over_http(lambda client, request: client.access_requests.deny(request))
def deny(request: str, as_json: bool) -> None:
    """Deny a request (acc_…); who asked is told by mail."""
    with opened() as sealmark:
        answer(_shown(sealmark.access_requests.deny(system_user(), request)), as_json)


def _shown(asked: Asked) -> dict[str, Any]:
    return {**as_dict(asked.request), "mail": asked.recipient.mail}
