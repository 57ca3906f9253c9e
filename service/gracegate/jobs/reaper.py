"""Requeues, at a new fence, the runs that dead workers left behind. Every worker does it."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from gracegate.jobs import metrics
from gracegate.jobs.queue import LeasedRun, Queue
from gracegate.jobs.runner import backoff
from gracegate.settings import JobSettings
from gracegate.store import Cost, Keep, Store, Transaction, executors, retention, runs

log = structlog.get_logger(__name__)

KEEP_QUEUE_ROWS = 86400.0
"""Seconds."""


class Reaper:
    """Several workers may do each step at once, and a step may stop anywhere: the next round completes it."""

    def __init__(self, store: Store, queue: Queue, jobs: JobSettings) -> None:
        self._store = store
        self._queue = queue
        self._jobs = jobs

    def requeue_runs_of_dead_workers(self) -> int:
        """Requeue the runs of executors without a heartbeat; returns how many."""
        leased = self._queue.leased_runs()
        if not leased:
            return 0
        with self._store.transaction() as tx:
            alive = executors.live_executors(tx, self._jobs.dead_after)
        return sum(self._take_over(run) for run in leased if run.executor not in alive)

    def requeue_missing_runs(self) -> int:
        """Requeue the unfinished runs that the queue does not hold; returns how many."""
        with self._store.transaction() as tx:
            idle = runs.unfinished_runs(tx, idle=self._jobs.dead_after)
        missing = self._queue.missing_runs(idle)
        return sum(self._requeue(run_id, fence, cost="crashes") for run_id, fence in missing.items())

    def release_runs(self, executor: str) -> int:
        """Requeue, at no cost, what this worker has leased and not finished; returns how many."""
        leased = [run for run in self._queue.leased_runs() if run.executor == executor]
        released = sum(self._requeue(run.run_id, run.fence) for run in leased)
        self._queue.cancel((run.run_id, run.fence) for run in leased)
        return released

    def delete_old_rows(self, is_stopped: Callable[[], bool] = lambda: False) -> bool:
        """Delete all rows that are old, in small transactions; False if it was stopped before."""
        for step in retention.steps(Keep(audit=self._jobs.keep_audit)):
            while self._transact(step):
                if is_stopped():
                    return False
        while self._queue.delete_finished(KEEP_QUEUE_ROWS):
            if is_stopped():
                return False
        return True

    def _transact(self, step: Callable[[Transaction], bool]) -> bool:
        with self._store.transaction() as tx:
            return step(tx)

    def _take_over(self, run: LeasedRun) -> bool:
        # The fence is raised before the partition is freed, so that a worker which wakes up late can write nothing.
        requeued = self._requeue(run.run_id, run.fence, cost="crashes")
        self._queue.cancel([(run.run_id, run.fence)])
        if requeued:
            metrics.CRASHES.inc()
            log.warning("run_taken_over", run=run.run_id, fence=run.fence, executor=run.executor)
        return requeued

    def _requeue(self, run_id: str, fence: int, *, cost: Cost = None) -> bool:
        with self._store.transaction() as tx:
            ticket = runs.requeue(tx, run_id, fence, cost=cost)
            if ticket is not None:
                # A run that kills its worker must not run beside the same runs again: the delays differ.
                delay = backoff(self._jobs, runs.crash_count(tx, run_id)) if cost else 0.0
                self._queue.enqueue(tx, ticket, delay)
        return ticket is not None
