"""What other rules would find: in the manifests of a repository, and in changes that were made to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gracegate.check.findings import findings_of
from gracegate.check.trees import CheckRequest, compare_trees
from gracegate.check.verdict import blocks
from gracegate.model import Finding, Problem, Render
from gracegate.policy import PolicySet

Outcome = Literal["passes", "is commented", "is blocked"]
"""What a change would have met."""
EVALUATION_FAILURES = frozenset({"engine", "engine_unavailable", "rule_failed"})
"""Codes of problems with what evaluates: what it would have found is not known, and may be known the next time."""
_FROM_BEST_TO_WORST: tuple[Outcome, ...] = ("passes", "is commented", "is blocked")


@dataclass(frozen=True, slots=True)
class FoundByRules:
    """The findings of policy sets that count, what they could not evaluate, and how a review would end with them."""

    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    outcome: Outcome = "passes"
    documents: int = 0


@dataclass(frozen=True, slots=True)
class Impact:
    """The findings that one set of rules has and the other has not, and what was not evaluated with either.

    `relevelled` are those that both have, of another level than before. `before` and `after` are all findings of each.
    """

    before: tuple[Finding, ...]
    after: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    documents: int

    @property
    def appear(self) -> tuple[Finding, ...]:
        return _only_in(self.after, self.before)

    @property
    def disappear(self) -> tuple[Finding, ...]:
        return _only_in(self.before, self.after)

    @property
    def relevelled(self) -> tuple[Finding, ...]:
        levels = {finding.id: finding.severity for finding in self.before}
        return tuple(f for f in self.after if levels.get(f.id, f.severity) != f.severity)


@dataclass(frozen=True, slots=True)
class ChangeImpact:
    """What a change would have met with one set of rules and with the other, with all findings of each."""

    before: FoundByRules
    after: FoundByRules

    @property
    def appear(self) -> tuple[Finding, ...]:
        return _only_in(self.after.findings, self.before.findings)

    @property
    def disappear(self) -> tuple[Finding, ...]:
        return _only_in(self.before.findings, self.after.findings)


def find(request: CheckRequest, policies: Sequence[PolicySet], render: Render) -> FoundByRules:
    """What policy sets find, nothing without any. No fix is verified, and what is only said of a tree is left out.

    What was read is in the cache of the request, for the next set of rules.
    """
    if not policies:
        return FoundByRules()
    trees = compare_trees(replace(request, policies=tuple(policies)), render)
    profile = request.config.profile
    counted = (found.finding for found in findings_of(trees) if found.finding.counts)
    findings = tuple(replace(finding, blocks=blocks(finding, profile)) for finding in counted)
    unread = (p for p in trees.head.collection.problems if not p.file or trees.is_in_scope(p.file))
    problems = tuple(dict.fromkeys(p for p in (*unread, *trees.head.problems) if p.blocks))
    outcome = outcome_of((finding.severity, finding.blocks) for finding in findings)
    indexes = trees.subject_indexes(trees.head.collection.documents)
    return FoundByRules(findings, problems, outcome, len(indexes))


def outcome_of(findings: Iterable[tuple[str, bool]]) -> Outcome:
    """What a change with these findings meets: of each its level, and whether it blocks."""
    found = tuple(findings)
    if any(is_blocking for _, is_blocking in found):
        return "is blocked"
    return "is commented" if any(level != "info" for level, _ in found) else "passes"


def compare_findings(before: FoundByRules, after: FoundByRules) -> Impact:
    """The findings in one tree of two sets of rules."""
    problems = tuple(dict.fromkeys((*before.problems, *after.problems)))
    return Impact(before.findings, after.findings, problems, max(before.documents, after.documents))


def together(one: FoundByRules, other: FoundByRules) -> FoundByRules:
    """What two sets of rules find beside each other."""
    return FoundByRules(
        (*one.findings, *other.findings),
        tuple(dict.fromkeys((*one.problems, *other.problems))),
        max((one.outcome, other.outcome), key=_FROM_BEST_TO_WORST.index),
        max(one.documents, other.documents),
    )


def _only_in(findings: Sequence[Finding], others: Sequence[Finding]) -> tuple[Finding, ...]:
    known = {finding.id for finding in others}
    return tuple(finding for finding in findings if finding.id not in known)
