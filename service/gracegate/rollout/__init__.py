"""Simulates the rolling update of a workload from the facts of its manifests: which requests it loses. Pure."""

from __future__ import annotations

from gracegate.rollout.assumptions import Assumptions
from gracegate.rollout.estimate import Estimate, RolloutEstimate, estimate, estimate_rollout
from gracegate.rollout.losses import Simulation, simulate
from gracegate.rollout.pod_rows import Phase, PhaseKind, PodRow, pod_rows, shown_rows

__all__ = [
    "Assumptions",
    "Estimate",
    "Phase",
    "PhaseKind",
    "PodRow",
    "RolloutEstimate",
    "Simulation",
    "estimate",
    "estimate_rollout",
    "pod_rows",
    "shown_rows",
    "simulate",
]
