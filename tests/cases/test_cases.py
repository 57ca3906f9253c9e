"""Situations that people really had, each with what is right: a folder with manifests and `expected.json`.

`mode` "tree": the manifests as they stand. "base-head": the change from base/ to head/, of which only what was
introduced or got worse counts. `expect` names findings that must and must not be there (`rule` lists ids, "*" is any;
`object`, `level` and `container` narrow it), the `verdict`, a `problem` as a regular expression, and what is right
about the `fix`: patterns of its diff, the rules that are `gone` after it, and that it is `clean`, so that only fields
that a fix may touch have changed.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gracegate.check import CheckRequest, check, fix_all
from gracegate.manifests import read_manifest
from gracegate.model import CONFIG_FILE, Finding, Report, SourceFile, Tree
from gracegate.policy import PolicySet, load_builtin
from gracegate.policy.engines.opa_wasm import WasmEngine
from gracegate.rendering import WasmRenderer, find_renderer
from gracegate.repo_config import parse_repo_config
from tests.check import reports
from tests.conftest import ROOT

CASES = Path(__file__).parent
CATALOG = load_builtin()
ENGINE = WasmEngine()
BUILTIN = PolicySet(CATALOG, ENGINE.engine, ENGINE.evaluate)
RENDERER = WasmRenderer(find_renderer(), ROOT / ".tools" / "cache" / "gracegate")

# What a fix may touch.
MAY_CHANGE = {
    *("annotations", "command", "exec", "failureThreshold", "initialDelaySeconds", "lifecycle", "livenessProbe"),
    *("maxSurge", "maxUnavailable", "minAvailable", "minReplicas", "name", "periodSeconds", "port", "preStop"),
    *("progressDeadlineSeconds", "readinessProbe", "rollingUpdate", "seconds", "selector", "sleep", "startupProbe"),
    *("strategy", "successThreshold", "targetPort", "terminationGracePeriodSeconds", "updateStrategy"),
}


@dataclass(frozen=True, slots=True)
class Case:
    """The files by their path, before the change too where there is one, and what is expected of them."""

    name: str
    expect: Mapping[str, Any]
    config: str
    head: Mapping[str, bytes]
    base: Mapping[str, bytes] | None = None


def read_case(folder: Path) -> Case:
    expected = json.loads((folder / "expected.json").read_text())
    config = (folder / CONFIG_FILE).read_text() if expected["config"] else ""
    if expected["mode"] == "tree":
        return Case(folder.name, expected["expect"], config, read_files(folder))
    base = read_files(folder / "base")
    return Case(folder.name, expected["expect"], config, {**base, **read_files(folder / "head")}, base)


def read_files(folder: Path) -> dict[str, bytes]:
    files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return {path: data for path, data in files.items() if path not in {"expected.json", CONFIG_FILE}}


@cache
def cases() -> dict[str, Case]:
    return {path.parent.name: read_case(path.parent) for path in sorted(CASES.glob("*/expected.json"))}


def request_of(case: Case) -> CheckRequest:
    request = CheckRequest(
        head=tree(case.head),
        config=parse_repo_config(case.config, CATALOG.rules),
        policies=(BUILTIN,),
        today=reports.TODAY,
    )
    if case.base is None:
        return request
    texts = [{path: data.decode() for path, data in files.items()} for files in (case.base, case.head)]
    return replace(request, base=tree(case.base), diff=reports.diff(*texts))


def tree(files: Mapping[str, bytes]) -> Tree:
    return Tree({path: SourceFile(path, data) for path, data in files.items()})


@pytest.mark.parametrize("name", cases())
def test_case(name: str) -> None:
    case = cases()[name]
    request = request_of(case)
    report = check(request, RENDERER.render)
    assert list(faults_of_report(report, case.expect)) == []
    if "fix" in case.expect and case.base is None:
        assert list(faults_of_fix(request, case.expect["fix"])) == []


def faults_of_report(report: Report, expect: Mapping[str, Any]) -> Iterator[str]:
    findings = [finding for finding in report.findings if not report.has_base or finding.counts]
    for wanted in expect.get("must", []):
        if not any(is_meant(finding, wanted) for finding in findings):
            yield f"missing: {wanted}"
    for unwanted in expect.get("must_not", []):
        yield from (f"unwanted: {f.severity} {f.rule}" for f in findings if is_meant(f, unwanted))
    if report.verdict != expect.get("verdict", report.verdict):
        yield f"the verdict is {report.verdict}"
    problems = [f"{problem.file}:{problem.line}: {problem.code}: {problem.message}" for problem in report.problems]
    if "problem" in expect and not re.search(expect["problem"], "\n".join(problems)):
        yield f"no problem like {expect['problem']}: {problems}"
    if expect.get("no_problems") and problems:
        yield f"problems: {problems}"


def is_meant(finding: Finding, pattern: Mapping[str, Any]) -> bool:
    named = f"{finding.object.kind}/{finding.object.name}"
    return (
        not {"*", finding.rule}.isdisjoint(pattern["rule"])
        and pattern.get("object", named) == named
        and finding.severity in pattern.get("level", [finding.severity])
        and pattern.get("container", finding.container) == finding.container
    )


def faults_of_fix(request: CheckRequest, expect: Mapping[str, Any]) -> Iterator[str]:
    fixed = fix_all(request, RENDERER.render).files
    diff = "".join(unified_diff(path, *texts) for path, texts in fixed.items())
    yield from (f"the fix lacks {one}" for one in expect.get("must", []) if not re.search(one, diff, re.MULTILINE))
    yield from (f"the fix has {one}" for one in expect.get("must_not", []) if re.search(one, diff, re.MULTILINE))
    if expect.get("clean"):
        for old, new in fixed.values():
            others = [field for field in changed_fields(old, new) if MAY_CHANGE.isdisjoint(field)]
            yield from (f"the fix changes {field}" for field in others)
            if comments(old) != comments(new):
                yield "the fix changes comments"
    if gone := set(expect.get("gone", [])):
        new_files = {path: SourceFile(path, new.encode()) for path, (_, new) in fixed.items()}
        edited = replace(request, head=Tree({**request.head.files, **new_files}))
        left = {finding.rule for finding in check(edited, RENDERER.render).findings} & gone
        yield from (f"after the fix still {rule}" for rule in sorted(left))


def unified_diff(path: str, old: str, new: str) -> str:
    lines = difflib.unified_diff(old.split("\n"), new.split("\n"), f"a/{path}", f"b/{path}", lineterm="")
    return "\n".join(lines) + "\n"


def changed_fields(old: str, new: str) -> Iterator[tuple[str, ...]]:
    before, after = (dict(flatten(objects(text))) for text in (old, new))
    yield from (field for field in sorted(before.keys() | after.keys()) if before.get(field) != after.get(field))


def objects(text: str) -> list[object]:
    return [document.object for document in read_manifest(SourceFile("all.yaml", text.encode()), "").documents]


def flatten(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Each value that is no map or list, and each empty one, by its path."""
    if isinstance(value, dict) and value:
        members: list[tuple[object, object]] = list(value.items())
    elif isinstance(value, list) and value:
        members = list(enumerate(value))
    else:
        yield path, value
        return
    for key, member in members:
        yield from flatten(member, (*path, str(key)))


def comments(text: str) -> list[str]:
    return [line for line in text.split("\n") if "#" in line]
