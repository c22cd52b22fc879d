"""Who has which report, a share's story, and what a sharer does with shares."""

from __future__ import annotations

from flask import Response, request

from service.app import Sealmark
from service.errors import DomainError, Problem, invalid
from service.log import LogFilter
from service.records import Cut, NdaMode
from service.sharing import NewLink
from service.staff import Act, allowed
from service.web.console import fields
from service.web.console.gate import Visitor
from service.web.console.rendering import event, html, see_other
from service.web.console.sentences import say
from service.web.problems import MEANINGS

TYPED = ("name", "mail", "company", "purpose", "days", "limit", "cut")
"""What is kept of a form that was not taken."""

AGAIN = frozenset({Problem.INVALID, Problem.UNMARKABLE_NAME, Problem.RECIPIENT_CONFLICT, Problem.NDA_REQUIRED,
                   Problem.WRONG_STATE, Problem.MAIL_NOT_CONFIGURED})  # fmt: skip
"""Problems that who fills in the form can do something about, so that the form is shown again."""


class Lending:
    """The pages of documents and shares. Each act is the domain's, with the staff actor."""

    def __init__(self, sealmark: Sealmark) -> None:
        self._holdings = sealmark.holdings
        self._documents = sealmark.documents
        self._cuts = sealmark.cuts
        self._sharing = sealmark.sharing
        self._log = sealmark.log
        self._can_mail = sealmark.settings.can_mail
        self._clock = sealmark.clock

    def overview(self, _: Visitor) -> Response:
        """Each document with its newest open shares."""
        return html("overview", listed=self._holdings.overview(after=fields.after("doc", "document")))

    def document(self, visitor: Visitor, document_id: str) -> Response:
        """All shares of a document; for sharers, the form of a new one."""
        return self._document(visitor, document_id)

    def make(self, visitor: Visitor, document_id: str) -> Response:
        """A new share: its link once, or mailed; where it cannot be, the form again with what was typed."""
        document = self._documents.get(fields.identifier(document_id, "doc", "document"))
        try:
            policy = fields.policy(self._clock())
            cut = self._chosen(document.id)
            share, recipient, made = self._sharing.create(
                visitor.actor,
                document_id=document.id,
                mail=fields.text("mail"),
                name=fields.text("name"),
                company=fields.text("company"),
                purpose=fields.text("purpose"),
                expires_at=policy.expires_at,
                download_limit=policy.download_limit,
                pinned_version_id=cut.version_id if cut else None,
                cut_id=cut.id if cut else None,
                nda=policy.nda or NdaMode.REQUIRE,
                view_only=policy.view_only,
                send=fields.checked("send"),
            )
        except DomainError as error:
            if error.problem not in AGAIN:
                raise
            return self._document(visitor, document.id, error)
        if isinstance(made, NewLink):
            return _once(made, recipient.name, share.id)
        return see_other(f"/console/shares/{share.id}")

    def share(self, visitor: Visitor, share_id: str) -> Response:
        """A share and its story. The story is read out of the log, which is an entry, too."""
        found = fields.identifier(share_id, "shr", "share")
        document, held = self._holdings.one(found)
        page = self._log.page(
            visitor.actor,
            LogFilter(share=found),
            after=fields.place("after"),
            size=fields.place("size"),
        )
        return html(
            "share",
            document=document,
            held=held,
            titles=self._cuts.titles(held.share.cut_id) if held.share.cut_id else [],
            events=[event(logged) for logged in page.entries],
            page=page,
            may_lend=Act.LEND in allowed(visitor.session),
            can_mail=self._can_mail,
            sent=request.args.get("sent") == "1",
        )

    def link(self, visitor: Visitor, share_id: str) -> Response:
        """A new link, shown this once."""
        found = fields.identifier(share_id, "shr", "share")
        _, held = self._holdings.one(found)
        return _once(self._sharing.link(visitor.actor, found), held.recipient.name, found)

    def send(self, visitor: Visitor, share_id: str) -> Response:
        """A new link by mail."""
        found = fields.identifier(share_id, "shr", "share")
        self._sharing.send(visitor.actor, found)
        return see_other(f"/console/shares/{found}?sent=1")

    def revoke(self, visitor: Visitor, share_id: str) -> Response:
        """End the share at once."""
        fields.confirmed()
        found = fields.identifier(share_id, "shr", "share")
        self._sharing.revoke(visitor.actor, found)
        return see_other(f"/console/shares/{found}")

    def _chosen(self, document_id: str) -> Cut | None:
        """The cut that was chosen in the form; None for the whole report. Raises `DomainError` (invalid)."""
        wanted = fields.text("cut")
        if not wanted:
            return None
        for offered in self._cuts.offered(document_id):
            if offered.cut.id == wanted:
                return offered.cut
        raise invalid("cut", say("make.cut.gone"))

    def _document(self, visitor: Visitor, document_id: str, error: DomainError | None = None) -> Response:
        document = self._documents.get(fields.identifier(document_id, "doc", "document"))
        typed = {name: request.form.get(name, "") for name in TYPED}
        return html(
            "document",
            MEANINGS[error.problem].status if error else 200,
            document=document,
            listed=self._holdings.of(document.id, after=fields.after("shr", "share")),
            may_lend=Act.LEND in allowed(visitor.session) and document.revoked_at is None,
            can_mail=self._can_mail,
            cuts=self._cuts.offered(document.id),
            error=error,
            where=str(error.fields.get("where") or error.fields.get("field") or "") if error else "",
            typed=typed if error else {"days": "30"},
            boxes={name: name in request.form for name in ("nda", "view_only", "send")},
        )


def _once(made: NewLink, name: str, share_id: str) -> Response:
    return html("link", url=made.url, until=made.expires_at, name=name, share_id=share_id)
