"""The log of every write to GitHub."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Float, Integer, Text

revision = "3"
down_revision = "2"


def upgrade() -> None:
    op.create_table(
        "audit",
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        Column("at", Float, nullable=False),
        Column("app", Text, nullable=False),
        Column("installation_id", BigInteger),
        Column("repository", Text),
        Column("number", Integer),
        Column("delivery_id", Text),
        Column("run_id", Text),
        Column("method", Text, nullable=False),
        Column("path", Text, nullable=False),
        Column("summary", Text, nullable=False),
        Column("status", Integer),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_run_id", "audit", ["run_id"])
