"""Tasks that one worker at a time does for all: who does them, and when they were done last."""

from __future__ import annotations

import sqlalchemy as sa

from gracegate.store.tables import EXECUTOR, SHARED_TASK, insert, now

LONGEST = 900.0
"""Seconds after which another worker may take a task that its holder has not released."""


def clock(tx: sa.Connection) -> float:
    """The time by the database's clock."""
    return float(tx.scalar(sa.select(now())) or 0.0)


def take(
    tx: sa.Connection, name: str, executor: str, *, every: float, not_since: float, dead_after: float
) -> float | None:
    """Take a task that no live executor holds, and that was last taken more than `every` seconds ago or before the time
    `not_since`.

    Returns how many seconds ago the time began that was last completed, infinite if it never was; None if the task was
    not taken. `release` ends it.
    """
    unused = {"name": name, "holder": "", "taken_at": 0.0, "completed_at": 0.0}
    tx.execute(insert(tx.dialect.name, SHARED_TASK).values(unused).on_conflict_do_nothing())
    own = SHARED_TASK.c.name == name
    row = tx.execute(sa.select(SHARED_TASK, now().label("now")).where(own).with_for_update()).one()
    is_due = row.taken_at < not_since or row.now - row.taken_at >= every
    if not is_due or (row.now - row.taken_at < LONGEST and _is_alive(tx, row.holder, dead_after)):
        return None
    tx.execute(sa.update(SHARED_TASK).where(own).values(holder=executor, taken_at=row.now))
    return row.now - row.completed_at if row.completed_at else float("inf")


def release(tx: sa.Connection, name: str, executor: str, *, is_complete: bool) -> None:
    """End a task that this executor has taken; complete is what was to be done when it was taken."""
    changes: dict[str, object] = {"holder": ""}
    if is_complete:
        changes["completed_at"] = SHARED_TASK.c.taken_at
    held = (SHARED_TASK.c.name == name) & (SHARED_TASK.c.holder == executor)
    tx.execute(sa.update(SHARED_TASK).where(held).values(changes))


def _is_alive(tx: sa.Connection, executor: str, dead_after: float) -> bool:
    alive = sa.select(EXECUTOR.c.id).where(EXECUTOR.c.id == executor, EXECUTOR.c.heartbeat_at >= now() - dead_after)
    return tx.scalar(alive) is not None
