"""What people at work and the systems around them need: cuts, batches, webhooks, the console's sessions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

LINE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
TREE = sa.JSON(none_as_null=True)


def upgrade() -> None:
    """Add them."""
    op.add_column("documents", sa.Column("report_id", LINE, nullable=True))
    op.add_column("documents", sa.Column("ends_on", sa.Date(), nullable=True))
    op.add_column("documents", sa.Column("citation", LINE, nullable=True))
    op.create_index("documents_by_report", "documents", ["report_id"])
    op.add_column("templates", sa.Column("cut_id", LINE, nullable=True))
    op.add_column("shares", sa.Column("cut_id", LINE, nullable=True))
    op.add_column("shares", sa.Column("with_id", LINE, nullable=True))
    op.create_index("shares_by_report", "shares", ["with_id"])
    op.create_table(
        "cuts",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("version_id", LINE, _refers("versions.id"), nullable=False),
        sa.Column("sections", TREE, nullable=False),
        sa.Column("state", LINE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("template_id", LINE, nullable=True),
        sa.Column("pages", WHOLE, nullable=True),
        sa.Column("reason", LINE, nullable=True),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.CheckConstraint("state IN ('compiling', 'ready', 'refused')", name="cuts_state"),
    )
    op.create_index("cuts_by_version", "cuts", ["version_id"])
    op.create_table(
        "receivers",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("url", LINE, nullable=False),
        sa.Column("kinds", TREE, nullable=False),
        sa.Column("secret", LINE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.Column("personal", sa.Boolean(), nullable=False),
        sa.Column("claimed_until", MOMENT, nullable=True),
    )
    op.create_table(
        "events",
        sa.Column("id", LINE, nullable=False),
        sa.Column("position", WHOLE, sa.Identity(always=False), primary_key=True),
        sa.Column("receiver_id", LINE, _refers("receivers.id"), nullable=False),
        sa.Column("kind", LINE, nullable=False),
        sa.Column("recipient_id", LINE, nullable=True),
        sa.Column("body", LINE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("tried_from", MOMENT, nullable=False),
        sa.Column("run_after", MOMENT, nullable=False),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("status", WHOLE, nullable=True),
        sa.Column("problem", LINE, nullable=True),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("failed_at", MOMENT, nullable=True),
        sa.UniqueConstraint("id", name="events_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_by_receiver", "events", ["receiver_id", "position"])
    op.create_index("events_by_recipient", "events", ["recipient_id"])
    op.create_index("events_by_age", "events", ["created_at"])
    waiting = "sent_at IS NULL AND failed_at IS NULL"
    _partial("events_waiting", "events", ["receiver_id", "position"], waiting)
    op.create_table(
        "batches",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("document_id", LINE, _refers("documents.id"), nullable=False),
        sa.Column("size", WHOLE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.Column("given", LINE, nullable=False),
    )
    op.create_table(
        "batch_rows",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("batch_id", LINE, _refers("batches.id"), nullable=False),
        sa.Column("wanted", TREE, nullable=False),
        sa.Column("recipient_id", LINE, nullable=True),
        sa.Column("share_id", LINE, nullable=True),
        sa.Column("problem", LINE, nullable=True),
        sa.Column("done_at", MOMENT, nullable=True),
    )
    op.create_index("batch_rows_by_batch", "batch_rows", ["batch_id", "id"])
    op.create_index("batch_rows_by_recipient", "batch_rows", ["recipient_id"])
    op.create_table(
        "staff_sessions",
        sa.Column("hash", LINE, primary_key=True),
        sa.Column("issuer", LINE, nullable=False),
        sa.Column("subject", LINE, nullable=False),
        sa.Column("name", LINE, nullable=False),
        sa.Column("roles", TREE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
    )
    op.create_index("staff_sessions_by_end", "staff_sessions", ["until"])


def _refers(target: str) -> sa.ForeignKey:
    return sa.ForeignKey(target, deferrable=True, initially="DEFERRED")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
