"""A run may do what a person has asked for in a comment, or by a button of a check."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "16"
down_revision = "15"


def upgrade() -> None:
    op.add_column("run", Column("comment_id", BigInteger, nullable=False, server_default=sa.text("0")))
    op.add_column("run", Column("sender", Text, nullable=False, server_default=""))
