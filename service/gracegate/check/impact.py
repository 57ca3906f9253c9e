"""What other rules would find: in the manifests of a repository, and in changes that were made to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gracegate.check.check import check
from gracegate.check.trees import CheckRequest
from gracegate.model import Finding, Problem, Render, Report
from gracegate.policy import PolicySet

Outcome = Literal["passes", "is commented", "is blocked"]
"""What a change would have met."""


@dataclass(frozen=True, slots=True)
class Impact:
    """The findings that one set of rules has and the other has not, and what was not evaluated with either.

    `relevelled` are those that both have, of another level than before.
    """

    appear: tuple[Finding, ...]
    disappear: tuple[Finding, ...]
    relevelled: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    documents: int


@dataclass(frozen=True, slots=True)
class ChangeImpact:
    """What a change would have met with one set of rules and with the other, and the findings that only one brings."""

    before: Outcome
    after: Outcome
    appear: tuple[Finding, ...]
    disappear: tuple[Finding, ...]


def compare_findings(
    request: CheckRequest, before: Sequence[PolicySet], after: Sequence[PolicySet], render: Render
) -> Impact:
    """The findings of a tree with the policy sets of `before` and with those of `after`."""
    former, latter = (_report(request, policies, render) for policies in (before, after))
    reports = [report for report in (former, latter) if report is not None]
    problems = dict.fromkeys(problem for report in reports for problem in report.problems if problem.blocks)
    documents = max((report.totals.documents for report in reports), default=0)
    levels = {finding.id: finding.severity for finding in _counted(former)}
    return Impact(
        appear=_only_in(latter, former),
        disappear=_only_in(former, latter),
        relevelled=tuple(f for f in _counted(latter) if levels.get(f.id, f.severity) != f.severity),
        problems=tuple(problems),
        documents=documents,
    )


def compare_outcomes(
    request: CheckRequest, before: Sequence[PolicySet], after: Sequence[PolicySet], render: Render
) -> ChangeImpact:
    """What a change, with a base, would have met with the policy sets of `before` and with those of `after`."""
    former, latter = (_report(request, policies, render) for policies in (before, after))
    return ChangeImpact(_outcome(former), _outcome(latter), _only_in(latter, former), _only_in(former, latter))


def _report(request: CheckRequest, policies: Sequence[PolicySet], render: Render) -> Report | None:
    """The report, None without any rules; what was read for one is in the cache of the request for the other."""
    if not policies:
        return None
    return check(replace(request, policies=tuple(policies), max_verified_fixes=0), render)


def _only_in(one: Report | None, other: Report | None) -> tuple[Finding, ...]:
    """The findings that count in one report alone."""
    known = {finding.id for finding in _counted(other)}
    return tuple(finding for finding in _counted(one) if finding.id not in known)


def _counted(report: Report | None) -> list[Finding]:
    return [] if report is None else [finding for finding in report.findings if finding.counts]


def _outcome(report: Report | None) -> Outcome:
    if report is not None and report.verdict == "fail":
        return "is blocked"
    return "is commented" if any(finding.severity != "info" for finding in _counted(report)) else "passes"
