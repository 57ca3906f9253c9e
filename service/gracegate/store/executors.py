"""Which workers are alive: each writes heartbeats, by the database's clock."""

from __future__ import annotations

import sqlalchemy as sa

from gracegate.store.tables import EXECUTOR, insert, now


def heartbeats(tx: sa.Connection) -> dict[str, float]:
    """How many seconds ago each executor was heard of."""
    query = sa.select(EXECUTOR.c.id, (now() - EXECUTOR.c.heartbeat_at).label("age")).order_by(EXECUTOR.c.id)
    return {row.id: max(0.0, row.age) for row in tx.execute(query)}


def write_heartbeat(tx: sa.Connection, executor: str) -> None:
    statement = insert(tx.dialect.name, EXECUTOR).values(id=executor, heartbeat_at=now())
    tx.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"heartbeat_at": now()}))


def mark_dead(tx: sa.Connection, prefix: str) -> None:
    """Delete the executors whose ids start with `prefix`: others can take over their runs at once."""
    tx.execute(sa.delete(EXECUTOR).where(EXECUTOR.c.id.startswith(prefix, autoescape=True)))
