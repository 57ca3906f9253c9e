"""Builds and compiles the renderer beside the demo, which takes a minute or three in a fresh clone."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.demo.stage import ROOT

_SHOWN_EVERY = 15.0
"""Seconds between two lines of progress."""
_STEPS = f"bash .ci/get-renderer && exec {sys.executable} -m gracegate.rendering"


class BuildFailed(Exception):
    """The renderer cannot be had on this machine; the message says why."""


class RendererBuild:
    """The build as a process with its log, which gives way to everything else; `with` ends it."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["nice", "sh", "-c", _STEPS], cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def is_done(self, seconds: float) -> bool:
        """Whether it has ended within so many seconds: at once where there was nothing to do."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.poll() == 0

    def wait(self, write: Callable[[str], None]) -> None:
        """Waits for the end, with a line of progress now and then. Raises BuildFailed."""
        start = time.monotonic()
        while True:
            try:
                code = self._process.wait(_SHOWN_EVERY)
            except subprocess.TimeoutExpired:
                write(f"the renderer is still being built, for {time.monotonic() - start:.0f} s: {self._last_line()}")
                continue
            if code:
                raise BuildFailed(self._last_line())
            return

    def _last_line(self) -> str:
        # Progress overwrites its own line.
        lines = self._log.read_text(errors="replace").replace("\r", "\n").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
