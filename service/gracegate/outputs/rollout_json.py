"""Simulated rollouts as JSON, for programs. Times are seconds from the start of the update."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from gracegate.rollout import Estimate, RolloutEstimate, pod_rows

SCHEMA = 1
"""Raised with every change that breaks a program which reads the earlier shape."""


def render(estimates: Iterable[RolloutEstimate]) -> str:
    """Indented JSON with a final newline, ASCII only."""
    return json.dumps({"schema": SCHEMA, "rollouts": [_rollout(one) for one in estimates]}, indent=2) + "\n"


def _rollout(estimate: RolloutEstimate) -> Mapping[str, Any]:
    rollout = estimate.rollout
    ref = rollout.object
    return {
        "object": {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name},
        "file": rollout.file,
        "line": rollout.line,
        "before": _state(rollout.before, estimate.before),
        "after": None if rollout.after is None else _state(rollout.after, estimate.after),
        "shutdowns": [asdict(ledger) for ledger in rollout.shutdowns],
    }


def _state(facts: Any, estimate: Estimate | None) -> Mapping[str, Any]:
    if estimate is None:
        return {"not_simulated": facts}
    simulation = estimate.typical
    return {
        "facts": asdict(facts),
        "assumed": asdict(simulation.assumed),
        "outage_seconds": {
            "usual": round(simulation.seconds, 3),
            "least": round(estimate.least, 3),
            "most": round(estimate.most, 3),
        },
        "lost_requests": round(simulation.requests, 1),
        "end": round(simulation.timeline.end, 3),
        "lost_shares": [
            {"from": round(start, 3), "to": round(end, 3), "share": round(share, 4)}
            for start, end, share in simulation.lost_shares()
        ],
        "pods": [
            {
                "name": row.name,
                "deleted": None if row.deleted is None else round(row.deleted, 3),
                "phases": [
                    {"kind": phase.kind, "from": round(phase.start, 3), "to": round(phase.end, 3)}
                    for phase in row.phases
                ],
            }
            for row in pod_rows(simulation)
        ],
    }
