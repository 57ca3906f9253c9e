"""The versions of policy sets that are in use, for all machines of the service."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Float, LargeBinary, Text

revision = "13"
down_revision = "12"


def upgrade() -> None:
    op.create_table(
        "policy_set",
        Column("source", Text, primary_key=True),
        Column("name", Text, nullable=False),
        Column("looked_at", Float, nullable=False),
        Column("newest", Text, nullable=False),
        Column("active", Text, nullable=False),
        Column("previous", Text, nullable=False),
        Column("rolled_back", Text, nullable=False),
        Column("refusal", Text, nullable=False),
        Column("error", Text, nullable=False),
        Column("activated_at", Float, nullable=False),
    )
    op.create_table(
        "policy_version",
        Column("source", Text, primary_key=True),
        Column("digest", Text, primary_key=True),
        Column("commit", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("archive", LargeBinary, nullable=False),
    )
