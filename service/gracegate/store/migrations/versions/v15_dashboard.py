"""What a review has waived and not covered is kept, and when a repository was reviewed last. Dead runs are listed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import JSON, Column, Float

revision = "15"
down_revision = "14"


def upgrade() -> None:
    with op.batch_alter_table("review") as review:
        review.add_column(Column("waivers", JSON, nullable=False, server_default="[]"))
        review.add_column(Column("not_covered", JSON, nullable=False, server_default="{}"))
    with op.batch_alter_table("repository") as repository:
        repository.add_column(Column("reviewed_at", Float, nullable=False, server_default="0"))
    newest = "(SELECT max(concluded_at) FROM review WHERE repository_id = repository.id)"
    op.execute(f"UPDATE repository SET reviewed_at = coalesce({newest}, 0)")  # noqa: S608 - ours
    is_dead = sa.text("state = 'dead'")
    op.create_index("run_dead", "run", ["updated_at"], sqlite_where=is_dead, postgresql_where=is_dead)
