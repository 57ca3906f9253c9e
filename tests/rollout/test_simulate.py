"""The simulation against closed forms, against itself with one fact changed, and for random manifests."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gracegate.model import ProbeTimes, RolloutFacts
from gracegate.rollout import Assumptions, simulate
from tests.rollout.scenarios import APP, CURED, NO_DRAIN, NO_PROBE, SCENARIOS, Scenario

EXACT = 1e-6


@pytest.mark.parametrize("scenario", [pytest.param(one, id=one.name) for one in SCENARIOS])
def test_scenarios(scenario: Scenario) -> None:
    assert simulate(scenario.facts, scenario.assumed).requests == pytest.approx(scenario.lost, abs=0.001)


@pytest.mark.parametrize(
    ("name", "facts", "assumed", "kinds"),
    [
        ("nothing", CURED, APP, set()),
        ("refused by what stops", NO_DRAIN, APP, {"refused"}),
        ("refused by what starts", NO_PROBE, APP, {"refused"}),
        ("error", replace(CURED, readiness=ProbeTimes(connects=True)), replace(APP, warm_up=20), {"error"}),
        ("reset", replace(CURED, grace=10), replace(APP, request=15), {"reset"}),
        ("refused and reset", NO_DRAIN, replace(APP, on_sigterm="exit"), {"refused", "reset"}),
        ("no endpoint", replace(CURED, recreates=True), replace(APP, falls_back=False), {"no_endpoint"}),
        ("SIGTERM ignored", NO_DRAIN, replace(APP, on_sigterm="ignore"), set()),
        ("sent to until it is gone", replace(CURED, publishes_unready=True), APP, {"refused"}),
    ],
)
def test_kinds(name: str, facts: RolloutFacts, assumed: Assumptions, kinds: set[str]) -> None:
    assert {loss.kind for loss in simulate(facts, assumed).losses} == kinds


def test_a_gate_waits_for_the_load_balancer() -> None:
    hasty, assumed = replace(CURED, replicas=2, surge=2), replace(APP, start=1, addition=20, falls_back=False)
    gated = replace(hasty, gated=True)
    assert [simulate(facts, assumed).seconds > 0 for facts in (hasty, gated)] == [True, False]


def test_lost_shares_follow_each_other() -> None:
    shares = simulate(replace(NO_DRAIN, replicas=1), replace(APP, removal=3)).lost_shares()
    assert [(round(start, 6), round(end, 6), share) for start, end, share in shares] == [
        (10.1, 11.0, 1.0),
        (11.0, 13.0, 0.5),
    ]


@given(start=st.integers(3, 120), addition=st.floats(0, 3), replicas=st.integers(1, 10))
def test_without_a_readiness_probe_the_start_is_lost(start: int, addition: float, replicas: int) -> None:
    """All old pods are deleted when the new ones run; from then on nobody answers until they listen."""
    facts = replace(NO_PROBE, replicas=replicas, surge=replicas)
    assumed = replace(APP, start=start, addition=addition, removal=addition, falls_back=False)
    assert simulate(facts, assumed).seconds == pytest.approx(start - addition, abs=EXACT)


@given(removal=st.integers(1, 9), replicas=st.integers(1, 20))
def test_without_a_drain_the_removals_are_lost_one_after_another(removal: int, replicas: int) -> None:
    """A pod among R + 1 is missed R times, for as long as the list lags; less where the list is shorter, but one of R
    in the end: the loss hardly depends on R. A new pod takes 10 s, so that no two removals overlap."""
    lost = simulate(replace(NO_DRAIN, replicas=replicas), replace(APP, removal=removal)).seconds
    window = removal - APP.kubelet
    assert window * replicas / (replicas + 1) - EXACT <= lost <= window + EXACT


probes = st.builds(
    ProbeTimes, initial_delay=st.integers(0, 20), period=st.integers(1, 15), success_threshold=st.integers(1, 3)
)
apps = st.builds(
    Assumptions,
    create=st.floats(0.5, 5),
    start=st.floats(0.5, 60),
    warm_up=st.floats(0, 10),
    on_sigterm=st.sampled_from(["drain", "exit", "ignore"]),
    addition=st.floats(0, 30),
    removal=st.floats(0, 30),
    falls_back=st.booleans(),
    probe_phase=st.floats(0, 15),
    request=st.floats(0.01, 5),
)
manifests = st.builds(
    replace,
    st.just(CURED),
    replicas=st.integers(1, 8),
    surge=st.integers(1, 4),
    unavailable=st.integers(0, 2),
    min_ready=st.integers(0, 30),
    readiness=st.none() | probes,
    startup=st.none() | probes,
    prestop=st.integers(0, 40),
    grace=st.integers(1, 90),
    recreates=st.booleans(),
)


@settings(max_examples=1000)
@given(manifests, probes, apps, st.integers(0, 20))
def test_nothing_is_lost_where_each_condition_holds(
    facts: RolloutFacts, probe: ProbeTimes, assumed: Assumptions, more: int
) -> None:
    """No pod is missing, ready means serving, the drain is as long as the removal and a request, it fits into the grace
    period, and the load balancer sends to a new pod before an old one goes."""
    prestop = math.ceil(assumed.removal + assumed.request) + more
    cured = replace(
        facts,
        recreates=False,
        unavailable=0,
        readiness=probe,
        prestop=prestop,
        grace=prestop + math.ceil(assumed.request) + 2,
        min_ready=math.ceil(assumed.addition) + more,
    )
    assert simulate(cured, assumed).seconds == pytest.approx(0, abs=EXACT)


@given(manifests, apps, st.integers(1, 30))
def test_a_longer_drain_loses_no_more(facts: RolloutFacts, assumed: Assumptions, more: int) -> None:
    """But for kube-proxy's last resort, the list of terminating pods, in which some accept nothing any more."""
    rolling, assumed = replace(facts, recreates=False), replace(assumed, falls_back=False)
    longer = replace(rolling, prestop=facts.prestop + more, grace=facts.grace + more)
    assert simulate(longer, assumed).seconds <= simulate(rolling, assumed).seconds + EXACT


@given(manifests, apps, st.floats(0.1, 1000))
def test_requests_follow_the_rate(facts: RolloutFacts, assumed: Assumptions, rate: float) -> None:
    simulated, faster = simulate(facts, assumed), simulate(facts, replace(assumed, rate=rate))
    assert (faster.seconds, faster.requests) == (simulated.seconds, pytest.approx(simulated.seconds * rate))


@given(manifests, apps)
def test_losses_lie_between_start_and_end(facts: RolloutFacts, assumed: Assumptions) -> None:
    simulated = simulate(facts, assumed)
    end = simulated.timeline.end
    assert all(0 <= loss.start < loss.end <= end and 0 < loss.share <= 1 for loss in simulated.losses)
    assert sum(share * (to - start) for start, to, share in simulated.lost_shares()) == pytest.approx(simulated.seconds)
