"""What the log needs to prove itself and to let personal values go: checkpoints, archives, holds, erasures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

LINE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add them; a log that is there begins its first origin with its next checkpoint."""
    op.add_column("log_state", sa.Column("origin", LINE, nullable=True))
    op.add_column("log_state", sa.Column("began", WHOLE, nullable=False, server_default="0"))
    op.add_column("recipients", sa.Column("erased_at", MOMENT, nullable=True))
    op.add_column("answers", sa.Column("recipient_id", LINE, nullable=True))
    op.create_index("answers_by_recipient", "answers", ["recipient_id"])
    op.create_table(
        "log_checkpoints",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("origin", LINE, nullable=False),
        sa.Column("size", WHOLE, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", LINE, nullable=False),
        sa.Column("signed_at", MOMENT, nullable=False),
        sa.Column("stored_at", MOMENT, nullable=True),
        sa.Column("locked_at", MOMENT, nullable=True),
        sa.UniqueConstraint("origin", "size", name="log_checkpoints_size"),
    )
    op.create_index("log_checkpoints_by_size", "log_checkpoints", ["size"])
    op.create_table(
        "log_archives",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("object_id", LINE, nullable=False),
        sa.Column("first", WHOLE, nullable=False),
        sa.Column("stop", WHOLE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_index("log_archives_by_first", "log_archives", ["first"])
    op.create_table(
        "holds",
        sa.Column("id", LINE, primary_key=True),
        sa.Column("kind", LINE, nullable=False),
        sa.Column("subject", LINE, nullable=False),
        sa.Column("reason", LINE, nullable=False),
        sa.Column("placed_at", MOMENT, nullable=False),
        sa.Column("released_at", MOMENT, nullable=True),
        sa.CheckConstraint("kind IN ('recipient', 'company', 'document')", name="holds_kind"),
    )
    op.create_index("holds_by_subject", "holds", ["subject"])
