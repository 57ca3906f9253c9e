"""The second check of a pull request that changes policy sets: what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from gracegate.model import (
    GITHUB_SUMMARY_BYTES,
    SEVERITY_ORDER,
    Finding,
    PolicyFinding,
    PolicyImpact,
    PolicyReview,
    ReviewedRule,
)
from gracegate.outputs.check_run import CheckOutput, Conclusion
from gracegate.outputs.comment_text import comments_below
from gracegate.outputs.markdown import Section, code, code_block, page, printable, prose, table
from gracegate.outputs.phrasing import SEVERITY_MARKS, location, plural, sentence, tally
from gracegate.outputs.policy_impact import impact_sections, impact_title

_LEVELS = {"error": "failure", "warning": "warning"}
_LABELS = {
    "mistake": "mistake",
    "test": "failing test",
    "case": "failing case",
    "untested": "untested line",
    "slow": "slow rule",
    "lint": "Regal",
    "impact": "impact",
}
NOT_LISTED = (
    "This check cannot fail, because the operator of gracegate has not listed this repository: once "
    "`GRACEGATE_POLICIES` or `GRACEGATE_POLICIES_ALLOWED` names it, mistakes and failing tests fail this check."
)


def rule_name(finding: PolicyFinding) -> str:
    """What a finding is called where a rule's id stands for others."""
    return f"policies/{finding.kind}"


def render(
    reviews: Sequence[PolicyReview],
    *,
    is_listed: bool,
    commented: frozenset[PolicyFinding] = frozenset(),
    impacts: Sequence[PolicyImpact] | Literal["follows"] | None = None,
) -> CheckOutput:
    """The check run of the policy sets that a pull request changes; `commented` are the findings with a comment.

    There is one of the `impacts` for each set; None where no repository is listed to look at.
    """
    findings = _sorted(finding for review in reviews for finding in review.findings)
    errors, warnings = ([f for f in findings if f.severity == severity] for severity in ("error", "warning"))
    sections = [
        Section(_opening(reviews, is_listed=is_listed)),
        Section(_items(errors, commented), "To correct"),
        Section(_items(warnings, commented), "To look at"),
        Section([text for review in reviews for text in _rules(review, with_name=len(reviews) > 1)], "Rules"),
        *impact_sections(impacts),
    ]
    annotations = tuple(_annotation(f) for f in findings if f.file and f not in commented)
    summary = page(sections, GITHUB_SUMMARY_BYTES, _footer(reviews))
    conclusion = _conclusion(reviews, findings, is_listed=is_listed)
    title = "; ".join(filter(None, (_title(reviews, findings), impact_title(impacts))))
    return CheckOutput(conclusion, title, summary, annotations)


def review_body(
    findings: Iterable[Finding],
    comments: int,
    *,
    commit: str,
    uncommented: int = 0,
    details_url: str | None = None,
) -> str:
    """The sentences above the comments of a review."""
    opening = f"At {commit[:7]}, the policies have **{tally(findings, ' and ')}**."
    return f"{opening} {comments_below(comments, uncommented, details_url)}"


def _conclusion(reviews: Sequence[PolicyReview], findings: Sequence[PolicyFinding], *, is_listed: bool) -> Conclusion:
    if any(review.problem for review in reviews) or any(f.severity == "error" for f in findings):
        return "failure" if is_listed else "neutral"
    return "neutral" if findings else "success"


def _title(reviews: Sequence[PolicyReview], findings: Sequence[PolicyFinding]) -> str:
    if not reviews:
        return "No policies changed"
    if any(review.problem for review in reviews):
        return "Incomplete: the policies could not be evaluated"
    mistakes = sum(f.kind == "mistake" for f in findings)
    failing = {(f.file, f.message) for f in findings if f.kind in {"test", "case"}}
    total = sum(review.tests + review.cases for review in reviews)
    parts = [plural(mistakes, "mistake")] if mistakes else []
    if failing:
        parts.append(f"{len(failing):,} of {plural(total, 'test')} {'fails' if len(failing) == 1 else 'fail'}")
    elif not mistakes:
        parts.append(f"{plural(total, 'test')} {'passes' if total == 1 else 'pass'}" if total else "No tests")
    untested = sum(f.kind == "untested" for f in findings)
    if untested:
        parts.append("changed lines without a test")
    if slow := sum(f.kind == "slow" for f in findings):
        parts.append(plural(slow, "slow rule"))
    return ", ".join(parts)


def _opening(reviews: Sequence[PolicyReview], *, is_listed: bool) -> list[str]:
    if not reviews:
        return ["This pull request no longer changes a policy set."]
    names = " and ".join(code(review.name) for review in reviews)
    noun = "policy set" if len(reviews) == 1 else "policy sets"
    texts = [f"The {noun} {names}, as this pull request leaves {'it' if len(reviews) == 1 else 'them'}:"]
    for review in reviews:
        if review.problem:
            texts.append(f"- {code(review.name)} was not evaluated: {sentence(prose(review.problem))}")
        elif not review.is_tested and any(f.kind == "mistake" for f in review.findings):
            texts.append(
                f"- {code(review.name)} is refused, so its tests were not run. Reviews keep the version in use."
            )
        elif not review.tests + review.cases:
            texts.append(f"- {code(review.name)} is accepted. It has no tests of its own.")
        else:
            failing = len({(f.file, f.message) for f in review.findings if f.kind in {"test", "case"}})
            counts = f"{plural(review.tests, 'test')} in Rego and {plural(review.cases, 'case')}"
            words = f"{failing} of them fail" if failing > 1 else "1 of them fails" if failing else "all pass"
            texts.append(f"- {code(review.name)} is accepted: {counts}, {words}.")
    opening = f"{texts[0]}\n\n" + "\n".join(texts[1:])
    return [opening, *([] if is_listed else [NOT_LISTED])]


def _sorted(findings: Iterable[PolicyFinding]) -> list[PolicyFinding]:
    return sorted(dict.fromkeys(findings), key=lambda f: (-SEVERITY_ORDER[f.severity], f.file, f.line, f.message))


def _items(findings: Iterable[PolicyFinding], commented: frozenset[PolicyFinding]) -> list[str]:
    items = []
    for finding in findings:
        where = code(location(finding.file, finding.line)) if finding.file else ""
        line = f"{SEVERITY_MARKS[finding.severity]} {sentence(prose(finding.message))}"
        values = code_block(finding.values) if finding.values and finding not in commented else ""
        items.append("\n\n".join(filter(None, ["  \n".join(filter(None, [line, where])), values])))
    return items


_COLUMNS = ("Rule", "Change", "Tests", "Cases", "Changed lines without a test", "ms / 1,000 documents")


def _rules(review: PolicyReview, *, with_name: bool) -> Iterator[str]:
    if not review.rules:
        return
    # Nothing is known of the rules of a set that is refused.
    columns = len(_COLUMNS) if review.is_tested else 2
    shown = table(_COLUMNS[:columns], [_row(rule)[:columns] for rule in review.rules])
    yield f"{code(review.name)}:\n\n{shown}" if with_name else shown


def _row(rule: ReviewedRule) -> tuple[str, ...]:
    counts = (rule.tests, rule.cases, rule.untested, rule.ms)
    numbers = ("" if number is None else f"{number:,.0f}" for number in counts)
    return (code(rule.id), rule.change, *numbers)


def _footer(reviews: Sequence[PolicyReview]) -> str:
    if not reviews:
        return ""
    sets = ", ".join(f"{code(one.name)}{f' {code(one.digest[:12])}' if one.digest else ''}" for one in reviews)
    return f"<sub>Policy sets: {sets}. They were compiled and tested without network and environment.</sub>"


def _annotation(finding: PolicyFinding) -> Mapping[str, object]:
    return {
        "path": finding.file,
        "start_line": max(1, finding.line),
        "end_line": max(1, finding.line),
        "annotation_level": _LEVELS[finding.severity],
        "message": printable(sentence(finding.message), 2_000),
        "title": _LABELS[finding.kind],
        **({"raw_details": finding.values} if finding.values else {}),
    }
