"""Processes that are started and surely ended, with all they started themselves."""

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

Seen = TypeVar("Seen")


class Late(AssertionError):
    """Something did not happen in time, or a process ended that should be running."""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def wait_for(what: str, look: Callable[[], Seen | None], seconds: float = 30.0, pause: float = 0.05) -> Seen:
    """The first answer of `look` that is true. Raises Late, which names `what`, after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        if seen := look():
            return seen
        if time.monotonic() > deadline:
            raise Late(f"waited {seconds:g} s for {what}")
        time.sleep(pause)


def ended_by(number: signal.Signals) -> None:
    """From now on this signal ends the process as Ctrl-C does, so that what it started is ended too."""
    signal.signal(number, signal.default_int_handler)


class Running:
    """A process in a group of its own; its output goes to `log`. At the end the whole group is gone."""

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
        """Raises Late with the end of the log if the process has ended."""
        if self.process.poll() is not None:
            raise Late(f"{self.log.stem} ended with {self.process.returncode}:\n{self.tail()}")

    def tail(self, lines: int = 40) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def end(self, seconds: float = 15.0) -> int:
        """Asks to end, insists after `seconds`. The exit code."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        return self.process.wait()
