"""The core: a pure function from trees, rules and configuration to a report."""

from __future__ import annotations

from gracegate.check.baseline import Baseline, parse_baseline, render_baseline
from gracegate.check.check import (
    PlannedChange,
    TakenBaseline,
    check,
    plan_change,
    proposed_config_problem,
    take_baseline,
)
from gracegate.check.explain import explain_rule
from gracegate.check.fix import FixedFiles, fix_all
from gracegate.check.impact import (
    EVALUATION_FAILURES,
    ChangeImpact,
    FoundByRules,
    Impact,
    Outcome,
    compare_findings,
    find,
    outcome_of,
    together,
)
from gracegate.check.simulation import simulated_rollouts
from gracegate.check.trees import CheckRequest
from gracegate.check.verdict import add_problem

__all__ = [
    "EVALUATION_FAILURES",
    "Baseline",
    "ChangeImpact",
    "CheckRequest",
    "FixedFiles",
    "FoundByRules",
    "Impact",
    "Outcome",
    "PlannedChange",
    "TakenBaseline",
    "add_problem",
    "check",
    "compare_findings",
    "explain_rule",
    "find",
    "fix_all",
    "outcome_of",
    "parse_baseline",
    "plan_change",
    "proposed_config_problem",
    "render_baseline",
    "simulated_rollouts",
    "take_baseline",
    "together",
]
