"""Which rules are evaluated, with which severity, from which day they block, and which are only counted.

What becomes of a violation is decided in one order, in which each step only makes less of it than the one before:

1. its own level, and the rule's severity;
2. the mode that the rule's policy set gives it: `shadow` or `warn`;
3. the rule's `effective_on`, or the day that the repository's configuration gives it instead;
4. the severity in the repository's configuration, which applies at once where no day is configured;
5. the profile, which says what fails the check, and the gate, which says whether a failed check blocks.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from gracegate.check.verdict import BLOCKING
from gracegate.model import Mode, ModeException, Repository, Rule, Violation
from gracegate.repo_config import RepoConfig, path_matcher

_OWNER_AND_NAME = re.compile(r"[/:]([^/:]+/[^/:]+?)(?:\.git)?/?$")

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


def mode_of(rule: Rule, repository: Repository, path: str) -> Mode:
    """The mode of a rule in a file of a repository."""
    modes = [one.mode for one in _exceptions(rule, repository) if not one.path or path_matcher((one.path,))(path)]
    return modes[-1] if modes else rule.mode


def level_words(rule: Rule) -> str:
    """What a rule makes of a finding where the repository's configuration does not say, in words for the store."""
    exceptions = (f"{one.mode} in {one.repository}:{one.path}" for one in rule.mode_exceptions)
    day = f"from {rule.effective_on}" if rule.effective_on else ""
    return " ".join(filter(None, (rule.severity, rule.mode, *exceptions, day)))


def is_always_shadow(rule: Rule, repository: Repository) -> bool:
    """Whether a rule is in mode `shadow` in all files of a repository."""
    return all(mode == "shadow" for mode in (rule.mode, *(one.mode for one in _exceptions(rule, repository))))


def _exceptions(rule: Rule, repository: Repository) -> Iterator[ModeException]:
    """Those that apply to a repository, whose names do not differ by their case on GitHub."""
    for one in rule.mode_exceptions:
        if not one.repository or any(map(path_matcher((one.repository.lower(),)), _names(repository))):
            yield one


def _names(repository: Repository) -> Iterator[str]:
    """The names, as `owner/name`, that the URLs of a repository end with."""
    for url in repository.urls:
        if match := _OWNER_AND_NAME.search(url):
            yield match[1].lower()


def apply_mode(violation: Violation, mode: Mode) -> Violation:
    """The violation in a mode: nobody is told of one in `shadow`, and in `warn` errors are warnings."""
    if mode == "shadow":
        return replace(violation, is_shadow=True)
    if mode == "warn" and violation.level == "error":
        return replace(violation, level="warning", blocks_from=None)
    return violation


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
