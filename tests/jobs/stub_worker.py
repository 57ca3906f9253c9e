"""A worker with a stub review, as a process: `python stub_worker.py AUDIT`. Its settings come from the environment.

The head of a pull request decides what its review does: a word before the first dash, e.g. `ok-1`, `slow-2`, or its
first digit where it has to look like a commit.
AUDIT is a file to which each start and end is appended: it knows nothing of the database.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from gracegate.errors import GitHubUnavailable, RateLimited
from gracegate.jobs import run_worker
from gracegate.settings import Settings
from gracegate.store import Outcome, Run, Store

DIGITS = {"1": "flaky", "2": "limited", "3": "poison"}


class StubReviewer:
    def __init__(self, audit: Path) -> None:
        self.audit = audit

    def note(self, what: str, run: Run) -> None:
        line = {"what": what, "pull": run.number, "head": run.head_sha, "at": time.time(), "pid": os.getpid()}
        with self.audit.open("a") as file:
            file.write(json.dumps({**line, "delivery": run.delivery_id, "fence": run.fence}) + "\n")

    def review(self, run: Run, check_current: Callable[[], None]) -> Outcome:
        self.note("start", run)
        try:
            kind, dash, _ = run.head_sha.partition("-")
            self.act(kind if dash else DIGITS.get(kind[0], "ok"), run, check_current)
        finally:
            self.note("end", run)
        return Outcome("done", run.head_sha, "pass", "success")

    def act(self, kind: str, run: Run, check_current: Callable[[], None]) -> None:
        if kind == "poison":
            raise ZeroDivisionError
        if kind == "flaky" and run.attempt < 3:
            raise GitHubUnavailable("502")
        if kind == "limited" and run.fence == 1:
            raise RateLimited("secondary rate limit", seconds=1.0)
        if kind == "killer":
            os.kill(os.getpid(), 9)
        usual = float(os.environ.get("STUB_SECONDS", run.number % 5 * 0.05))
        pause = {"slow": 4.0, "stuck": 600.0}.get(kind, usual)
        end = time.monotonic() + pause
        while time.monotonic() < end:
            time.sleep(min(0.1, pause))
            check_current()
        self.note("write", run)

    def conclude_as_incomplete(self, run: Run, reason: str) -> None:
        self.note(f"incomplete: {reason}", run)

    def cancel_check(self, run: Run, reason: str) -> None:
        self.note(f"cancel: {reason}", run)


class StubReconciler:
    """Notes its calls in AUDIT if STUB_SWEEP_SECONDS says how long a sweep takes."""

    def __init__(self, audit: Path) -> None:
        self.audit = audit
        self.seconds = float(os.environ.get("STUB_SWEEP_SECONDS", "0"))

    def note(self, what: str) -> None:
        if not self.seconds:
            return
        with self.audit.open("a") as file:
            file.write(json.dumps({"what": what, "head": "", "at": time.time(), "pid": os.getpid()}) + "\n")

    def redeliver_failed(self, since: float, pause: float) -> bool:
        self.note(f"redeliver after {'the first' if since == float('inf') else 'another'} time and {pause:g} s")
        return True

    def sweep(self, is_stopped: Callable[[], bool]) -> bool:
        self.note("sweep")
        end = time.monotonic() + self.seconds
        while time.monotonic() < end and not is_stopped():
            time.sleep(0.05)
        self.note("swept")
        return True

    def delete_unused_caches(self) -> None:
        self.note("caches")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    settings, audit = Settings.from_environment(), Path(sys.argv[1])
    run_worker(Store(settings.database), StubReviewer(audit), StubReconciler(audit), settings.jobs)
