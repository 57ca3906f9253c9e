"""The verdict and what blocks: fail comes before incomplete, and what was not evaluated never passes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gracegate.model import Finding, Problem, Profile, Report, Severity, Verdict

BLOCKING: Mapping[Profile, frozenset[Severity]] = {
    "baseline": frozenset({"error"}),
    "recommended": frozenset({"error"}),
    "strict": frozenset({"error", "warning"}),
}
"""The severities that make a review fail."""


def blocks(finding: Finding, profile: Profile) -> bool:
    """Whether a finding makes the verdict `fail`."""
    return finding.counts and finding.severity in BLOCKING[profile]


def verdict_of(findings: Iterable[Finding], problems: Iterable[Problem], profile: Profile) -> Verdict:
    if any(blocks(finding, profile) for finding in findings):
        return "fail"
    return "incomplete" if any(p.blocks for p in problems) else "pass"


def has_remarks(findings: Iterable[Finding], problems: Iterable[Problem]) -> bool:
    """Whether a passing review is shown as neutral: there are warnings, or changes that are not covered by design."""
    return any(f.counts and f.severity == "warning" for f in findings) or any(p.is_uncovered for p in problems)


def add_problem(report: Report, problem: Problem) -> Report:
    """The report with a problem that it did not find itself."""
    if not problem.blocks:
        has_remarks = report.has_remarks or problem.is_uncovered
        return replace(report, has_remarks=has_remarks, problems=(problem, *report.problems))
    verdict: Verdict = "fail" if report.verdict == "fail" else "incomplete"
    return replace(report, verdict=verdict, problems=(problem, *report.problems))
