"""The worker process: does runs, sends heartbeats, takes over from dead workers, and stops without losing a run."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from gracegate.jobs.queue import RunPool
from gracegate.jobs.reaper import Reaper
from gracegate.jobs.runner import Reviewer, Runner
from gracegate.settings import JobSettings
from gracegate.store import DatabaseUnavailable, Store, executors, shared_tasks

log = structlog.get_logger(__name__)

DELETE_EVERY = 3600.0
"""Seconds."""


class Reconciler(Protocol):
    """Finds what webhooks have not told. One worker at a time calls it, again after a failure or a crash."""

    def redeliver_failed(self, since: float, pause: float) -> bool:
        """Ask for the deliveries again that failed in the last `since` seconds; False if GitHub does not answer.

        `pause` is how many seconds later that is repeated at the earliest.
        """

    def sweep(self, is_stopped: Callable[[], bool]) -> bool:
        """Queue, with a delay, a run for each open pull request without one or a check; False if it stopped early."""

    def delete_unused_caches(self) -> None:
        """Delete what this machine keeps of repositories that are not reviewed any more. Each worker calls it."""


def run_worker(store: Store, reviewer: Reviewer, reconciler: Reconciler, jobs: JobSettings) -> None:
    """Do reviews until SIGTERM or SIGINT. Needs the main thread, and ends the process."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    worker = Worker(store, reviewer, reconciler, jobs)
    worker.start()
    log.info("worker_started", executor=worker.executor)
    while not stop.wait(1.0) and worker.is_healthy():
        pass
    log.info("worker_stopping", executor=worker.executor)
    worker.stop()
    log.info("worker_stopped", executor=worker.executor)
    # Python would wait for the thread of a review that is still running; its run was requeued at a new fence.
    os._exit(0)


def mark_dead(store: Store, pid: int) -> None:
    """Delete the heartbeat of a worker process of this machine that has ended: its runs are then taken over at once."""
    try:
        with store.transaction() as tx:
            executors.mark_dead(tx, _executor_prefix(pid))
    except DatabaseUnavailable as error:
        log.warning("database_unavailable", doing="mark_dead", error=str(error))


def _executor_prefix(pid: int) -> str:
    return f"{socket.gethostname()}-{pid}-"


class Worker:
    """The worker of this process."""

    def __init__(self, store: Store, reviewer: Reviewer, reconciler: Reconciler, jobs: JobSettings) -> None:
        # No two processes may have the same: a dead worker's runs would look as if they were in work.
        self.executor = _executor_prefix(os.getpid()) + secrets.token_hex(4)
        self._store = store
        self._jobs = jobs
        self._reaper = Reaper(store, jobs)
        self._reconciler = reconciler
        self._started_at = 0.0
        self._pool = RunPool(store, self.executor, jobs, self._reaper, Runner(store, reviewer, jobs).perform)
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        periodic: tuple[tuple[float, Callable[[], object]], ...] = (
            (jobs.heartbeat, self._send_heartbeat),
            (jobs.heartbeat, self._reaper.requeue_runs_of_dead_workers),
            (jobs.heartbeat, self._do_shared_tasks),
            (DELETE_EVERY, self._delete_unused_caches),
        )
        self._threads = [
            threading.Thread(target=self._repeat, args=(seconds, act), name=act.__name__, daemon=True)
            for seconds, act in periodic
        ]
        self._claiming = threading.Thread(target=self._pool.claim_runs, name="claim_runs", daemon=True)

    def start(self) -> None:
        # The first heartbeat comes before the first run, else another worker would take that over at once.
        self._send_heartbeat()
        with self._store.transaction() as tx:
            self._started_at = shared_tasks.clock(tx)
        for thread in self._threads:
            thread.start()
        self._claiming.start()

    def is_healthy(self) -> bool:
        """False where one of the threads died of an error: a worker without a heartbeat has to be started again."""
        return all(thread.is_alive() for thread in (self._claiming, *self._threads))

    def stop(self) -> None:
        """Claim nothing more, finish what can be finished in time, requeue the rest; heartbeats go on until then."""
        self._stopping.set()
        deadline = time.monotonic() + self._jobs.shutdown
        self._pool.stop_claiming()
        self._claiming.join(self._jobs.shutdown)
        self._pool.wait(deadline - time.monotonic())
        released = self._reaper.release_runs(self.executor)
        self._stopped.set()
        for thread in self._threads:
            thread.join(timeout=5.0)
        with self._store.transaction() as tx:
            executors.mark_dead(tx, self.executor)
        log.info("runs_released", count=released)

    def _do_shared_tasks(self) -> None:
        every = self._jobs.reconcile
        is_stopped = self._stopping.is_set
        self._do("redeliver_failed", every, lambda since: self._reconciler.redeliver_failed(since, every))
        self._do("sweep", every, lambda _since: self._reconciler.sweep(is_stopped))
        self._do("delete_old_rows", DELETE_EVERY, lambda _since: self._reaper.delete_old_rows(is_stopped))

    def _do(self, name: str, every: float, act: Callable[[float], bool]) -> None:
        """Do a task that is due and that no other worker does; at its start each worker finds it due.

        `act` gets the seconds since its last complete turn began, and returns whether this one is complete.
        """
        if self._stopping.is_set():
            return
        due = {"every": every, "not_since": self._started_at, "dead_after": self._jobs.dead_after}
        with self._store.transaction() as tx:
            since = shared_tasks.take(tx, name, self.executor, **due)
        if since is None:
            return
        is_complete = False
        try:
            is_complete = act(since)
        except DatabaseUnavailable:
            raise
        except Exception:
            # Reviews go on without it.
            log.exception("shared_task_failed", task=name)
        finally:
            with self._store.transaction() as tx:
                shared_tasks.release(tx, name, self.executor, is_complete=is_complete)

    def _delete_unused_caches(self) -> None:
        try:
            self._reconciler.delete_unused_caches()
        except OSError:
            log.exception("caches_not_deleted")

    def _send_heartbeat(self) -> None:
        with self._store.transaction() as tx:
            executors.write_heartbeat(tx, self.executor)

    def _repeat(self, seconds: float, act: Callable[[], object]) -> None:
        while not self._stopped.wait(seconds):
            try:
                act()
            except DatabaseUnavailable as error:
                log.warning("database_unavailable", doing=threading.current_thread().name, error=str(error))
