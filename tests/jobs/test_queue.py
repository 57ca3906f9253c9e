"""Workers share the queue: each run is done by one of them, and one run at a time of a pull request."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from gracegate.jobs import queue as queue_module
from gracegate.jobs.queue import RunPool, claim_next
from gracegate.jobs.reaper import Reaper
from gracegate.settings import JobSettings
from gracegate.store import DatabaseUnavailable, Run, Store, runs
from gracegate.store.tables import RUN
from tests.jobs.harness import Service
from tests.processes import wait_for
from tests.runs import unfinished

WORKERS, PULLS, RUNS_OF_EACH = 4, 5, 6


def deliver_all(service: Service) -> None:
    """Runs that do not supersede each other, as all have been started before."""
    for n in range(PULLS * RUNS_OF_EACH):
        service.deliver(f"d{n}", n % PULLS + 1, f"head-{n}")
        with service.store.transaction() as tx:
            tx.execute(RUN.update().values(starts=1))


def test_no_two_workers_hold_a_pull_request(service: Service) -> None:
    deliver_all(service)
    held, overlaps, done, lock = set[int](), list[Run](), Counter[str](), threading.Lock()

    def work(executor: str) -> None:
        # A process of its own would have a store of its own, too.
        store = Store(service.env["GRACEGATE_DATABASE"])
        while unfinished(store):
            with suppress(DatabaseUnavailable):
                run = claim_next(store, executor)
                if run is not None:
                    do(store, run)
        store.close()

    def do(store: Store, run: Run) -> None:
        with lock:
            overlaps.extend([run] if run.number in held else [])
            held.add(run.number)
        time.sleep(0.005)
        with lock:
            held.remove(run.number)
        with store.transaction() as tx:
            if run.fence == 1:
                assert runs.requeue(tx, run.id, run.fence)
            else:
                assert runs.finish(tx, run.id, run.fence, "done")
                done[run.id] += 1

    threads = [threading.Thread(target=work, args=(f"worker {number}",)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overlaps == []
    assert done == {f"d{n}/{n % PULLS + 1}": 1 for n in range(PULLS * RUNS_OF_EACH)}


@contextmanager
def working(service: Service, perform: Callable[[Run], object], **more: float) -> Iterator[RunPool]:
    """A pool of one thread that looks again only where something has happened, unless the test says otherwise."""
    jobs = JobSettings(**{"concurrency": 1, "poll": 3600.0, "backoff": 0.0, **more})  # type: ignore[arg-type]
    pool = RunPool(service.store, "me", jobs, Reaper(service.store, jobs), perform)
    claiming = threading.Thread(target=pool.claim_runs)
    claiming.start()
    yield pool
    pool.stop_claiming()
    claiming.join()
    pool.wait(60.0)


def finish(store: Store, run: Run) -> None:
    with store.transaction() as tx:
        assert runs.finish(tx, run.id, run.fence, "done")


def test_the_oldest_are_done_first_and_the_next_follows_at_once(service: Service) -> None:
    order: list[int] = []

    def perform(run: Run) -> None:
        order.append(run.number)
        finish(service.store, run)

    for number in (3, 1, 2):
        service.deliver(f"d{number}", number, "head")
        time.sleep(0.01)  # SQLite counts in milliseconds
    with working(service, perform):
        wait_for("the runs", lambda: not unfinished(service.store))
    assert order == [3, 1, 2]


def test_no_more_runs_are_claimed_than_there_is_room_for(service: Service) -> None:
    may_end, at_once, running = threading.Event(), list[int](), set[str]()

    def perform(run: Run) -> None:
        running.add(run.id)
        at_once.append(len(running))
        may_end.wait(60.0)
        running.remove(run.id)
        finish(service.store, run)

    for number in range(1, 5):
        service.deliver(f"d{number}", number, "head")
    with working(service, perform, concurrency=2, poll=0.01):
        wait_for("two runs", lambda: len(running) == 2)
        may_end.set()
        wait_for("the runs", lambda: not unfinished(service.store))
    assert max(at_once) == 2


def test_a_run_whose_thread_fails_is_done_again_as_after_a_crash(service: Service) -> None:
    attempts: list[tuple[int, int]] = []

    def perform(run: Run) -> None:
        attempts.append((run.fence, run.crashes))
        if run.fence == 1:
            raise ZeroDivisionError
        finish(service.store, run)

    service.deliver("a", 1, "head-a")
    with working(service, perform):
        wait_for("the run", lambda: not unfinished(service.store))
    assert attempts == [(1, 0), (2, 1)]


def test_a_run_that_was_claimed_while_the_database_went_away_is_done(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    fences: list[int] = []

    def claim_and_lose(store: Store, executor: str) -> Run | None:
        """The transaction is committed, and its answer does not arrive."""
        monkeypatch.undo()
        assert claim_next(store, executor) is not None
        raise DatabaseUnavailable("the server closed the connection")

    def perform(run: Run) -> None:
        fences.append(run.fence)
        finish(service.store, run)

    monkeypatch.setattr(queue_module, "_DATABASE_PAUSE", 0.0)
    monkeypatch.setattr(queue_module, "claim_next", claim_and_lose)
    service.deliver("a", 1, "head-a")
    with working(service, perform):
        wait_for("the run", lambda: not unfinished(service.store))
    assert fences == [2]
