"""What is drawn of a simulation: each pod's phases follow each other, and cover what is lost at it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from gracegate.rollout import Phase, PodRow, pod_rows, shown_rows, simulate
from tests.rollout.scenarios import APP, CURED, NO_PROBE, SCENARIOS, Scenario


def row(name: str, deleted: float | None, *phases: tuple[str, float, float]) -> PodRow:
    return PodRow(name, deleted, tuple(Phase(kind, start, end) for kind, start, end in phases))  # type: ignore[arg-type]


def rounded(found: PodRow) -> PodRow:
    return replace(found, phases=tuple(Phase(p.kind, round(p.start, 3), round(p.end, 3)) for p in found.phases))


@pytest.mark.parametrize(
    ("name", "facts", "expected"),
    [
        (
            "cured",
            replace(CURED, replicas=1),
            [
                row("old 1", 10, ("serving", 0, 10), ("terminating", 10, 20.2)),
                row("new 1", None, ("starting", 0, 7), ("serving", 7, 22.2)),
            ],
        ),
        (
            "before it listens",
            replace(NO_PROBE, replicas=1, prestop=3),
            [
                row("old 1", 2, ("serving", 0, 2), ("terminating", 2, 5.2)),
                row("new 1", None, ("starting", 0, 3), ("refused", 3, 7), ("serving", 7, 9)),
            ],
        ),
        (
            "after it has stopped",
            replace(CURED, replicas=1, prestop=1),
            [
                row("old 1", 10, ("serving", 0, 10), ("terminating", 10, 11.1), ("refused", 11.1, 12)),
                row("new 1", None, ("starting", 0, 7), ("serving", 7, 13.2)),
            ],
        ),
    ],
)
def test_rows(name: str, facts, expected: list[PodRow]) -> None:
    assert [rounded(found) for found in pod_rows(simulate(facts, APP))] == expected


@pytest.mark.parametrize("scenario", [pytest.param(one, id=one.name) for one in SCENARIOS])
def test_phases_follow_each_other(scenario: Scenario) -> None:
    simulation = simulate(scenario.facts, scenario.assumed)
    for found in pod_rows(simulation):
        assert all(earlier.end <= later.start for earlier, later in pairwise(found.phases)), found
        assert all(0 <= phase.start < phase.end for phase in found.phases), found


@pytest.mark.parametrize(
    ("replicas", "most", "expected"),
    [
        (1, 6, ["old 1", "new 1"]),
        (3, 6, ["old 3", "old 2", "old 1", "new 1", "new 2", "new 3"]),
        (10, 6, ["old 10", "old 6", "old 1", "new 1", "new 5", "new 10"]),
        (10, 2, ["old 10", "new 1"]),
    ],
)
def test_the_first_and_the_last_are_shown(replicas: int, most: int, expected: list[str]) -> None:
    rows = pod_rows(simulate(replace(CURED, replicas=replicas), APP))
    assert [found.name for found in shown_rows(rows, most)] == expected
