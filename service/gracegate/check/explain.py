"""What a rule finds in its example, and the example after its fix."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gracegate.check.check import check
from gracegate.check.fix import fix_all
from gracegate.check.trees import CheckRequest
from gracegate.errors import RulesError
from gracegate.manifests import render_nothing
from gracegate.model import FileDiff, Finding, Limits, NoSuggestion, Rule, SourceFile, Step, Tree
from gracegate.policy import Cluster, Evaluate, PolicySet, without_modes
from gracegate.repo_config import RepoConfig

EXAMPLE = "example.yaml"


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """A rule, the finding of its example, the example after the fix, and the example in `steps`.

    `after` is None if the fix has no patch, or if it is `not_fixed`, for that reason.
    """

    rule: Rule
    finding: Finding
    after: str | None
    steps: tuple[Step, ...] = ()
    not_fixed: NoSuggestion | None = None

    @property
    def shown_example(self) -> str:
        """The example; for a rule on what a change does, the change."""
        return self._shown(self.rule.example)

    @property
    def shown_fix(self) -> str | None:
        """The example after the fix, shown as the example is."""
        return None if self.after is None else self._shown(self.after)

    def _shown(self, text: str) -> str:
        before = self.rule.before
        if before is None:
            return text
        diff = difflib.unified_diff(before.splitlines(), text.splitlines(), lineterm="")
        # Without the names of files, which there are none of.
        return "\n".join([*diff][2:])

    @property
    def shown_steps(self) -> list[str]:
        """How the example changes in each of its steps."""
        return ["\n".join(step.diff.split("\n")[2:]) for step in self.steps]

    @property
    def finding_without_patch(self) -> Finding:
        """The finding with the advice and the assumption of its fix, but without the patch, which `after` shows."""
        fix = self.finding.fix
        without_patch = None if fix is None else replace(fix, patch=(), diff=None)
        return replace(self.finding, fix=without_patch, suggestion=None, no_suggestion=None)


def waiver_hint(rule: Rule) -> str:
    """How to waive the rule, in words; names are in double quotes."""
    return (
        f'Where it does not fit, waive it: with the annotations "gracegate.dev/ignore: {rule.id}" and'
        ' "gracegate.dev/ignore-reason", or among the waivers of ".gracegate.yaml".'
    )


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
    done = fix_all(replace(request, policies=(of_author,)), render_nothing)
    after = done.files[EXAMPLE][1] if EXAMPLE in done.files else None
    return RuleExplanation(rule, finding, after, report.steps, done.refused.get(finding.id))


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
