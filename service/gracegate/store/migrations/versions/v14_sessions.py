"""People can sign in, and it is known who may see a repository: reports of private ones are kept for those who can read
them on GitHub."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Float, LargeBinary, Text

revision = "14"
down_revision = "13"


def upgrade() -> None:
    op.create_table(
        "session",
        Column("key_hash", Text, primary_key=True),
        Column("user_id", BigInteger, nullable=False),
        Column("login", Text, nullable=False),
        Column("token", LargeBinary, nullable=False),
        Column("expires_at", Float, nullable=False),
    )
    op.create_index("ix_session_user_id", "session", ["user_id"])
    with op.batch_alter_table("repository") as repository:
        repository.add_column(Column("is_public", Boolean, nullable=False, server_default=sa.false()))
    # Reports were kept of public repositories alone.
    op.execute("UPDATE repository SET is_public = true WHERE id IN (SELECT repository_id FROM report)")
    with op.batch_alter_table("repository") as repository:
        repository.alter_column("is_public", server_default=None)
