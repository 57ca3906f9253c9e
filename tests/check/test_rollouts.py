"""The rollouts of a check: their facts before and after the fixes of that check, and the lines that set their times."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gracegate.check import check, simulated_rollouts
from gracegate.errors import EngineError, EngineTimeout
from gracegate.manifests import render_nothing
from gracegate.model import ObjectRef, ProbeTimes, Rollout, RolloutFacts, SetTime, ShutdownLedger
from tests.check.reports import BUILTIN, ENGINE, request_of
from tests.rollout.scenarios import CURED as THREE_PODS
from tests.shop import DEPLOYMENT, SERVICE, WITHOUT_BOTH, WITHOUT_DRAIN

WEB = ObjectRef("Deployment", "", "web", "apps")
BASE = {"service.yaml": SERVICE}
FACTS = replace(THREE_PODS, replicas=2, readiness=ProbeTimes())
NO_DRAIN = replace(FACTS, prestop=0)
NEITHER = replace(NO_DRAIN, readiness=None)
CURED = replace(FACTS, readiness=ProbeTimes(period=5, connects=True))
APP = SetTime("shutdown of the app", 10, "web.yaml", 14)


def ledgers(*steps: SetTime) -> tuple[ShutdownLedger, ...]:
    traffic = SetTime("traffic", 10, "service.yaml", 3)
    return (
        ShutdownLedger(ObjectRef("Service", "", "web"), traffic, steps, SetTime("grace period", 30, "web.yaml", 12)),
    )


def rollout(before: RolloutFacts, after: RolloutFacts | None, *steps: SetTime) -> Rollout:
    return Rollout(WEB, "web.yaml", 4, before, after, ledgers(*steps))


@pytest.mark.parametrize(
    ("name", "web", "expected"),
    [
        ("no workload", "", []),
        ("no fault", DEPLOYMENT, [rollout(FACTS, None, SetTime("preStop", 10, "web.yaml", 21), APP)]),
        ("no drain", WITHOUT_DRAIN, [rollout(NO_DRAIN, FACTS, APP)]),
        ("all fixes together", WITHOUT_BOTH, [rollout(NEITHER, CURED, APP)]),
    ],
)
def test_simulated_rollouts(name: str, web: str, expected: list[Rollout]) -> None:
    rollouts, problems = simulated_rollouts(request_of(None, {**BASE, "web.yaml": web}), render_nothing)
    assert ([*rollouts], problems) == (expected, ())


def test_a_waived_finding_is_not_fixed() -> None:
    waiver = "  annotations: {gracegate.dev/ignore: prestop-drain-missing, gracegate.dev/ignore-reason: legacy}"
    web = WITHOUT_DRAIN.replace("  name: web\nspec", f"  name: web\n{waiver}\nspec")
    (found,), _ = simulated_rollouts(request_of(None, {**BASE, "web.yaml": web}), render_nothing)
    assert (found.before, found.after) == (NO_DRAIN, None)


def test_what_is_not_simulated_has_a_reason() -> None:
    rollouts, _ = simulated_rollouts(request_of(None, {"web.yaml": DEPLOYMENT}), render_nothing)
    assert rollouts == (Rollout(WEB, "web.yaml", 4, "unserved"),)


def test_a_simulation_needs_an_answer() -> None:
    def evaluate(opa_input):
        if opa_input["rollouts"]:
            raise EngineTimeout("too slow")
        return ENGINE.evaluate(opa_input)

    policies = (replace(BUILTIN, evaluate=evaluate),)
    request = replace(request_of(None, {**BASE, "web.yaml": WITHOUT_DRAIN}), policies=policies)
    with pytest.raises(EngineError):
        simulated_rollouts(request, render_nothing)
    # A check goes on without: no verdict depends on it.
    changed = replace(request_of(BASE, {**BASE, "web.yaml": WITHOUT_DRAIN}), policies=policies, with_rollouts=True)
    report = check(changed, render_nothing)
    assert (report.verdict, report.rollouts, len(report.suggestions)) == ("fail", (), 1)


@pytest.mark.parametrize(
    ("name", "base", "web", "expected"),
    [
        ("no fault", BASE, DEPLOYMENT, ()),
        ("a suggestion", BASE, WITHOUT_DRAIN, (rollout(NO_DRAIN, FACTS, APP),)),
        ("nothing new", {**BASE, "web.yaml": WITHOUT_DRAIN}, WITHOUT_DRAIN.replace("web:1", "web:2"), ()),
    ],
)
def test_a_check_has_the_rollouts_that_its_suggestions_change(name, base, web, expected) -> None:
    request = request_of(base, {**BASE, "web.yaml": web})
    assert check(request, render_nothing).rollouts == ()
    assert check(replace(request, with_rollouts=True), render_nothing).rollouts == expected
