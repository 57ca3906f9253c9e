"""The reviews' counters, at /metrics of `gracegate serve` and of `gracegate worker --bind`."""

from __future__ import annotations

from prometheus_client import Counter

from gracegate.model import Report

NO_SUGGESTION = Counter(
    "gracegate_suggestions_refused", "Findings reported without a suggestion, by reason", ["reason"]
)
COMMENTS = Counter("gracegate_comments", "Review comments posted")
SUGGESTIONS = Counter("gracegate_suggestions", "Suggestions posted")
FETCHES = Counter("gracegate_fetches", "Trees fetched for reviews, by git or, where it is refused, by the API", ["way"])
NOT_REVIEWED_AGAIN = Counter(
    "gracegate_pull_requests_not_reviewed_again",
    "Open pull requests beyond the number that a changed configuration has reviewed again",
)
MISSED = Counter(
    "gracegate_missed_pull_requests",
    "Open pull requests and merge groups queued because no webhook had told of them",
)
SWEEPS = Counter("gracegate_sweeps", "Sweeps over the open pull requests of an installation by outcome", ["outcome"])
REDELIVERIES = Counter("gracegate_redeliveries", "Failed webhook deliveries that GitHub was asked for again")


SHADOW_FINDINGS = Counter(
    "gracegate_shadow_findings", "Findings of rules in mode shadow, which nobody is told, in reviewed heads", ["rule"]
)
SHADOW_FAILURES = Counter(
    "gracegate_shadow_failures", "Reviews in which a rule in mode shadow could not be evaluated", ["rule"]
)


def count_shadows(report: Report) -> None:
    for finding in report.shadow_findings:
        if finding.counts:
            SHADOW_FINDINGS.labels(rule=finding.rule).inc()
    for rule in report.shadow_failures:
        SHADOW_FAILURES.labels(rule=rule).inc()


def count_suggestions(report: Report) -> None:
    SUGGESTIONS.inc(len(report.suggestions))
    for finding in report.findings:
        if finding.no_suggestion and finding.status != "pre-existing":
            NO_SUGGESTION.labels(reason=finding.no_suggestion).inc()
