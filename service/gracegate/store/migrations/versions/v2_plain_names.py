"""`gate` is only `enforce` or `advise` now: its table of rate limits gets the name of what it holds."""

from __future__ import annotations

from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    op.rename_table("gate", "rate_limit")
    op.alter_column("rate_limit", "closed_until", new_column_name="blocked_until")
    op.alter_column("executor", "beat_at", new_column_name="heartbeat_at")
