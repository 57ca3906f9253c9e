"""Formats for other programs, read as those read them: SARIF, JUnit, GitLab, workflow commands."""

from __future__ import annotations

import difflib
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import jsonschema
import junitparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sarif_pydantic import Sarif

from gracegate.check import check
from gracegate.manifests import render_nothing
from gracegate.model import Fix, Report
from gracegate.outputs import github, gitlab, junit, sarif
from tests.check.reports import request_of
from tests.outputs import sample_reports as samples
from tests.shop import SERVICE, WITHOUT_BOTH

REPORTS = {
    "nothing": samples.NOTHING,
    "clean": samples.CLEAN,
    "remarks": samples.REMARKS,
    "incomplete": samples.INCOMPLETE,
    "fail": samples.FAIL,
    "no base": samples.PRESENT,
    "hostile": samples.HOSTILE,
    "many": samples.BIG,
}
each_report = pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS.keys())

ISSUES = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "additionalProperties": False,
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string"},
                    "lines": {"type": "object", "properties": {"begin": {"type": "integer", "minimum": 1}}},
                },
            },
        },
    },
}
"""https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format"""

COMMAND = re.compile(r"::(error|warning|notice) (?:file=([^:,]+),line=([1-9]\d*),(?:col=\d+,)?)?title=([^:,]+)::(.+)")


@each_report
def test_sarif_is_valid(report: Report) -> None:
    [run] = Sarif.model_validate_json(sarif.render(report)).runs
    assert len(run.results or ()) == len(report.findings)
    assert [run.tool.driver.rules[one.rule_index].id for one in run.results or ()] == [
        one.rule_id for one in run.results or ()
    ]


def test_of_too_many_results_the_worst_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MAX_RESULTS", 2)
    [run] = json.loads(sarif.render(samples.FAIL))["runs"]
    assert [one["level"] for one in run["results"]] == ["error", "error"]
    assert run["invocations"][0]["toolExecutionNotifications"][-1]["message"]["text"] == "4 findings more are left out."


def test_a_large_report_is_one_that_github_takes() -> None:
    diff = samples.GRACE_DIFF
    findings = tuple(
        replace(
            samples.EXHAUSTED,
            id=hashlib.sha256(str(number).encode()).hexdigest()[:12],
            file=f"apps/{hashlib.sha256(str(number).encode()).hexdigest()}.yaml",
            fix=Fix("safe", (), diff=diff.replace("web.yaml", f"web-{number}.yaml")),
        )
        for number in range(26_000)
    )
    text = sarif.render(replace(samples.FAIL, findings=findings))
    assert len(gzip.compress(text.encode())) <= sarif.MAX_GZIPPED_BYTES
    assert len(json.loads(text)["runs"][0]["results"]) == sarif.MAX_RESULTS


def test_what_github_would_refuse_for_its_size_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MAX_GZIPPED_BYTES", 1_800)
    [run] = json.loads(sarif.render(samples.FAIL))["runs"]
    assert 0 < len(run["results"]) < len(samples.FAIL.findings)
    assert "more are left out." in run["invocations"][0]["toolExecutionNotifications"][-1]["message"]["text"]


def uploaded(files: dict[str, str]) -> list[dict[str, Any]]:
    """The results of a check of a tree, as they would be uploaded; their places are inside of its files."""
    report = check(replace(request_of({}, files), base=None, diff=None), render_nothing)
    [run] = json.loads(sarif.render(report))["runs"]
    for result in run["results"]:
        for location in (*result["locations"], *result.get("relatedLocations", ())):
            place = location["physicalLocation"]
            lines = files[unquote(place["artifactLocation"]["uri"])].splitlines()
            region = place["region"]
            assert 1 <= region["startLine"] <= region["endLine"] <= len(lines)
            assert 1 <= region.get("startColumn", 1) <= len(lines[region["startLine"] - 1])
    return list(run["results"])


def fingerprints(files: dict[str, str]) -> set[tuple[str, str]]:
    return {(one["ruleId"], *one["partialFingerprints"].values()) for one in uploaded(files)}


def test_fingerprints_stay_through_a_rebase() -> None:
    before = {"a b/service.yaml": SERVICE, "a b/web.yaml": WITHOUT_BOTH}
    other = SERVICE.replace("web", "other")
    after = {"a b/service.yaml": SERVICE, "a b/web.yaml": f"# rebased\n---\n{other}---\n{WITHOUT_BOTH}"}
    assert fingerprints(before)
    assert fingerprints(before) <= fingerprints(after)
    assert not fingerprints(before) & fingerprints({**after, "a b/web.yaml": other})


LINES = st.lists(st.text("ab +-@", max_size=4), max_size=8)


@given(LINES, LINES)
def test_the_fixes_of_sarif_make_the_fixed_file(old: list[str], new: list[str]) -> None:
    diff = "\n".join(difflib.unified_diff(old, new, "a/web.yaml", "b/web.yaml", lineterm="", n=1))
    if not diff:
        return
    finding = replace(samples.EXHAUSTED, fix=Fix("safe", (), diff=diff))
    [result] = json.loads(sarif.render(replace(samples.FAIL, findings=(finding,))))["runs"][0]["results"]
    [change] = result["fixes"][0]["artifactChanges"]
    assert change["artifactLocation"]["uri"] == "web.yaml"
    fixed = list(old)
    for one in reversed(change["replacements"]):
        region, text = one["deletedRegion"], one["insertedContent"]["text"]
        fixed[region["startLine"] - 1 : region["endLine"] - 1] = text.split("\n")[:-1]
    assert fixed == new


@each_report
def test_junit_is_read(report: Report) -> None:
    read = junitparser.JUnitXml.fromstring(junit.render(report).encode())
    [suite] = read
    cases = list(suite)
    results = [type(result).__name__ for case in cases for result in case.result]
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (
        len(cases),
        results.count("Failure"),
        results.count("Error"),
        results.count("Skipped"),
    )
    assert cases


def test_what_each_finding_is_in_junit() -> None:
    [suite] = junitparser.JUnitXml.fromstring(junit.render(samples.FAIL).encode())
    outcomes = [(case.classname, [type(result).__name__ for result in case.result]) for case in suite]
    assert outcomes == [
        ("apps/reviews.yaml", ["Failure"]),
        ("apps/reviews.yaml", ["Failure"]),
        ("apps/web.yaml", ["Failure"]),
        ("labs/recommendations.yaml", ["Skipped"]),
        ("apps/cart.yaml", ["Failure"]),
    ]


@each_report
def test_gitlab_reads_the_issues(report: Report) -> None:
    issues = json.loads(gitlab.render(report))
    jsonschema.Draft202012Validator(ISSUES).validate(issues)
    fingerprints = [issue["fingerprint"] for issue in issues]
    assert len(set(fingerprints)) == len(fingerprints)


def commands(text: str) -> Iterator[tuple[str, str | None, str | None, str, str]]:
    for line in text.splitlines():
        match = COMMAND.fullmatch(line)
        assert match is not None, line
        kind, file, number, title, message = match.groups()
        yield kind, None if file is None else unescape(file), number, unescape(title), unescape(message)


def unescape(text: str) -> str:
    for character in ":,\r\n%":
        text = text.replace(f"%{ord(character):02X}", character)
    return text


@each_report
def test_each_line_is_a_workflow_command(report: Report) -> None:
    found = list(commands(github.render(report)))
    assert len(found) == sum(finding.counts for finding in report.findings) + len(report.problems)


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_text_breaks_out_of_a_workflow_command(file: str, message: str) -> None:
    finding = replace(samples.EXHAUSTED, file=f"apps/{file}", message=f"Container {message}")
    [(kind, _, _, title, text)] = commands(github.render(replace(samples.CLEAN, findings=(finding,))))
    assert (kind, title) == ("error", "Container is killed before it can shut down (grace-period-exhausted)")
    assert text.startswith("Container")
