"""What each evaluation of a check may take: never more than is left, and enough to find a slow rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from gracegate.errors import EngineOutOfMemory, EngineTimeout
from gracegate.policy.engines.time_budget import TimeBudget


class SlowEngine:
    """An engine and its clock: each evaluation takes the next of `needed` seconds, or ends at its limit."""

    def __init__(self, needed: Sequence[float], error: type[EngineTimeout] = EngineTimeout) -> None:
        self.now = 100.0
        self.needed = list(needed)
        self.limits: list[float] = []
        self.error = error

    def evaluate(self, _: Mapping[str, Any], seconds: float) -> str:
        self.limits.append(round(seconds, 2))
        needed = self.needed.pop(0)
        self.now += min(needed, seconds)
        if needed > seconds:
            raise self.error
        return "report"

    def limits_of_all(self, seconds: float) -> list[float]:
        evaluate = TimeBudget(seconds, lambda: self.now).limited(self.evaluate)
        while self.needed:
            try:
                evaluate({})
            except EngineTimeout as error:
                if str(error):
                    break
        return self.limits


@pytest.mark.parametrize(
    ("needed", "limits"),
    [
        ([], []),
        ([0], [60]),
        ([20, 50, 1], [60, 50, 25]),
        ([99], [60]),
        ([99, 99, 5, 99, 99], [60, 10, 8.33, 7.5, 6.25]),
        ([99, *[5] * 100], [60, 10, 9.17, 8.33, 7.5, 6.67, 5.83, 5, 4.17]),
    ],
)
def test_the_limit_of_each_evaluation(needed: list[float], limits: list[float]) -> None:
    assert SlowEngine(needed).limits_of_all(120)[: len(limits)] == limits


def test_nothing_is_begun_when_no_time_is_left() -> None:
    engine = SlowEngine([999] * 200)
    engine.limits_of_all(120)
    assert engine.needed
    assert engine.now - 100 < 120


def test_too_little_memory_leaves_the_limit_as_it_is() -> None:
    assert SlowEngine([99, 1], EngineOutOfMemory).limits_of_all(120) == [60, 30]
