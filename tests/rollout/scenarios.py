"""Rolling updates of which the loss is known: calculated by hand here, measured with real processes in tests/bench."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gracegate.model import ProbeTimes, RolloutFacts
from gracegate.rollout import Assumptions

READY = ProbeTimes(period=5)
CURED = RolloutFacts(
    container="web",
    replicas=3,
    surge=1,
    unavailable=0,
    recreates=False,
    min_ready=0,
    readiness=READY,
    startup=None,
    start=None,
    prestop=10,
    grace=30,
    exposure="cluster",
    drain=10,
    publishes_unready=False,
    gated=False,
)
"""Three pods, replaced one at a time, each with a readinessProbe and a drain of 10 s."""
NO_DRAIN = replace(CURED, prestop=0)
NO_PROBE = replace(CURED, readiness=None)
APP = Assumptions(start=5)
BEHIND_LOAD_BALANCER = replace(APP, falls_back=False)


@dataclass(frozen=True)
class Scenario:
    """`lost` requests at the assumed rate."""

    name: str
    facts: RolloutFacts
    assumed: Assumptions
    lost: float

    @property
    def is_cured(self) -> bool:
        """Whether nothing is to be lost."""
        return self.lost == 0


SCENARIOS = (
    # The first of the two faults that this project began with, and its cure: pods stop while they still get requests.
    Scenario("no preStop", NO_DRAIN, APP, 82.5),
    Scenario("cure: preStop 10 s", CURED, APP, 0),
    # The second one and its cure: pods get requests before they listen.
    Scenario("no readinessProbe, start 15 s", NO_PROBE, replace(APP, start=15, removal=1), 700),
    Scenario(
        "cure: readinessProbe",
        replace(CURED, readiness=ProbeTimes(initial_delay=10)),
        replace(APP, start=15),
        0,
    ),
    Scenario("neither", replace(NO_PROBE, prestop=0), replace(APP, start=15), 757.5),
    Scenario(
        "preStop 5 s, load balancer 15 s",
        replace(CURED, prestop=5),
        replace(BEHIND_LOAD_BALANCER, addition=2, removal=15),
        356.25,
    ),
    Scenario(
        "cure: preStop 20 s",
        replace(CURED, prestop=20, grace=60),
        replace(BEHIND_LOAD_BALANCER, addition=2, removal=15),
        0,
    ),
    Scenario(
        "hook uses up the grace period",
        replace(CURED, prestop=30),
        replace(BEHIND_LOAD_BALANCER, removal=30, request=6),
        120.25,
    ),
    Scenario("app exits on SIGTERM", NO_DRAIN, replace(APP, on_sigterm="exit", request=1), 132.5),
    Scenario(
        "the only pod is replaced",
        replace(CURED, replicas=1, surge=0, unavailable=1, prestop=5),
        replace(APP, start=7.3, removal=1),
        295,
    ),
    Scenario("Recreate", replace(CURED, recreates=True, prestop=5), replace(APP, start=7.3, removal=1), 555),
    Scenario(
        "tcpSocket probe, 503 for 8 s",
        replace(CURED, readiness=ProbeTimes(period=5, connects=True)),
        replace(APP, start=2.3, warm_up=8, removal=1),
        315,
    ),
    Scenario(
        "load balancer adds after 20 s",
        replace(CURED, replicas=2, surge=2, prestop=20),
        replace(BEHIND_LOAD_BALANCER, start=1, addition=20, removal=5),
        750,
    ),
    Scenario(
        "cure: minReadySeconds 30",
        replace(CURED, replicas=2, surge=2, prestop=20, min_ready=30),
        replace(BEHIND_LOAD_BALANCER, start=1, addition=20, removal=5),
        0,
    ),
    Scenario(
        "kept alive, app exits on SIGTERM",
        NO_DRAIN,
        replace(APP, on_sigterm="exit", removal=3, request=0.5, kept_alive=60),
        72.356,
    ),
    Scenario("cure: kept alive, preStop 10 s", CURED, replace(APP, removal=3, request=0.5, kept_alive=60), 0),
    Scenario(
        "kept alive, SIGTERM ignored",
        replace(NO_DRAIN, grace=15),
        replace(APP, on_sigterm="ignore", removal=1, request=1.5, kept_alive=75),
        82.222,
    ),
    Scenario(
        "ten pods, 25 %, three nodes",
        replace(CURED, replicas=10, surge=3, unavailable=2, prestop=2),
        replace(APP, removal=3, removal_spread=2, rate=100),
        103.282,
    ),
)
