"""The report as GitLab's code quality: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gracegate.model import Finding, Problem, Report
from gracegate.outputs.markdown import printable
from gracegate.outputs.phrasing import finding_text, object_name, sentence, sort_findings

_SEVERITIES = {"error": "critical", "warning": "major", "info": "info"}
_LONG = 2_000


def render(report: Report) -> str:
    """A list of what counts, the worst first, and of what was not evaluated. GitLab compares the lists of two commits
    by their fingerprints."""
    findings = sort_findings(finding for finding in report.findings if finding.counts)
    issues = [*map(_finding, findings), *(_problem(problem) for problem in report.problems if problem.blocks)]
    return json.dumps(issues, indent=2) + "\n"


def _finding(finding: Finding) -> Mapping[str, Any]:
    name = object_name(finding.object, finding.container)
    text = f"{finding_text(finding)} In {name}."
    return _issue(finding.rule, text, _SEVERITIES[finding.severity], finding.file, finding.line, finding.id)


def _problem(problem: Problem) -> Mapping[str, Any]:
    fingerprint = f"{problem.code}:{problem.file}:{problem.message}"
    return _issue(problem.code, sentence(problem.message), "blocker", problem.file, problem.line, fingerprint)


def _issue(name: str, text: str, severity: str, file: str, line: int, fingerprint: str) -> Mapping[str, Any]:
    return {
        "check_name": name,
        "description": printable(text, _LONG),
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": file, "lines": {"begin": max(1, line)}},
    }
