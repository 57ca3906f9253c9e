"""All workers of an installation share how much it may write to GitHub."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Float

revision = "5"
down_revision = "4"


def upgrade() -> None:
    op.create_table(
        "write_budget",
        Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
        Column("minute_full_at", Float, nullable=False),
        Column("hour_full_at", Float, nullable=False),
        Column("notifications_full_at", Float, nullable=False),
    )
