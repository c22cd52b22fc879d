"""Documents: made, listed, classified, revoked."""

from __future__ import annotations

from pydantic import Field

from service.access import Scope
from service.citing import MAX_WORDING
from service.document_policy import KEEP
from service.errors import Problem
from service.records import Classification, Document, Kind, Listing, MailCheck
from service.web.api.callers import Call
from service.web.api.routing import Routes
from service.web.api.shapes import (
    Answer,
    Day,
    DocumentId,
    Form,
    Line,
    Listed,
    Mail,
    Moment,
    Optional,
    Page,
    paged,
)

routes = Routes("documents", "Reports as things with a name, a kind and a classification.")


class DocumentPath(Form):
    """The address of a document."""

    document_id: DocumentId


class DocumentsQuery(Page):
    """A page of documents."""

    after: Optional[DocumentId] = None


class NewDocument(Form):
    """A document to be made."""

    name: Line
    kind: Kind
    classification: Classification = Classification.NDA
    owner_mail: Mail


class NewClassification(Form):
    """Who may have a document from now on."""

    classification: Classification


class NewPolicy(Form):
    """What is to change; what is left out stays."""

    mail_check: MailCheck | None = Field(
        default=None,
        description="Where recipients must enter a code that is mailed to them: `limited`, in shares with a download "
        "limit. Shares keep what they were made with.",
    )
    listing: Listing | None = Field(default=None, description="What the trust page says of the document.")
    report: DocumentId | None = Field(
        default=None,
        description="Of a bridge letter: the report that it belongs to, and goes along with; null: to none.",
    )
    ends: Day | None = Field(
        default=None,
        description="The last day (UTC) on which the document is lent; shares end with it. null: there is none.",
    )
    citation: str | None = Field(
        default=None,
        max_length=MAX_WORDING,
        description="The wording of citations, such as `Please refer to our {kind}[ ({access})][ {period}]"
        "[, for {items}]. See {address}`; empty: the usual one.",
    )


class DocumentAnswer(Answer):
    """A document."""

    id: DocumentId
    name: str
    kind: Kind
    classification: Classification
    owner_mail: str
    created_at: Moment
    revoked_at: Moment | None
    mail_check: MailCheck
    listing: Listing
    report: DocumentId | None
    ends: Day | None
    citation: str | None = Field(description="The wording of citations; null: the usual one.")


class DocumentList(Listed[DocumentAnswer]):
    """Documents in order of their id."""


def shown(document: Document) -> DocumentAnswer:
    """A document as the API shows it."""
    return DocumentAnswer(
        id=document.id,
        name=document.name,
        kind=document.kind,
        classification=document.classification,
        owner_mail=document.owner_mail,
        created_at=document.created_at,
        revoked_at=document.revoked_at,
        mail_check=document.mail_check,
        listing=document.listing,
        report=document.report_id,
        ends=document.ends_on,
        citation=document.citation,
    )


@routes.create(
    "/v1/documents",
    scope=Scope.DOCUMENTS_WRITE,
    answer=DocumentAnswer,
    location="/v1/documents/{id}",
    links={
        name: {"document_id": "#/id"}
        for name in (
            "documents_show",
            "documents_classify",
            "documents_change",
            "documents_revoke",
            "citations_show",
            "versions_create",
            "versions_list_all",
        )
    },
)
def create(call: Call, body: NewDocument) -> DocumentAnswer:
    """Make a document. One that is made `public` needs the scope documents:classify too."""
    if body.classification != Classification.NDA:
        call.require(Scope.DOCUMENTS_CLASSIFY)
    made = call.sealmark.documents.create(
        call.actor,
        name=body.name,
        kind=body.kind,
        classification=body.classification,
        owner_mail=body.owner_mail,
    )
    return shown(made)


@routes.get("/v1/documents", scope=Scope.DOCUMENTS_READ, answer=DocumentList)
def list_all(call: Call, query: DocumentsQuery) -> DocumentList:
    """List documents."""
    found = call.sealmark.documents.list(after=query.after, limit=query.limit + 1)
    items, following = paged(found, query.limit, lambda last: last.id)
    return DocumentList(items=[shown(item) for item in items], next=following)


@routes.get("/v1/documents/<document_id>", scope=Scope.DOCUMENTS_READ, answer=DocumentAnswer)
def show(call: Call, path: DocumentPath) -> DocumentAnswer:
    """Show a document."""
    return shown(call.sealmark.documents.get(path.document_id))


@routes.change(
    "put",
    "/v1/documents/<document_id>/classification",
    scope=Scope.DOCUMENTS_CLASSIFY,
    answer=DocumentAnswer,
)
def classify(call: Call, path: DocumentPath, body: NewClassification) -> DocumentAnswer:
    """Change who may have a document."""
    return shown(call.sealmark.documents.classify(call.actor, path.document_id, body.classification))


@routes.change(
    "put",
    "/v1/documents/<document_id>/policy",
    scope=Scope.DOCUMENTS_WRITE,
    answer=DocumentAnswer,
    problems=(Problem.WRONG_STATE,),
)
def change(call: Call, path: DocumentPath, body: NewPolicy) -> DocumentAnswer:
    """Change the document's mail check, what the trust page says of it, how it is cited, its report or its end."""
    changed = call.sealmark.documents.change(
        call.actor,
        path.document_id,
        mail_check=body.mail_check,
        listing=body.listing,
        citation=body.citation,
        report=body.report if "report" in body.model_fields_set else KEEP,
        ends=body.ends if "ends" in body.model_fields_set else KEEP,
    )
    return shown(changed)


@routes.change(
    "post", "/v1/documents/<document_id>/revoke", scope=Scope.DOCUMENTS_REVOKE, answer=DocumentAnswer
)
def revoke(call: Call, path: DocumentPath) -> DocumentAnswer:
    """Lend a document to nobody any more, at once; running downloads are cut off."""
    return shown(call.sealmark.documents.revoke(call.actor, path.document_id))
