"""What recipients meet: the agreement on the page, mail checks, requests, mails, what the trust page gives."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

LINE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
TREE = sa.JSON(none_as_null=True)


def upgrade() -> None:
    """Add them. Shares that are there need their agreement as before, and no mail check."""
    op.add_column("documents", sa.Column("mail_check", LINE, nullable=False, server_default="limited"))
    op.add_column("documents", sa.Column("listing", LINE, nullable=False, server_default="hidden"))
    op.add_column("recipients", sa.Column("language", LINE, nullable=False, server_default=""))
    op.add_column("ndas", sa.Column("text_id", LINE, nullable=True))
    op.add_column("shares", sa.Column("nda", LINE, nullable=False, server_default="require"))
    for column in ("mail_check", "view_only"):
        op.add_column("shares", sa.Column(column, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "nda_texts",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("markdown", LINE, nullable=False),
        sa.Column("sha256", LINE, nullable=False),
        sa.Column("days", WHOLE, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("number", name="nda_texts_number"),
    )
    op.create_table(
        "signatures",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("nda_id", LINE, _refers("ndas.id"), nullable=False),
        sa.Column("text_id", LINE, _refers("nda_texts.id"), nullable=False),
        sa.Column("recipient_id", LINE, _refers("recipients.id"), nullable=False),
        sa.Column("share_id", LINE, _refers("shares.id"), nullable=False),
        sa.Column("name", LINE, nullable=False),
        sa.Column("mail", LINE, nullable=False),
        sa.Column("company", LINE, nullable=False),
        sa.Column("address", LINE, nullable=False),
        sa.Column("agent", LINE, nullable=False),
        sa.Column("consents", TREE, nullable=False),
        sa.Column("signed_at", MOMENT, nullable=False),
        sa.Column("record_sha256", LINE, nullable=False),
        sa.Column("timestamp", sa.LargeBinary(), nullable=True),
        sa.UniqueConstraint("nda_id", name="signatures_nda"),
    )
    op.create_index("signatures_by_recipient", "signatures", ["recipient_id"])
    op.create_table(
        "public_copies",
        sa.Column("version_id", LINE, _refers("versions.id"), primary_key=True),
        sa.Column("template_id", LINE, _refers("templates.id"), nullable=False),
        sa.Column("issued", sa.Date(), nullable=False),
        sa.Column("stamp_version", WHOLE, nullable=False),
        sa.Column("length", WHOLE, nullable=False),
        sa.Column("sha256", LINE, nullable=False),
        sa.Column("fill", sa.LargeBinary(), nullable=False),
        sa.Column("minted_at", MOMENT, nullable=False),
    )
    op.create_table(
        "access_requests",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("document_id", LINE, _refers("documents.id"), nullable=False),
        sa.Column("recipient_id", LINE, _refers("recipients.id"), nullable=False),
        sa.Column("name", LINE, nullable=False),
        sa.Column("company", LINE, nullable=False),
        sa.Column("purpose", LINE, nullable=False),
        sa.Column("language", LINE, nullable=False),
        sa.Column("state", LINE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("rule_id", LINE, nullable=True),
        sa.Column("share_id", LINE, _refers("shares.id"), nullable=True),
        sa.CheckConstraint("state IN ('pending', 'approved', 'denied')", name="access_requests_state"),
    )
    op.create_index("access_requests_by_recipient", "access_requests", ["recipient_id", "document_id"])
    _partial("access_requests_pending", "access_requests", ["created_at"], "state = 'pending'")
    op.create_table(
        "access_rules",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("kind", LINE, nullable=False),
        sa.Column("document_id", LINE, _refers("documents.id"), nullable=True),
        sa.Column("domain", LINE, nullable=True),
        sa.Column("nda", LINE, nullable=False),
        sa.Column("view_only", sa.Boolean(), nullable=False),
        sa.Column("download_limit", WHOLE, nullable=True),
        sa.Column("days", WHOLE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.CheckConstraint("(kind = 'domain') = (domain IS NOT NULL)", name="access_rules_domain"),
        sa.CheckConstraint("kind IN ('domain', 'nda', 'list')", name="access_rules_kind"),
    )
    op.create_table(
        "rule_members",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("rule_id", LINE, _refers("access_rules.id"), nullable=False),
        sa.Column("mail", LINE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("rule_id", "mail", name="rule_members_mail"),
    )
    op.create_index("rule_members_by_mail", "rule_members", ["mail"])
    op.create_table(
        "checks",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("subject", LINE, nullable=False),
        sa.Column("recipient_id", LINE, nullable=True),
        sa.Column("mail", LINE, nullable=False),
        sa.Column("browser", LINE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=True),
        sa.Column("until", MOMENT, nullable=True),
        sa.Column("tries", WHOLE, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("outcome", LINE, nullable=True),
        sa.CheckConstraint("outcome IN ('passed', 'failed', 'replaced', 'expired')", name="checks_outcome"),
    )
    op.create_index("checks_by_age", "checks", ["created_at"])
    op.create_index("checks_by_mail", "checks", ["mail"])
    op.create_index("checks_by_subject", "checks", ["subject", "browser"])
    op.create_table(
        "sessions",
        sa.Column("hash", LINE, primary_key=True),
        sa.Column("subject", LINE, nullable=False),
        sa.Column("recipient_id", LINE, nullable=True),
        sa.Column("mail", LINE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
    )
    op.create_index("sessions_by_end", "sessions", ["until"])
    op.create_index("sessions_by_mail", "sessions", ["mail"])
    op.create_table(
        "rate_windows",
        sa.Column("key", LINE, primary_key=True),
        sa.Column("subject", LINE, nullable=False),
        sa.Column("count", WHOLE, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
    )
    op.create_index("rate_windows_by_end", "rate_windows", ["until"])
    op.create_index("rate_windows_by_subject", "rate_windows", ["subject"])
    op.create_table(
        "messages",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("kind", LINE, nullable=False),
        sa.Column("about", LINE, nullable=False),
        sa.Column("recipient_id", LINE, nullable=True),
        sa.Column("mail", LINE, nullable=False),
        sa.Column("language", LINE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("run_after", MOMENT, nullable=False),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("link_hash", LINE, nullable=True),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("failed_at", MOMENT, nullable=True),
    )
    op.create_index("messages_by_about", "messages", ["about", "kind"])
    op.create_index("messages_by_mail", "messages", ["mail"])
    op.create_index("messages_by_recipient", "messages", ["recipient_id"])
    _partial("messages_due", "messages", ["run_after"], "sent_at IS NULL AND failed_at IS NULL")


def _refers(target: str) -> sa.ForeignKey:
    return sa.ForeignKey(target, deferrable=True, initially="DEFERRED")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
