"""Which rules are evaluated, with which severity, and from which day they block."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from gracegate.check.verdict import BLOCKING
from gracegate.model import Rule, Violation
from gracegate.repo_config import RepoConfig

# These two ask for something that most manifests lack, so a team starts without them.
NOT_IN_BASELINE = frozenset({"prestop-drain-missing", "readiness-probe-missing"})
# Many workloads are made like this on purpose, and their authors know it.
NOTED_UNLESS_REGRESSED = frozenset({"single-replica"})
# A fault that is less than the one it follows in the same object: a drain evicted the only pod before.
LESSER_THAN: Mapping[str, str] = {"pdb-missing": "single-replica"}


def enabled_rules(
    rules: Mapping[str, Rule], config: RepoConfig, only: frozenset[str] | None = None
) -> Mapping[str, Rule]:
    """The rules that profile and configuration enable, with the severities and days that configuration gives them.

    A rule with a severity in the configuration, or in `only`, is enabled in every profile; `off` always disables.
    """
    enabled = {}
    for rule in rules.values():
        setting = config.rules.get(rule.id)
        severity = None if setting is None else setting.severity
        if severity == "off" or (only is not None and rule.id not in only):
            continue
        is_in_profile = config.profile != "baseline" or (rule.severity == "error" and rule.id not in NOT_IN_BASELINE)
        if severity is None and only is None and not is_in_profile:
            continue
        # A configured severity applies at once, unless a day is configured too.
        day = rule.effective_on if severity is None else None
        configured_day = None if setting is None else setting.effective_on
        enabled[rule.id] = replace(rule, severity=severity or rule.severity, effective_on=configured_day or day)
    return enabled


def is_note(rule: str, config: RepoConfig, *, is_regression: bool, is_improvement: bool) -> bool:
    """Whether a finding is worth no more than a word in the check; one that somebody wants to block on never is.

    A regression is a fault that a change brings into an object that was there without it, an improvement a fault in
    place of one that it is `LESSER_THAN`.
    """
    setting = config.rules.get(rule)
    is_chosen = setting is not None and setting.severity is not None
    blocks = "warning" in BLOCKING[config.profile]
    is_minor = is_improvement or (rule in NOTED_UNLESS_REGRESSED and not is_regression)
    return is_minor and not (is_chosen or blocks)


def apply_effective_date(violation: Violation, rule: Rule, config: RepoConfig, today: dt.date) -> Violation:
    """The violation as of today: before its rule's day an error is a warning that names the day it blocks from."""
    day = rule.effective_on
    if day is None or today >= day or violation.level != "error":
        return violation
    blocks_later = config.gate == "enforce" and "warning" not in BLOCKING[config.profile]
    return replace(violation, level="warning", blocks_from=day.isoformat() if blocks_later else None)
