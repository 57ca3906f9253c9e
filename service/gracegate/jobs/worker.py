"""The worker process: does runs, sends heartbeats, takes over from dead workers, and stops without losing a run."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable

import structlog

from gracegate.jobs import queue as run_queue
from gracegate.jobs.queue import Queue
from gracegate.jobs.reaper import Reaper
from gracegate.jobs.runner import Reviewer, Runner
from gracegate.settings import JobSettings, Settings
from gracegate.store import DatabaseUnavailable, Store, executors

log = structlog.get_logger(__name__)

DELETE_OLD_ROWS_EVERY = 3600.0
"""Seconds."""


def run_worker(settings: Settings, reviewer: Reviewer) -> None:
    """Do reviews until SIGTERM or SIGINT. Needs the main thread, and ends the process."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    worker = Worker(Store(settings.database), reviewer, settings.jobs)
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
    """The worker of this process; DBOS allows one at a time."""

    def __init__(self, store: Store, reviewer: Reviewer, jobs: JobSettings) -> None:
        # With a name that was used before, DBOS would start again the runs that its former owner is still doing.
        self.executor = _executor_prefix(os.getpid()) + secrets.token_hex(4)
        self._store = store
        self._jobs = jobs
        queue = Queue(store)
        self._reaper = Reaper(store, queue, jobs)
        self._runner = Runner(store, queue, reviewer, self.executor, jobs)
        self._stopped = threading.Event()
        periodic: tuple[tuple[float, Callable[[], object]], ...] = (
            (jobs.heartbeat, self._send_heartbeat),
            (jobs.heartbeat, self._reaper.requeue_runs_of_dead_workers),
            (jobs.dead_after, self._reaper.requeue_missing_runs),
            (DELETE_OLD_ROWS_EVERY, self._reaper.delete_old_rows),
        )
        self._threads = [
            threading.Thread(target=self._repeat, args=(seconds, act), name=act.__name__, daemon=True)
            for seconds, act in periodic
        ]

    def start(self) -> None:
        # The first heartbeat comes before the first run, else another worker would take that over at once.
        self._send_heartbeat()
        for thread in self._threads:
            thread.start()
        run_queue.launch(self._store, self.executor, self._runner.perform)

    def is_healthy(self) -> bool:
        """False where one of the threads died of an error: a worker without a heartbeat has to be started again."""
        return all(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Dequeue nothing more, finish what can be finished in time, requeue the rest; heartbeats go on until then."""
        run_queue.shut_down(self._jobs.shutdown)
        released = self._reaper.release_runs(self.executor)
        self._stopped.set()
        for thread in self._threads:
            thread.join(timeout=5.0)
        with self._store.transaction() as tx:
            executors.mark_dead(tx, self.executor)
        log.info("runs_released", count=released)

    def _send_heartbeat(self) -> None:
        with self._store.transaction() as tx:
            executors.write_heartbeat(tx, self.executor)

    def _repeat(self, seconds: float, act: Callable[[], object]) -> None:
        while not self._stopped.wait(seconds):
            try:
                act()
            except DatabaseUnavailable as error:
                log.warning("database_unavailable", doing=threading.current_thread().name, error=str(error))
