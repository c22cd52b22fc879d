"""Every operation of the API, typed. Written by `make client` out of the OpenAPI document, never by hand."""

# ruff: noqa

from __future__ import annotations

import builtins
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, Literal, NotRequired, TypedDict, cast

from sealmark.calls import OMITTED, Calls, Omitted, path_of


class AccessRequestAnswer(TypedDict):
    """A request, who asks, and what was decided."""

    id: str
    document: str
    state: RequestState
    recipient: str
    mail: str
    name: str
    company: str
    purpose: str
    created_at: str
    decided_at: str | None
    rule: str | None
    share: str | None


class AccessRequestList(TypedDict):
    """Requests in order of their id."""

    items: builtins.list[AccessRequestAnswer]
    next: str | None


class Approval(TypedDict):
    """The policy of the share that approving makes; `{}` takes the defaults."""

    expires_at: NotRequired[str | None]
    download_limit: NotRequired[int | None]
    version: NotRequired[str | None]
    nda: NotRequired[NdaMode | None]
    view_only: NotRequired[bool]
    mail_check: NotRequired[bool | None]


class BatchAnswer(TypedDict):
    """A batch, and how far it is."""

    id: str
    document: str
    state: Literal["working", "done"]
    size: int
    worked: int
    problems: int
    created_at: str
    done_at: str | None


class BatchLinksAnswer(TypedDict):
    """The links of a page of rows."""

    items: builtins.list[RowLinkAnswer]
    next: int | None


class BatchList(TypedDict):
    """Batches in order of their id."""

    items: builtins.list[ListedBatch]
    next: str | None


class BoardAnswer(TypedDict):
    """What is out is so at `made_at`; the rest is of the days [first, last]."""

    made_at: str
    first: str
    last: str
    out: builtins.list[OutAnswer]
    companies: builtins.list[CompanyAnswer]
    weeks: builtins.list[WeekAnswer]
    requests: RequestsAnswer
    exceptions: builtins.list[ExceptionAnswer]


class CapacityAnswer(TypedDict):
    """What a version carries of the woven mark, and how small a leak of it can be traced."""

    total: int
    pages: builtins.list[PageCapacityAnswer]
    bare_pages: builtins.list[int]
    textless_pages: builtins.list[int]
    statement: str


class CitationAnswer(TypedDict):
    """A sentence for a questionnaire, and of what it is made."""

    sentence: str
    kind: str
    period: str
    address: str
    version: str
    items: str
    criteria: builtins.list[str]
    controls: builtins.list[str]
    pages: builtins.list[int]


Classification = Literal["public", "nda"]


class CompanyAnswer(TypedDict):
    """A mail domain to whose people something is lent now."""

    domain: str
    name: str
    shares: int
    people: int


class Control(TypedDict):
    """A control of the organisation, the criteria it serves and where the report speaks of it."""

    id: str
    criteria: builtins.list[str]
    pages: builtins.list[int]


Criteria = Literal["security", "availability", "processing-integrity", "confidentiality", "privacy"]


class CutAnswer(TypedDict):
    """A cut, and where it stands."""

    id: str
    version: str
    sections: builtins.list[int]
    titles: builtins.list[str]
    source_pages: builtins.list[int]
    state: CutState
    reason: str | None
    created_at: str
    settled_at: str | None


class CutList(TypedDict):
    """The cuts of a version, the oldest first."""

    items: builtins.list[CutAnswer]


CutState = Literal["compiling", "ready", "refused"]


class DocumentAnswer(TypedDict):
    """A document."""

    id: str
    name: str
    kind: Kind
    classification: Classification
    owner_mail: str
    created_at: str
    revoked_at: str | None
    mail_check: MailCheck
    listing: Listing
    report: str | None
    ends: str | None
    citation: str | None


class DocumentList(TypedDict):
    """Documents in order of their id."""

    items: builtins.list[DocumentAnswer]
    next: str | None


class EntryAnswer(TypedDict):
    """An entry: its place, the exact bytes of its leaf (canonical JSON), and its personal values."""

    index: int
    leaf: str
    revealed: dict[str, Revealed | Erased]


class EntryList(TypedDict):
    """Entries in order of their place; `size` is how many the log had at the first page."""

    items: builtins.list[EntryAnswer]
    next: str | None
    size: int


class Erased(TypedDict):
    """In place of a personal value that was erased: the entry that says so."""

    erased: str


class EventAnswer(TypedDict):
    """An event, and what became of it."""

    id: str
    kind: EventKind
    state: Literal["waiting", "sent", "failed"]
    attempts: int
    status: int | None
    problem: str | None
    body: str
    created_at: str
    run_after: str
    sent_at: str | None
    failed_at: str | None


EventKind = Literal[
    "access.requested",
    "access.approved",
    "access.denied",
    "nda.signed",
    "share.viewed",
    "share.downloaded",
    "share.revoked",
    "share.expiring",
]


class EventList(TypedDict):
    """Events in the order in which they are sent."""

    items: builtins.list[EventAnswer]
    next: str | None


class ExceptionAnswer(TypedDict):
    """An exception whose pages were shown."""

    document: str
    name: str
    version: int
    control: str
    criterion: str
    shown: int


class Facts(TypedDict):
    """All facts of one version. Each may be left out, the period of a Type II report and the date of a Type I report too: what cannot be is refused, what is not said is not. A version never changes, so what is left out stays unsaid; a new version can say it. Exceptions may stand without a list of controls. Once any control is listed, every exception must name a listed one."""

    period_start: NotRequired[str | None]
    period_end: NotRequired[str | None]
    as_of: NotRequired[str | None]
    auditor: NotRequired[str | None]
    opinion: NotRequired[Opinion | None]
    criteria: NotRequired[builtins.list[Criteria]]
    sections: NotRequired[builtins.list[Section]]
    controls: NotRequired[builtins.list[Control]]
    exceptions: NotRequired[builtins.list[ReportException]]


class HoldAnswer(TypedDict):
    """A hold. One that is released keeps neither its reason nor a company's name: they are in the log."""

    id: str
    kind: Literal["recipient", "company", "document"]
    subject: str
    reason: str
    placed_at: str
    released_at: str | None


class HoldList(TypedDict):
    """Holds in order of their id."""

    items: builtins.list[HoldAnswer]
    next: str | None


Kind = Literal[
    "soc2-type1", "soc2-type2", "soc3", "iso27001", "pentest", "bridge-letter", "overview", "other"
]


class LinkAnswer(TypedDict):
    """A link, shown this once: only its hash is kept. Or the mail that it goes out with, and then no link."""

    url: str | None
    expires_at: str | None
    message: str | None


class ListedBatch(TypedDict):
    """A batch as lists show it."""

    id: str
    document: str
    state: Literal["working", "done"]
    size: int
    created_at: str
    done_at: str | None


class ListedVersion(TypedDict):
    """A version, and where its file stands."""

    id: str
    document: str
    number: int
    state: VersionState
    facts: Facts
    size: int | None
    sha256: str | None
    pages: int | None
    reason: str | None
    message: str | None
    created_at: str
    uploaded_at: str | None
    settled_at: str | None


Listing = Literal["hidden", "named", "facts"]


MailCheck = Literal["limited", "always", "never"]


class MemberAnswer(TypedDict):
    """An address on a list."""

    id: str
    mail: str
    created_at: str


class MemberList(TypedDict):
    """Addresses in order of their id."""

    items: builtins.list[MemberAnswer]
    next: str | None


class Members(TypedDict):
    """Mail addresses."""

    mails: builtins.list[str]


class MembersAnswer(TypedDict):
    """How many addresses stand on the list now."""

    members: int


class NdaAnswer(TypedDict):
    """An agreement; `expired` follows from its dates."""

    id: str
    recipient: str | None
    domain: str | None
    state: Literal["pending", "approved", "revoked", "expired"]
    valid_from: str
    valid_until: str | None
    source: str
    reference: str
    evidence: bool
    created_at: str
    approved_at: str | None
    revoked_at: str | None
    text: str | None


class NdaList(TypedDict):
    """Agreements in order of their id."""

    items: builtins.list[NdaAnswer]
    next: str | None


NdaMode = Literal["require", "ask"]


class NewBatch(TypedDict):
    """Shares to be made, all under the same policy."""

    document: str
    rows: builtins.list[NewRow]
    purpose: str
    expires_at: NotRequired[str | None]
    download_limit: NotRequired[int | None]
    version: NotRequired[str | None]
    sections: NotRequired[builtins.list[int | str] | None]
    nda: NotRequired[NdaMode]
    view_only: NotRequired[bool]
    mail_check: NotRequired[bool | None]
    send: NotRequired[bool]
    skip_problems: NotRequired[bool]


class NewBatchLinks(TypedDict):
    """Links that are asked for: those of a page of rows."""

    after: NotRequired[int | None]
    limit: NotRequired[int]
    link_life: NotRequired[int]


class NewClassification(TypedDict):
    """Who may have a document from now on."""

    classification: Classification


class NewCut(TypedDict):
    """The sections to be cut out."""

    sections: builtins.list[int | str]


class NewDocument(TypedDict):
    """A document to be made."""

    name: str
    kind: Kind
    classification: NotRequired[Classification]
    owner_mail: str


class NewHold(TypedDict):
    """A hold on a recipient, a company or a document."""

    recipient: NotRequired[str | None]
    company: NotRequired[str | None]
    document: NotRequired[str | None]
    reason: str


class NewNda(TypedDict):
    """An agreement to be recorded, of a person or of a company."""

    recipient: NotRequired[Person | None]
    domain: NotRequired[str | None]
    valid_from: NotRequired[str | None]
    valid_until: NotRequired[str | None]
    source: str
    reference: NotRequired[str]
    approved: NotRequired[bool]


class NewPolicy(TypedDict):
    """What is to change; what is left out stays."""

    mail_check: NotRequired[MailCheck | None]
    listing: NotRequired[Listing | None]
    report: NotRequired[str | None]
    ends: NotRequired[str | None]
    citation: NotRequired[str | None]


class NewReceiver(TypedDict):
    """A receiver of events."""

    url: str
    kinds: builtins.list[EventKind]
    personal: NotRequired[bool]


class NewReceiverAnswer(TypedDict):
    """A receiver, and the secret that its webhooks are signed under: shown this once."""

    id: str
    receiver: ReceiverAnswer
    secret: str


class NewRow(TypedDict):
    """A person to be shared with."""

    mail: str
    name: str
    company: NotRequired[str]
    purpose: NotRequired[str | None]


class NewRule(TypedDict):
    """A rule, and the policy of the shares that it makes."""

    kind: RuleKind
    document: NotRequired[str | None]
    domain: NotRequired[str | None]
    nda: NotRequired[NdaMode]
    view_only: NotRequired[bool]
    download_limit: NotRequired[int | None]
    days: NotRequired[int]


class NewShare(TypedDict):
    """A share to be made, with its first link."""

    document: str
    recipient: Person
    purpose: str
    expires_at: NotRequired[str | None]
    download_limit: NotRequired[int | None]
    version: NotRequired[str | None]
    sections: NotRequired[builtins.list[int | str] | None]
    nda: NotRequired[NdaMode]
    view_only: NotRequired[bool]
    mail_check: NotRequired[bool | None]
    link_life: NotRequired[int]
    send: NotRequired[bool]


class NewShareAnswer(TypedDict):
    """What one call made."""

    id: str
    share: ShareAnswer
    recipient: RecipientAnswer
    link: LinkAnswer


class NewShareLink(TypedDict):
    """A further link of a share."""

    link_life: NotRequired[int]
    send: NotRequired[bool]


class NewText(TypedDict):
    """A text of the agreement."""

    markdown: str
    days: NotRequired[int | None]


class NewVersion(TypedDict):
    """A version to be made; its file follows."""

    facts: NotRequired[Facts]


Opinion = Literal["unqualified", "qualified", "adverse", "disclaimer"]


class OutAnswer(TypedDict):
    """A document that is lent now."""

    document: str
    name: str
    kind: Kind
    shares: int
    people: int


class PageCapacityAnswer(TypedDict):
    """What one page carries of the woven mark."""

    number: int
    words: int | None
    woven: int


class Person(TypedDict):
    """A recipient: as they are known, or as they are to be."""

    mail: str
    name: str
    company: NotRequired[str]


class ReceiverAnswer(TypedDict):
    """A receiver."""

    id: str
    url: str
    kinds: builtins.list[EventKind]
    personal: bool
    created_at: str
    removed_at: str | None


class ReceiverList(TypedDict):
    """Receivers in order of their id."""

    items: builtins.list[ReceiverAnswer]
    next: str | None


class RecipientAnswer(TypedDict):
    """A recipient."""

    id: str
    mail: str
    name: str
    company: str
    created_at: str
    erased_at: str | None


class RecipientList(TypedDict):
    """Recipients in order of their id."""

    items: builtins.list[RecipientAnswer]
    next: str | None


Removal = Literal[
    "additional-actions",
    "embedded-files",
    "embedded-goto",
    "encryption",
    "external-files",
    "import-data",
    "info",
    "javascript",
    "launch",
    "machine-metadata",
    "metadata",
    "open-action",
    "other-action",
    "portfolio",
    "private-data",
    "remote-goto",
    "rich-media",
    "signatures",
    "submit-form",
    "thumbnails",
    "unsafe-uri",
    "xfa",
]


class RemovedAnswer(TypedDict):
    """One kind of thing that was taken out of the file before it was marked."""

    code: Removal
    count: int
    meaning: str


class Replay(TypedDict):
    """Which events are sent again."""

    since: NotRequired[str | None]


class ReplayAnswer(TypedDict):
    """How many events are sent again."""

    events: int


class ReportException(TypedDict):
    """A control that deviated in the auditor's tests, with management's response."""

    control: str
    criterion: str
    deviation: str
    response: NotRequired[str | None]
    remediated: bool
    pages: builtins.list[int]


RequestState = Literal["pending", "approved", "denied"]


class RequestsAnswer(TypedDict):
    """The requests for access of these days, as they stand now."""

    asked: int
    approved: int
    denied: int
    pending: int
    median_seconds: int | None


class Revealed(TypedDict):
    """A personal value, and the salt with which its commitment in the leaf is opened."""

    value: str
    salt: str


class RowAnswer(TypedDict):
    """What came of one row. What it asked for is not kept."""

    number: int
    state: Literal["waiting", "shared", "refused"]
    share: str | None
    recipient: str | None
    mail: str | None
    problem: str | None
    detail: str | None


class RowLinkAnswer(TypedDict):
    """A link to one row's share, shown this once; or why there is none."""

    number: int
    share: str
    url: str | None
    expires_at: str | None
    problem: str | None


class RowList(TypedDict):
    """Rows in their order."""

    items: builtins.list[RowAnswer]
    next: str | None


class RuleAnswer(TypedDict):
    """A rule."""

    id: str
    kind: RuleKind
    document: str | None
    domain: str | None
    nda: NdaMode
    view_only: bool
    download_limit: int | None
    days: int
    created_at: str
    removed_at: str | None


RuleKind = Literal["domain", "nda", "list"]


class RuleList(TypedDict):
    """Rules in order of their id."""

    items: builtins.list[RuleAnswer]
    next: str | None


class Section(TypedDict):
    """A named part of the report."""

    kind: SectionKind
    title: str
    first_page: int
    last_page: int


SectionKind = Literal[
    "managements-assertion",
    "auditors-opinion",
    "system-description",
    "controls",
    "test-results",
    "managements-responses",
    "other",
]


class ShareAnswer(TypedDict):
    """A share, and where it stands."""

    id: str
    document: str
    recipient: str
    purpose: str
    state: Literal["active", "expired", "revoked"]
    expires_at: str
    download_limit: int | None
    downloads_taken: int
    version: str | None
    cut: str | None
    nda: NdaMode
    mail_check: bool
    view_only: bool
    with_share: str | None
    created_at: str
    revoked_at: str | None
    revoked_reason: str | None


class ShareList(TypedDict):
    """Shares in order of their id."""

    items: builtins.list[ShareAnswer]
    next: str | None


class TextAnswer(TypedDict):
    """A text of the agreement."""

    id: str
    number: int
    sha256: str
    days: int | None
    created_at: str
    markdown: str


class TextList(TypedDict):
    """Texts in order of their number."""

    items: builtins.list[TextAnswer]
    next: str | None


class VersionAnswer(TypedDict):
    """A version, where its file stands, and what its copies carry."""

    id: str
    document: str
    number: int
    state: VersionState
    facts: Facts
    size: int | None
    sha256: str | None
    pages: int | None
    reason: str | None
    message: str | None
    created_at: str
    uploaded_at: str | None
    settled_at: str | None
    capacity: CapacityAnswer | None
    removed: builtins.list[RemovedAnswer] | None


class VersionList(TypedDict):
    """Versions, the newest first."""

    items: builtins.list[ListedVersion]
    next: str | None


VersionState = Literal["awaiting-file", "compiling", "ready", "refused"]


class WeekAnswer(TypedDict):
    """The accesses of one week, from Monday, in UTC."""

    monday: str
    downloads: int
    views: int
    public: int


class AccessRequestsResource:
    """People whose mail address was checked and who ask for a document, and what was decided."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def approve(
        self,
        request_id: str,
        *,
        expires_at: str | None | Omitted = OMITTED,
        download_limit: int | None | Omitted = OMITTED,
        version: str | None | Omitted = OMITTED,
        nda: NdaMode | None | Omitted = OMITTED,
        view_only: bool | Omitted = OMITTED,
        mail_check: bool | None | Omitted = OMITTED,
        idempotency_key: str | None = None,
    ) -> AccessRequestAnswer:
        """Approve a pending request: its share is made, and its link is mailed to who asked."""
        return cast(
            "AccessRequestAnswer",
            self._calls.once(
                path_of("/v1/access-requests/{request_id}/approve", request_id=request_id),
                body={
                    "expires_at": expires_at,
                    "download_limit": download_limit,
                    "version": version,
                    "nda": nda,
                    "view_only": view_only,
                    "mail_check": mail_check,
                },
                idempotency_key=idempotency_key,
            ),
        )

    def deny(self, request_id: str, *, idempotency_key: str | None = None) -> AccessRequestAnswer:
        """Deny a pending request; who asked is told by mail."""
        return cast(
            "AccessRequestAnswer",
            self._calls.once(
                path_of("/v1/access-requests/{request_id}/deny", request_id=request_id),
                idempotency_key=idempotency_key,
            ),
        )

    def list(
        self,
        *,
        limit: int | Omitted = OMITTED,
        after: str | Omitted = OMITTED,
        state: RequestState | Omitted = OMITTED,
        document: str | Omitted = OMITTED,
        recipient: str | Omitted = OMITTED,
    ) -> Iterator[AccessRequestAnswer]:
        """List requests; `state=pending` for those that wait."""
        return cast(
            "Iterator[AccessRequestAnswer]",
            self._calls.pages(
                "/v1/access-requests",
                query={
                    "limit": limit,
                    "after": after,
                    "state": state,
                    "document": document,
                    "recipient": recipient,
                },
            ),
        )

    def show(self, request_id: str) -> AccessRequestAnswer:
        """Show a request."""
        return cast(
            "AccessRequestAnswer",
            self._calls.ask("GET", path_of("/v1/access-requests/{request_id}", request_id=request_id)),
        )


class BatchesResource:
    """Many shares that are asked for at once, and what came of each row."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def create(
        self,
        *,
        document: str,
        rows: builtins.list[NewRow],
        purpose: str,
        expires_at: str | None | Omitted = OMITTED,
        download_limit: int | None | Omitted = OMITTED,
        version: str | None | Omitted = OMITTED,
        sections: builtins.list[int | str] | None | Omitted = OMITTED,
        nda: NdaMode | Omitted = OMITTED,
        view_only: bool | Omitted = OMITTED,
        mail_check: bool | None | Omitted = OMITTED,
        send: bool | Omitted = OMITTED,
        skip_problems: bool | Omitted = OMITTED,
        idempotency_key: str | None = None,
    ) -> BatchAnswer:
        """Share a document with many people. The list is checked as a whole first; the shares are made next."""
        return cast(
            "BatchAnswer",
            self._calls.once(
                "/v1/batches",
                body={
                    "document": document,
                    "rows": rows,
                    "purpose": purpose,
                    "expires_at": expires_at,
                    "download_limit": download_limit,
                    "version": version,
                    "sections": sections,
                    "nda": nda,
                    "view_only": view_only,
                    "mail_check": mail_check,
                    "send": send,
                    "skip_problems": skip_problems,
                },
                idempotency_key=idempotency_key,
            ),
        )

    def link(
        self,
        batch_id: str,
        *,
        after: int | None | Omitted = OMITTED,
        limit: int | Omitted = OMITTED,
        link_life: int | Omitted = OMITTED,
        idempotency_key: str | None = None,
    ) -> BatchLinksAnswer:
        """Get a new link for each share of a page of rows; the ones before it work on."""
        return cast(
            "BatchLinksAnswer",
            self._calls.once(
                path_of("/v1/batches/{batch_id}/links", batch_id=batch_id),
                body={"after": after, "limit": limit, "link_life": link_life},
                idempotency_key=idempotency_key,
            ),
        )

    def list(
        self, *, limit: int | Omitted = OMITTED, after: str | Omitted = OMITTED
    ) -> Iterator[ListedBatch]:
        """List batches."""
        return cast(
            "Iterator[ListedBatch]", self._calls.pages("/v1/batches", query={"limit": limit, "after": after})
        )

    def rows(
        self, batch_id: str, *, limit: int | Omitted = OMITTED, after: int | Omitted = OMITTED
    ) -> Iterator[RowAnswer]:
        """List what came of each row."""
        return cast(
            "Iterator[RowAnswer]",
            self._calls.pages(
                path_of("/v1/batches/{batch_id}/rows", batch_id=batch_id),
                query={"limit": limit, "after": after},
            ),
        )

    def show(self, batch_id: str) -> BatchAnswer:
        """Show how far a batch is."""
        return cast(
            "BatchAnswer", self._calls.ask("GET", path_of("/v1/batches/{batch_id}", batch_id=batch_id))
        )


class DocumentsResource:
    """Reports as things with a name, a kind and a classification."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def change(
        self,
        document_id: str,
        *,
        mail_check: MailCheck | None | Omitted = OMITTED,
        listing: Listing | None | Omitted = OMITTED,
        report: str | None | Omitted = OMITTED,
        ends: str | None | Omitted = OMITTED,
        citation: str | None | Omitted = OMITTED,
    ) -> DocumentAnswer:
        """Change the document's mail check, what the trust page says of it, how it is cited, its report or its end."""
        return cast(
            "DocumentAnswer",
            self._calls.ask(
                "PUT",
                path_of("/v1/documents/{document_id}/policy", document_id=document_id),
                body={
                    "mail_check": mail_check,
                    "listing": listing,
                    "report": report,
                    "ends": ends,
                    "citation": citation,
                },
            ),
        )

    def classify(self, document_id: str, *, classification: Classification) -> DocumentAnswer:
        """Change who may have a document."""
        return cast(
            "DocumentAnswer",
            self._calls.ask(
                "PUT",
                path_of("/v1/documents/{document_id}/classification", document_id=document_id),
                body={"classification": classification},
            ),
        )

    def create(
        self,
        *,
        name: str,
        kind: Kind,
        owner_mail: str,
        classification: Classification | Omitted = OMITTED,
        idempotency_key: str | None = None,
    ) -> DocumentAnswer:
        """Make a document. One that is made `public` needs the scope documents:classify too."""
        return cast(
            "DocumentAnswer",
            self._calls.once(
                "/v1/documents",
                body={"name": name, "kind": kind, "classification": classification, "owner_mail": owner_mail},
                idempotency_key=idempotency_key,
            ),
        )

    def list(
        self, *, limit: int | Omitted = OMITTED, after: str | Omitted = OMITTED
    ) -> Iterator[DocumentAnswer]:
        """List documents."""
        return cast(
            "Iterator[DocumentAnswer]",
            self._calls.pages("/v1/documents", query={"limit": limit, "after": after}),
        )

    def revoke(self, document_id: str) -> DocumentAnswer:
        """Lend a document to nobody any more, at once; running downloads are cut off."""
        return cast(
            "DocumentAnswer",
            self._calls.ask("POST", path_of("/v1/documents/{document_id}/revoke", document_id=document_id)),
        )

    def show(self, document_id: str) -> DocumentAnswer:
        """Show a document."""
        return cast(
            "DocumentAnswer",
            self._calls.ask("GET", path_of("/v1/documents/{document_id}", document_id=document_id)),
        )


class CitationsResource:
    """How a questionnaire refers to a report: one sentence, or a whole file."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def csv_file(
        self,
        document_id: str,
        file: bytes | BinaryIO,
        *,
        item_column: str | Omitted = OMITTED,
        criteria_column: str | Omitted = OMITTED,
        sheet: str | Omitted = OMITTED,
    ) -> bytes:
        """Cite a document throughout a questionnaire in CSV (UTF-8): the same file, with a column *Citation*."""
        return self._calls.raw(
            "POST",
            path_of("/v1/documents/{document_id}/questionnaire.csv", document_id=document_id),
            query={"item_column": item_column, "criteria_column": criteria_column, "sheet": sheet},
            file=file,
            media_type="text/csv",
        )

    def show(
        self, document_id: str, *, items: str | Omitted = OMITTED, criteria: str | Omitted = OMITTED
    ) -> CitationAnswer:
        """Cite a document: the sentence for a questionnaire, in the owner's wording."""
        return cast(
            "CitationAnswer",
            self._calls.ask(
                "GET",
                path_of("/v1/documents/{document_id}/citation", document_id=document_id),
                query={"items": items, "criteria": criteria},
            ),
        )

    def xlsx_file(
        self,
        document_id: str,
        file: bytes | BinaryIO,
        *,
        item_column: str | Omitted = OMITTED,
        criteria_column: str | Omitted = OMITTED,
        sheet: str | Omitted = OMITTED,
    ) -> bytes:
        """Cite a document throughout a questionnaire in XLSX: the same workbook, with a column *Citation*."""
        return self._calls.raw(
            "POST",
            path_of("/v1/documents/{document_id}/questionnaire.xlsx", document_id=document_id),
            query={"item_column": item_column, "criteria_column": criteria_column, "sheet": sheet},
            file=file,
            media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        )


class VersionsResource:
    """The files of a document, each with its facts."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def create(
        self, document_id: str, *, facts: Facts | Omitted = OMITTED, idempotency_key: str | None = None
    ) -> VersionAnswer:
        """Add a version with its facts. Its file is uploaded next."""
        return cast(
            "VersionAnswer",
            self._calls.once(
                path_of("/v1/documents/{document_id}/versions", document_id=document_id),
                body={"facts": facts},
                idempotency_key=idempotency_key,
            ),
        )

    def list(
        self, document_id: str, *, limit: int | Omitted = OMITTED, after: str | Omitted = OMITTED
    ) -> Iterator[ListedVersion]:
        """List the versions of a document."""
        return cast(
            "Iterator[ListedVersion]",
            self._calls.pages(
                path_of("/v1/documents/{document_id}/versions", document_id=document_id),
                query={"limit": limit, "after": after},
            ),
        )

    def show(self, document_id: str, version_id: str) -> VersionAnswer:
        """Show a version."""
        return cast(
            "VersionAnswer",
            self._calls.ask(
                "GET",
                path_of(
                    "/v1/documents/{document_id}/versions/{version_id}",
                    document_id=document_id,
                    version_id=version_id,
                ),
            ),
        )

    def upload(
        self, document_id: str, version_id: str, file: bytes | BinaryIO, *, prefer: str | Omitted = OMITTED
    ) -> VersionAnswer:
        """Upload the file. It is compiled next: `202`, or with `Prefer: wait=SECONDS` `200` when that is done."""
        return cast(
            "VersionAnswer",
            json.loads(
                self._calls.raw(
                    "PUT",
                    path_of(
                        "/v1/documents/{document_id}/versions/{version_id}/file",
                        document_id=document_id,
                        version_id=version_id,
                    ),
                    headers={"Prefer": prefer},
                    file=file,
                    media_type="application/pdf",
                )
            ),
        )


class CutsResource:
    """Sections of a version, cut out as a report of their own."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def create(
        self,
        document_id: str,
        version_id: str,
        *,
        sections: builtins.list[int | str],
        prefer: str | Omitted = OMITTED,
    ) -> CutAnswer:
        """Cut sections out of a version: `202` while that runs, or `200` once it is settled."""
        return cast(
            "CutAnswer",
            self._calls.ask(
                "POST",
                path_of(
                    "/v1/documents/{document_id}/versions/{version_id}/cuts",
                    document_id=document_id,
                    version_id=version_id,
                ),
                body={"sections": sections},
                headers={"Prefer": prefer},
            ),
        )

    def list(self, document_id: str, version_id: str) -> CutList:
        """List the cuts of a version."""
        return cast(
            "CutList",
            self._calls.ask(
                "GET",
                path_of(
                    "/v1/documents/{document_id}/versions/{version_id}/cuts",
                    document_id=document_id,
                    version_id=version_id,
                ),
            ),
        )

    def show(self, document_id: str, version_id: str, cut_id: str) -> CutAnswer:
        """Show a cut."""
        return cast(
            "CutAnswer",
            self._calls.ask(
                "GET",
                path_of(
                    "/v1/documents/{document_id}/versions/{version_id}/cuts/{cut_id}",
                    document_id=document_id,
                    version_id=version_id,
                    cut_id=cut_id,
                ),
            ),
        )


class EvidenceResource:
    """Packs of evidence, which an outsider can check."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def pull(
        self,
        *,
        share: str | Omitted = OMITTED,
        recipient: str | Omitted = OMITTED,
        company: str | Omitted = OMITTED,
    ) -> bytes:
        """Pull all of one share, recipient or company as a zip that checks offline; needs the scope ndas:read too."""
        return self._calls.raw(
            "GET", "/v1/evidence", query={"share": share, "recipient": recipient, "company": company}
        )


class HoldsResource:
    """What must not be erased while a matter is open."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def list(
        self,
        *,
        limit: int | Omitted = OMITTED,
        after: str | Omitted = OMITTED,
        standing: Literal["true"] | Omitted = OMITTED,
    ) -> Iterator[HoldAnswer]:
        """List holds."""
        return cast(
            "Iterator[HoldAnswer]",
            self._calls.pages("/v1/holds", query={"limit": limit, "after": after, "standing": standing}),
        )

    def place(
        self,
        *,
        reason: str,
        recipient: str | None | Omitted = OMITTED,
        company: str | None | Omitted = OMITTED,
        document: str | None | Omitted = OMITTED,
        idempotency_key: str | None = None,
    ) -> HoldAnswer:
        """Forbid to erase a recipient, all people of a company, or all whom a document was shared with."""
        return cast(
            "HoldAnswer",
            self._calls.once(
                "/v1/holds",
                body={"recipient": recipient, "company": company, "document": document, "reason": reason},
                idempotency_key=idempotency_key,
            ),
        )

    def release(self, hold_id: str) -> HoldAnswer:
        """End a hold."""
        return cast(
            "HoldAnswer", self._calls.ask("POST", path_of("/v1/holds/{hold_id}/release", hold_id=hold_id))
        )


class LogResource:
    """The access log: who did what to which report, when and from where."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def checkpoint(self) -> bytes:
        """What the log says of itself: a signed note (c2sp.org/tlog-checkpoint). Keep it; no key is needed to read it."""
        return self._calls.raw("GET", "/v1/log/checkpoint")

    def entries(
        self,
        *,
        limit: int | Omitted = OMITTED,
        since: str | Omitted = OMITTED,
        until: str | Omitted = OMITTED,
        kind: Literal[
            "access.approved",
            "access.denied",
            "access.requested",
            "api-key.created",
            "api-key.revoked",
            "batch.begun",
            "batch.ended",
            "cut.created",
            "cut.ready",
            "cut.refused",
            "document.changed",
            "document.classified",
            "document.created",
            "document.revoked",
            "download.begun",
            "download.denied",
            "download.ended",
            "download.granted",
            "evidence.pulled",
            "hold.placed",
            "hold.released",
            "key.created",
            "key.retired",
            "key.rotated",
            "link.created",
            "link.queued",
            "log.archived",
            "log.heartbeat",
            "log.pulled",
            "log.recovered",
            "mail-check.failed",
            "mail-check.passed",
            "mail.failed",
            "mail.sent",
            "nda-text.created",
            "nda.approved",
            "nda.created",
            "nda.evidence",
            "nda.evidence-erased",
            "nda.record-pulled",
            "nda.revoked",
            "nda.signed",
            "nda.timestamped",
            "page.drawn",
            "page.viewed",
            "public.downloaded",
            "public.throttled",
            "recipient.created",
            "recipient.erased",
            "requests.limited",
            "requests.unauthentic",
            "rule.created",
            "rule.listed",
            "rule.removed",
            "share.changed",
            "share.created",
            "share.revoked",
            "staff.denied",
            "staff.signed-in",
            "staff.signed-out",
            "store.swept",
            "version.created",
            "version.ready",
            "version.refused",
            "version.uploaded",
            "webhook.created",
            "webhook.failed",
            "webhook.removed",
            "webhook.replayed",
        ]
        | Omitted = OMITTED,
        document: str | Omitted = OMITTED,
        recipient: str | Omitted = OMITTED,
        share: str | Omitted = OMITTED,
        outcome: Literal["ok", "denied", "refused", "complete", "broken-off", "revoked", "unknown"]
        | Omitted = OMITTED,
        after: str | Omitted = OMITTED,
        size: str | Omitted = OMITTED,
        held: str | Omitted = OMITTED,
    ) -> bytes:
        """Read the log: a page of JSON, or by `Accept` all of it as application/x-ndjson, text/csv, or OCSF for a SIEM."""
        return self._calls.raw(
            "GET",
            "/v1/log/entries",
            query={
                "limit": limit,
                "since": since,
                "until": until,
                "kind": kind,
                "document": document,
                "recipient": recipient,
                "share": share,
                "outcome": outcome,
                "after": after,
                "size": size,
                "held": held,
            },
        )

    def keys(self) -> bytes:
        """The public keys that sign the log now, one a line (c2sp.org/signed-note). Keep them, too."""
        return self._calls.raw("GET", "/v1/log/keys")

    def proof(self, entry_id: str) -> bytes:
        """Prove that an entry is in the log: c2sp.org/tlog-proof, under a checkpoint of now."""
        return self._calls.raw("GET", path_of("/v1/log/entries/{entry_id}/proof", entry_id=entry_id))


class NdaTextsResource:
    """Texts of the agreement that recipients sign on the page. The newest is offered."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def create(
        self, *, markdown: str, days: int | None | Omitted = OMITTED, idempotency_key: str | None = None
    ) -> TextAnswer:
        """Offer a new text from now on. Who signed an older one on the page is asked again."""
        return cast(
            "TextAnswer",
            self._calls.once(
                "/v1/nda-texts", body={"markdown": markdown, "days": days}, idempotency_key=idempotency_key
            ),
        )

    def list(self, *, limit: int | Omitted = OMITTED, after: str | Omitted = OMITTED) -> Iterator[TextAnswer]:
        """List texts."""
        return cast(
            "Iterator[TextAnswer]", self._calls.pages("/v1/nda-texts", query={"limit": limit, "after": after})
        )

    def show(self, text_id: str) -> TextAnswer:
        """Show a text."""
        return cast("TextAnswer", self._calls.ask("GET", path_of("/v1/nda-texts/{text_id}", text_id=text_id)))


class NdasResource:
    """Agreements that put a person, or all people of a company's mail domain, under NDA."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def approve(self, nda_id: str) -> NdaAnswer:
        """Put a pending agreement in force."""
        return cast("NdaAnswer", self._calls.ask("POST", path_of("/v1/ndas/{nda_id}/approve", nda_id=nda_id)))

    def attach_evidence(self, nda_id: str, file: bytes | BinaryIO) -> NdaAnswer:
        """Keep the signed PDF, sealed. It is never replaced; the same file again changes nothing."""
        return cast(
            "NdaAnswer",
            json.loads(
                self._calls.raw(
                    "PUT",
                    path_of("/v1/ndas/{nda_id}/evidence", nda_id=nda_id),
                    file=file,
                    media_type="application/pdf",
                )
            ),
        )

    def create(
        self,
        *,
        source: str,
        recipient: Person | None | Omitted = OMITTED,
        domain: str | None | Omitted = OMITTED,
        valid_from: str | None | Omitted = OMITTED,
        valid_until: str | None | Omitted = OMITTED,
        reference: str | Omitted = OMITTED,
        approved: bool | Omitted = OMITTED,
        idempotency_key: str | None = None,
    ) -> NdaAnswer:
        """Record an agreement. With `approved` it is in force at once, which needs the scope ndas:approve too."""
        return cast(
            "NdaAnswer",
            self._calls.once(
                "/v1/ndas",
                body={
                    "recipient": recipient,
                    "domain": domain,
                    "valid_from": valid_from,
                    "valid_until": valid_until,
                    "source": source,
                    "reference": reference,
                    "approved": approved,
                },
                idempotency_key=idempotency_key,
            ),
        )

    def list(
        self,
        *,
        limit: int | Omitted = OMITTED,
        after: str | Omitted = OMITTED,
        recipient: str | Omitted = OMITTED,
        domain: str | Omitted = OMITTED,
    ) -> Iterator[NdaAnswer]:
        """List agreements."""
        return cast(
            "Iterator[NdaAnswer]",
            self._calls.pages(
                "/v1/ndas", query={"limit": limit, "after": after, "recipient": recipient, "domain": domain}
            ),
        )

    def pull_evidence(self, nda_id: str) -> bytes:
        """Pull the signed PDF, as it was attached or made at the signing on the page. The pull is an entry."""
        return self._calls.raw("GET", path_of("/v1/ndas/{nda_id}/evidence", nda_id=nda_id))

    def revoke(self, nda_id: str) -> NdaAnswer:
        """End an agreement at once, and with it the shares that no other covers."""
        return cast("NdaAnswer", self._calls.ask("POST", path_of("/v1/ndas/{nda_id}/revoke", nda_id=nda_id)))

    def show(self, nda_id: str) -> NdaAnswer:
        """Show an agreement."""
        return cast("NdaAnswer", self._calls.ask("GET", path_of("/v1/ndas/{nda_id}", nda_id=nda_id)))

    def timestamp(self, nda_id: str) -> bytes:
        """The time stamp of the signed PDF (RFC 3161): `openssl ts -verify -in FILE -data PDF -CAfile ROOT` checks it."""
        return self._calls.raw("GET", path_of("/v1/ndas/{nda_id}/timestamp", nda_id=nda_id))


class RecipientsResource:
    """People who may be lent a report, one for each mail address."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def erase(self, recipient_id: str) -> RecipientAnswer:
        """Erase a recipient for good, and close all that was lent to them."""
        return cast(
            "RecipientAnswer",
            self._calls.ask(
                "POST", path_of("/v1/recipients/{recipient_id}/erase", recipient_id=recipient_id)
            ),
        )

    def list(
        self, *, limit: int | Omitted = OMITTED, after: str | Omitted = OMITTED, mail: str | Omitted = OMITTED
    ) -> Iterator[RecipientAnswer]:
        """List recipients, or find the one of a mail address."""
        return cast(
            "Iterator[RecipientAnswer]",
            self._calls.pages("/v1/recipients", query={"limit": limit, "after": after, "mail": mail}),
        )

    def show(self, recipient_id: str) -> RecipientAnswer:
        """Show a recipient."""
        return cast(
            "RecipientAnswer",
            self._calls.ask("GET", path_of("/v1/recipients/{recipient_id}", recipient_id=recipient_id)),
        )


class ReportResource:
    """Answers for the board: what is out, to whom, how often it is opened."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def show(self, *, first: str | Omitted = OMITTED, last: str | Omitted = OMITTED) -> bytes:
        """Get the numbers for the board; by `Accept` as JSON or text/csv."""
        return self._calls.raw("GET", "/v1/report", query={"first": first, "last": last})


class RulesResource:
    """What approves requests for access by itself: a mail domain, an agreement, a list."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def add_members(self, rule_id: str, *, mails: builtins.list[str]) -> MembersAnswer:
        """Add addresses to the list."""
        return cast(
            "MembersAnswer",
            self._calls.ask(
                "POST", path_of("/v1/rules/{rule_id}/members", rule_id=rule_id), body={"mails": mails}
            ),
        )

    def create(
        self,
        *,
        kind: RuleKind,
        document: str | None | Omitted = OMITTED,
        domain: str | None | Omitted = OMITTED,
        nda: NdaMode | Omitted = OMITTED,
        view_only: bool | Omitted = OMITTED,
        download_limit: int | None | Omitted = OMITTED,
        days: int | Omitted = OMITTED,
        idempotency_key: str | None = None,
    ) -> RuleAnswer:
        """Add a rule. It applies to requests that are made after it; rules are tried in the order of their making."""
        return cast(
            "RuleAnswer",
            self._calls.once(
                "/v1/rules",
                body={
                    "kind": kind,
                    "document": document,
                    "domain": domain,
                    "nda": nda,
                    "view_only": view_only,
                    "download_limit": download_limit,
                    "days": days,
                },
                idempotency_key=idempotency_key,
            ),
        )

    def list(
        self,
        *,
        limit: int | Omitted = OMITTED,
        after: str | Omitted = OMITTED,
        in_force: Literal["true"] | Omitted = OMITTED,
    ) -> Iterator[RuleAnswer]:
        """List rules."""
        return cast(
            "Iterator[RuleAnswer]",
            self._calls.pages("/v1/rules", query={"limit": limit, "after": after, "in_force": in_force}),
        )

    def members(
        self, rule_id: str, *, limit: int | Omitted = OMITTED, after: str | Omitted = OMITTED
    ) -> Iterator[MemberAnswer]:
        """List who stands on a rule's list."""
        return cast(
            "Iterator[MemberAnswer]",
            self._calls.pages(
                path_of("/v1/rules/{rule_id}/members", rule_id=rule_id),
                query={"limit": limit, "after": after},
            ),
        )

    def put_members(self, rule_id: str, *, mails: builtins.list[str]) -> MembersAnswer:
        """Make these addresses the whole list."""
        return cast(
            "MembersAnswer",
            self._calls.ask(
                "PUT", path_of("/v1/rules/{rule_id}/members", rule_id=rule_id), body={"mails": mails}
            ),
        )

    def remove(self, rule_id: str) -> RuleAnswer:
        """End a rule and forget its list. What it approved stays approved."""
        return cast(
            "RuleAnswer", self._calls.ask("POST", path_of("/v1/rules/{rule_id}/remove", rule_id=rule_id))
        )

    def remove_members(self, rule_id: str, *, mails: builtins.list[str]) -> MembersAnswer:
        """Take the addresses in the body off the list."""
        return cast(
            "MembersAnswer",
            self._calls.ask(
                "DELETE", path_of("/v1/rules/{rule_id}/members", rule_id=rule_id), body={"mails": mails}
            ),
        )

    def show(self, rule_id: str) -> RuleAnswer:
        """Show a rule."""
        return cast("RuleAnswer", self._calls.ask("GET", path_of("/v1/rules/{rule_id}", rule_id=rule_id)))


class SharesResource:
    """The decision that one person may have one document, and the links that lead to it."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def create(
        self,
        *,
        document: str,
        recipient: Person,
        purpose: str,
        expires_at: str | None | Omitted = OMITTED,
        download_limit: int | None | Omitted = OMITTED,
        version: str | None | Omitted = OMITTED,
        sections: builtins.list[int | str] | None | Omitted = OMITTED,
        nda: NdaMode | Omitted = OMITTED,
        view_only: bool | Omitted = OMITTED,
        mail_check: bool | None | Omitted = OMITTED,
        link_life: int | Omitted = OMITTED,
        send: bool | Omitted = OMITTED,
        idempotency_key: str | None = None,
    ) -> NewShareAnswer:
        """Lend a document to a person, who is made if unknown, and get the link to hand them, or have it mailed."""
        return cast(
            "NewShareAnswer",
            self._calls.once(
                "/v1/shares",
                body={
                    "document": document,
                    "recipient": recipient,
                    "purpose": purpose,
                    "expires_at": expires_at,
                    "download_limit": download_limit,
                    "version": version,
                    "sections": sections,
                    "nda": nda,
                    "view_only": view_only,
                    "mail_check": mail_check,
                    "link_life": link_life,
                    "send": send,
                },
                idempotency_key=idempotency_key,
            ),
        )

    def link(
        self,
        share_id: str,
        *,
        link_life: int | Omitted = OMITTED,
        send: bool | Omitted = OMITTED,
        idempotency_key: str | None = None,
    ) -> LinkAnswer:
        """Get a new link for a share, or have it mailed to its recipient; the ones before it work on."""
        return cast(
            "LinkAnswer",
            self._calls.once(
                path_of("/v1/shares/{share_id}/links", share_id=share_id),
                body={"link_life": link_life, "send": send},
                idempotency_key=idempotency_key,
            ),
        )

    def list(
        self,
        *,
        limit: int | Omitted = OMITTED,
        after: str | Omitted = OMITTED,
        document: str | Omitted = OMITTED,
        recipient: str | Omitted = OMITTED,
        active: Literal["true"] | Omitted = OMITTED,
    ) -> Iterator[ShareAnswer]:
        """List shares."""
        return cast(
            "Iterator[ShareAnswer]",
            self._calls.pages(
                "/v1/shares",
                query={
                    "limit": limit,
                    "after": after,
                    "document": document,
                    "recipient": recipient,
                    "active": active,
                },
            ),
        )

    def revoke(self, share_id: str) -> ShareAnswer:
        """End a share and all its links at once; running downloads are cut off."""
        return cast(
            "ShareAnswer", self._calls.ask("POST", path_of("/v1/shares/{share_id}/revoke", share_id=share_id))
        )

    def show(self, share_id: str) -> ShareAnswer:
        """Show a share."""
        return cast(
            "ShareAnswer", self._calls.ask("GET", path_of("/v1/shares/{share_id}", share_id=share_id))
        )


class WebhooksResource:
    """Where other systems are told what happens, as Standard Webhooks says."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def create(
        self,
        *,
        url: str,
        kinds: builtins.list[EventKind],
        personal: bool | Omitted = OMITTED,
        idempotency_key: str | None = None,
    ) -> NewReceiverAnswer:
        """Tell a receiver what happens from now on, and get the secret that it verifies it with."""
        return cast(
            "NewReceiverAnswer",
            self._calls.once(
                "/v1/webhooks",
                body={"url": url, "kinds": kinds, "personal": personal},
                idempotency_key=idempotency_key,
            ),
        )

    def events(
        self,
        receiver_id: str,
        *,
        limit: int | Omitted = OMITTED,
        after: str | Omitted = OMITTED,
        state: Literal["waiting", "sent", "failed"] | Omitted = OMITTED,
    ) -> Iterator[EventAnswer]:
        """The delivery log of the last 30 days: what was sent, what waits, what failed."""
        return cast(
            "Iterator[EventAnswer]",
            self._calls.pages(
                path_of("/v1/webhooks/{receiver_id}/events", receiver_id=receiver_id),
                query={"limit": limit, "after": after, "state": state},
            ),
        )

    def list(
        self, *, limit: int | Omitted = OMITTED, after: str | Omitted = OMITTED
    ) -> Iterator[ReceiverAnswer]:
        """List receivers."""
        return cast(
            "Iterator[ReceiverAnswer]",
            self._calls.pages("/v1/webhooks", query={"limit": limit, "after": after}),
        )

    def remove(self, receiver_id: str) -> ReceiverAnswer:
        """Send a receiver nothing more. Its secret and its delivery log are gone."""
        return cast(
            "ReceiverAnswer",
            self._calls.ask("POST", path_of("/v1/webhooks/{receiver_id}/remove", receiver_id=receiver_id)),
        )

    def replay(self, receiver_id: str, *, since: str | None | Omitted = OMITTED) -> ReplayAnswer:
        """Send events again, under their ids and in their order."""
        return cast(
            "ReplayAnswer",
            self._calls.ask(
                "POST",
                path_of("/v1/webhooks/{receiver_id}/replay", receiver_id=receiver_id),
                body={"since": since},
            ),
        )

    def show(self, receiver_id: str) -> ReceiverAnswer:
        """Show a receiver."""
        return cast(
            "ReceiverAnswer",
            self._calls.ask("GET", path_of("/v1/webhooks/{receiver_id}", receiver_id=receiver_id)),
        )


class Resources:
    """The resources of the API."""

    def __init__(self, calls: Calls) -> None:
        self.access_requests = AccessRequestsResource(calls)
        self.batches = BatchesResource(calls)
        self.documents = DocumentsResource(calls)
        self.citations = CitationsResource(calls)
        self.versions = VersionsResource(calls)
        self.cuts = CutsResource(calls)
        self.evidence = EvidenceResource(calls)
        self.holds = HoldsResource(calls)
        self.log = LogResource(calls)
        self.nda_texts = NdaTextsResource(calls)
        self.ndas = NdasResource(calls)
        self.recipients = RecipientsResource(calls)
        self.report = ReportResource(calls)
        self.rules = RulesResource(calls)
        self.shares = SharesResource(calls)
        self.webhooks = WebhooksResource(calls)
