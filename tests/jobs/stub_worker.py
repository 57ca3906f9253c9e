"""A worker with a stub review, as a process: `python stub_worker.py AUDIT`. Its settings come from the environment.

The head of a pull request says what happens to its review: a word before the first dash, e.g. `ok-1`, `slow-2`, or its
first digit where it has to look like a commit.
AUDIT is a file to which each start and end is appended: it knows nothing of the database.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path

from gracegate.errors import GitHubUnavailable, RateLimited
from gracegate.jobs import worker
from gracegate.jobs.work import Outcome, StillMine, Work
from gracegate.settings import Settings

DIGITS = {"1": "flaky", "2": "limited", "3": "poison"}


class StubReviewer:
    def __init__(self, audit: Path) -> None:
        self.audit = audit

    def note(self, what: str, work: Work) -> None:
        line = {"what": what, "pull": work.number, "head": work.head_sha_hint, "at": time.time(), "pid": os.getpid()}
        with self.audit.open("a") as file:
            file.write(json.dumps({**line, "delivery": work.delivery_id, "fence": work.fence}) + "\n")

    def __call__(self, work: Work, still_mine: StillMine) -> Outcome:
        self.note("start", work)
        try:
            kind, dash, _ = work.head_sha_hint.partition("-")
            self.act(kind if dash else DIGITS.get(kind[0], "ok"), work, still_mine)
        finally:
            self.note("end", work)
        return Outcome(work.head_sha_hint, verdict="pass", conclusion="success")

    def act(self, kind: str, work: Work, still_mine: StillMine) -> None:
        if kind == "poison":
            raise ZeroDivisionError
        if kind == "flaky" and work.attempt < 3:
            raise GitHubUnavailable("502")
        if kind == "limited" and work.fence == 1:
            raise RateLimited("secondary rate limit", seconds=1.0)
        if kind == "killer":
            os.kill(os.getpid(), 9)
        usual = float(os.environ.get("STUB_SECONDS", work.number % 5 * 0.05))
        pause = {"slow": 2.0, "stuck": 60.0}.get(kind, usual)
        end = time.monotonic() + pause
        while time.monotonic() < end:
            time.sleep(min(0.1, pause))
            still_mine()
        self.note("write", work)

    def give_up(self, work: Work, reason: str) -> None:
        self.note(f"give up: {reason}", work)

    def withdraw(self, work: Work, reason: str) -> None:
        self.note(f"withdraw: {reason}", work)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    worker.run(Settings.from_environment(), StubReviewer(Path(sys.argv[1])))
