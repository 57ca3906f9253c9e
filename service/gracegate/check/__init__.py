"""The core: a pure function from trees, rules and configuration to a report."""

from __future__ import annotations

from gracegate.check.check import check
from gracegate.check.explain import RuleExplanation, explain_rule, waiver_hint
from gracegate.check.fix import FixedFiles, fix_all
from gracegate.check.trees import CheckRequest

__all__ = [
    "CheckRequest",
    "FixedFiles",
    "RuleExplanation",
    "check",
    "explain_rule",
    "fix_all",
    "waiver_hint",
]
