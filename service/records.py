"""The records: one frozen dataclass for each word of the architecture that is stored.

The first field of each is its key. Times are aware UTC datetimes, identifiers are a prefix and 26 Crockford
base32 characters (`crypto.identifiers`). Which fields are personal is said once, in the schema
(`service/adapters/sql/tables.py`), because erasing works on columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a document is."""

    SOC2_TYPE1 = "soc2-type1"
    SOC2_TYPE2 = "soc2-type2"
    SOC3 = "soc3"
    ISO27001 = "iso27001"
    PENTEST = "pentest"
    BRIDGE_LETTER = "bridge-letter"
    OVERVIEW = "overview"
    OTHER = "other"


class Classification(StrEnum):
    """Who may have a document: anyone it is shared with, or only those under NDA."""

    PUBLIC = "public"
    NDA = "nda"


class VersionState(StrEnum):
    """Where an uploaded file stands."""

    AWAITING_FILE = "awaiting-file"
    COMPILING = "compiling"
    READY = "ready"
    REFUSED = "refused"


class MailCheck(StrEnum):
    """Where a recipient must show by a code that the mail address is theirs."""

    LIMITED = "limited"  # where a share has a download limit, or waits for its agreement
    ALWAYS = "always"
    NEVER = "never"  # but where a share waits for its agreement


class Listing(StrEnum):
    """What the trust page says of a document."""

    HIDDEN = "hidden"
    NAMED = "named"  # its name and kind
    FACTS = "facts"  # period, auditor and opinion too


class NdaMode(StrEnum):
    """What a share of an `nda` document does while no agreement is in force."""

    REQUIRE = "require"  # it is not made
    ASK = "ask"  # it grants nothing until its recipient has signed on the page


class RequestState(StrEnum):
    """Where a request for access stands."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"


class RuleKind(StrEnum):
    """What a rule that approves requests looks at."""

    DOMAIN = "domain"  # the recipient's mail domain is the rule's
    NDA = "nda"  # an agreement is in force for the recipient
    LIST = "list"  # the mail stands on the rule's list


class CutState(StrEnum):
    """Where the cut of a version stands."""

    COMPILING = "compiling"
    READY = "ready"
    REFUSED = "refused"


class NdaState(StrEnum):
    """Where an agreement stands; `expired` is computed from its dates, never stored."""

    PENDING = "pending"
    APPROVED = "approved"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Document:
    """A report as a thing that has a name, a kind, a classification and an owner's mail."""

    id: str  # doc_…
    name: str
    kind: Kind
    classification: Classification
    owner_mail: str
    created_at: datetime
    revoked_at: datetime | None = None
    mail_check: MailCheck = MailCheck.LIMITED
    listing: Listing = Listing.HIDDEN
    report_id: str | None = None  # of a bridge letter: the report that it belongs to
    ends_on: date | None = None  # last day (UTC) on which it is lent
    citation: str | None = None  # the owner's wording, see service/citing.py


@dataclass(frozen=True)
class Version:
    """One uploaded PDF of a document with its facts; its file never changes."""

    id: str  # ver_…
    document_id: str
    number: int  # 1, 2, … within the document
    state: VersionState
    facts: dict[str, Any]  # see service/facts.py
    created_at: datetime
    original_id: str | None = None  # the sealed original, obj_…
    template_id: str | None = None  # the newest template, tpl_…
    size: int | None = None  # bytes of the uploaded PDF
    sha256: str | None = None  # of the uploaded PDF, hex
    pages: int | None = None
    capacity: dict[str, Any] | None = None  # what compile found, see watermark.compile
    reason: str | None = None  # why it was refused: a closed code
    message: str | None = None  # … and in words
    uploaded_at: datetime | None = None
    settled_at: datetime | None = None  # when it became ready or refused


@dataclass(frozen=True)
class Template:
    """A compiled version: a finished PDF in which every slot's place is known, sealed."""

    id: str  # tpl_…
    version_id: str
    object_id: str
    format: int  # of watermark/TEMPLATE.md
    size: int  # bytes of the encoded template
    created_at: datetime
    cut_id: str | None = None  # it is of this cut, not of the whole version


@dataclass(frozen=True)
class Cut:
    """Named sections of one version as a report of their own, with a template and a weave key of their own."""

    id: str  # cut_…
    version_id: str
    sections: list[int]  # places in the facts' sections, from 0, ascending
    state: CutState
    created_at: datetime
    template_id: str | None = None
    pages: int | None = None
    reason: str | None = None  # why it was refused: a closed code
    settled_at: datetime | None = None


@dataclass(frozen=True)
class SealedObject:
    """What the database knows of one sealed object; its sidecar in the store is authoritative."""

    id: str  # obj_…
    role: str  # original, template, evidence
    owner_kind: str  # version, cut, nda
    owner_id: str
    size: int  # plaintext bytes
    wrapped_key: str  # as in the sidecar
    master_id: str  # the master key that wrapped it
    created_at: datetime


@dataclass(frozen=True)
class Recipient:
    """A person: one mail address is one recipient."""

    id: str  # rcp_…
    mail: str  # local part case-folded, domain in its ASCII (A-label) form
    domain: str
    name: str
    company: str
    created_at: datetime
    erased_at: datetime | None = None  # then the values above tell nothing any more
    language: str = ""  # in which they read, a BCP 47 tag; empty: not known


@dataclass(frozen=True)
class Nda:
    """The agreement that covers one recipient or one company (a mail domain). Its terms never change."""

    id: str  # nda_…
    recipient_id: str | None  # either the person …
    domain: str | None  # … or the company's mail domain
    state: NdaState
    valid_from: datetime
    valid_until: datetime | None
    source: str  # which system or office holds it
    reference: str  # its number there
    created_at: datetime
    evidence_id: str | None = None  # the signed PDF, sealed, obj_…
    approved_at: datetime | None = None
    revoked_at: datetime | None = None
    text_id: str | None = None  # it was signed on the page: which text


@dataclass(frozen=True)
class NdaText:
    """One text of the agreement that is signed on the page. The one with the highest number is offered."""

    id: str  # txt_…
    number: int  # 1, 2, …
    markdown: str
    sha256: str  # of the text in UTF-8, hex
    days: int | None  # how long a signature holds; None: without an end
    created_at: datetime


@dataclass(frozen=True)
class Signature:
    """How an agreement was signed on the page: its evidence beside the sealed record."""

    id: str  # sig_…
    nda_id: str
    text_id: str
    recipient_id: str
    share_id: str
    name: str  # as it was typed
    mail: str  # as it was checked
    company: str
    address: str
    agent: str
    consents: list[str]  # the sentences that were agreed to, as they were shown
    signed_at: datetime
    record_sha256: str  # of the record, a PDF, hex; it is the agreement's evidence
    timestamp: bytes | None = None  # of the record, RFC 3161; None: no authority is configured, or not yet


@dataclass(frozen=True)
class Share:
    """The decision that one recipient may have one document for a stated purpose, with a policy."""

    id: str  # shr_…
    document_id: str
    recipient_id: str
    purpose: str
    expires_at: datetime
    download_limit: int | None
    downloads_taken: int
    pinned_version_id: str | None
    created_at: datetime
    revoked_at: datetime | None = None
    revoked_reason: str | None = None  # a closed code
    nda: NdaMode = NdaMode.REQUIRE
    mail_check: bool = False
    view_only: bool = False
    cut_id: str | None = None  # it covers this cut only, and is pinned to its version
    with_id: str | None = None  # of a bridge letter that goes along: the report's share, with which it ends


@dataclass(frozen=True)
class Link:
    """A signed, expiring URL of a share, of which only the hash of its id is stored."""

    hash: str
    share_id: str
    expires_at: datetime
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class Copy:
    """The marked PDF of one share and one version, frozen when minted; its bytes depend on nothing else."""

    id: str  # cpy_…
    share_id: str
    version_id: str
    template_id: str
    recipient_id: str
    name: str
    mail: str
    company: str
    issued: date  # UTC
    stamp_version: int
    length: int
    sha256: str  # hex
    fill: bytes  # watermark.mint.Fill, encoded: the shaped text and the copy's own font
    minted_at: datetime


@dataclass(frozen=True)
class PublicCopy:
    """The one file of a version of a `public` document that the trust page gives to everybody, marked as public."""

    version_id: str
    template_id: str
    issued: date  # UTC
    stamp_version: int
    length: int
    sha256: str  # hex
    fill: bytes
    minted_at: datetime


@dataclass(frozen=True)
class Delivery:
    """One download that was granted: charged once, may be resumed for ten minutes."""

    id: str  # dlv_…
    share_id: str
    copy_id: str
    link_hash: str
    granted_at: datetime
    until: datetime
    bytes_sent: int = 0  # over all sends, reserved before they begin


@dataclass(frozen=True)
class Send:
    """One sending of (a range of) a delivery; open until it ended."""

    id: str  # snd_…
    delivery_id: str
    begun_at: datetime
    alive_at: datetime  # touched while bytes flow
    reserved: int  # bytes that were promised to this send
    sent: int = 0
    ended_at: datetime | None = None
    outcome: str | None = None  # complete, broken-off, revoked, unknown


@dataclass(frozen=True)
class ApiKey:
    """A caller of the API; its secret is stored as a hash only."""

    id: str  # key id, as in the token
    name: str
    secret_hash: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class NamedKey:
    """An independent random key with a purpose, wrapped by the master key."""

    id: str  # key_…
    purpose: str  # link, log, service, weave
    owner_id: str | None  # the version or cut, for a weave key
    wrapped_key: str
    master_id: str
    created_at: datetime
    verify_until: datetime | None = None  # set when a newer key signs; None: this one signs


@dataclass(frozen=True)
class Answer:
    """The answer that is kept for one Idempotency-Key, sealed under the caller's own key."""

    key: str  # api key id ":" hash of the Idempotency-Key
    request_hash: str
    created_at: datetime
    status: int | None = None  # None while the first call runs
    sealed: bytes | None = None
    recipient_id: str | None = None  # whom the answer tells of, so that erasing finds it


@dataclass(frozen=True)
class Job:
    """Work that runs beside requests."""

    id: str  # job_…
    kind: str  # compile, cut, discard …
    subject: str  # whom it is about: a version's id, a cut's …
    created_at: datetime
    run_after: datetime
    attempts: int = 0
    done_at: datetime | None = None


@dataclass(frozen=True)
class AccessRequest:
    """Somebody whose mail was checked asks for a document."""

    id: str  # acc_…
    document_id: str
    recipient_id: str
    name: str  # as they gave it; the mark says what the recipient's record says
    company: str
    purpose: str
    language: str
    state: RequestState
    created_at: datetime
    decided_at: datetime | None = None
    rule_id: str | None = None  # that approved it; None: a person or system decided
    share_id: str | None = None  # that was made


@dataclass(frozen=True)
class AccessRule:
    """What approves requests by itself, and the policy of the shares that it makes."""

    id: str  # rul_…
    kind: RuleKind
    document_id: str | None  # None: every document that is listed
    domain: str | None
    nda: NdaMode
    view_only: bool
    download_limit: int | None
    days: int  # that a share lives
    created_at: datetime
    removed_at: datetime | None = None


@dataclass(frozen=True)
class RuleMember:
    """A mail address on a rule's list."""

    id: str  # mbr_…
    rule_id: str
    mail: str
    created_at: datetime


@dataclass(frozen=True)
class Check:
    """A mail check that was begun: a code that is sent, and entered in the same browser."""

    id: str  # mck_…
    subject: str  # shr_…: of a share's recipient; doc_…: of whoever asks at a document's stable address
    recipient_id: str | None
    mail: str
    browser: str  # hash of the browser's cookie
    created_at: datetime
    code: bytes | None = None  # MAC of the code; None: not sent yet
    until: datetime | None = None  # from when it was sent
    tries: int = 0
    ended_at: datetime | None = None
    outcome: str | None = None  # passed, failed, replaced, expired


@dataclass(frozen=True)
class Session:
    """What a browser has shown: that the mail address is theirs, for one subject."""

    hash: str  # of the browser's cookie and the subject
    subject: str  # shr_…, doc_…
    recipient_id: str | None
    mail: str
    created_at: datetime
    until: datetime


@dataclass(frozen=True)
class RateWindow:
    """How often something limited happened in one window of time."""

    key: str  # limit ":" keyed hash of the subject ":" start of the window
    subject: str  # the keyed hash, so that erasing finds a mail's
    count: int
    until: datetime


@dataclass(frozen=True)
class Message:
    """A mail that is to be sent. Holds no link and no code: they are made when it is sent."""

    id: str  # msg_…
    kind: str  # link, code, approved, denied, expiring, new-version, period-ending, checkpoint
    about: str  # id of what it tells of: shr_…, mck_…, acc_…, ver_…, chk_…
    recipient_id: str | None
    mail: str
    language: str
    created_at: datetime
    run_after: datetime
    attempts: int = 0
    link_hash: str | None = None  # of the link that the last attempt made
    sent_at: datetime | None = None
    failed_at: datetime | None = None


@dataclass(frozen=True)
class Receiver:
    """Where events are sent as webhooks."""

    id: str  # whr_…
    url: str
    kinds: list[str]  # of events
    secret: str  # sealed under the service key; empty once removed
    created_at: datetime
    removed_at: datetime | None = None
    personal: bool = False  # its events name the recipient, too
    claimed_until: datetime | None = None  # while a sender is at one of its events, and not longer


@dataclass(frozen=True)
class Event:
    """One event for one receiver; sent in order."""

    id: str  # evt_…, the webhook's id
    position: int | None  # order of arrival, given by the database
    receiver_id: str
    kind: str
    recipient_id: str | None  # whose name and mail are in it, so that erasing finds it
    body: str  # JSON as it is sent; empty once erased
    created_at: datetime
    tried_from: datetime  # when it was made, or was replayed last: its three days begin
    run_after: datetime
    attempts: int = 0
    status: int | None = None  # of the last answer; None: there was none
    problem: str | None = None  # why the last attempt had no answer: a word
    sent_at: datetime | None = None
    failed_at: datetime | None = None


@dataclass(frozen=True)
class Batch:
    """Many shares that were asked for at once."""

    id: str  # bat_…
    document_id: str
    size: int
    created_at: datetime
    done_at: datetime | None = None
    given: str = ""  # what must be said again to go on with it by the same text


@dataclass(frozen=True)
class BatchRow:
    """One recipient of a batch, and what came of it."""

    id: str  # batch ":" number from 0, eight digits
    batch_id: str
    wanted: dict[str, Any]  # as it was asked; empty once the recipient was erased
    recipient_id: str | None = None
    share_id: str | None = None
    problem: str | None = None
    done_at: datetime | None = None


@dataclass(frozen=True)
class StaffSession:
    """One of the lender's people, signed in to the console."""

    hash: str  # of the cookie
    issuer: str
    subject: str
    name: str
    roles: list[str]
    created_at: datetime
    until: datetime


@dataclass(frozen=True)
class Throttle:
    """Something that may happen once until a time, such as the entry for a denied link."""

    key: str
    until: datetime


@dataclass(frozen=True)
class Tally:
    """How often something happened in one process since it was last summed up."""

    key: str  # name ":" process ":" start
    name: str
    count: int
    since: datetime


@dataclass(frozen=True)
class InboxEntry:
    """An entry that is durable but has no place in the tree yet."""

    id: str  # ent_…
    position: int | None  # order of arrival, given by the database
    leaf: bytes  # canonical JSON, still without `sequenced`
    revealed: dict[str, dict[str, str]]  # personal field → value and salt


@dataclass(frozen=True)
class LoggedEntry:
    """An entry with its place in the tree. `leaf` is its exact bytes; the other fields repeat it for search."""

    index: int
    id: str
    leaf: bytes
    leaf_hash: bytes
    revealed: dict[str, dict[str, str]]
    kind: str
    time: datetime
    sequenced: datetime
    document: str | None = None
    version: str | None = None
    share: str | None = None
    recipient: str | None = None
    nda: str | None = None
    outcome: str | None = None


@dataclass(frozen=True)
class TreeNode:
    """The hash of one perfect subtree of the log."""

    key: str  # level ":" index
    hash: bytes


@dataclass(frozen=True)
class LogState:
    """How far the tree has come; one row."""

    name: str  # "log"
    size: int
    root: bytes
    sequenced: datetime  # of the last entry; never decreases
    origin: str | None = None  # under which its checkpoints are signed; None before the first
    began: int = 0  # size at which this origin began


@dataclass(frozen=True)
class LogCheckpoint:
    """What the log said at one size, signed."""

    id: str  # chk_…
    origin: str
    size: int
    root: bytes
    note: str  # the signed note; signatures of witnesses are added to it
    signed_at: datetime
    stored_at: datetime | None = None  # in the store: published from then on
    locked_at: datetime | None = None  # in the bucket with Object Lock


@dataclass(frozen=True)
class LogArchive:
    """Personal values of old entries [first, stop), moved to a sealed object."""

    id: str  # arc_…
    object_id: str
    first: int
    stop: int
    created_at: datetime


@dataclass(frozen=True)
class Hold:
    """Why what concerns a recipient, a company or a document is not erased."""

    id: str  # hld_…
    kind: str  # recipient, company, document
    subject: str  # rcp_…, a mail domain, doc_…
    reason: str
    placed_at: datetime
    released_at: datetime | None = None
