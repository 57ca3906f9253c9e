"""What dead workers left behind is taken over: their runs are queued again at a new fence. Runs in every worker."""

from __future__ import annotations

import structlog

from gracegate.jobs import metrics
from gracegate.jobs.queue import Queue, Taken
from gracegate.jobs.runner import backoff
from gracegate.settings import JobSettings
from gracegate.store import Cost, Store, executors, runs

log = structlog.get_logger(__name__)

KEEP_FINISHED = 30 * 86400.0
KEEP_ENGINE_ROWS = 86400.0


class Reaper:
    """Each step may be done by several workers at once, and may stop anywhere: the next round goes on."""

    def __init__(self, store: Store, queue: Queue, jobs: JobSettings) -> None:
        self._store = store
        self._queue = queue
        self._jobs = jobs

    def reap(self) -> int:
        """Take over from executors without a heartbeat; how many runs."""
        taken = self._queue.taken()
        if not taken:
            return 0
        with self._store.transaction() as tx:
            alive = executors.alive(tx, self._jobs.dead_after)
        dead = [ticket for ticket in taken if ticket.executor not in alive]
        return sum(self._take_over(ticket) for ticket in dead)

    def sweep(self) -> int:
        """Queue again the runs that are not over and have no place in the queue; how many."""
        with self._store.transaction() as tx:
            idle = runs.unfinished(tx, idle=self._jobs.dead_after)
        lost = self._queue.lost(idle)
        return sum(self._again(run_id, fence, cost="crashes") for run_id, fence in lost.items())

    def hand_back(self, executor: str) -> int:
        """Queue again, at no cost, what this worker has taken and not finished; how many."""
        mine = [ticket for ticket in self._queue.taken() if ticket.executor == executor]
        returned = sum(self._again(ticket.run_id, ticket.fence) for ticket in mine)
        self._queue.drop((ticket.run_id, ticket.fence) for ticket in mine)
        return returned

    def forget(self) -> None:
        """Drop what is old."""
        self._queue.forget(KEEP_ENGINE_ROWS)
        with self._store.transaction() as tx:
            runs.forget(tx, KEEP_FINISHED)
            executors.bury(tx, KEEP_ENGINE_ROWS)

    def _take_over(self, ticket: Taken) -> bool:
        # The fence rises before the partition is freed, so that a worker which wakes up late writes nothing.
        taken = self._again(ticket.run_id, ticket.fence, cost="crashes")
        self._queue.drop([(ticket.run_id, ticket.fence)])
        if taken:
            metrics.CRASHES.inc()
            log.warning("taken_over", run=ticket.run_id, fence=ticket.fence, executor=ticket.executor)
        return taken

    def _again(self, run_id: str, fence: int, *, cost: Cost = None) -> bool:
        with self._store.transaction() as tx:
            ticket = runs.requeue(tx, run_id, fence, cost=cost)
            if ticket is not None:
                # A run that kills its worker must not take the same neighbours along again: they come back apart.
                delay = backoff(self._jobs, runs.crashes(tx, run_id)) if cost else 0.0
                self._queue.put(tx, ticket, delay)
        return ticket is not None
