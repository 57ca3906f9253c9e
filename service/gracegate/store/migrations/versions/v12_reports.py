"""The reports of checks are kept for the pages that the checks link to."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Float, Integer, LargeBinary, Text

revision = "12"
down_revision = "10"


def upgrade() -> None:
    op.create_table(
        "report",
        Column("repository_id", BigInteger, primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("head_sha", Text, primary_key=True),
        Column("repository", Text, nullable=False),
        Column("content", LargeBinary, nullable=False),
        Column("created_at", Float, nullable=False),
    )
    op.create_index("ix_report_created_at", "report", ["created_at"])
