"""From the facts of manifests to a loss: the typical one, and how far it moves with what manifests do not say."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from gracegate.model import EXPOSURES, Exposure, Rollout, RolloutFacts
from gracegate.rollout.assumptions import Assumptions
from gracegate.rollout.losses import Simulation, simulate

MAX_REPLICAS = 20
"""More pods are not simulated: they cost more, and hardly change how many seconds are lost."""

_PHASES = 8
_CLEARLY_MORE = 1.2


@dataclass(frozen=True, slots=True)
class Estimate:
    """`typical` is the simulation to show, `replicas` are those of the manifest, and a loss is between `least` and
    `most` seconds of a complete outage: over the moments in which probes are tried, how fast the exposure follows, and
    whether the app finishes its requests on SIGTERM.
    """

    typical: Simulation
    least: float
    most: float
    replicas: int

    @property
    def is_range(self) -> bool:
        """Whether the loss moves so much that one number would say too little."""
        return self.most > _CLEARLY_MORE * self.least

    @property
    def is_zero(self) -> bool:
        """Whether nothing is lost in any case."""
        return round(self.most, 3) == 0


@dataclass(frozen=True, slots=True)
class RolloutEstimate:
    """A rollout with its estimates: None `before` if the manifests say too little, and `after` also where there are no
    suggestions."""

    rollout: Rollout
    before: Estimate | None
    after: Estimate | None

    @property
    def end(self) -> float:
        """When the longer one ends, in seconds: both are drawn on one axis."""
        return max((one.typical.timeline.end for one in (self.before, self.after) if one is not None), default=0.0)

    @property
    def improvement(self) -> tuple[Estimate, Estimate] | None:
        """Before and after, where the suggestions together lose less, by more than what is not known."""
        before, after = self.before, self.after
        if before is None or after is None:
            return None
        is_less = after.most < before.most and after.typical.seconds <= before.typical.seconds
        return (before, after) if is_less else None


def estimate_rollout(rollout: Rollout) -> RolloutEstimate:
    """The estimates of a rollout. The app starts equally fast in both: a suggested probe does not change that."""
    start = next((facts.start for facts in (rollout.before, rollout.after) if isinstance(facts, RolloutFacts)), None)
    before, after = (
        estimate(facts, start) if isinstance(facts, RolloutFacts) else None for facts in (rollout.before, rollout.after)
    )
    return RolloutEstimate(rollout, before, after)


@lru_cache(maxsize=64)
def estimate(facts: RolloutFacts, start: int | None) -> Estimate:
    """How much a rolling update loses; the app listens `start` seconds after its container has started, if that is
    known. A review needs it for its comments and for its page."""
    simulated = _with_fewer_replicas(facts)
    usual = _usual_assumptions(facts, start)
    seconds = [simulate(simulated, assumed).seconds for assumed in _possible_assumptions(facts, usual)]
    return Estimate(simulate(simulated, usual), min(seconds), max(seconds), facts.replicas)


def _usual_assumptions(facts: RolloutFacts, start: int | None) -> Assumptions:
    exposure = EXPOSURES[facts.exposure]
    usual = Assumptions(
        addition=exposure.addition, removal=_removals(exposure, facts)[1], falls_back=exposure.falls_back
    )
    return usual if start is None else replace(usual, start=start)


def _removals(exposure: Exposure, facts: RolloutFacts) -> tuple[float, float, float]:
    """The least, the usual and the longest one, which is what the rules take for enough."""
    return min(exposure.least_removal, facts.drain), min(exposure.usual_removal, facts.drain), facts.drain


def _possible_assumptions(facts: RolloutFacts, usual: Assumptions) -> Iterator[Assumptions]:
    period = math.lcm(*(probe.period for probe in (facts.startup, facts.readiness) if probe is not None))
    phases = [period * number / _PHASES for number in range(_PHASES)] if period > 1 else [0.0]
    for removal in _removals(EXPOSURES[facts.exposure], facts):
        for phase in phases:
            yield replace(usual, removal=removal, probe_phase=phase)
            yield replace(usual, removal=removal, probe_phase=phase, on_sigterm="exit")


def _with_fewer_replicas(facts: RolloutFacts) -> RolloutFacts:
    """At most MAX_REPLICAS, with as large a part of them added and stopped at once."""
    if facts.replicas <= MAX_REPLICAS:
        return facts
    part = MAX_REPLICAS / facts.replicas
    surge, unavailable = math.ceil(facts.surge * part), math.floor(facts.unavailable * part)
    is_stuck = not facts.recreates and surge + unavailable == 0
    return replace(facts, replicas=MAX_REPLICAS, surge=surge, unavailable=unavailable + is_stuck)
