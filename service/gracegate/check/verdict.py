"""From findings and problems to a verdict: fail outranks incomplete, and what was not evaluated is never green."""

from __future__ import annotations

from collections.abc import Iterable, Set

from gracegate.model import Finding, Problem, Severity, Verdict


def verdict_of(findings: Iterable[Finding], problems: Iterable[Problem], blocking: Set[Severity]) -> Verdict:
    """The verdict where findings of the severities in `blocking` fail a review."""
    if any(f.counts and f.severity in blocking for f in findings):
        return "fail"
    return "incomplete" if any(p.blocks for p in problems) else "pass"


def has_remarks(findings: Iterable[Finding], problems: Iterable[Problem]) -> bool:
    """Whether a passing review is shown as neutral: there are warnings, or changes that are not covered by design."""
    return any(f.counts and f.severity == "warning" for f in findings) or any(p.is_uncovered for p in problems)
