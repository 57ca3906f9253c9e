"""How one call to GitHub is made: paced, waited for, tried again where that can do no harm."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from gracegate.errors import GitHubError, GitHubUnavailable, Gone, RateLimited
from gracegate.github_app.errors import typed

LOG = logging.getLogger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: between two writes, between two posts that notify people, and the waits of one call.

    A call waits at most `patience` seconds altogether before its error goes to the caller; `backoff` are the pauses
    before a call that GitHub failed is tried again. The gaps are what GitHub asks for and Octokit keeps.
    """

    write: float = 1.0
    notify: float = 3.0
    patience: float = 20.0
    backoff: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    sleep: Callable[[float], None] = time.sleep


@dataclass(slots=True)
class Pacer:
    """Keeps the writes of one installation apart, over all threads of this process."""

    pace: Pace
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _next_write: float = 0.0
    _next_notice: float = 0.0

    def wait(self, *, notifies: bool) -> None:
        """Waits for this write's turn."""
        with self._lock:
            now = time.monotonic()
            at = max(now, self._next_write, self._next_notice if notifies else 0.0)
            self._next_write = at + self.pace.write
            if notifies:
                self._next_notice = at + self.pace.notify
        if at > now:
            self.pace.sleep(at - now)


def _nothing() -> None:
    return


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls that share a pacer; `renew` drops a token that GitHub did not take (401), once a call."""

    pace: Pace
    pacer: Pacer
    renew: Callable[[], None] = _nothing

    def read(self, do: Callable[[], Result], *, fresh: bool = False) -> Result:
        """A GET. `fresh`: it asks for something so new that GitHub may not know it everywhere yet (404)."""
        return self._call(do, again=True, fresh=fresh)

    def update(self, do: Callable[[], Result]) -> Result:
        """A PATCH or PUT that says the same when it is done twice."""
        return self._call(self._in_turn(do, notifies=False), again=True)

    def create(self, do: Callable[[], Result], find: Callable[[], Result | None], *, notifies: bool = False) -> Result:
        """A POST, or a PATCH that adds. `find` looks for its effect before it is ever done a second time."""
        write = self._in_turn(do, notifies=notifies)
        for pause in self.pace.backoff:
            try:
                return self._call(write, again=False)
            except GitHubUnavailable as failure:
                self._pause(pause, failure)
                found = self.read(find)
                if found is not None:
                    return found
        return self._call(write, again=False)

    def _in_turn(self, do: Callable[[], Result], *, notifies: bool) -> Callable[[], Result]:
        def write() -> Result:
            self.pacer.wait(notifies=notifies)
            return do()

        return write

    def _call(self, do: Callable[[], Result], *, again: bool, fresh: bool = False) -> Result:
        waited = 0.0
        backoff = iter(self.pace.backoff)
        renewed = False
        while True:
            try:
                with typed():
                    return do()
            except GitHubError as failure:
                if isinstance(failure, Gone) and failure.status == 401 and not renewed:
                    renewed = True
                    self.renew()
                    continue
                pause = _pause_after(failure, backoff, again=again, fresh=fresh)
                if pause is None or waited + pause > self.pace.patience:
                    raise
                self._pause(pause, failure)
                waited += pause

    def _pause(self, seconds: float, failure: GitHubError) -> None:
        LOG.warning("%s; next try in %.1f s", failure, seconds)
        self.pace.sleep(seconds)


def _pause_after(failure: GitHubError, backoff: Iterator[float], *, again: bool, fresh: bool) -> float | None:
    """How long to wait before another try; None where there is to be none."""
    if isinstance(failure, RateLimited):
        return failure.seconds
    too_new = fresh and failure.status == 404
    if too_new or (again and isinstance(failure, GitHubUnavailable)):
        return next(backoff, None)
    return None
