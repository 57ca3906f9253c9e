"""A run may be about a merge group or a base branch too; all earlier ones are about pull requests."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "4"
down_revision = "3"


def upgrade() -> None:
    for name, value in (("subject", "pull_request"), ("head_ref", ""), ("base_sha", ""), ("base_ref", "")):
        op.add_column("run", Column(name, Text, nullable=False, server_default=value))
