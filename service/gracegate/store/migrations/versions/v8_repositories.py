"""What is kept of repositories goes when the App may not read them any more."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "8"
down_revision = "7"


def upgrade() -> None:
    op.create_table(
        "repository",
        Column("id", BigInteger, primary_key=True, autoincrement=False),
        Column("installation_id", BigInteger, nullable=False),
        Column("full_name", Text, nullable=False),
    )
    op.create_index("ix_repository_installation_id", "repository", ["installation_id"])
