"""How fast an installation may write to GitHub: buckets that all its workers share, first the checks, then the rest."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from gracegate.errors import WriteBudgetSpent
from gracegate.model import WriteDebts

WriteKind = Literal["check", "edit", "notification"]
"""What a write does: start or conclude a check, edit a comment, or post what notifies people."""

_ROUNDING = 0.001
"""Seconds; the clock of SQLite is hardly finer."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Times in seconds. `write_gap` is between two writes, `notify_gap` between two that notify people, once the bursts
    of the buckets are used up; 0 switches a bucket off.

    One call waits at most `max_wait` in total before its error is raised; `backoff` are the pauses before each further
    attempt of a call that failed. `late_effect` is the time for which a write that was answered with an error may still
    take effect.
    """

    write_gap: float = 1.0
    notify_gap: float = 3.0
    max_wait: float = 20.0
    backoff: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    late_effect: float = 5.0
    sleep: Callable[[float], None] = time.sleep


class Bucket(NamedTuple):
    """Holds `burst` writes, and gets one back each `gap` seconds; only checks may use the last `reserve`."""

    burst: int
    gap: float
    reserve: int


class WriteBudget(Protocol):
    """Remembers how much an installation has written lately."""

    def exchange(self, installation_id: int, take: Callable[[WriteDebts], WriteDebts]) -> None:
        """Replace the debts of an installation by what `take` makes of them, and let nobody else do so meanwhile."""


class LocalWriteBudget:
    """A budget that the threads of this process share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._full_at: defaultdict[int, WriteDebts] = defaultdict(WriteDebts)

    def exchange(self, installation_id: int, take: Callable[[WriteDebts], WriteDebts]) -> None:
        with self._lock:
            now = time.monotonic()
            debts = WriteDebts(*(max(0.0, at - now) for at in self._full_at[installation_id]))
            self._full_at[installation_id] = WriteDebts(*(now + debt for debt in take(debts)))


@dataclass(frozen=True, slots=True)
class Pacer:
    """Paces the writes of one installation."""

    pace: Pace
    installation_id: int = 0
    budget: WriteBudget = field(default_factory=LocalWriteBudget)

    def wait(self, kind: WriteKind) -> None:
        """Wait until this write may go out. Raises WriteBudgetSpent where that takes longer than `max_wait`."""
        buckets = _buckets(self.pace, kind)
        waited = 0.0
        while seconds := self._take(buckets, kind):
            if waited + seconds > self.pace.max_wait:
                raise WriteBudgetSpent(seconds)
            self.pace.sleep(seconds)
            waited += seconds

    def _take(self, buckets: tuple[Bucket, ...], kind: WriteKind) -> float:
        """Take one write; or the seconds until there is one, and nothing was taken."""
        if not any(bucket.gap for bucket in buckets):
            return 0.0
        seconds = 0.0

        def take(debts: WriteDebts) -> WriteDebts:
            nonlocal seconds
            seconds = max(_shortage(debt, bucket, kind) for debt, bucket in zip(debts, buckets, strict=True))
            if seconds > _ROUNDING:
                return debts
            seconds = 0.0
            return WriteDebts(*(debt + bucket.gap for debt, bucket in zip(debts, buckets, strict=True)))

        self.budget.exchange(self.installation_id, take)
        return seconds


def _buckets(pace: Pace, kind: WriteKind) -> tuple[Bucket, ...]:
    """The buckets from which a write takes, in the order of WriteDebts.

    With the usual gap of a second they keep what GitHub allows: 80 writes in any minute (20 and one a second), 500 in
    any hour (250 and one in 14.4 seconds). Octokit posts what notifies people once in three seconds.
    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    notify_gap = pace.notify_gap if kind == "notification" else 0.0
    return Bucket(20, pace.write_gap, 10), Bucket(250, 14.4 * pace.write_gap, 100), Bucket(10, notify_gap, 0)


def _shortage(debt: float, bucket: Bucket, kind: WriteKind) -> float:
    """The seconds until the bucket has a write of this kind."""
    usable = bucket.burst - (0 if kind == "check" else bucket.reserve)
    return max(0.0, debt + bucket.gap - usable * bucket.gap)
