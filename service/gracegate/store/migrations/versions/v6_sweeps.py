"""Missed webhooks are recovered: what one worker at a time does for all, and how far it has come."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, Text

revision = "6"
down_revision = "5"


def upgrade() -> None:
    op.create_table(
        "shared_task",
        Column("name", Text, primary_key=True),
        Column("holder", Text, nullable=False),
        Column("taken_at", Float, nullable=False),
        Column("completed_at", Float, nullable=False),
    )
    op.create_table(
        "sweep",
        Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
        Column("position", BigInteger, nullable=False),
        Column("is_thorough", Boolean, nullable=False),
        Column("thorough_at", Float, nullable=False),
        Column("completed_at", Float),
    )
    op.create_table(
        "redelivery",
        Column("guid", Text, primary_key=True),
        Column("delivery_id", BigInteger, nullable=False),
        Column("failed_at", Float, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("attempted_at", Float, nullable=False),
    )
