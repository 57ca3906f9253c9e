"""What each review evaluated and found is kept, so that it can be said what other rules would have found; and the rules
of each version of a policy set, so that it can be said since when a rule is as it is."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, BigInteger, Column, Float, Integer, Text

revision = "10"
down_revision = "9"


def upgrade() -> None:
    op.create_table(
        "review",
        Column("repository_id", BigInteger, primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("head_sha", Text, primary_key=True),
        Column("merge_base_sha", Text, nullable=False),
        Column("base_tip_sha", Text, nullable=False),
        Column("verdict", Text, nullable=False),
        Column("conclusion", Text, nullable=False),
        Column("policies", JSON, nullable=False),
        Column("findings", JSON, nullable=False),
        Column("concluded_at", Float, nullable=False),
    )
    op.create_index("review_by_time", "review", ["repository_id", "concluded_at"])
    op.create_table(
        "policy_rules",
        Column("policy_set", Text, primary_key=True),
        Column("source", Text, primary_key=True),
        Column("digest", Text, primary_key=True),
        Column("rules", JSON, nullable=False),
        Column("first_used_at", Float, nullable=False),
    )
