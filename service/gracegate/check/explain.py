"""What gracegate says of a rule's own example and makes of it, found by running the rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gracegate.check.check import check
from gracegate.check.fix import fix_all
from gracegate.check.trees import CheckRequest
from gracegate.model import Engine, Finding, Rule, SourceFile, Tree
from gracegate.policy import Catalog, Evaluate
from gracegate.repo_config import RepoConfig

EXAMPLE = "example.yaml"


@dataclass(frozen=True, slots=True)
class Explained:
    """A rule, the finding of its example, and the example after the fix; `after` is None where none can be applied."""

    rule: Rule
    finding: Finding
    after: str | None

    @property
    def finding_but_patch(self) -> Finding:
        """With what has to be known or done about the fix, and without the change that `after` shows."""
        fix = self.finding.fix
        words = None if fix is None else replace(fix, patch=(), diff=None)
        return replace(self.finding, fix=words, suggestion=None, no_suggestion=None)


def joined(text: str) -> str:
    """A text that METADATA breaks into lines, as one."""
    return " ".join(text.split())


def waiving(rule: Rule) -> str:
    """How somebody says that a rule does not fit, in words; what is to be written stands in quotes."""
    return (
        f'Where it does not fit, waive it: with the annotations "gracegate.dev/ignore: {rule.id}" and'
        ' "gracegate.dev/ignore-reason", or among the waivers of ".gracegate.yaml".'
    )


def explain(rule: Rule, catalog: Catalog, engine: Engine, evaluate: Evaluate) -> Explained:
    """Runs all rules on the example. StopIteration where the rule does not find it, which the catalogue's test bars."""
    request = CheckRequest(
        head=Tree({EXAMPLE: SourceFile(EXAMPLE, rule.example.encode())}),
        config=RepoConfig(),
        catalog=catalog,
        engine=engine,
        today=dt.date.max,
    )
    finding = next(f for f in check(request, evaluate).findings if f.rule == rule.id)
    fixed = fix_all(request, _confirming(evaluate)).files
    return Explained(rule, finding, fixed[EXAMPLE][1] if EXAMPLE in fixed else None)


def _confirming(evaluate: Evaluate) -> Evaluate:
    """The same rules for an author who knows that what the fixes assume is so."""

    def confirmed(question: Mapping[str, Any]) -> Any:
        report = evaluate(question)
        return {**report, "violations": [_confirmed(violation) for violation in report["violations"]]}

    return confirmed


def _confirmed(violation: Mapping[str, Any]) -> Mapping[str, Any]:
    fix = violation.get("fix", {})
    return {**violation, "fix": {**fix, "class": "safe"}} if fix.get("patch") else violation
