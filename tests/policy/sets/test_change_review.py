"""What is said of a policy set as a change leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gracegate.model import PolicyFinding, ReviewedRule
from gracegate.policy.sets import SetReview, bench, change_review, read_policy_folder
from tests.policy.sets.policy_sets import GOOD, ID, RULE, write
from tests.shop import DEPLOYMENT

TEST = RULE.replace(".rego", "_test.rego")
CASE = f"cases/{ID}/bad.yaml"
PASSING_TEST = """\
package gracegate.rules.acme["memory-limit-missing_test"]

import data.gracegate.rules.acme["memory-limit-missing"] as rule

test_it_finds_a_container_without_a_limit if {
	manifest := {"kind": "Deployment", "spec": {"template": {"spec": {"containers": [{"name": "app"}]}}}}
	found := rule.violation with input as {"documents": [{"object": manifest}]}
	count(found) == 1
}
"""
BASE = {**GOOD, TEST: PASSING_TEST}
CONDITION = "not container.resources.limits.memory"


def reviewed(folder: Path, opa: Path, change: Mapping[str, str]) -> tuple[list[PolicyFinding], list[ReviewedRule]]:
    before = read_policy_folder(write(folder / "base" / "acme", BASE))
    after = read_policy_folder(write(folder / "head" / "acme", {**BASE, **change}))
    review = SetReview(after, before, opa, folder / "cache")
    # What rules cost is looked at by itself.
    return review.review(), [replace(rule, ms=None) for rule in review.rules()]


def at(text: str, part: str) -> int:
    """The line, from 1, that has this part."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


@pytest.mark.parametrize(
    ("instead", "message"),
    [
        pytest.param("x := := 1", "unexpected", id="syntax"),
        pytest.param('http.send({"url": "http://localhost"})', "http.send", id="network"),
        pytest.param("opa.runtime().env.HOME", "opa.runtime", id="environment"),
        pytest.param('container.name == "none"', "does not find its own example", id="silent"),
    ],
)
def test_a_rule_that_cannot_be_used_is_a_mistake(tmp_path: Path, opa: Path, instead: str, message: str) -> None:
    (finding,), rules = reviewed(tmp_path, opa, {RULE: GOOD[RULE].replace(CONDITION, instead)})
    assert (finding.kind, finding.file, finding.severity) == ("mistake", RULE, "error")
    assert message in finding.message
    assert rules == [ReviewedRule(ID, "changed")]


def test_a_set_without_mistakes(tmp_path: Path, opa: Path) -> None:
    assert reviewed(tmp_path, opa, {}) == ([], [])


def test_what_changed_rules_cost(tmp_path: Path, opa: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow one is a remark at its slowest line, unless the set's budget refuses it."""
    for usual in (500.0, 0.5):  # what the rule takes lies between
        monkeypatch.setattr(bench, "USUAL_BUDGET", usual)
        monkeypatch.setattr(change_review, "USUAL_BUDGET", usual)
        folder = tmp_path / str(usual)
        before = read_policy_folder(write(folder / "base" / "acme", BASE))
        after = read_policy_folder(write(folder / "head" / "acme", {**BASE, RULE: f"{GOOD[RULE]}\n# ours\n"}))
        review = SetReview(after, before, opa, tmp_path / "cache")
        findings = review.review()
        (rule,) = review.rules()
        assert rule.ms is not None
        assert 0.5 < rule.ms < 500
        if usual < rule.ms:
            (finding,) = findings
            assert (finding.kind, finding.severity, finding.file) == ("slow", "warning", RULE)
            assert 0 < finding.line <= len(GOOD[RULE].splitlines())
            assert finding.message.startswith(f"{ID} takes {rule.ms:,.0f} ms for 1,000 documents, ")
        else:
            assert findings == []


def test_failing_tests_have_their_values(tmp_path: Path, opa: Path) -> None:
    failing = PASSING_TEST.replace("== 1", "== 2")
    findings, rules = reviewed(tmp_path, opa, {TEST: failing, RULE: f"{GOOD[RULE]}\n# ours\n"})
    name = "test_it_finds_a_container_without_a_limit"
    at_place = '{"at": {"document": 0, "path": ["spec", "template", "spec", "containers", 0]}'
    values = f'1 == 2\nfound = {{{at_place}, "message": "Container \\"app\\" has no memory limit."}}}}'
    message = f"{name}: `count(found) == 2` is not true"
    assert findings == [PolicyFinding("test", TEST, at(failing, "count(found)"), message, values)]
    assert rules == [ReviewedRule(ID, "changed", tests=1, cases=0, untested=0)]


def test_a_failing_case_is_at_the_line_of_its_manifest(tmp_path: Path, opa: Path) -> None:
    findings, _ = reviewed(tmp_path, opa, {CASE: DEPLOYMENT})
    line = at(DEPLOYMENT, "- name: web")
    assert findings == [PolicyFinding("case", CASE, line, f"expected nothing, found `{ID} error`")]


def test_lines_that_the_change_writes_and_no_test_evaluates(tmp_path: Path, opa: Path) -> None:
    added = '\n_owner := "nobody" if input.cluster == 1\n'
    findings, rules = reviewed(tmp_path, opa, {RULE: GOOD[RULE] + added})
    line = at(GOOD[RULE] + added, "_owner :=")
    assert findings == [PolicyFinding("untested", RULE, line, "No test evaluates this line.")]
    assert rules == [ReviewedRule(ID, "changed", tests=1, cases=0, untested=1)]


def test_regal_is_asked_about_changed_lines_alone(tmp_path: Path, opa: Path) -> None:
    before = read_policy_folder(write(tmp_path / "base" / "acme", BASE))
    written = "\n_owner := input.owner if true == true\n"
    after = read_policy_folder(write(tmp_path / "head" / "acme", {**BASE, RULE: GOOD[RULE] + written}))
    regal = tmp_path / "regal"
    regal.write_text(
        "#!/bin/sh\n"
        """echo '{"violations": ["""
        """{"title": "constant-condition", "category": "bugs", "description": "Constant condition", """
        f""""location": {{"file": "{RULE}", "row": {at(after.modules[RULE], "_owner")}}}}}, """
        """{"title": "other", "category": "bugs", "description": "Old", """
        f""""location": {{"file": "{RULE}", "row": 3}}}}]}}'\n"""
    )
    regal.chmod(0o700)
    findings = SetReview(after, before, opa, tmp_path / "cache", regal).review()
    assert [one.message for one in findings if one.kind == "lint"] == [
        "Regal: Constant condition (bugs/constant-condition)"
    ]
