"""The first schema: documents to deliveries, keys, work and the log.

Frozen: it says in its own words what `tables.py` said when it was written. Schemas only go forward; the way
back is a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import ForeignKeyConstraint

revision = "0001"
down_revision = None

LINE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
TREE = sa.JSON()


def _reference(column: str, target: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint([column], [target], deferrable=True, initially="DEFERRED")


def upgrade() -> None:
    """Make every table, in the order of their references."""
    op.create_table(
        "answers",
        sa.Column("key", LINE, primary_key=True),
        sa.Column("request_hash", LINE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("status", WHOLE, nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
    )
    op.create_index("answers_by_age", "answers", ["created_at"])
    op.create_table(
        "api_keys",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("name", LINE, nullable=False),
        sa.Column("secret_hash", LINE, nullable=False),
        sa.Column("scopes", TREE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
    )
    op.create_table(
        "documents",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("name", LINE, nullable=False),
        sa.Column("kind", LINE, nullable=False),
        sa.Column("classification", LINE, nullable=False),
        sa.Column("owner_mail", LINE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.CheckConstraint("classification IN ('public', 'nda')", name="documents_classification"),
        sa.CheckConstraint(
            "kind IN ('soc2-type1', 'soc2-type2', 'soc3', 'iso27001', 'pentest', "
            "'bridge-letter', 'overview', 'other')",
            name="documents_kind",
        ),
        sa.CheckConstraint(
            "NOT (classification = 'public' AND kind IN ('soc2-type1', 'soc2-type2'))",
            name="documents_soc2_never_public",
        ),
    )
    op.create_table(
        "entries",
        sa.Column("index", WHOLE, primary_key=True, autoincrement=False),
        sa.Column("id", LINE, nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("revealed", TREE, nullable=False),
        sa.Column("kind", LINE, nullable=False),
        sa.Column("time", MOMENT, nullable=False),
        sa.Column("sequenced", MOMENT, nullable=False),
        sa.Column("document", LINE, nullable=True),
        sa.Column("version", LINE, nullable=True),
        sa.Column("share", LINE, nullable=True),
        sa.Column("recipient", LINE, nullable=True),
        sa.Column("nda", LINE, nullable=True),
        sa.Column("outcome", LINE, nullable=True),
        sa.UniqueConstraint("id", name="entries_id"),
    )
    op.create_index("entries_by_document", "entries", ["document", "index"])
    op.create_index("entries_by_kind", "entries", ["kind", "index"])
    op.create_index("entries_by_nda", "entries", ["nda", "index"])
    op.create_index("entries_by_outcome", "entries", ["outcome", "index"])
    op.create_index("entries_by_recipient", "entries", ["recipient", "index"])
    op.create_index("entries_by_sequenced", "entries", ["sequenced"])
    op.create_index("entries_by_share", "entries", ["share", "index"])
    op.create_index("entries_by_time", "entries", ["time"])
    op.create_table(
        "inbox",
        sa.Column("id", LINE, nullable=False),
        sa.Column("position", WHOLE, sa.Identity(always=False), primary_key=True),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("revealed", TREE, nullable=False),
        sa.UniqueConstraint("id", name="inbox_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "jobs",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("kind", LINE, nullable=False),
        sa.Column("subject", LINE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("run_after", MOMENT, nullable=False),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
    )
    op.create_index("jobs_by_subject", "jobs", ["subject"])
    op.create_index(
        "jobs_due",
        "jobs",
        ["run_after"],
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "leases",
        sa.Column("name", LINE, primary_key=True),
        sa.Column("holder", LINE, nullable=False),
        sa.Column("fence", WHOLE, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
    )
    op.create_table(
        "log_state",
        sa.Column("name", LINE, primary_key=True),
        sa.Column("size", WHOLE, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("sequenced", MOMENT, nullable=False),
    )
    op.create_table(
        "named_keys",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("purpose", LINE, nullable=False),
        sa.Column("owner_id", LINE, nullable=True),
        sa.Column("wrapped_key", LINE, nullable=False),
        sa.Column("master_id", LINE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("verify_until", MOMENT, nullable=True),
    )
    op.create_index("named_keys_by_master", "named_keys", ["master_id"])
    op.create_index("named_keys_by_purpose", "named_keys", ["purpose", "owner_id"])
    op.create_table(
        "readiness",
        sa.Column("name", LINE, primary_key=True),
        sa.Column("count", WHOLE, nullable=False),
    )
    op.create_table(
        "recipients",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("mail", LINE, nullable=False),
        sa.Column("domain", LINE, nullable=False),
        sa.Column("name", LINE, nullable=False),
        sa.Column("company", LINE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("mail", name="recipients_mail"),
    )
    op.create_index("recipients_by_domain", "recipients", ["domain"])
    op.create_table(
        "sealed_objects",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("role", LINE, nullable=False),
        sa.Column("owner_kind", LINE, nullable=False),
        sa.Column("owner_id", LINE, nullable=False),
        sa.Column("size", WHOLE, nullable=False),
        sa.Column("wrapped_key", LINE, nullable=False),
        sa.Column("master_id", LINE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_index("sealed_objects_by_master", "sealed_objects", ["master_id"])
    op.create_index("sealed_objects_by_owner", "sealed_objects", ["owner_kind", "owner_id"])
    op.create_table(
        "tallies",
        sa.Column("key", LINE, primary_key=True),
        sa.Column("name", LINE, nullable=False),
        sa.Column("count", WHOLE, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
    )
    op.create_table(
        "throttles",
        sa.Column("key", LINE, primary_key=True),
        sa.Column("until", MOMENT, nullable=False),
    )
    op.create_index("throttles_by_end", "throttles", ["until"])
    op.create_table(
        "tree_nodes",
        sa.Column("key", LINE, primary_key=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "ndas",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("recipient_id", LINE, nullable=True),
        sa.Column("domain", LINE, nullable=True),
        sa.Column("state", LINE, nullable=False),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_until", MOMENT, nullable=True),
        sa.Column("source", LINE, nullable=False),
        sa.Column("reference", LINE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("evidence_id", LINE, nullable=True),
        sa.Column("approved_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        _reference("recipient_id", "recipients.id"),
        _reference("evidence_id", "sealed_objects.id"),
        sa.CheckConstraint("(recipient_id IS NULL) <> (domain IS NULL)", name="ndas_person_or_company"),
        sa.CheckConstraint("state IN ('pending', 'approved', 'revoked')", name="ndas_state"),
    )
    op.create_index("ndas_by_domain", "ndas", ["domain"])
    op.create_index("ndas_by_recipient", "ndas", ["recipient_id"])
    op.create_table(
        "versions",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("document_id", LINE, nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("state", LINE, nullable=False),
        sa.Column("facts", TREE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("original_id", LINE, nullable=True),
        sa.Column("template_id", LINE, nullable=True),
        sa.Column("size", WHOLE, nullable=True),
        sa.Column("sha256", LINE, nullable=True),
        sa.Column("pages", WHOLE, nullable=True),
        sa.Column("capacity", TREE, nullable=True),
        sa.Column("reason", LINE, nullable=True),
        sa.Column("message", LINE, nullable=True),
        sa.Column("uploaded_at", MOMENT, nullable=True),
        sa.Column("settled_at", MOMENT, nullable=True),
        _reference("document_id", "documents.id"),
        _reference("original_id", "sealed_objects.id"),
        sa.UniqueConstraint("document_id", "number", name="versions_number"),
        sa.CheckConstraint("number >= 1", name="versions_number_from_1"),
        sa.CheckConstraint(
            "state IN ('awaiting-file', 'compiling', 'ready', 'refused')", name="versions_state"
        ),
    )
    op.create_table(
        "shares",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("document_id", LINE, nullable=False),
        sa.Column("recipient_id", LINE, nullable=False),
        sa.Column("purpose", LINE, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("download_limit", WHOLE, nullable=True),
        sa.Column("downloads_taken", WHOLE, nullable=False),
        sa.Column("pinned_version_id", LINE, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.Column("revoked_reason", LINE, nullable=True),
        _reference("document_id", "documents.id"),
        _reference("recipient_id", "recipients.id"),
        _reference("pinned_version_id", "versions.id"),
        sa.CheckConstraint(
            "downloads_taken >= 0 AND (download_limit IS NULL OR downloads_taken <= download_limit)",
            name="shares_within_limit",
        ),
    )
    op.create_index("shares_by_document", "shares", ["document_id"])
    op.create_index("shares_by_recipient", "shares", ["recipient_id"])
    op.create_table(
        "templates",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("version_id", LINE, nullable=False),
        sa.Column("object_id", LINE, nullable=False),
        sa.Column("format", WHOLE, nullable=False),
        sa.Column("size", WHOLE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        _reference("version_id", "versions.id"),
        _reference("object_id", "sealed_objects.id"),
    )
    op.create_index("templates_by_version", "templates", ["version_id"])
    op.create_table(
        "copies",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("share_id", LINE, nullable=False),
        sa.Column("version_id", LINE, nullable=False),
        sa.Column("template_id", LINE, nullable=False),
        sa.Column("recipient_id", LINE, nullable=False),
        sa.Column("name", LINE, nullable=False),
        sa.Column("mail", LINE, nullable=False),
        sa.Column("company", LINE, nullable=False),
        sa.Column("issued", sa.Date(), nullable=False),
        sa.Column("stamp_version", WHOLE, nullable=False),
        sa.Column("length", WHOLE, nullable=False),
        sa.Column("sha256", LINE, nullable=False),
        sa.Column("fill", sa.LargeBinary(), nullable=False),
        sa.Column("minted_at", MOMENT, nullable=False),
        _reference("share_id", "shares.id"),
        _reference("version_id", "versions.id"),
        _reference("template_id", "templates.id"),
        _reference("recipient_id", "recipients.id"),
        sa.UniqueConstraint("share_id", "version_id", name="copies_share_version"),
    )
    op.create_index("copies_by_recipient", "copies", ["recipient_id"])
    op.create_table(
        "links",
        sa.Column("hash", LINE, primary_key=True),
        sa.Column("share_id", LINE, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        _reference("share_id", "shares.id"),
    )
    op.create_index("links_by_share", "links", ["share_id"])
    op.create_table(
        "deliveries",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("share_id", LINE, nullable=False),
        sa.Column("copy_id", LINE, nullable=False),
        sa.Column("link_hash", LINE, nullable=False),
        sa.Column("granted_at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("bytes_sent", WHOLE, nullable=False),
        _reference("share_id", "shares.id"),
        _reference("copy_id", "copies.id"),
        _reference("link_hash", "links.hash"),
    )
    op.create_index("deliveries_by_link", "deliveries", ["link_hash"])
    op.create_index("deliveries_by_share", "deliveries", ["share_id", "until"])
    op.create_table(
        "sends",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("delivery_id", LINE, nullable=False),
        sa.Column("begun_at", MOMENT, nullable=False),
        sa.Column("alive_at", MOMENT, nullable=False),
        sa.Column("reserved", WHOLE, nullable=False),
        sa.Column("sent", WHOLE, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("outcome", LINE, nullable=True),
        _reference("delivery_id", "deliveries.id"),
        sa.CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="sends_ended_with_outcome"),
        sa.CheckConstraint(
            "outcome IN ('complete', 'broken-off', 'revoked', 'unknown')", name="sends_outcome"
        ),
    )
    op.create_index("sends_by_delivery", "sends", ["delivery_id"])
    op.create_index(
        "sends_open",
        "sends",
        ["alive_at"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
