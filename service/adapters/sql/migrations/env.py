"""Runs the migrations on the connection, and in the transaction, that `migrate.py` hands over."""

from __future__ import annotations

from alembic import context

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("migrations run by `sealmark migrate`, which takes the lock that they need")
context.configure(connection=connection)
with context.begin_transaction():
    context.run_migrations()
