"""The report as JSON, for programs: the shape of report.schema.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gracegate.model import (
    Finding,
    Fix,
    FixedFinding,
    ObjectRef,
    Operation,
    Problem,
    RelatedPlace,
    Report,
    Suggestion,
    Waiver,
)

SCHEMA = 2
"""Raised with every change that breaks a program which reads the earlier shape."""


def render(report: Report) -> str:
    """The report as indented JSON with a final newline; ASCII only, so that it survives every terminal and locale."""
    return json.dumps(report_values(report), indent=2, default=str) + "\n"


def report_values(report: Report) -> Mapping[str, Any]:
    """The report as values that JSON has; lines count from 1."""
    engine, checked = report.engine, report.totals
    return {
        "schema": SCHEMA,
        "verdict": report.verdict,
        "engine": {"name": engine.name, "version": engine.version, "digest": engine.digest},
        "policies": [
            {
                "name": one.name,
                "source": one.source,
                "commit": one.commit,
                "digest": one.digest,
                "state": one.state,
                "newer_mistake": one.newer_mistake or None,
            }
            for one in report.policies
        ],
        "findings": [_finding(finding) for finding in report.findings],
        "suggestions": [_suggestion(suggestion) for suggestion in report.suggestions],
        "fixed": [_fixed(fixed) for fixed in report.fixed_findings],
        "problems": [_problem(problem) for problem in report.problems],
        "steps": [{"files": [*step.files], "diff": step.diff or None} for step in report.steps],
        "shadow": {
            "findings": [_shadow_finding(finding) for finding in report.shadow_findings if finding.counts],
            "failures": dict(sorted(report.shadow_failures.items())),
        },
        "checked": {"files": checked.files, "documents": checked.documents, "workloads": checked.workloads},
    }


def _finding(finding: Finding) -> Mapping[str, Any]:
    return {
        "id": finding.id,
        "rule": finding.rule,
        "policy_set": finding.policy_set,
        "severity": finding.severity,
        "status": finding.status,
        "file": finding.file,
        "line": finding.line,
        "end_line": finding.end_line,
        "column": finding.column or None,
        "object": _object(finding.object),
        "container": finding.container,
        "message": finding.message,
        "confidence": finding.confidence,
        "roots": [*finding.roots],
        "related": [_related(place) for place in finding.related],
        "fix": None if finding.fix is None else _fix(finding.fix),
        "suggestion": finding.suggestion,
        "no_suggestion": finding.no_suggestion,
        "steps": [
            {"number": action.number, "title": action.title, "by_hand": action.by_hand} for action in finding.steps
        ],
        "no_steps": finding.no_steps,
        "waiver": None if finding.waiver is None else _waiver(finding.waiver),
        "blocks": finding.blocks,
        "blocks_from": finding.blocks_from,
        "owner": finding.owner or None,
    }


def _shadow_finding(finding: Finding) -> Mapping[str, Any]:
    """What the rules' authors want to know of it; nobody else is to see it."""
    wanted = ("rule", "policy_set", "severity", "file", "line", "object", "container", "message")
    values = _finding(finding)
    return {key: values[key] for key in wanted}


def _related(place: RelatedPlace) -> Mapping[str, Any]:
    return {"object": _object(place.object), "file": place.file, "line": place.line, "note": place.note or None}


def _object(ref: ObjectRef) -> Mapping[str, Any]:
    return {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name}


def _fix(fix: Fix) -> Mapping[str, Any]:
    return {
        "class": fix.fix_class,
        "patch": [_operation(operation) for operation in fix.patch],
        "advice": fix.advice,
        "assumption": fix.assumption,
    }


def _operation(operation: Operation) -> Mapping[str, Any]:
    value = {} if operation.op == "remove" else {"value": operation.value}
    reason = {} if operation.reason is None else {"reason": operation.reason}
    return {"op": operation.op, "path": list(operation.path), **value, **reason}


def _waiver(waiver: Waiver) -> Mapping[str, Any]:
    return {
        "source": waiver.source,
        "reason": waiver.reason,
        "file": waiver.file,
        "line": waiver.line,
        "until": waiver.until,
    }


def _suggestion(suggestion: Suggestion) -> Mapping[str, Any]:
    return {
        "id": suggestion.id,
        "file": suggestion.file,
        "start_line": suggestion.start_line,
        "end_line": suggestion.end_line,
        "text": suggestion.text,
    }


def _fixed(fixed: FixedFinding) -> Mapping[str, Any]:
    return {
        "id": fixed.id,
        "rule": fixed.rule,
        "file": fixed.file,
        "object": _object(fixed.object),
        "container": fixed.container,
    }


def _problem(problem: Problem) -> Mapping[str, Any]:
    return {"file": problem.file, "line": problem.line, "code": problem.code, "message": problem.message}
