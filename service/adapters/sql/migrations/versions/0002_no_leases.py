"""No table of leases: what only one process may do is fenced by the row that it changes, so nothing ever held one."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Drop the table, which was always empty."""
    op.drop_table("leases")
