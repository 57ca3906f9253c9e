"""What a worker takes from the queue, and the threads that do it. The queue itself is in the store, see runs.py."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from gracegate.jobs.reaper import Reaper
from gracegate.settings import JobSettings
from gracegate.store import DatabaseUnavailable, Run, Store, runs

log = structlog.get_logger(__name__)

_CANDIDATES = 10
"""How many runs one look finds at most: other workers may be about to claim the same ones."""
_DATABASE_PAUSE = 1.0
"""Seconds before the next look while the database is away."""


def claim_next(store: Store, executor: str) -> Run | None:
    """Claim the run that has been due for longest; None if there is none."""
    with store.reading() as tx:
        candidates = runs.due_runs(tx, _CANDIDATES)
    for run_id, fence in candidates:
        with store.transaction() as tx:
            run = runs.claim(tx, run_id, fence, executor)
        if run is not None:
            return run
    return None


class RunPool:
    """Claims runs for one executor while it has room for them, and does each in a thread of its own."""

    def __init__(
        self, store: Store, executor: str, jobs: JobSettings, reaper: Reaper, perform: Callable[[Run], object]
    ) -> None:
        self._store = store
        self._executor = executor
        self._jobs = jobs
        self._reaper = reaper
        self._perform = perform
        self._threads: dict[tuple[str, int], threading.Thread] = {}
        self._is_stopping = False
        # Set where a run has ended: there is room for another one, and its partition is free.
        self._changed = threading.Event()
        # Set where a run may be claimed that no thread does: one has failed, or the database went away during a claim.
        self._may_have_abandoned = threading.Event()

    def claim_runs(self) -> None:
        """Look for runs until `stop_claiming`: at once where one was found or has ended, else after a pause."""
        while not self._is_stopping:
            self._changed.clear()
            try:
                is_started = self._start_next()
            except DatabaseUnavailable as error:
                log.warning("database_unavailable", doing="claim_runs", error=str(error))
                self._may_have_abandoned.set()
                self._changed.wait(_DATABASE_PAUSE)
            else:
                if not is_started:
                    self._changed.wait(self._jobs.poll)

    def stop_claiming(self) -> None:
        self._is_stopping = True
        self._changed.set()

    def wait(self, seconds: float) -> None:
        """Wait until all runs have ended, at most for so long. Nothing may be claimed meanwhile."""
        deadline = time.monotonic() + seconds
        for thread in list(self._threads.values()):
            thread.join(max(0.0, deadline - time.monotonic()))

    def _start_next(self) -> bool:
        if self._may_have_abandoned.is_set():
            self._may_have_abandoned.clear()
            self._reaper.requeue_abandoned_runs(self._executor, lambda *run: run in self._threads)
        if len(self._threads) >= self._jobs.concurrency:
            return False
        run = claim_next(self._store, self._executor)
        if run is None:
            return False
        thread = threading.Thread(target=self._do, args=(run,), name=f"run {run.id}", daemon=True)
        self._threads[run.id, run.fence] = thread
        thread.start()
        return True

    def _do(self, run: Run) -> None:
        is_done = False
        try:
            self._perform(run)
            is_done = True
        except Exception:
            log.exception("run_abandoned", run=run.id, fence=run.fence)
        finally:
            del self._threads[run.id, run.fence]
            if not is_done:
                self._may_have_abandoned.set()
            self._changed.set()
