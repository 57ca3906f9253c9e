"""The report as SARIF 2.1.0, for code scanning of GitHub and for other programs.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from gracegate import __version__
from gracegate.model import Finding, Problem, Report, Waiver
from gracegate.outputs.markdown import printable
from gracegate.outputs.phrasing import finding_text, object_name, problem_text, sentence, sort_findings

# What GitHub takes: https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support.
MAX_RESULTS = 25_000
MAX_GZIPPED_BYTES = 10_000_000
_MAX_RELATED = 1_000

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_BASELINE_STATES = {"introduced": "new", "worsened": "updated", "pre-existing": "unchanged"}
_SUPPRESSIONS = {"annotation": "inSource", "config": "external"}
_LONG = 2_000
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")


def render(report: Report) -> str:
    """The report as one run; of more findings than GitHub takes, the worst. Valid without any."""
    kept = min(MAX_RESULTS, len(report.findings))
    text = _text(report, kept)
    while kept and _is_too_large(text):
        kept //= 2
        text = _text(report, kept)
    return text


def _text(report: Report, max_results: int) -> str:
    return json.dumps(_log(report, max_results), indent=2) + "\n"


def _is_too_large(text: str) -> bool:
    """Whether GitHub refuses it; what is small enough as it is need not be compressed to know that."""
    return len(text) > MAX_GZIPPED_BYTES and len(gzip.compress(text.encode())) > MAX_GZIPPED_BYTES


def _log(report: Report, max_results: int) -> Mapping[str, Any]:
    findings = sort_findings(report.findings)[:max_results]
    first_of_rule = {finding.rule: finding for finding in reversed(findings)}
    rules = sorted(first_of_rule)
    notifications = [_notification(problem) for problem in report.problems]
    if left_out := len(report.findings) - len(findings):
        notifications.append(_message(f"{left_out:,} findings more are left out.") | {"level": "warning"})
    driver = {
        "name": "gracegate",
        "version": __version__,
        "rules": [_rule(first_of_rule[rule]) for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [
            {"executionSuccessful": report.verdict != "incomplete", "toolExecutionNotifications": notifications}
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, rules.index(finding.rule), report) for finding in findings],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(finding: Finding) -> Mapping[str, Any]:
    title = sentence(finding.title or finding.rule)
    url = {} if finding.rule_url is None else {"helpUri": finding.rule_url}
    return {
        "id": finding.rule,
        "shortDescription": {"text": title},
        "fullDescription": {"text": finding.description or title},
        "help": {"text": finding.description or title},
        **url,
    }


def _result(finding: Finding, rule_index: int, report: Report) -> Mapping[str, Any]:
    related = [
        {
            **_location(place.file, place.line, place.line),
            **_message(printable(place.note or object_name(place.object), _LONG)),
        }
        for place in finding.related[:_MAX_RELATED]
    ]
    name = object_name(finding.object, finding.container)
    location = {
        **_location(finding.file, finding.line, finding.end_line, finding.column),
        "logicalLocations": [{"fullyQualifiedName": printable(name, _LONG), "kind": "object"}],
    }
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        **_message(printable(finding_text(finding), _LONG)),
        "locations": [location],
        **({"relatedLocations": related} if related else {}),
        # github/codeql-action/upload-sarif adds its own, of the line, and warns of any other one under its name.
        "partialFingerprints": {"gracegate/v1": finding.id},
        **({"baselineState": _BASELINE_STATES[finding.status]} if report.has_base else {}),
        **({} if finding.waiver is None else {"suppressions": [_suppression(finding.waiver)]}),
        **({} if finding.fix is None or not finding.fix.diff else {"fixes": [_fix(finding.fix.diff)]}),
    }


def _suppression(waiver: Waiver) -> Mapping[str, Any]:
    return {
        "kind": _SUPPRESSIONS[waiver.source],
        "justification": printable(waiver.reason, _LONG),
        "location": _location(waiver.file, waiver.line, waiver.line),
    }


def _notification(problem: Problem) -> Mapping[str, Any]:
    return {
        "level": "error" if problem.blocks else "note",
        **_message(printable(problem_text(problem), _LONG)),
        "descriptor": {"id": problem.code},
        **({"locations": [_location(problem.file, problem.line, problem.line)]} if problem.file else {}),
    }


def _message(text: str) -> dict[str, Any]:
    return {"message": {"text": text}}


def _location(file: str, line: int, end_line: int, column: int = 0) -> dict[str, Any]:
    starts = {"startColumn": column} if column else {}
    region = {"startLine": max(1, line), **starts, "endLine": max(1, line, end_line)}
    return {"physicalLocation": {"artifactLocation": _artifact(file), "region": region}}


def _artifact(file: str) -> Mapping[str, Any]:
    return {"uri": quote(file, errors="replace"), "uriBaseId": "%SRCROOT%"}


def _fix(diff: str) -> Mapping[str, Any]:
    """A verified fix, a unified diff of one file, as lines in the place of others."""
    lines = diff.split("\n")
    artifact = _artifact(lines[1].removeprefix("+++ b/"))
    return {
        "description": {"text": "Applied to the file and evaluated again."},
        "artifactChanges": [{"artifactLocation": artifact, "replacements": [*_replacements(lines)]}],
    }


def _replacements(diff: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """The lines of each hunk of a unified diff, without those that it keeps at its ends."""
    starts = [number for number, line in enumerate(diff) if _HUNK.match(line)]
    for start, end in zip(starts, [*starts[1:], len(diff)], strict=True):
        head = _HUNK.match(diff[start])
        if head is None:
            continue
        lines = [line for line in diff[start + 1 : end] if line[:1] in {" ", "+", "-"}]
        before = next((number for number, line in enumerate(lines) if line[0] != " "), len(lines))
        after = next((number for number, line in enumerate(reversed(lines)) if line[0] != " "), 0)
        changed = lines[before : len(lines) - after]
        first = int(head[1]) + before
        removed = sum(line[0] != "+" for line in changed)
        text = "".join(f"{line[1:]}\n" for line in changed if line[0] != "-")
        region = {"startLine": first, "startColumn": 1, "endLine": first + removed, "endColumn": 1}
        yield {"deletedRegion": region, "insertedContent": {"text": text}}
