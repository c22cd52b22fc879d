"""Shares: one call from a document and a person to a signed link."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from service.access import Scope
from service.errors import Problem, invalid
from service.records import Message, NdaMode, Share
from service.sharing import DEFAULT_LINK_LIFE, MAX_LINK_LIFE, NewLink
from service.terms import MAX_DOWNLOADS, MAX_PURPOSE
from service.web.api.callers import Call
from service.web.api.cuts import SECTIONS_OF_A_SHARE, Sections, cut_id_of
from service.web.api.ndas import Person
from service.web.api.recipients import RecipientAnswer
from service.web.api.recipients import shown as shown_recipient
from service.web.api.routing import Routes
from service.web.api.shapes import (
    Answer,
    CutId,
    DocumentId,
    Form,
    Listed,
    MessageId,
    Moment,
    Optional,
    Page,
    RecipientId,
    ShareId,
    VersionId,
    paged,
)

routes = Routes(
    "shares", "The decision that one person may have one document, and the links that lead to it."
)

LinkLife = Annotated[
    int,
    Field(
        ge=60,
        le=int(MAX_LINK_LIFE.total_seconds()),
        description="Seconds that the link works; never longer than its share.",
    ),
]
Send = Annotated[
    bool,
    Field(
        description="Mail the link to the recipient instead of answering with it. It is made when it is sent, and "
        "works 72 hours from then."
    ),
]
Purpose = Annotated[str, Field(min_length=1, max_length=MAX_PURPOSE, pattern=r"^[^\x00-\x1f\x7f]+$")]
DEFAULT_LIFE = int(DEFAULT_LINK_LIFE.total_seconds())


class SharePath(Form):
    """The address of a share."""

    share_id: ShareId


class SharesQuery(Page):
    """A page of shares, filtered."""

    after: Optional[ShareId] = None
    document: Optional[DocumentId] = None
    recipient: Optional[RecipientId] = None
    active: Optional[
        Annotated[Literal["true"], Field(description="Only those that are neither revoked nor run out.")]
    ] = None


class NewShare(Form):
    """A share to be made, with its first link."""

    document: DocumentId
    recipient: Person
    purpose: Purpose
    expires_at: Moment | None = Field(default=None, description="Within 366 days. Default: in 30 days.")
    download_limit: Annotated[int, Field(ge=1, le=MAX_DOWNLOADS)] | None = None
    version: VersionId | None = Field(
        default=None, description="Pins the share; else it follows the newest version."
    )
    sections: Sections | None = Field(default=None, description=SECTIONS_OF_A_SHARE)
    nda: NdaMode = Field(
        default=NdaMode.REQUIRE,
        description="`ask`: where no agreement is in force, the share grants nothing until its recipient has signed "
        "on the page.",
    )
    view_only: bool = Field(default=False, description="The report may be read on the page, not downloaded.")
    mail_check: bool | None = Field(
        default=None,
        description="Whether the recipient must enter a code that is mailed to them. Default: the document's policy.",
    )
    link_life: LinkLife = DEFAULT_LIFE
    send: Send = False


class NewShareLink(Form):
    """A further link of a share."""

    link_life: LinkLife = DEFAULT_LIFE
    send: Send = False


class LinkAnswer(Answer):
    """A link, shown this once: only its hash is kept. Or the mail that it goes out with, and then no link."""

    url: str | None
    expires_at: Moment | None
    message: MessageId | None = Field(
        description="The mail that is to be sent; an entry `mail.sent` or `mail.failed` of the log will name it."
    )


class ShareAnswer(Answer):
    """A share, and where it stands."""

    id: ShareId
    document: DocumentId
    recipient: RecipientId
    purpose: str
    state: Literal["active", "expired", "revoked"]
    expires_at: Moment
    download_limit: int | None
    downloads_taken: int
    version: VersionId | None
    cut: CutId | None = Field(description="It covers this cut of the version only.")
    nda: NdaMode
    mail_check: bool
    view_only: bool
    with_share: ShareId | None = Field(
        description="Of a bridge letter that goes along: its report's share, with which it ends."
    )
    created_at: Moment
    revoked_at: Moment | None
    revoked_reason: str | None


class NewShareAnswer(Answer):
    """What one call made."""

    id: ShareId
    share: ShareAnswer
    recipient: RecipientAnswer
    link: LinkAnswer


class ShareList(Listed[ShareAnswer]):
    """Shares in order of their id."""


def shown(share: Share, now: datetime) -> ShareAnswer:
    """A share as the API shows it at this moment."""
    state: Literal["active", "expired", "revoked"] = "expired" if share.expires_at <= now else "active"
    return ShareAnswer(
        id=share.id,
        document=share.document_id,
        recipient=share.recipient_id,
        purpose=share.purpose,
        state="revoked" if share.revoked_at else state,
        expires_at=share.expires_at,
        download_limit=share.download_limit,
        downloads_taken=share.downloads_taken,
        version=share.pinned_version_id,
        cut=share.cut_id,
        nda=share.nda,
        mail_check=share.mail_check,
        view_only=share.view_only,
        with_share=share.with_id,
        created_at=share.created_at,
        revoked_at=share.revoked_at,
        revoked_reason=share.revoked_reason,
    )


def shown_link(link: NewLink | Message) -> LinkAnswer:
    """A link as it is handed out, or the mail that it goes out with."""
    if isinstance(link, Message):
        return LinkAnswer(url=None, expires_at=None, message=link.id)
    return LinkAnswer(url=link.url, expires_at=link.expires_at, message=None)


def _life(body: NewShare | NewShareLink) -> timedelta:
    """How long the link is to live. Raises `DomainError` where it is not for the caller to say."""
    if body.send and "link_life" in body.model_fields_set:
        raise invalid(
            "link_life", "A link that is mailed lives 72 hours from when it is sent: leave this out."
        )
    return timedelta(seconds=body.link_life)


@routes.create(
    "/v1/shares",
    scope=Scope.SHARES_WRITE,
    answer=NewShareAnswer,
    location="/v1/shares/{id}",
    links={
        **{name: {"share_id": "#/id"} for name in ("shares_show", "shares_link", "shares_revoke")},
        "recipients_show": {"recipient_id": "#/recipient/id"},
    },
    problems=(
        Problem.NOT_FOUND,
        Problem.NDA_REQUIRED,
        Problem.MAIL_NOT_CONFIGURED,
        Problem.RECIPIENT_CONFLICT,
        Problem.UNMARKABLE_NAME,
        Problem.WRONG_STATE,
        Problem.BUSY,
    ),
    prepares=cut_id_of,
)
def create(call: Call, body: NewShare, prepared: str | None) -> NewShareAnswer:
    """Lend a document to a person, who is made if unknown, and get the link to hand them, or have it mailed."""
    share, recipient, link = call.sealmark.sharing.create(
        call.actor,
        document_id=body.document,
        mail=body.recipient.mail,
        name=body.recipient.name,
        company=body.recipient.company,
        purpose=body.purpose,
        expires_at=body.expires_at,
        download_limit=body.download_limit,
        pinned_version_id=body.version,
        cut_id=prepared,
        nda=body.nda,
        view_only=body.view_only,
        mail_check=body.mail_check,
        link_life=_life(body),
        send=body.send,
    )
    call.concerns(recipient.id)
    now = call.sealmark.clock()
    return NewShareAnswer(
        id=share.id, share=shown(share, now), recipient=shown_recipient(recipient), link=shown_link(link)
    )


@routes.get("/v1/shares", scope=Scope.SHARES_READ, answer=ShareList)
def list_all(call: Call, query: SharesQuery) -> ShareList:
    """List shares."""
    found = call.sealmark.sharing.list(
        document=query.document,
        recipient=query.recipient,
        active=query.active is not None,
        after=query.after,
        limit=query.limit + 1,
    )
    items, following = paged(found, query.limit, lambda last: last.id)
    now = call.sealmark.clock()
    return ShareList(items=[shown(item, now) for item in items], next=following)


@routes.get("/v1/shares/<share_id>", scope=Scope.SHARES_READ, answer=ShareAnswer)
def show(call: Call, path: SharePath) -> ShareAnswer:
    """Show a share."""
    return shown(call.sealmark.sharing.get(path.share_id), call.sealmark.clock())


@routes.create(
    "/v1/shares/<share_id>/links",
    scope=Scope.SHARES_WRITE,
    answer=LinkAnswer,
    problems=(Problem.WRONG_STATE, Problem.NDA_REQUIRED, Problem.MAIL_NOT_CONFIGURED),
)
def link(call: Call, path: SharePath, body: NewShareLink) -> LinkAnswer:
    """Get a new link for a share, or have it mailed to its recipient; the ones before it work on."""
    life = _life(body)
    call.concerns(call.sealmark.sharing.get(path.share_id).recipient_id)
    if body.send:
        return shown_link(call.sealmark.sharing.send(call.actor, path.share_id))
    return shown_link(call.sealmark.sharing.link(call.actor, path.share_id, life))


@routes.change("post", "/v1/shares/<share_id>/revoke", scope=Scope.SHARES_REVOKE, answer=ShareAnswer)
def revoke(call: Call, path: SharePath) -> ShareAnswer:
    """End a share and all its links at once; running downloads are cut off."""
    return shown(call.sealmark.sharing.revoke(call.actor, path.share_id), call.sealmark.clock())
