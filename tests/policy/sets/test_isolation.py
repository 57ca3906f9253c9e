"""A policy set that fails while it is evaluated costs only itself, and of its rules only the one that fails."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from gracegate.check import CheckRequest, check
from gracegate.manifests import render_nothing
from gracegate.model import Report
from gracegate.policy.engines import OwnPolicies, open_policy_sets
from gracegate.policy.sets import build_policies, read_policy_folder
from gracegate.repo_config import RepoConfig
from tests.check.reports import TODAY, tree
from tests.policy.sets.policy_sets import GOOD, ID, RULE, write
from tests.shop import PRESTOP, SERVICE, WITHOUT_DRAIN

ENOUGH, SHORT = 600.0, 24.0
"""Seconds for an evaluation: on a busy machine, and where a rule is meant to need all of them."""
SHOP = {"web.yaml": WITHOUT_DRAIN, "service.yaml": SERVICE}
# Examples are in a file of another name, so that the gate lets the rule pass.
SHOP_ONLY = '\tsome document in input.documents\n\tdocument.path == "web.yaml"\n'
BAD = "rules/acme/bad_rule.rego"


def bad_rule(condition: str, code: str = "", message: str = "message") -> str:
    """A rule that finds its example, and does something else in the shop."""
    text = GOOD[RULE].replace(ID, "bad-rule")
    start = text.index("violation contains")
    said = f'{{"at": at, "message": {message}}}'
    other = f"violation contains {said} if {{\n{SHOP_ONLY}\tsome at, _ in _unlimited\n{condition}}}\n\n"
    return f"{text[:start]}{other}{text[start:]}{code}"


CONFLICT = """
_two := "a" if input.documents

_two := "b" if input.documents
"""
NESTED = """
_products contains product if {
	some a in numbers.range(1, 30000)
	some b in numbers.range(1, 30000)
	product := a * b
	product < 0
}
"""


def report_with(tmp_path: Path, opa: Path, sets: Mapping[str, Mapping[str, str]], seconds: float = ENOUGH) -> Report:
    own = []
    for name, files in sets.items():
        policies = read_policy_folder(write(tmp_path / name, files))
        own.append(OwnPolicies(name, name, build_policies(policies, opa, tmp_path / "built" / name), opa))
    with open_policy_sets(None, own, seconds=seconds) as policies:
        return check(CheckRequest(tree(SHOP), RepoConfig(), policies, TODAY), render_nothing)


@pytest.mark.parametrize(
    ("bad", "failure"),
    [
        pytest.param(
            bad_rule('\tmessage := "again"\n'),
            'it says two things at one place: Container "web" has no memory limit. and again',
            id="two things at one place",
        ),
        pytest.param(
            bad_rule('\tmessage := "x"\n', message='message, "level": "fatal"'),
            "its violation is malformed: 'fatal' is not a level",
            id="another shape",
        ),
        pytest.param(
            bad_rule(
                '\tmessage := concat("", [_two])\n',
                '\n_two := "a" if input.documents\n\n_two := "b" if input.documents\n',
            ),
            None,
            id="a conflict",
        ),
        pytest.param(
            # A fast machine runs out of memory before it runs out of time.
            bad_rule('\tcount(_products) == 0\n\tmessage := "x"\n', NESTED),
            None,
            id="too much",
        ),
    ],
)
def test_a_rule_that_fails_is_named_and_costs_only_itself(
    tmp_path: Path, opa: Path, bad: str, failure: str | None
) -> None:
    seconds = SHORT if NESTED in bad else ENOUGH
    report = report_with(tmp_path, opa, {"acme": {**GOOD, BAD: bad}}, seconds)
    assert sorted((f.policy_set, f.rule) for f in report.findings) == [("acme", ID), ("gracegate", PRESTOP)]
    (problem,) = report.problems
    assert (problem.code, problem.message.partition(": ")[0]) == ("rule_failed", "bad-rule")
    assert failure is None or problem.message == f"bad-rule: {failure}"


def test_proofs_run_over_all_sets(tmp_path: Path, opa: Path) -> None:
    """The fix of the built-in rule adds a hook, which an own rule forbids: it is no suggestion then."""
    forbids = GOOD[RULE].replace(ID, "no-hooks").replace("not container.resources.limits.memory", "container.lifecycle")
    forbids = forbids[: forbids.index("fix contains")] + forbids[forbids.index("_unlimited :=") :]
    forbids = forbids.replace("fix: assumes", "fix: none")
    alone = report_with(tmp_path / "alone", opa, {"acme": GOOD})
    both = report_with(
        tmp_path / "both",
        opa,
        {"acme": GOOD, "strict": {"rules/strict/no_hooks.rego": forbids.replace("acme", "strict")}},
    )
    reasons = [{f.rule: f.no_suggestion for f in report.findings}[PRESTOP] for report in (alone, both)]
    assert reasons == [None, "new_finding"]
