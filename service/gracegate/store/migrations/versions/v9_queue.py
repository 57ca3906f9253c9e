"""The runs that wait are the queue. Before, it was a library's (DBOS), in tables of its own in this database.

Its entries need not be read: each unfinished run waits now and is due at once. One that ran gets a new fence, so that a
worker of an earlier version which still does it writes nothing more.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, Float, Text

revision = "9"
down_revision = "8"

_SCHEMA = "dbos"
_SQLITE_TABLES = (
    "operation_outputs", "notifications", "workflow_events", "workflow_events_history", "streams", "workflow_input",
    "workflow_output", "workflow_schedules", "application_versions", "queues", "event_dispatch_kv", "workflow_status",
    "dbos_migrations",
)  # fmt: skip
"""Those that refer to others come before them."""


def upgrade() -> None:
    op.add_column("run", Column("due_at", Float, nullable=False, server_default="0"))
    op.add_column("run", Column("partition", Text, nullable=False, server_default=""))
    op.execute(
        "UPDATE run SET due_at = created_at, partition = CAST(repository_id AS TEXT) || '/' ||"
        " CASE WHEN number = 0 THEN head_sha ELSE CAST(number AS TEXT) END"
    )
    op.execute("UPDATE run SET state = 'waiting', fence = fence + 1, executor = NULL WHERE state = 'running'")
    op.drop_index("ix_run_state", "run")
    waiting, running = sa.text("state = 'waiting'"), sa.text("state = 'running'")
    op.create_index("run_due", "run", ["due_at", "id"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_index("run_running", "run", ["partition"], unique=True, sqlite_where=running, postgresql_where=running)
    _drop_tables_of_dbos()


def _drop_tables_of_dbos() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in _SQLITE_TABLES:
            op.drop_table(table, if_exists=True)
    elif _is_schema_ours():
        op.execute(f"DROP SCHEMA {_SCHEMA} CASCADE")


def _is_schema_ours() -> bool:
    """Another program with DBOS may use the same database, and then the same schema."""
    connection = op.get_bind()
    if not sa.inspect(connection).has_table("workflow_status", schema=_SCHEMA):
        return False
    for name in ("queues", "workflow_status"):
        table = sa.table(name, sa.column("application_name", Text), schema=_SCHEMA)
        of_others = sa.select(table).where(table.c.application_name.is_distinct_from("gracegate"))
        if connection.execute(of_others.limit(1)).first() is not None:
            return False
    return True
