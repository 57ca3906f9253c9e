"""The pace of writes: a burst first, then a gap, the checks before the comments, and never more than GitHub allows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracegate.errors import WriteBudgetSpent
from gracegate.github_app import LocalWriteBudget, Pace
from gracegate.github_app.pace import Pacer, WriteKind
from gracegate.model import WriteDebts


@dataclass
class Clock:
    """A clock that only `sleep` moves, and a budget by it."""

    now: float = 100.0
    full_at: dict[int, tuple[float, ...]] = field(default_factory=dict)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def exchange(self, installation_id: int, take: Callable[[WriteDebts], WriteDebts]) -> None:
        debts = WriteDebts(*(max(0.0, at - self.now) for at in self.full_at.get(installation_id, ())))
        self.full_at[installation_id] = tuple(self.now + debt for debt in take(debts))

    def pacer(self, installation_id: int = 1, **pace: float) -> Pacer:
        return Pacer(replace(Pace(sleep=self.sleep), **pace), installation_id, self)  # type: ignore[arg-type]


def write(clock: Clock, pacer: Pacer, kind: WriteKind, count: int) -> list[float]:
    """Seconds from now until each of the writes went out, rounded."""
    start = clock.now
    times = []
    for _ in range(count):
        pacer.wait(kind)
        times.append(round(clock.now - start, 3))
    return times


@pytest.mark.parametrize(
    ("kind", "pace", "times"),
    [
        ("notification", {"write_gap": 0.0, "notify_gap": 0.0}, [0.0] * 400),
        ("check", {}, [0.0] * 20 + [1.0, 2.0, 3.0]),
        ("edit", {}, [0.0] * 10 + [1.0, 2.0, 3.0]),
        ("notification", {}, [0.0] * 10 + [3.0, 6.0, 9.0]),
        ("notification", {"notify_gap": 0.0}, [0.0] * 10 + [1.0, 2.0, 3.0]),
        ("check", {"write_gap": 2.0}, [0.0] * 20 + [2.0, 4.0, 6.0]),
    ],
)
def test_a_burst_goes_out_at_once_and_the_rest_with_gaps(
    kind: WriteKind, pace: dict[str, float], times: list[float]
) -> None:
    clock = Clock()
    assert write(clock, clock.pacer(**pace), kind, len(times)) == times


def test_comments_leave_writes_to_the_checks() -> None:
    clock = Clock()
    pacer = clock.pacer()
    write(clock, pacer, "edit", 10)
    assert write(clock, pacer, "check", 10) == [0.0] * 10
    # All day long, comments come as often as they are let.
    for _ in range(500):
        write(clock, replace(pacer, pace=replace(pacer.pace, max_wait=100.0)), "edit", 1)
    assert write(clock, pacer, "check", 10) == [0.0] * 10


def test_a_write_that_would_wait_for_long_is_not_sent() -> None:
    clock = Clock()
    pacer = clock.pacer()
    write(clock, pacer, "check", 240)
    before = clock.now, dict(clock.full_at)
    with pytest.raises(WriteBudgetSpent, match=r"enough to GitHub for the next \d+ s") as error:
        write(clock, pacer, "edit", 1)
    assert (error.value.seconds > pacer.pace.max_wait, before) == (True, (clock.now, clock.full_at))


def test_an_installation_does_not_wait_for_another() -> None:
    clock = Clock()
    write(clock, clock.pacer(1), "check", 20)
    assert write(clock, clock.pacer(2), "check", 20) == [0.0] * 20


@given(st.lists(st.tuples(st.sampled_from(("check", "edit", "notification")), st.floats(0.0, 30.0)), max_size=900))
def test_no_minute_and_no_hour_has_more_writes_than_github_allows(writes: list[tuple[WriteKind, float]]) -> None:
    clock = Clock()
    pacer = clock.pacer(max_wait=4000.0)
    times = []
    for kind, pause in writes:
        clock.sleep(pause)
        pacer.wait(kind)
        times.append(clock.now)
    for seconds, most in ((60.0, 80), (3600.0, 500)):
        assert all(later - earlier >= seconds - 0.01 for earlier, later in zip(times, times[most:], strict=False))


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    return clock


def test_threads_share_a_local_budget(stopped_clock: Clock) -> None:
    budget = LocalWriteBudget()
    spent: list[float] = []

    def write_one() -> None:
        try:
            Pacer(Pace(max_wait=0.0), 1, budget).wait("check")
        except WriteBudgetSpent as error:
            spent.append(round(error.seconds, 3))

    threads = [threading.Thread(target=write_one) for _ in range(25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert spent == [1.0] * 5
    stopped_clock.sleep(1.0)
    Pacer(Pace(max_wait=0.0), 1, budget).wait("check")
