"""A verdict counts only if the newest run of its pull request has recorded it; runs may wait for such verdicts."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Boolean, Column, Text, false

revision = "7"
down_revision = "6"


def upgrade() -> None:
    op.add_column("run", Column("waits_for_siblings", Boolean, nullable=False, server_default=false()))
    op.add_column("verdict", Column("run_id", Text, nullable=False, server_default=""))
    op.execute(
        "UPDATE verdict SET run_id = head.run_id FROM head WHERE head.repository_id = verdict.repository_id"
        " AND head.number = verdict.number AND head.sha = verdict.head_sha"
    )
