"""The schema: one table for each record, its columns in the order of the record's fields.

`personal` marks the columns that erasing must reach, `plain` all others; there is no third way to make one.
Foreign keys are checked at the commit, so the order of adding inside one transaction is free. None leads
from or to the tables of the log, which outlive what they tell of. The migrations repeat this schema and are
frozen; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
    false,
    text,
)

from service import records
from service.adapters.sql.types import Closed, Line, Moment, Tree, Whole

metadata = MetaData()


def plain(name: str, type_: Any, *args: Any, null: bool = False, **options: Any) -> Column[Any]:
    """A column that tells nothing about a person."""
    return Column(name, type_, *args, nullable=null, info={"personal": False}, **options)


def personal(name: str, type_: Any, *args: Any, null: bool = False, **options: Any) -> Column[Any]:
    """A column that may tell something about a person; erasing reaches it."""
    return Column(name, type_, *args, nullable=null, info={"personal": True}, **options)


def refers(target: str) -> ForeignKey:
    """A reference to a column of another table, checked when the transaction commits."""
    return ForeignKey(target, deferrable=True, initially="DEFERRED")


def one_of(column: str, values: Iterable[str], name: str) -> CheckConstraint:
    """The column holds one of a closed set (or nothing, where it may be NULL)."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=name)


def closed(column: str, members: type[StrEnum], name: str) -> CheckConstraint:
    """`one_of` for a `StrEnum`."""
    return one_of(column, [member.value for member in members], name)


def partial(name: str, column: str, where: str) -> Index:
    """An index over the few rows that still wait for something."""
    return Index(name, column, sqlite_where=text(where), postgresql_where=text(where))


documents = Table(
    "documents",
    metadata,
    plain("id", Line, primary_key=True),
    plain("name", Line),
    plain("kind", Closed(records.Kind)),
    plain("classification", Closed(records.Classification)),
    personal("owner_mail", Line),
    plain("created_at", Moment),
    plain("revoked_at", Moment, null=True),
    plain("mail_check", Closed(records.MailCheck), server_default="limited"),
    plain("listing", Closed(records.Listing), server_default="hidden"),
    plain("report_id", Line, null=True),
    plain("ends_on", Date, null=True),
    plain("citation", Line, null=True),
    Index("documents_by_report", "report_id"),
    closed("kind", records.Kind, "documents_kind"),
    closed("classification", records.Classification, "documents_classification"),
    CheckConstraint(
        "NOT (classification = 'public' AND kind IN ('soc2-type1', 'soc2-type2'))",
        name="documents_soc2_never_public",
    ),
)

sealed_objects = Table(
    "sealed_objects",
    metadata,
    plain("id", Line, primary_key=True),
    plain("role", Line),
    plain("owner_kind", Line),
    plain("owner_id", Line),
    plain("size", Whole),
    plain("wrapped_key", Line),
    plain("master_id", Line),
    plain("created_at", Moment),
    Index("sealed_objects_by_owner", "owner_kind", "owner_id"),
    Index("sealed_objects_by_master", "master_id"),
)

versions = Table(
    "versions",
    metadata,
    plain("id", Line, primary_key=True),
    plain("document_id", Line, refers("documents.id")),
    plain("number", Whole),
    plain("state", Closed(records.VersionState)),
    plain("facts", Tree),
    plain("created_at", Moment),
    plain("original_id", Line, refers("sealed_objects.id"), null=True),
    plain("template_id", Line, null=True),  # templates refer to versions; a circle would add nothing
    plain("size", Whole, null=True),
    plain("sha256", Line, null=True),
    plain("pages", Whole, null=True),
    plain("capacity", Tree, null=True),
    plain("reason", Line, null=True),
    plain("message", Line, null=True),
    plain("uploaded_at", Moment, null=True),
    plain("settled_at", Moment, null=True),
    UniqueConstraint("document_id", "number", name="versions_number"),
    closed("state", records.VersionState, "versions_state"),
    CheckConstraint("number >= 1", name="versions_number_from_1"),
)

templates = Table(
    "templates",
    metadata,
    plain("id", Line, primary_key=True),
    plain("version_id", Line, refers("versions.id")),
    plain("object_id", Line, refers("sealed_objects.id")),
    plain("format", Whole),
    plain("size", Whole),
    plain("created_at", Moment),
    plain("cut_id", Line, null=True),
    Index("templates_by_version", "version_id"),
)

cuts = Table(
    "cuts",
    metadata,
    plain("id", Line, primary_key=True),
    plain("version_id", Line, refers("versions.id")),
    plain("sections", Tree),
    plain("state", Closed(records.CutState)),
    plain("created_at", Moment),
    plain("template_id", Line, null=True),
    plain("pages", Whole, null=True),
    plain("reason", Line, null=True),
    plain("settled_at", Moment, null=True),
    Index("cuts_by_version", "version_id"),
    closed("state", records.CutState, "cuts_state"),
)

recipients = Table(
    "recipients",
    metadata,
    plain("id", Line, primary_key=True),
    personal("mail", Line),
    personal("domain", Line),
    personal("name", Line),
    personal("company", Line),
    plain("created_at", Moment),
    plain("erased_at", Moment, null=True),
    personal("language", Line, server_default=""),
    UniqueConstraint("mail", name="recipients_mail"),
    Index("recipients_by_domain", "domain"),
)

ndas = Table(
    "ndas",
    metadata,
    plain("id", Line, primary_key=True),
    plain("recipient_id", Line, refers("recipients.id"), null=True),
    personal("domain", Line, null=True),  # of a one-person company it is that person's
    plain("state", Closed(records.NdaState)),
    plain("valid_from", Moment),
    plain("valid_until", Moment, null=True),
    plain("source", Line),
    personal("reference", Line),
    plain("created_at", Moment),
    plain("evidence_id", Line, refers("sealed_objects.id"), null=True),
    plain("approved_at", Moment, null=True),
    plain("revoked_at", Moment, null=True),
    plain("text_id", Line, null=True),
    Index("ndas_by_recipient", "recipient_id"),
    Index("ndas_by_domain", "domain"),
    closed("state", records.NdaState, "ndas_state"),
    CheckConstraint("(recipient_id IS NULL) <> (domain IS NULL)", name="ndas_person_or_company"),
)

nda_texts = Table(
    "nda_texts",
    metadata,
    plain("id", Line, primary_key=True),
    plain("number", Whole),
    plain("markdown", Line),
    plain("sha256", Line),
    plain("days", Whole, null=True),
    plain("created_at", Moment),
    UniqueConstraint("number", name="nda_texts_number"),
)

signatures = Table(
    "signatures",
    metadata,
    plain("id", Line, primary_key=True),
    plain("nda_id", Line, refers("ndas.id")),
    plain("text_id", Line, refers("nda_texts.id")),
    plain("recipient_id", Line, refers("recipients.id")),
    plain("share_id", Line, refers("shares.id")),
    personal("name", Line),
    personal("mail", Line),
    personal("company", Line),
    personal("address", Line),
    personal("agent", Line),
    plain("consents", Tree),
    plain("signed_at", Moment),
    plain("record_sha256", Line),
    plain("timestamp", LargeBinary, null=True),
    UniqueConstraint("nda_id", name="signatures_nda"),
    Index("signatures_by_recipient", "recipient_id"),
)

shares = Table(
    "shares",
    metadata,
    plain("id", Line, primary_key=True),
    plain("document_id", Line, refers("documents.id")),
    plain("recipient_id", Line, refers("recipients.id")),
    personal("purpose", Line),
    plain("expires_at", Moment),
    plain("download_limit", Whole, null=True),
    plain("downloads_taken", Whole),
    plain("pinned_version_id", Line, refers("versions.id"), null=True),
    plain("created_at", Moment),
    plain("revoked_at", Moment, null=True),
    plain("revoked_reason", Line, null=True),
    plain("nda", Closed(records.NdaMode), server_default="require"),
    plain("mail_check", Boolean, server_default=false()),
    plain("view_only", Boolean, server_default=false()),
    plain("cut_id", Line, null=True),
    plain("with_id", Line, null=True),
    Index("shares_by_report", "with_id"),
    Index("shares_by_document", "document_id"),
    Index("shares_by_recipient", "recipient_id"),
    CheckConstraint(
        "downloads_taken >= 0 AND (download_limit IS NULL OR downloads_taken <= download_limit)",
        name="shares_within_limit",
    ),
)

links = Table(
    "links",
    metadata,
    plain("hash", Line, primary_key=True),
    plain("share_id", Line, refers("shares.id")),
    plain("expires_at", Moment),
    plain("created_at", Moment),
    plain("revoked_at", Moment, null=True),
    Index("links_by_share", "share_id"),
)

copies = Table(
    "copies",
    metadata,
    plain("id", Line, primary_key=True),
    plain("share_id", Line, refers("shares.id")),
    plain("version_id", Line, refers("versions.id")),
    plain("template_id", Line, refers("templates.id")),
    plain("recipient_id", Line, refers("recipients.id")),
    personal("name", Line),
    personal("mail", Line),
    personal("company", Line),
    plain("issued", Date),
    plain("stamp_version", Whole),
    plain("length", Whole),
    plain("sha256", Line),
    personal("fill", LargeBinary),
    plain("minted_at", Moment),
    UniqueConstraint("share_id", "version_id", name="copies_share_version"),
    Index("copies_by_recipient", "recipient_id"),
)

public_copies = Table(
    "public_copies",
    metadata,
    plain("version_id", Line, refers("versions.id"), primary_key=True),
    plain("template_id", Line, refers("templates.id")),
    plain("issued", Date),
    plain("stamp_version", Whole),
    plain("length", Whole),
    plain("sha256", Line),
    plain("fill", LargeBinary),
    plain("minted_at", Moment),
)

deliveries = Table(
    "deliveries",
    metadata,
    plain("id", Line, primary_key=True),
    plain("share_id", Line, refers("shares.id")),
    plain("copy_id", Line, refers("copies.id")),
    plain("link_hash", Line, refers("links.hash")),
    plain("granted_at", Moment),
    plain("until", Moment),
    plain("bytes_sent", Whole),
    Index("deliveries_by_share", "share_id", "until"),
    Index("deliveries_by_link", "link_hash"),
)

sends = Table(
    "sends",
    metadata,
    plain("id", Line, primary_key=True),
    plain("delivery_id", Line, refers("deliveries.id")),
    plain("begun_at", Moment),
    plain("alive_at", Moment),
    plain("reserved", Whole),
    plain("sent", Whole),
    plain("ended_at", Moment, null=True),
    plain("outcome", Line, null=True),
    Index("sends_by_delivery", "delivery_id"),
    partial("sends_open", "alive_at", "ended_at IS NULL"),
    one_of("outcome", ("complete", "broken-off", "revoked", "unknown"), "sends_outcome"),
    CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="sends_ended_with_outcome"),
)

api_keys = Table(
    "api_keys",
    metadata,
    plain("id", Line, primary_key=True),
    personal("name", Line),
    plain("secret_hash", Line),
    plain("scopes", Tree),
    plain("created_at", Moment),
    plain("expires_at", Moment),
    plain("last_used_at", Moment, null=True),
    plain("revoked_at", Moment, null=True),
)

named_keys = Table(
    "named_keys",
    metadata,
    plain("id", Line, primary_key=True),
    plain("purpose", Line),
    plain("owner_id", Line, null=True),
    plain("wrapped_key", Line),
    plain("master_id", Line),
    plain("created_at", Moment),
    plain("verify_until", Moment, null=True),
    Index("named_keys_by_purpose", "purpose", "owner_id"),
    Index("named_keys_by_master", "master_id"),
)

answers = Table(
    "answers",
    metadata,
    plain("key", Line, primary_key=True),
    plain("request_hash", Line),
    plain("created_at", Moment),
    plain("status", Whole, null=True),
    personal("sealed", LargeBinary, null=True),
    plain("recipient_id", Line, null=True),
    Index("answers_by_age", "created_at"),
    Index("answers_by_recipient", "recipient_id"),
)

jobs = Table(
    "jobs",
    metadata,
    plain("id", Line, primary_key=True),
    plain("kind", Line),
    plain("subject", Line),
    plain("created_at", Moment),
    plain("run_after", Moment),
    plain("attempts", Whole),
    plain("done_at", Moment, null=True),
    Index("jobs_by_subject", "subject"),
    partial("jobs_due", "run_after", "done_at IS NULL"),
)

access_requests = Table(
    "access_requests",
    metadata,
    plain("id", Line, primary_key=True),
    plain("document_id", Line, refers("documents.id")),
    plain("recipient_id", Line, refers("recipients.id")),
    personal("name", Line),
    personal("company", Line),
    personal("purpose", Line),
    personal("language", Line),
    plain("state", Closed(records.RequestState)),
    plain("created_at", Moment),
    plain("decided_at", Moment, null=True),
    plain("rule_id", Line, null=True),
    plain("share_id", Line, refers("shares.id"), null=True),
    Index("access_requests_by_recipient", "recipient_id", "document_id"),
    partial("access_requests_pending", "created_at", "state = 'pending'"),
    closed("state", records.RequestState, "access_requests_state"),
)

access_rules = Table(
    "access_rules",
    metadata,
    plain("id", Line, primary_key=True),
    plain("kind", Closed(records.RuleKind)),
    plain("document_id", Line, refers("documents.id"), null=True),
    personal("domain", Line, null=True),  # of a one-person company it is that person's
    plain("nda", Closed(records.NdaMode)),
    plain("view_only", Boolean),
    plain("download_limit", Whole, null=True),
    plain("days", Whole),
    plain("created_at", Moment),
    plain("removed_at", Moment, null=True),
    closed("kind", records.RuleKind, "access_rules_kind"),
    CheckConstraint("(kind = 'domain') = (domain IS NOT NULL)", name="access_rules_domain"),
)

rule_members = Table(
    "rule_members",
    metadata,
    plain("id", Line, primary_key=True),
    plain("rule_id", Line, refers("access_rules.id")),
    personal("mail", Line),
    plain("created_at", Moment),
    UniqueConstraint("rule_id", "mail", name="rule_members_mail"),
    Index("rule_members_by_mail", "mail"),
)

checks = Table(
    "checks",
    metadata,
    plain("id", Line, primary_key=True),
    plain("subject", Line),
    plain("recipient_id", Line, null=True),
    personal("mail", Line),
    plain("browser", Line),
    plain("created_at", Moment),
    plain("code", LargeBinary, null=True),
    plain("until", Moment, null=True),
    plain("tries", Whole),
    plain("ended_at", Moment, null=True),
    plain("outcome", Line, null=True),
    Index("checks_by_subject", "subject", "browser"),
    Index("checks_by_mail", "mail"),
    Index("checks_by_age", "created_at"),
    one_of("outcome", ("passed", "failed", "replaced", "expired"), "checks_outcome"),
)

sessions = Table(
    "sessions",
    metadata,
    plain("hash", Line, primary_key=True),
    plain("subject", Line),
    plain("recipient_id", Line, null=True),
    personal("mail", Line),
    plain("created_at", Moment),
    plain("until", Moment),
    Index("sessions_by_mail", "mail"),
    Index("sessions_by_end", "until"),
)

rate_windows = Table(
    "rate_windows",
    metadata,
    plain("key", Line, primary_key=True),
    plain("subject", Line),
    plain("count", Whole),
    plain("until", Moment),
    Index("rate_windows_by_subject", "subject"),
    Index("rate_windows_by_end", "until"),
)

messages = Table(
    "messages",
    metadata,
    plain("id", Line, primary_key=True),
    plain("kind", Line),
    plain("about", Line),
    plain("recipient_id", Line, null=True),
    personal("mail", Line),
    personal("language", Line),
    plain("created_at", Moment),
    plain("run_after", Moment),
    plain("attempts", Whole),
    plain("link_hash", Line, null=True),
    plain("sent_at", Moment, null=True),
    plain("failed_at", Moment, null=True),
    Index("messages_by_about", "about", "kind"),
    Index("messages_by_recipient", "recipient_id"),
    Index("messages_by_mail", "mail"),
    partial("messages_due", "run_after", "sent_at IS NULL AND failed_at IS NULL"),
)

receivers = Table(
    "receivers",
    metadata,
    plain("id", Line, primary_key=True),
    plain("url", Line),
    plain("kinds", Tree),
    plain("secret", Line),
    plain("created_at", Moment),
    plain("removed_at", Moment, null=True),
    plain("personal", Boolean),
    plain("claimed_until", Moment, null=True),
)

# As with the inbox, the table's key is the position.
events = Table(
    "events",
    metadata,
    plain("id", Line),
    plain("position", Whole, Identity(always=False), primary_key=True),
    plain("receiver_id", Line, refers("receivers.id")),
    plain("kind", Line),
    plain("recipient_id", Line, null=True),
    personal("body", Line),
    plain("created_at", Moment),
    plain("tried_from", Moment),
    plain("run_after", Moment),
    plain("attempts", Whole),
    plain("status", Whole, null=True),
    plain("problem", Line, null=True),
    plain("sent_at", Moment, null=True),
    plain("failed_at", Moment, null=True),
    UniqueConstraint("id", name="events_id"),
    Index("events_by_receiver", "receiver_id", "position"),
    Index("events_by_recipient", "recipient_id"),
    Index("events_by_age", "created_at"),
    Index(
        "events_waiting",
        "receiver_id",
        "position",
        sqlite_where=text("sent_at IS NULL AND failed_at IS NULL"),
        postgresql_where=text("sent_at IS NULL AND failed_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)

batches = Table(
    "batches",
    metadata,
    plain("id", Line, primary_key=True),
    plain("document_id", Line, refers("documents.id")),
    plain("size", Whole),
    plain("created_at", Moment),
    plain("done_at", Moment, null=True),
    plain("given", Line),
)

batch_rows = Table(
    "batch_rows",
    metadata,
    plain("id", Line, primary_key=True),
    plain("batch_id", Line, refers("batches.id")),
    personal("wanted", Tree),
    plain("recipient_id", Line, null=True),
    plain("share_id", Line, null=True),
    plain("problem", Line, null=True),
    plain("done_at", Moment, null=True),
    Index("batch_rows_by_batch", "batch_id", "id"),
    Index("batch_rows_by_recipient", "recipient_id"),
)

staff_sessions = Table(
    "staff_sessions",
    metadata,
    plain("hash", Line, primary_key=True),
    plain("issuer", Line),
    personal("subject", Line),
    personal("name", Line),
    plain("roles", Tree),
    plain("created_at", Moment),
    plain("until", Moment),
    Index("staff_sessions_by_end", "until"),
)

throttles = Table(
    "throttles",
    metadata,
    plain("key", Line, primary_key=True),
    plain("until", Moment),
    Index("throttles_by_end", "until"),
)

tallies = Table(
    "tallies",
    metadata,
    plain("key", Line, primary_key=True),
    plain("name", Line),
    plain("count", Whole),
    plain("since", Moment),
)

# The record's key is `id`; the table's is `position`: SQLite numbers nothing but an INTEGER PRIMARY KEY.
inbox = Table(
    "inbox",
    metadata,
    plain("id", Line),
    plain("position", Whole, Identity(always=False), primary_key=True),
    plain("leaf", LargeBinary),
    personal("revealed", Tree),
    UniqueConstraint("id", name="inbox_id"),
    sqlite_autoincrement=True,
)

entries = Table(
    "entries",
    metadata,
    plain("index", Whole, primary_key=True, autoincrement=False),
    plain("id", Line),
    plain("leaf", LargeBinary),
    plain("leaf_hash", LargeBinary),
    personal("revealed", Tree),
    plain("kind", Line),
    plain("time", Moment),
    plain("sequenced", Moment),
    plain("document", Line, null=True),
    plain("version", Line, null=True),
    plain("share", Line, null=True),
    plain("recipient", Line, null=True),
    plain("nda", Line, null=True),
    plain("outcome", Line, null=True),
    UniqueConstraint("id", name="entries_id"),
    Index("entries_by_time", "time"),
    Index("entries_by_sequenced", "sequenced"),
    *(
        Index(f"entries_by_{field}", field, "index")
        for field in ("kind", "document", "share", "recipient", "nda", "outcome")
    ),
)

tree_nodes = Table(
    "tree_nodes",
    metadata,
    plain("key", Line, primary_key=True),
    plain("hash", LargeBinary),
)

log_state = Table(
    "log_state",
    metadata,
    plain("name", Line, primary_key=True),
    plain("size", Whole),
    plain("root", LargeBinary),
    plain("sequenced", Moment),
    plain("origin", Line, null=True),
    plain("began", Whole, server_default="0"),
)

log_checkpoints = Table(
    "log_checkpoints",
    metadata,
    plain("id", Line, primary_key=True),
    plain("origin", Line),
    plain("size", Whole),
    plain("root", LargeBinary),
    plain("note", Line),
    plain("signed_at", Moment),
    plain("stored_at", Moment, null=True),
    plain("locked_at", Moment, null=True),
    UniqueConstraint("origin", "size", name="log_checkpoints_size"),
    Index("log_checkpoints_by_size", "size"),
)

log_archives = Table(
    "log_archives",
    metadata,
    plain("id", Line, primary_key=True),
    plain("object_id", Line),
    plain("first", Whole),
    plain("stop", Whole),
    plain("created_at", Moment),
    Index("log_archives_by_first", "first"),
)

holds = Table(
    "holds",
    metadata,
    plain("id", Line, primary_key=True),
    plain("kind", Line),
    personal("subject", Line),  # a company can be one person; a hold is kept while it holds
    personal("reason", Line),
    plain("placed_at", Moment),
    plain("released_at", Moment, null=True),
    Index("holds_by_subject", "subject"),
    one_of("kind", ("recipient", "company", "document"), "holds_kind"),
)

# No record: one row that a readiness check counts up, to see that a write becomes durable.
readiness = Table(
    "readiness",
    metadata,
    plain("name", Line, primary_key=True),
    plain("count", Whole),
)

TABLES: dict[type[Any], Table] = {
    records.Document: documents,
    records.Version: versions,
    records.Template: templates,
    records.SealedObject: sealed_objects,
    records.Cut: cuts,
    records.Recipient: recipients,
    records.Nda: ndas,
    records.NdaText: nda_texts,
    records.Signature: signatures,
    records.Share: shares,
    records.Link: links,
    records.Copy: copies,
    records.PublicCopy: public_copies,
    records.Delivery: deliveries,
    records.Send: sends,
    records.ApiKey: api_keys,
    records.NamedKey: named_keys,
    records.Answer: answers,
    records.Job: jobs,
    records.AccessRequest: access_requests,
    records.AccessRule: access_rules,
    records.RuleMember: rule_members,
    records.Check: checks,
    records.Session: sessions,
    records.RateWindow: rate_windows,
    records.Message: messages,
    records.Receiver: receivers,
    records.Event: events,
    records.Batch: batches,
    records.BatchRow: batch_rows,
    records.StaffSession: staff_sessions,
    records.Throttle: throttles,
    records.Tally: tallies,
    records.InboxEntry: inbox,
    records.LoggedEntry: entries,
    records.TreeNode: tree_nodes,
    records.LogState: log_state,
    records.LogCheckpoint: log_checkpoints,
    records.LogArchive: log_archives,
    records.Hold: holds,
}
"""Where each kind of record is stored."""

for _kind, _table in TABLES.items():
    if [field.name for field in fields(_kind)] != _table.columns.keys():
        raise TypeError(f"the columns of {_table.name} differ from the fields of {_kind.__name__}")
