"""Which rules count, how much, and from which day: profiles, configuration and dates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from gracegate.model import Profile, Rule, Severity, Violation
from gracegate.repo_config import RepoConfig

# Most manifests that exist break these two, which ask for something that is not there: a team begins without them.
ABSENCE = frozenset({"prestop-drain-missing", "readiness-probe-missing"})

_BLOCKING: Mapping[Profile, frozenset[Severity]] = {
    "baseline": frozenset({"error"}),
    "recommended": frozenset({"error"}),
    "strict": frozenset({"error", "warning"}),
}


def blocking(profile: Profile) -> frozenset[Severity]:
    """The severities that make a review fail."""
    return _BLOCKING[profile]


def chosen(rules: Mapping[str, Rule], config: RepoConfig, only: frozenset[str] | None = None) -> Mapping[str, Rule]:
    """The rules that profile and configuration leave on, with the severities and days that configuration gives them.

    What is named by a severity of its own, or in `only`, is on whatever the profile says; what is off stays off.
    """
    found = {}
    for rule in rules.values():
        configured = _configured(rule, config)
        asked = rule.id in config.rules and config.rules[rule.id].severity is not None
        if configured is None or (only is not None and rule.id not in only):
            continue
        if asked or only is not None or _belongs(rule, config.profile):
            found[rule.id] = configured
    return found


def _belongs(rule: Rule, profile: Profile) -> bool:
    return profile != "baseline" or (rule.severity == "error" and rule.id not in ABSENCE)


def _configured(rule: Rule, config: RepoConfig) -> Rule | None:
    setting = config.rules.get(rule.id)
    if setting is None:
        return rule
    if setting.severity == "off":
        return None
    # Who names a severity wants it now, unless a day stands beside it.
    day = rule.effective_on if setting.severity is None else None
    return replace(rule, severity=setting.severity or rule.severity, effective_on=setting.effective_on or day)


def in_force(violation: Violation, rule: Rule, config: RepoConfig, today: dt.date) -> Violation:
    """The violation as it counts today: before its rule's day an error is a warning, and knows when it will block."""
    day = rule.effective_on
    if day is None or today >= day or violation.level != "error":
        return violation
    blocks_then_only = config.gate == "enforce" and "warning" not in blocking(config.profile)
    return replace(violation, level="warning", blocks_from=day.isoformat() if blocks_then_only else None)
