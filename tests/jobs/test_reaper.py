"""The runs of dead executors are taken over, and what a worker has claimed and does not do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from gracegate.jobs.reaper import Reaper
from gracegate.settings import JobSettings
from gracegate.store import executors, retention
from gracegate.store.tables import EXECUTOR, HEAD, RUN
from tests.jobs.harness import Service
from tests.runs import claimed, delays, unfinished

JOBS = JobSettings(backoff=40.0, dead_after=5.0)


@pytest.fixture(autouse=True)
def delivered(service: Service) -> None:
    service.deliver("a", 1, "head-a")


@pytest.fixture
def reaper(service: Service) -> Reaper:
    return Reaper(service.store, JOBS)


def row(service: Service) -> tuple[str, int, int, str | None]:
    with service.store.reading() as tx:
        found = tx.execute(sa.select(RUN.c.state, RUN.c.fence, RUN.c.crashes, RUN.c.executor)).one()
    return found.state, found.fence, found.crashes, found.executor


def test_what_waits_or_has_a_live_executor_is_left(service: Service, reaper: Reaper) -> None:
    assert reaper.requeue_runs_of_dead_workers() == 0
    with service.store.transaction() as tx:
        executors.write_heartbeat(tx, "me")
    claimed(service.store, "a/1", "me")
    assert reaper.requeue_runs_of_dead_workers() == 0
    assert row(service) == ("running", 1, 0, "me")


@pytest.mark.parametrize("heartbeat", ["none", "old"])
def test_a_dead_executor_loses_its_run(service: Service, reaper: Reaper, heartbeat: str) -> None:
    with service.store.transaction() as tx:
        executors.write_heartbeat(tx, "alive")
        if heartbeat == "old":
            executors.write_heartbeat(tx, "gone")
            tx.execute(EXECUTOR.update().where(EXECUTOR.c.id == "gone").values(heartbeat_at=1.0))
    claimed(service.store, "a/1", "gone")
    assert (reaper.requeue_runs_of_dead_workers(), reaper.requeue_runs_of_dead_workers()) == (1, 0)
    assert row(service) == ("waiting", 2, 1, None)
    # Not at once, so that a run that kills its worker does not run beside the same runs again.
    assert 20 <= delays(service.store)["a/1"] <= 40


def test_of_many_reapers_at_once_one_takes_over(service: Service, reaper: Reaper) -> None:
    claimed(service.store, "a/1", "gone")
    with ThreadPoolExecutor(4) as threads:
        taken = list(threads.map(lambda _: reaper.requeue_runs_of_dead_workers(), range(8)))
    assert (sum(taken), row(service)) == (1, ("waiting", 2, 1, None))


def test_what_an_executor_does_not_do_is_requeued(service: Service, reaper: Reaper) -> None:
    service.deliver("b", 2, "head-b")
    for run_id in ("a/1", "b/2"):
        claimed(service.store, run_id, "me")
    assert reaper.requeue_abandoned_runs("another", lambda *_: False) == 0
    assert reaper.requeue_abandoned_runs("me", lambda *run: run == ("b/2", 1)) == 1
    assert unfinished(service.store) == {"a/1": 2, "b/2": 1}


def test_releasing_a_run_costs_no_attempt(service: Service, reaper: Reaper) -> None:
    claimed(service.store, "a/1", "me")
    assert (reaper.release_runs("another"), reaper.release_runs("me"), reaper.release_runs("me")) == (0, 1, 0)
    assert (row(service), delays(service.store)) == (("waiting", 2, 0, None), {"a/1": 0})


@pytest.mark.parametrize("is_stopped", [False, True])
def test_all_old_rows_are_deleted_unless_the_worker_stops(
    service: Service, reaper: Reaper, monkeypatch: pytest.MonkeyPatch, is_stopped: bool
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(2, 6):
        service.deliver(f"a{number}", number, "head")
    with service.store.transaction() as tx:
        tx.execute(RUN.update().where(RUN.c.number < 5).values(finished_at=1000))
        tx.execute(HEAD.delete().where(HEAD.c.number < 5))
    assert reaper.delete_old_rows(lambda: is_stopped) is not is_stopped
    with service.store.reading() as tx:
        left = len(tx.execute(RUN.select()).all())
    assert left == (3 if is_stopped else 1)
