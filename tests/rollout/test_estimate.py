"""The range around the typical loss, and what the suggestions make of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gracegate.model import NoSimulation, ObjectRef, ProbeTimes, Rollout, RolloutFacts
from gracegate.rollout import RolloutEstimate, estimate, estimate_rollout
from tests.rollout.scenarios import CURED, NO_DRAIN, NO_PROBE

BEHIND_NLB = replace(CURED, exposure="nlb_ip", drain=180, prestop=180, grace=220)


def rollout(before: RolloutFacts | NoSimulation, after: RolloutFacts | NoSimulation | None) -> Rollout:
    return Rollout(ObjectRef("Deployment", "shop", "web", "apps"), "web.yaml", 1, before, after)


@pytest.mark.parametrize(
    ("name", "facts", "start", "expected"),
    [
        ("cured", CURED, None, (0.0, 0.0, 0.0)),
        # A removal takes 1, 2 or 10 s; for its rest a pod is one of four, of three and of two in the list.
        ("no drain", NO_DRAIN, None, (0.9, 1.65, 7.75)),
        ("a drain of 5 s", replace(CURED, prestop=5), None, (0.0, 0.0, 3.75)),
        ("configured as faster", replace(NO_DRAIN, drain=1), None, (0.9, 0.9, 1.0)),
        ("no probe", replace(NO_PROBE, drain=1), None, (9.0, 9.0, 9.0)),
        ("its start is known", replace(NO_PROBE, drain=1), 30, (29.0, 29.0, 29.0)),
        ("behind an NLB, too fast", replace(BEHIND_NLB, replicas=2), 5, (0.0, 0.0, 52.5)),
        ("behind an NLB with a gate", replace(BEHIND_NLB, gated=True), 5, (0.0, 0.0, 0.0)),
        ("sent to until it is gone", replace(CURED, publishes_unready=True), None, (6.65, 7.22, 12.4)),
        ("a hundred replicas", replace(NO_DRAIN, replicas=100), None, (0.9, 1.85, 9.57)),
        ("a hundred of them, a percent stopped", replace(CURED, replicas=100, surge=0, unavailable=1), None, (0, 0, 0)),
    ],
)
def test_estimates(name: str, facts: RolloutFacts, start: int | None, expected: tuple[float, float, float]) -> None:
    found = estimate(facts, start)
    rounded = tuple(round(seconds, 2) for seconds in (found.least, found.typical.seconds, found.most))
    assert (rounded, found.replicas) == (expected, facts.replicas)


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("nothing is known", rollout("unserved", None), (None, None, False)),
        ("no suggestion", rollout(NO_DRAIN, None), (1.65, None, False)),
        ("cured", rollout(NO_DRAIN, CURED), (1.65, 0.0, True)),
        ("known only with the suggestion", rollout("unknown_hook", CURED), (None, 0.0, False)),
        ("no longer known", rollout(NO_DRAIN, "several_containers"), (1.65, None, False)),
        ("worse", rollout(CURED, NO_DRAIN), (0.0, 1.65, False)),
        # The app listens after 20 s in both, whatever the suggested probe waits for.
        (
            "a probe with another delay",
            rollout(replace(NO_PROBE, start=20), replace(CURED, readiness=ProbeTimes(initial_delay=3), start=3)),
            (18.5, 0.0, True),
        ),
    ],
)
def test_before_and_after(name: str, given: Rollout, expected: tuple[float | None, float | None, bool]) -> None:
    found = estimate_rollout(given)
    assert (seconds(found, "before"), seconds(found, "after"), found.improvement is not None) == expected


def seconds(found: RolloutEstimate, when: str) -> float | None:
    one = getattr(found, when)
    return None if one is None else round(one.typical.seconds, 2)
