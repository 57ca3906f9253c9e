"""Keeps processes running: one that ends is started again, SIGTERM ends them all in good order."""

from __future__ import annotations

import contextlib
import ctypes
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger(__name__)

LONGEST_PAUSE = 30.0
GOOD_LIFE = 10.0
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Program:
    """What is to run."""

    name: str
    command: tuple[str, ...]


@dataclass
class _Slot:
    """A program's present life. One that dies young is started again after a longer and longer pause."""

    program: Program
    env: Mapping[str, str]
    ended: Callable[[int], None]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.0
    due: float = field(default_factory=time.monotonic)

    def tend(self) -> None:
        now = time.monotonic()
        if self.process is None:
            if now >= self.due:
                self._start(now)
        elif (code := self.process.poll()) is not None:
            self.ended(self.process.pid)
            self.process = None
            self.pause = 0.0 if now - self.started > GOOD_LIFE else min(max(0.5, self.pause * 2), LONGEST_PAUSE)
            self.due = now + self.pause
            log.warning("process_ended", name=self.program.name, code=code, restart_in=self.pause)

    def _start(self, now: float) -> None:
        self.process = subprocess.Popen(
            self.program.command,
            env=self.env,
            # Ctrl-C reaches the supervisor alone, which then asks for an orderly end.
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - the supervisor has one thread
        )
        self.started = now
        log.info("process_started", name=self.program.name, pid=self.process.pid)


def supervise(
    programs: Sequence[Program], env: Mapping[str, str], grace: float, ended: Callable[[int], None] = lambda _pid: None
) -> None:
    """Run the programs until SIGTERM or SIGINT, then wait `grace` seconds for them. Needs the main thread.

    `ended` is told the id of each process that ends unasked, before it is started again.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    slots = [_Slot(program, env, ended) for program in programs]
    while not stop.wait(0.1):
        for slot in slots:
            slot.tend()
    _end([slot.process for slot in slots if slot.process is not None], grace)


def _end(processes: Sequence[subprocess.Popen[bytes]], grace: float) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + grace
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
        if process.poll() is None:
            log.warning("process_killed", pid=process.pid)
            process.kill()
            process.wait()


def _end_with_parent() -> None:
    # Without it a supervisor that is killed leaves its processes behind, and the port taken.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
