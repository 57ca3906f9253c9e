"""A task that one worker at a time does."""

from __future__ import annotations

import math

import sqlalchemy as sa

from gracegate.store import Store, executors, shared_tasks
from gracegate.store.tables import EXECUTOR, SHARED_TASK


class Tasks:
    """The task `sweep` in a transaction of its own per step."""

    def __init__(self, store: Store) -> None:
        self.store = store
        for executor in ("one", "two"):
            self.beat(executor)

    def beat(self, executor: str) -> None:
        with self.store.transaction() as tx:
            executors.write_heartbeat(tx, executor)

    def take(self, executor: str, every: float = 0.0, name: str = "sweep", *, not_since: float = 0.0) -> float | None:
        with self.store.transaction() as tx:
            since = shared_tasks.take(tx, name, executor, every=every, not_since=not_since, dead_after=60.0)
        return None if since is None else float("inf") if math.isinf(since) else round(since, -2)

    def release(self, executor: str, *, is_complete: bool = True) -> None:
        with self.store.transaction() as tx:
            shared_tasks.release(tx, "sweep", executor, is_complete=is_complete)

    def pass_time(self, seconds: float) -> None:
        with self.store.transaction() as tx:
            for column in (SHARED_TASK.c.taken_at, SHARED_TASK.c.completed_at):
                tx.execute(sa.update(SHARED_TASK).where(column > 0).values({column.name: column - seconds}))


def test_a_task_is_done_by_one_at_a_time(store: Store) -> None:
    tasks = Tasks(store)
    assert (tasks.take("one"), tasks.take("two"), tasks.take("two", name="other")) == (math.inf, None, math.inf)
    tasks.release("two")
    assert tasks.take("two") is None
    tasks.release("one")
    assert tasks.take("two") == 0.0


def test_a_task_is_due_after_a_time_and_knows_when_it_was_completed(store: Store) -> None:
    tasks = Tasks(store)
    tasks.take("one")
    tasks.release("one")
    assert tasks.take("two", every=300.0) is None
    tasks.pass_time(400.0)
    assert tasks.take("two", every=300.0) == 400.0
    tasks.release("two", is_complete=False)
    tasks.pass_time(400.0)
    assert tasks.take("one", every=300.0) == 800.0


def test_the_task_of_a_dead_worker_is_taken_over(store: Store) -> None:
    tasks = Tasks(store)
    tasks.take("one")
    with store.transaction() as tx:
        tx.execute(sa.update(EXECUTOR).values(heartbeat_at=EXECUTOR.c.heartbeat_at - 100))
    assert tasks.take("two") == math.inf


def test_a_task_that_hangs_is_taken_over(store: Store) -> None:
    tasks = Tasks(store)
    tasks.take("one")
    tasks.pass_time(shared_tasks.LONGEST - 60.0)
    assert tasks.take("two") is None
    tasks.pass_time(61.0)
    assert tasks.take("two") == math.inf
    tasks.release("one")
    assert tasks.take("one") is None


def test_a_worker_finds_a_task_due_that_was_taken_before_its_start(store: Store) -> None:
    tasks = Tasks(store)
    tasks.take("one")
    tasks.release("one")
    with store.transaction() as tx:
        started_at = shared_tasks.clock(tx)
    assert tasks.take("two", every=300.0, not_since=started_at - 60.0) is None
    assert tasks.take("two", every=300.0, not_since=started_at + 1.0) == 0.0
