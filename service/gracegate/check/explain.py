"""What a rule finds in its example, the example after its fix, and what the rollouts of both lose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gracegate.check.check import check
from gracegate.check.fix import fix_all
from gracegate.check.simulation import simulated_rollouts
from gracegate.check.trees import CheckRequest
from gracegate.errors import RulesError
from gracegate.manifests import render_nothing
from gracegate.model import FileDiff, Limits, Rule, RuleExplanation, SourceFile, Tree
from gracegate.policy import Cluster, Evaluate, PolicySet, without_modes
from gracegate.repo_config import RepoConfig

EXAMPLE = "example.yaml"


def explain_rule(rule: Rule, policies: PolicySet) -> RuleExplanation:
    """What the rule alone finds in its example. Raises RulesError if it finds nothing, or if any rule fails there."""
    request = CheckRequest(
        head=_tree(rule.example),
        base=None if rule.before is None else _tree(rule.before),
        diff=None if rule.before is None else (FileDiff(EXAMPLE, "modified"),),
        # With a version that somebody has named, a field that it lacks is a mistake.
        config=RepoConfig(min_minor=Cluster().min_minor),
        policies=(full := replace(policies, catalog=without_modes(policies.catalog)),),
        today=dt.date.max,
        limits=Limits(own_kinds=policies.catalog.kinds),
    )
    of_all = check(replace(request, max_verified_fixes=0), render_nothing)
    if failed := [problem.message for problem in of_all.problems if problem.blocks]:
        raise RulesError(f"the example cannot be evaluated: {'; '.join(failed)}")
    # What else is wrong with the example is other rules' business, and differs with each new rule.
    request = replace(request, only=frozenset({rule.id}))
    report = check(request, render_nothing)
    finding = next((f for f in report.findings if f.rule == rule.id), None)
    if finding is None:
        raise RulesError("the rule does not find its own example")
    of_author = replace(full, evaluate=_assume_fixes_are_safe(policies.evaluate))
    request = replace(request, policies=(of_author,))
    done = fix_all(request, render_nothing)
    after = done.files[EXAMPLE][1] if EXAMPLE in done.files else None
    rollouts, _ = simulated_rollouts(request, render_nothing)
    return RuleExplanation(rule, finding, after, report.steps, done.refused.get(finding.id), rollouts)


def _tree(text: str) -> Tree:
    return Tree({EXAMPLE: SourceFile(EXAMPLE, text.encode())})


def _assume_fixes_are_safe(evaluate: Evaluate) -> Evaluate:
    """Evaluates for an author who knows that the assumptions of the fixes hold."""

    def evaluate_as_safe(opa_input: Mapping[str, Any]) -> Any:
        report = evaluate(opa_input)
        return {**report, "violations": [_with_safe_fix(violation) for violation in report["violations"]]}

    return evaluate_as_safe


def _with_safe_fix(violation: Mapping[str, Any]) -> Mapping[str, Any]:
    fix = violation.get("fix", {})
    return {**violation, "fix": {**fix, "class": "safe"}} if fix.get("patch") else violation
