"""Which workers live: each writes its heartbeat, by the database's clock."""

from __future__ import annotations

import sqlalchemy as sa

from gracegate.store.tables import EXECUTOR, insert, now


def beat(tx: sa.Connection, executor: str) -> None:
    statement = insert(tx, EXECUTOR).values(id=executor, beat_at=now())
    tx.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"beat_at": now()}))


def alive(tx: sa.Connection, dead_after: float) -> frozenset[str]:
    """The executors whose last heartbeat is at most `dead_after` seconds old."""
    return frozenset(tx.scalars(sa.select(EXECUTOR.c.id).where(EXECUTOR.c.beat_at >= now() - dead_after)))


def leave(tx: sa.Connection, prefix: str) -> None:
    """The executors whose ids begin so are no more: what they hold can be taken over at once."""
    tx.execute(sa.delete(EXECUTOR).where(EXECUTOR.c.id.startswith(prefix, autoescape=True)))


def bury(tx: sa.Connection, age: float) -> None:
    """Drop the rows of executors that have been dead for `age` seconds."""
    tx.execute(sa.delete(EXECUTOR).where(EXECUTOR.c.beat_at < now() - age))
