"""Requeues, at a new fence, the runs that nobody does any more. Every worker does it."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from gracegate.jobs import metrics
from gracegate.jobs.runner import backoff
from gracegate.settings import JobSettings
from gracegate.store import HeldRun, Keep, Store, Transaction, retention, runs

log = structlog.get_logger(__name__)


class Reaper:
    """Several workers may do each step at once, and a step may stop anywhere: the next round completes it."""

    def __init__(self, store: Store, jobs: JobSettings) -> None:
        self._store = store
        self._jobs = jobs

    def requeue_runs_of_dead_workers(self) -> int:
        """Requeue the runs of executors without a heartbeat; returns how many."""
        with self._store.reading() as tx:
            held = runs.runs_of_dead_executors(tx, self._jobs.dead_after)
        return sum(map(self._take_over, held))

    def requeue_abandoned_runs(self, executor: str, is_doing: Callable[[str, int], bool]) -> int:
        """Requeue what this executor has claimed and does not do; returns how many. It must not claim meanwhile."""
        with self._store.reading() as tx:
            held = runs.held_runs(tx, executor)
        return sum(self._take_over(run) for run in held if not is_doing(run.id, run.fence))

    def release_runs(self, executor: str) -> int:
        """Requeue, at no cost, what this worker has claimed and not finished; returns how many."""
        with self._store.transaction() as tx:
            return sum(runs.requeue(tx, run.id, run.fence) for run in runs.held_runs(tx, executor))

    def delete_old_rows(self, is_stopped: Callable[[], bool] = lambda: False) -> bool:
        """Delete all rows that are old, in small transactions; False if it was stopped before."""
        for step in retention.steps(Keep(audit=self._jobs.keep_audit)):
            while self._transact(step):
                if is_stopped():
                    return False
        return True

    def _transact(self, step: Callable[[Transaction], bool]) -> bool:
        with self._store.transaction() as tx:
            return step(tx)

    def _take_over(self, run: HeldRun) -> bool:
        # A run that kills its worker must not run beside the same runs again: the delays differ.
        delay = backoff(self._jobs, run.crashes + 1)
        with self._store.transaction() as tx:
            requeued = runs.requeue(tx, run.id, run.fence, delay=delay, cost="crashes")
        if requeued:
            metrics.CRASHES.inc()
            log.warning("run_taken_over", run=run.id, fence=run.fence, executor=run.executor)
        return requeued
