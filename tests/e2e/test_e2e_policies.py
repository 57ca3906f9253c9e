"""A pull request on a repository of rules, as its author sees it: broken, then corrected, with what it would block."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.demo.layers import layer
from tests.e2e.conftest import AT_ONCE
from tests.e2e.scene import Scene, start_scene
from tests.fakegithub.server import FakeGitHub
from tests.fakegithub.state import CheckRun
from tests.policy.sets.policy_sets import GOOD, ID, RULE
from tests.policy.sets.test_change_review import PASSING_TEST, TEST

BASE = {"gracegate-policies.yaml": "name: acme\n", **GOOD, TEST: PASSING_TEST}
BROKEN = {
    RULE: GOOD[RULE].replace("some at, container in _unlimited", "at = := 1", 1),
    TEST: PASSING_TEST.replace("== 1", "== 2"),
}
NEW_RULE = "rules/acme/cpu_limit_missing.rego"
NEW = GOOD[RULE].replace("memory", "cpu").replace("256Mi", "500m")
NEW_TEST = f"""{PASSING_TEST.replace("memory", "cpu")}
test_it_suggests_a_limit if {{
	manifest := {{"kind": "Deployment", "spec": {{"template": {{"spec": {{"containers": [{{"name": "app"}}]}}}}}}}}
	params := {{"cpu-limit-missing": {{"limit": "2"}}}}
	[found] := [one | some one in rule.fix] with input as {{"documents": [{{"object": manifest}}], "params": params}}
	found.patch[0].value == "2"
}}
"""
CORRECTED = {**BASE, NEW_RULE: NEW, NEW_RULE.replace(".rego", "_test.rego"): NEW_TEST}


@pytest.fixture
def policies_scene(tmp_path: Path, opa: Path) -> Iterator[Scene]:
    """A service that uses the rules of acme/policies, and that may look at shop/own for the authors of rules."""
    settings = {
        "GRACEGATE_POLICIES": "acme/policies@main",
        "GRACEGATE_IMPACT_REPOSITORIES": "shop/own",
        "PATH": f"{opa.parent}:{os.environ['PATH']}",
    }
    with start_scene(tmp_path, push_rules, **AT_ONCE, **settings) as scene:
        scene.in_repository("shop/own", layer("base")).open_and_review(layer("change"))
        yield replace(scene, repository="acme/policies")


def push_rules(fake: FakeGitHub) -> None:
    fake.create_repository("acme/policies")
    fake.push("acme/policies", "main", BASE, "Our rules")


def test_both_pushes_of_a_change_of_rules(policies_scene: Scene) -> None:
    number = policies_scene.open_pull_request(BROKEN)
    policies_scene.wait_until_reviewed()
    checks = by_name(policies_scene.checks(number))
    assert {name: run.conclusion for name, run in checks.items()} == {
        "gracegate": "success",
        "gracegate / policies": "failure",
    }
    assert checks["gracegate / policies"].title == "1 mistake"
    line = BROKEN[RULE].splitlines().index("\tat = := 1") + 1
    (comment,) = policies_scene.comments(number)
    assert (comment.anchor.path, comment.anchor.line) == (RULE, line)
    keep_page(policies_scene, number, "broken")

    policies_scene.push(CORRECTED)
    policies_scene.wait_until_reviewed()
    check = by_name(policies_scene.checks(number))["gracegate / policies"]
    assert check.conclusion == "success"
    assert check.title == "3 tests pass; would block 1 of 1 recent pull request (now 1)"
    assert "| `cpu-limit-missing` | 0 → 7 (+7 -0) | 1 | 0 → 1 |" in str(check.summary)
    assert f"| `{ID}` | 7 → 7 | 1 | 1 → 1 |" in str(check.summary)
    assert "`cpu-limit-missing` would block from the first day." in str(check.summary)
    (comment,) = policies_scene.comments(number)
    assert comment.body.startswith("✅ ~~")
    keep_page(policies_scene, number, "corrected")


def by_name(runs: list[CheckRun]) -> Mapping[str, CheckRun]:
    return {run.name: run for run in runs}


def keep_page(scene: Scene, number: int, name: str) -> None:
    """Where SCREENSHOTS names a folder, the page of the pull request goes there, for somebody to look at."""
    if folder := os.environ.get("SCREENSHOTS"):
        url = f"{scene.fake.url}/{scene.repository}/pull/{number}"
        text = scene.service.session.get(url, timeout=60).text
        (Path(folder) / f"{name}.html").write_text(text)
