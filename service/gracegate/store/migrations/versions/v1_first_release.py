"""The tables of the first release. Databases from before Alembic have them already."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, Text

revision = "1"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "delivery",
        Column("id", Text, primary_key=True),
        Column("event", Text, nullable=False),
        Column("action", Text, nullable=False),
        Column("installation_id", BigInteger, nullable=False),
        Column("repository_id", BigInteger, nullable=False),
        Column("repository", Text, nullable=False),
        Column("outcome", Text, nullable=False),
        Column("received_at", Float, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "head",
        Column("repository_id", BigInteger, primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("sha", Text, nullable=False),
        Column("run_id", Text, nullable=False),
        Column("closed", Boolean, nullable=False),
        Column("updated_at", Float, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "run",
        Column("id", Text, primary_key=True),
        Column("delivery_id", Text, nullable=False),
        Column("event", Text, nullable=False),
        Column("action", Text, nullable=False),
        Column("installation_id", BigInteger, nullable=False),
        Column("repository_id", BigInteger, nullable=False),
        Column("repository", Text, nullable=False),
        Column("number", Integer, nullable=False),
        Column("head_sha", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("fence", Integer, nullable=False),
        Column("starts", Integer, nullable=False),
        Column("failures", Integer, nullable=False),
        Column("crashes", Integer, nullable=False),
        Column("executor", Text),
        Column("error", Text),
        Column("conclusion", Text),
        Column("created_at", Float, nullable=False),
        Column("updated_at", Float, nullable=False),
        Column("finished_at", Float),
        if_not_exists=True,
    )
    op.create_table(
        "verdict",
        Column("repository_id", BigInteger, primary_key=True),
        Column("head_sha", Text, primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("verdict", Text, nullable=False),
        Column("conclusion", Text, nullable=False),
        Column("concluded_at", Float, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "gate",
        Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
        Column("closed_until", Float, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "executor",
        Column("id", Text, primary_key=True),
        Column("beat_at", Float, nullable=False),
        if_not_exists=True,
    )
    for name, table, columns in (
        ("head_by_sha", "head", ["repository_id", "sha"]),
        ("ix_run_delivery_id", "run", ["delivery_id"]),
        ("ix_run_state", "run", ["state"]),
        ("run_by_pull_request", "run", ["repository_id", "number"]),
    ):
        op.create_index(name, table, columns, if_not_exists=True)
