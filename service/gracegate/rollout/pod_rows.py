"""A simulation as rows to draw: what each pod does, phase after phase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from gracegate.rollout.losses import Simulation
from gracegate.rollout.timeline import NEVER, PodTimes

PhaseKind = Literal["starting", "serving", "terminating", "refused", "error", "reset"]
"""A `terminating` pod still serves. The last three are what becomes of requests that a pod gets and does not answer."""


@dataclass(frozen=True, slots=True)
class Phase:
    """What a pod does from `start` to `end`, seconds from the start of the update."""

    kind: PhaseKind
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class PodRow:
    """A pod with its phases, which follow each other in time; `deleted` is None for a pod that stays."""

    name: str
    deleted: float | None
    phases: tuple[Phase, ...]


def pod_rows(simulation: Simulation) -> tuple[PodRow, ...]:
    """Old pods in the order in which they are deleted, then new ones as they are created."""
    old = sorted((pod for pod in simulation.timeline.pods if not pod.is_new), key=lambda pod: pod.deleted)
    new = (pod for pod in simulation.timeline.pods if pod.is_new)
    return tuple(_row(pod, simulation) for pod in (*old, *new))


def shown_rows(rows: Sequence[PodRow], most: int) -> tuple[PodRow, ...]:
    """At most that many rows, half of them old pods: the first, the last, and some between."""
    half = len(rows) // 2
    return (*_spread(rows[:half], most // 2), *_spread(rows[half:], most // 2))


def _spread(rows: Sequence[PodRow], most: int) -> Iterator[PodRow]:
    count = min(most, len(rows))
    for number in range(count):
        yield rows[round(number * (len(rows) - 1) / max(1, count - 1))]


def _row(pod: PodTimes, simulation: Simulation) -> PodRow:
    end = simulation.timeline.end
    failing = _failing_phases(pod, simulation)
    served = [
        Phase("starting", max(0.0, pod.created), min(pod.serves, end)),
        Phase("serving", max(0.0, pod.serves), min(pod.deleted, end)),
        Phase("terminating", pod.deleted, min(pod.gone, end)),
    ]
    phases = [*failing, *(part for phase in served for part in _without(phase, failing))]
    deleted = None if pod.deleted == NEVER else pod.deleted
    return PodRow(pod.name, deleted, tuple(sorted(phases, key=lambda phase: phase.start)))


def _failing_phases(pod: PodTimes, simulation: Simulation) -> list[Phase]:
    """When requests to a pod are lost, in order; of several kinds at once, as on several nodes, the first one."""
    phases: list[Phase] = []
    for loss in sorted((loss for loss in simulation.losses if loss.pod == pod.name), key=lambda loss: loss.start):
        start, last = loss.start, phases[-1] if phases else None
        if loss.kind == "no_endpoint" or (last is not None and loss.end <= last.end):
            continue
        if last is not None and last.kind == loss.kind and start <= last.end:
            phases[-1] = Phase(last.kind, last.start, loss.end)
        else:
            phases.append(Phase(loss.kind, start if last is None else max(start, last.end), loss.end))
    return phases


def _without(phase: Phase, failing: Sequence[Phase]) -> Iterator[Phase]:
    """The parts of a phase that are not covered by any of the failing ones, which are in order."""
    start = phase.start
    for gap in failing:
        if start < min(gap.start, phase.end):
            yield Phase(phase.kind, start, min(gap.start, phase.end))
        start = max(start, gap.end)
    if start < phase.end:
        yield Phase(phase.kind, start, phase.end)
