"""The tests and cases of a policy set: what fails is named with its file and line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from gracegate.errors import RulesError
from gracegate.policy.engines import open_policy_set
from gracegate.policy.sets import PolicyTestResult, load_policies, read_policy_folder, run_tests
from tests.policy.sets.policy_sets import GOOD, ID, NETWORK_POLICY, OTHER_KIND, RULE, write

TEST = "rules/acme/memory_limit_missing_test.rego"
TESTS = """\
package acme.memory_limit_missing_test

import data.gracegate.rules.acme["memory-limit-missing"] as rule
import data.gracegate.testing

_batch := object.union(
	testing.batch([{
		"kind": "Deployment",
		"metadata": {"name": "web"},
		"spec": {"template": {"spec": {"containers": [{"name": "web"}]}}},
	}]),
	{"params": {"memory-limit-missing": {"limit": "1Gi"}}},
)

test_found if {
	found := rule.violation with input as _batch
	count(found) == 1
}

test_fixed if {
	[fix] := [fix | some fix in rule.fix with input as _batch]
	fix.patch[0].value == "1Gi"
}
"""
CASE = f"cases/{ID}/two.yaml"
DEPLOYMENT = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
      # finding: {ID} error
      # Beside it, somebody explains why.
      - name: web
        image: registry.example/web:1
      - name: sidecar
        image: registry.example/sidecar:1
        resources: {{limits: {{memory: 1Gi}}}}
"""
PASSING: Mapping[str, str] = {**GOOD, TEST: TESTS, CASE: DEPLOYMENT}


def result_of(folder: Path, opa: Path, files: Mapping[str, str]) -> PolicyTestResult:
    policies = read_policy_folder(write(folder / "acme", files))
    catalog = load_policies(policies, lambda: opa, folder / "cache")
    with open_policy_set(None, catalog) as policy_set:
        return run_tests(policies, policy_set, opa)


@pytest.mark.parametrize(
    ("files", "tests", "cases", "failures"),
    [
        pytest.param(GOOD, 0, 0, [], id="none"),
        pytest.param(PASSING, 2, 1, [], id="all pass"),
        pytest.param(
            {**PASSING, TEST: TESTS.replace("count(found) == 1", "count(found) == 2")},
            2,
            1,
            [f"{TEST}:17: test_found: `count(found) == 2` is not true"],
            id="a test",
        ),
        pytest.param(
            {**PASSING, TEST: TESTS.replace('== "1Gi"', '== to_number("x")')},
            2,
            1,
            [f'{TEST}:22: test_fixed: `fix.patch[0].value == to_number("x")` is not true'],
            id="an undefined test",
        ),
        pytest.param(
            {**PASSING, CASE: DEPLOYMENT.replace(f"# finding: {ID} error", "# nothing")},
            2,
            1,
            [f"{CASE}:12: expected nothing, found `{ID} error`"],
            id="a finding that nobody expects",
        ),
        pytest.param(
            {**PASSING, CASE: DEPLOYMENT.replace("{name: web}\nspec", f"{{name: web}}\n# finding: {ID} error\nspec")},
            2,
            1,
            [f"{CASE}:5: expected `{ID} error`, found nothing"],
            id="a finding that is missing",
        ),
        pytest.param(
            {**PASSING, CASE: DEPLOYMENT.replace(f"{ID} error", f"{ID} warning")},
            2,
            1,
            [f"{CASE}:12: expected `{ID} warning`, found `{ID} error`"],
            id="another level",
        ),
        pytest.param(
            {**PASSING, CASE: f"# finding: no-such-rule error\n{DEPLOYMENT}"},
            2,
            1,
            [
                f"{CASE}:1: there is no rule `no-such-rule` in this set",
                f"{CASE}:2: expected `no-such-rule error`, found nothing",
            ],
            id="a rule that is none",
        ),
        pytest.param(
            {
                **OTHER_KIND,
                "cases/open-network-policy/x.yaml": "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                "metadata: {name: x}\nspec:\n  podSelector: {}\n  ingress:\n"
                "  # finding: open-network-policy warning\n  - {}\n",
            },
            0,
            1,
            [],
            id="another kind, with data",
        ),
    ],
)
def test_what_fails(
    tmp_path: Path, opa: Path, files: Mapping[str, str], tests: int, cases: int, failures: list[str]
) -> None:
    result = result_of(tmp_path, opa, files)
    found = [f"{one.file}:{one.line}: {one.message}" for one in result.failures]
    assert (result.tests, result.cases, found) == (tests, cases, failures)


def test_lines_that_no_test_evaluates(tmp_path: Path, opa: Path) -> None:
    assert result_of(tmp_path, opa, PASSING).uncovered == {RULE: ()}
    without = TESTS[: TESTS.index("test_fixed")]
    assert result_of(tmp_path, opa, {**PASSING, TEST: without}).uncovered == {RULE: (*range(23, 32),)}
    assert NETWORK_POLICY not in result_of(tmp_path, opa, PASSING).uncovered


@pytest.mark.parametrize(
    ("test", "mistake"),
    [
        pytest.param("package x\n\ntest_x if y\n", f"{TEST}:3: var y is unsafe", id="does not compile"),
        pytest.param("package x\n\ntest_x if {\n", f"{TEST}:4: unexpected eof token", id="does not parse"),
        pytest.param(
            '# METADATA\n# schemas:\n# - input: {"$ref": "http://127.0.0.1/x"}\npackage x\n',
            f"{TEST}:1: a schema has to be named as `schema.input`: OPA would read what an inline one refers to",
            id="a schema from elsewhere",
        ),
        pytest.param(
            "package x\n\nimport data.gracegate.lib.joins\n\ntest_x if joins.namespace\n",
            f"{TEST}:3: gracegate.lib.joins is not for policy sets",
            id="a library that is not public",
        ),
    ],
)
def test_tests_that_cannot_be_run(tmp_path: Path, opa: Path, test: str, mistake: str) -> None:
    with pytest.raises(RulesError) as caught:
        result_of(tmp_path, opa, {**GOOD, TEST: test})
    assert str(caught.value.mistakes[0]).startswith(mistake)
