"""The runs of dead executors are taken over: the rows of DBOS are set as a killed worker leaves them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from gracegate.jobs import queue as queue_module
from gracegate.jobs.queue import LeasedRun
from gracegate.jobs.reaper import Reaper
from gracegate.settings import JobSettings
from gracegate.store import executors, runs
from gracegate.store.tables import HEAD, RUN
from tests.jobs.harness import Service

JOBS = JobSettings(backoff=0.0, dead_after=5.0)


@pytest.fixture(autouse=True)
def delivered(service: Service) -> None:
    service.deliver("a", 1, "head-a")


@pytest.fixture
def reaper(service: Service) -> Reaper:
    return Reaper(service.store, service.queue, JOBS)


def queue_rows(service: Service) -> sa.TableClause:
    """The table of DBOS that holds the queue; on PostgreSQL it has a schema of its own."""
    schema = "dbos" if service.store.engine.dialect.name == "postgresql" else None
    names = ("workflow_uuid", "status", "executor_id", "completed_at")
    return sa.table("workflow_status", *map(sa.column, names), schema=schema)


def lease(service: Service, executor: str, fence: int = 1) -> None:
    """Leases and claims a run as DBOS and then the runner do."""
    rows = queue_rows(service)
    with service.store.transaction() as tx:
        leased = rows.update().where(rows.c.workflow_uuid == f"a/1~{fence}")
        tx.execute(leased.values(status="PENDING", executor_id=executor))
        runs.claim(tx, "a/1", fence, executor)


def unfinished(service: Service) -> dict[str, int]:
    with service.store.transaction() as tx:
        return runs.unfinished_runs(tx)


def test_a_live_executor_keeps_its_runs(service: Service, reaper: Reaper) -> None:
    assert (reaper.requeue_runs_of_dead_workers(), reaper.requeue_missing_runs()) == (0, 0)
    with service.store.transaction() as tx:
        executors.write_heartbeat(tx, "me")
    lease(service, "me")
    assert (reaper.requeue_runs_of_dead_workers(), reaper.requeue_missing_runs()) == (0, 0)
    assert service.queue.leased_runs() == [LeasedRun("a/1", 1, "me")]


def test_a_dead_executor_loses_its_run_once(service: Service, reaper: Reaper) -> None:
    lease(service, "gone")
    assert (reaper.requeue_runs_of_dead_workers(), reaper.requeue_runs_of_dead_workers()) == (1, 0)
    assert (unfinished(service), service.queue.leased_runs(), service.queue.missing_runs({"a/1": 2})) == (
        {"a/1": 2},
        [],
        {},
    )
    with service.store.transaction() as tx:
        assert runs.crash_count(tx, "a/1") == 1


def test_a_lease_at_an_old_fence_is_only_cancelled(service: Service, reaper: Reaper) -> None:
    lease(service, "gone")
    with service.store.transaction() as tx:
        # Another worker raised the fence and died before it freed the partition.
        service.queue.enqueue(tx, runs.requeue(tx, "a/1", 1))  # type: ignore[arg-type]
    assert reaper.requeue_runs_of_dead_workers() == 0
    assert (unfinished(service), service.queue.leased_runs(), service.queue.missing_runs({"a/1": 2})) == (
        {"a/1": 2},
        [],
        {},
    )


def test_an_idle_run_that_is_not_in_the_queue_is_requeued(service: Service, reaper: Reaper) -> None:
    service.queue.cancel([("a/1", 1)])
    assert reaper.requeue_missing_runs() == 0
    with service.store.transaction() as tx:
        tx.exec_driver_sql("UPDATE run SET updated_at = updated_at - 6")
    assert (reaper.requeue_missing_runs(), reaper.requeue_missing_runs()) == (1, 0)
    assert service.queue.missing_runs({"a/1": 2}) == {}


def test_releasing_a_run_costs_no_attempt(service: Service, reaper: Reaper) -> None:
    lease(service, "me")
    assert reaper.release_runs("another") == 0
    assert reaper.release_runs("me") == 1
    assert (service.queue.leased_runs(), service.queue.missing_runs({"a/1": 2})) == ([], {})
    with service.store.transaction() as tx:
        assert runs.crash_count(tx, "a/1") == 0


@pytest.mark.parametrize("is_stopped", [False, True])
def test_all_old_rows_are_deleted_unless_the_worker_stops(
    service: Service, reaper: Reaper, monkeypatch: pytest.MonkeyPatch, is_stopped: bool
) -> None:
    monkeypatch.setattr(queue_module, "_BATCH", 2)
    for number in range(2, 6):
        service.deliver(f"a{number}", number, "head")
    service.queue.cancel([("a/1", 1), *((f"a{number}/{number}", 1) for number in range(2, 5))])
    with service.store.transaction() as tx:
        tx.execute(queue_rows(service).update().values(completed_at=1000))
        tx.execute(RUN.update().where(RUN.c.number < 5).values(finished_at=1000))
        tx.execute(HEAD.delete().where(HEAD.c.number < 5))
    assert reaper.delete_old_rows(lambda: is_stopped) is not is_stopped
    with service.store.transaction() as tx:
        left = len(tx.execute(queue_rows(service).select()).all()), len(tx.execute(RUN.select()).all())
    assert left == ((3, 1) if is_stopped else (1, 1))
