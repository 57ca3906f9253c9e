"""How long each evaluation of one check may take, so that one slow rule can be found and left out within the limit."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from gracegate.errors import EngineOutOfMemory, EngineTimeout
from gracegate.policy import Evaluate

_FIRST_SHARE = 1 / 2
_LATER_SHARE = 1 / 6
"""After a timeout. A rule among 64 is found in six more questions that all take too long: they need 2/3 of the rest."""
_LEAST_SHARE = 1 / 100
"""Of all the time. With less left, an evaluation is not begun."""


class TimeBudget:
    """The evaluations of one policy set in one check, which ends `seconds` from now.

    They may take `share` of that together: the rest is for the other sets. Each may take half of what is left, and a
    sixth of it once one has taken too long. `clock` gives seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic, *, share: float = 1.0) -> None:
        self._clock = clock
        self._end = clock() + seconds
        self._unspent = seconds * share
        self._least = seconds * _LEAST_SHARE
        self._share = _FIRST_SHARE

    def limited(self, evaluate: Callable[[Mapping[str, Any], float], Any]) -> Evaluate:
        """`evaluate`, which takes the input and the seconds that it may need, within this budget."""

        def evaluate_within_budget(opa_input: Mapping[str, Any]) -> Any:
            began = self._clock()
            left = min(self._end - began, self._unspent)
            if left < self._least:
                raise EngineTimeout("no time is left to evaluate it")
            try:
                return evaluate(opa_input, left * self._share)
            except EngineOutOfMemory:
                raise
            except EngineTimeout:
                self._share = _LATER_SHARE
                raise
            finally:
                self._unspent -= self._clock() - began

        return evaluate_within_budget
