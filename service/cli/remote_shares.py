"""`sealmark shares … --url`: shares of a service that runs elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from service.cli.remote import said, said_all
from service.cli.sections import sections_of
from service.sharing import DEFAULT_LINK_LIFE

if TYPE_CHECKING:
    from sealmark.client import Client
    from sealmark.operations import ShareAnswer

COLUMNS = (
    "id",
    "document",
    "recipient",
    "state",
    "expires_at",
    "downloads_taken",
    "download_limit",
)


def create(
    client: Client,
    document: str,
    mail: str,
    name: str,
    company: str,
    purpose: str,
    pinned: str | None,
    sections: tuple[str, ...],
    link_life: timedelta,
    send: bool,
    **policy: Any,
) -> dict[str, Any]:
    """The share and its link, or the mail that it goes out with."""
    made = client.shares.create(
        document=document,
        recipient={"mail": mail, "name": name, "company": company},
        purpose=purpose,
        version=said(pinned),
        sections=said(sections_of(sections) or None),
        link_life=_life(link_life, send=send),
        send=send,
        **said_all(policy),
    )
    person = {one: made["recipient"][one] for one in ("mail", "name", "company")}
    return {**made["share"], **person, **_shown(made["link"])}


def link(client: Client, share: str, link_life: timedelta, send: bool) -> dict[str, Any]:
    """A new link, or the mail that it goes out with."""
    made = client.shares.link(share, link_life=_life(link_life, send=send), send=send)
    return {"id": share, **_shown(made)}


def list_(
    client: Client, document: str | None, recipient: str | None, active: bool, limit: int, after: str | None
) -> Iterator[ShareAnswer]:
    """Shares, page after page."""
    return client.shares.list(
        document=said(document),
        recipient=said(recipient),
        active=said("true" if active else None),
        limit=limit,
        after=said(after),
    )


def _life(link_life: timedelta, *, send: bool) -> Any:
    """How long a link lives is not to be said of one that is mailed."""
    return said(None if send and link_life == DEFAULT_LINK_LIFE else link_life)


def _shown(link: Any) -> dict[str, Any]:
    if link["message"] is not None:
        return {"message": link["message"]}
    return {"link": link["url"], "link_expires_at": link["expires_at"]}
