"""The process that does reviews: it beats, takes runs out of the queue, reaps the dead, and stops without loss."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable

import structlog

from gracegate.jobs import queue as engine
from gracegate.jobs.queue import Queue
from gracegate.jobs.reaper import Reaper
from gracegate.jobs.runner import Reviewer, Runner
from gracegate.settings import JobSettings, Settings
from gracegate.store import DatabaseUnavailable, Store, executors

log = structlog.get_logger(__name__)

FORGET_EVERY = 3600.0


def run_worker(settings: Settings, reviewer: Reviewer) -> None:
    """Do reviews until SIGTERM or SIGINT. Needs the main thread, and ends the process."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    worker = Worker(Store(settings.database), reviewer, settings.jobs)
    worker.start()
    log.info("worker_started", executor=worker.executor)
    while not stop.wait(1.0) and worker.whole():
        pass
    log.info("worker_stops", executor=worker.executor)
    worker.stop()
    log.info("worker_stopped", executor=worker.executor)
    # A review that outlives the drain holds a thread that Python would wait for; its fence is raised already.
    os._exit(0)


def mark_dead(store: Store, pid: int) -> None:
    """Say that a worker process of this machine is dead, so that its runs need not wait for its silence to be heard."""
    try:
        with store.transaction() as tx:
            executors.leave(tx, _lives_of(pid))
    except DatabaseUnavailable as error:
        log.warning("database_unavailable", doing="bury", error=str(error))


def _lives_of(pid: int) -> str:
    return f"{socket.gethostname()}-{pid}-"


class Worker:
    """One life of a worker; the engine allows one at a time in a process."""

    def __init__(self, store: Store, reviewer: Reviewer, jobs: JobSettings) -> None:
        # A name that was used before would make the engine run again what its former owner is still running.
        self.executor = _lives_of(os.getpid()) + secrets.token_hex(4)
        self._store = store
        self._jobs = jobs
        queue = Queue(store)
        self._reaper = Reaper(store, queue, jobs)
        self._runner = Runner(store, queue, reviewer, self.executor, jobs)
        self._stopped = threading.Event()
        duties: dict[str, tuple[float, Callable[[], object]]] = {
            "heartbeat": (jobs.heartbeat, self._beat),
            "reaper": (jobs.heartbeat, self._reaper.reap),
            "sweeper": (jobs.dead_after, self._reaper.sweep),
            "forget": (FORGET_EVERY, self._reaper.forget),
        }
        self._threads = [
            threading.Thread(target=self._every, args=duty, name=name, daemon=True) for name, duty in duties.items()
        ]

    def start(self) -> None:
        # The first beat comes before the first run, else a sibling would reap it at once.
        self._beat()
        for thread in self._threads:
            thread.start()
        engine.launch(self._store, self.executor, self._runner.perform)

    def whole(self) -> bool:
        """False where a thread of ours died of an error: without its heartbeat a worker had better start anew."""
        return all(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Take nothing new, finish what can be finished in time, hand back the rest; it beats meanwhile."""
        engine.drain(self._jobs.drain)
        returned = self._reaper.hand_back(self.executor)
        self._stopped.set()
        for thread in self._threads:
            thread.join(timeout=5.0)
        with self._store.transaction() as tx:
            executors.leave(tx, self.executor)
        log.info("worker_drained", handed_back=returned)

    def _beat(self) -> None:
        with self._store.transaction() as tx:
            executors.beat(tx, self.executor)

    def _every(self, seconds: float, act: Callable[[], object]) -> None:
        while not self._stopped.wait(seconds):
            try:
                act()
            except DatabaseUnavailable as error:
                log.warning("database_unavailable", doing=threading.current_thread().name, error=str(error))
