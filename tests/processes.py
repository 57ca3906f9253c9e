"""Processes that tests start and surely end, with everything they started, and how long tests wait for them.

Nothing here or elsewhere in the tests measures speed: a wait ends as soon as its condition holds, and its limit is
minutes, so that a busy machine is no reason to fail.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import requests

Value = TypeVar("Value")
WAIT_SECONDS = 300.0


class WaitFailed(AssertionError):
    """A condition did not hold in time, or a process ended that should be running."""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def wait_for(what: str, condition: Callable[[], Value | None], seconds: float = WAIT_SECONDS) -> Value:
    """The first value of `condition` that is true. Raises WaitFailed, which names `what`, after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            raise WaitFailed(f"waited {seconds:g} s for {what}")
        time.sleep(0.05)


def is_healthy(url: str) -> bool:
    """Whether the service at `url` answers its health check."""
    try:
        return requests.get(f"{url}/healthz", timeout=WAIT_SECONDS).ok
    except requests.ConnectionError:
        return False


def exit_on(number: signal.Signals) -> None:
    """From now on this signal ends the process as Ctrl-C does, so that what it started is ended too."""
    signal.signal(number, signal.default_int_handler)


class Running:
    """A process in a group of its own; its output goes to `log`. At the end the group has no process left."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.end()

    def check(self) -> None:
        """Raises WaitFailed with the end of the log if the process has ended."""
        if self.process.poll() is not None:
            raise WaitFailed(f"{self.log.stem} ended with {self.process.returncode}:\n{self.tail()}")

    def tail(self, lines: int = 40) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def end(self) -> int:
        """Sends SIGTERM, and SIGKILL after a minute. The exit code."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(60)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        return self.process.wait()
