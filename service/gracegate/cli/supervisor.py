"""Keeps processes running: starts one again that has ended, and stops all of them on SIGTERM."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog

from gracegate.processes import end_with_parent

log = structlog.get_logger(__name__)

# Seconds.
MAX_RESTART_DELAY = 30.0
STABLE_AFTER = 10.0


@dataclass(frozen=True, slots=True)
class Program:
    """A program to keep running; `name` is for the log, `niceness` as for os.nice."""

    name: str
    command: tuple[str, ...]
    niceness: int = 0


@dataclass
class _SupervisedProcess:
    """The process of a program. The delay before a restart doubles until a process runs for STABLE_AFTER seconds."""

    program: Program
    env: Mapping[str, str]
    on_exit: Callable[[int], None]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restart_delay: float = 0.0
    start_at: float = field(default_factory=time.monotonic)

    def poll(self) -> None:
        """Starts the process when it is due; plans a restart when it has ended."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.start_at:
                self._start(now)
        elif (code := self.process.poll()) is not None:
            self.on_exit(self.process.pid)
            self.process = None
            is_stable = now - self.started_at > STABLE_AFTER
            self.restart_delay = 0.0 if is_stable else min(max(0.5, self.restart_delay * 2), MAX_RESTART_DELAY)
            self.start_at = now + self.restart_delay
            log.warning("process_ended", name=self.program.name, code=code, restart_in=self.restart_delay)

    def _start(self, now: float) -> None:
        self.process = subprocess.Popen(
            self.program.command,
            env=self.env,
            # Ctrl-C then reaches the supervisor alone, which stops its processes in order.
            start_new_session=True,
            preexec_fn=partial(_prepare, os.getpid(), self.program.niceness),  # noqa: PLW1509 - it has one thread
        )
        self.started_at = now
        log.info("process_started", name=self.program.name, pid=self.process.pid)


def _prepare(parent: int, niceness: int) -> None:
    # Otherwise a supervisor that is killed leaves its processes running, and its port in use.
    end_with_parent(parent, signal.SIGTERM)
    os.nice(niceness)


def supervise(
    programs: Sequence[Program],
    env: Mapping[str, str],
    stop_seconds: float,
    on_exit: Callable[[int], None] = lambda _pid: None,
) -> None:
    """Run the programs until SIGTERM or SIGINT, then stop them within `stop_seconds`. Needs the main thread.

    `on_exit` gets the process id of each process that ended by itself, before it is started again.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    supervised = [_SupervisedProcess(program, env, on_exit) for program in programs]
    while not stop.wait(0.1):
        for one in supervised:
            one.poll()
    _stop([one.process for one in supervised if one.process is not None], stop_seconds)


def _stop(processes: Sequence[subprocess.Popen[bytes]], seconds: float) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + seconds
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
        if process.poll() is None:
            log.warning("process_killed", pid=process.pid)
            process.kill()
            process.wait()
