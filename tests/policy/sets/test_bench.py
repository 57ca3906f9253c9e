"""What rules cost: the same number each time, the slow line by name, and a refusal where the set's budget is passed."""

from __future__ import annotations

from pathlib import Path

import pytest

from gracegate.errors import RulesError
from gracegate.policy.sets import build_policies, input_of, measure, own_manifests, read_policy_folder
from gracegate.repo_config import POLICIES_FILE
from tests.policy.sets.policy_sets import GOOD, ID, OTHER_KIND, RULE, write

SLOW = "rules/acme/slow_rule.rego"
PAIRS = """\
_pairs contains [a, b] if {
	some a, one in input.documents
	some b, other in input.documents
	one.path == other.path
	a < b
}

_unlimited := {at: container |
	count(_pairs) >= 0
"""
FILES = {
    **GOOD,
    **OTHER_KIND,
    SLOW: GOOD[RULE].replace(ID, "slow-rule").replace("_unlimited := {at: container |\n", PAIRS),
}


def test_costs_are_counted_and_the_slow_line_is_named(tmp_path: Path, opa: Path) -> None:
    policies = read_policy_folder(write(tmp_path / "acme", FILES))
    catalog = build_policies(policies, opa, tmp_path / "built")
    opa_input = input_of(catalog, own_manifests(policies, catalog))
    assert opa_input is not None
    costs = measure(catalog, opa_input, 100.0, opa)
    again = measure(catalog, opa_input, 100.0)
    assert [one.ms for one in costs.rules] == [one.ms for one in again.rules]
    assert 1_000 <= costs.documents < 1_010
    assert [(one.rule, one.is_over, one.violations > 0) for one in costs.rules] == [
        (ID, False, True), ("open-network-policy", False, True), ("slow-rule", True, True),
    ]  # fmt: skip
    slow = costs.rules[2]
    lines = FILES[SLOW].splitlines()
    # Where OPA counts the pairs, and where it compares them.
    inner_loop = ("\tsome b, other in input.documents", "\tone.path == other.path")
    assert lines[int(slow.slowest.removeprefix(f"{SLOW}:")) - 1] in inner_loop
    assert slow.share > 0.3


def test_a_set_is_refused_for_a_rule_over_its_budget(tmp_path: Path, opa: Path) -> None:
    for budget, is_refused in ((100, True), (5000, False)):
        files = FILES | {POLICIES_FILE: f"budget: {{rule_ms_per_1000_documents: {budget}}}\n"}
        policies = read_policy_folder(write(tmp_path / f"acme{budget}", files))
        if not is_refused:
            build_policies(policies, opa, tmp_path / "built")
            continue
        with pytest.raises(RulesError) as raised:
            build_policies(policies, opa, tmp_path / "refused")
        (mistake,) = raised.value.mistakes
        assert (mistake.file, mistake.line is not None) == (SLOW, True)
        assert mistake.message.endswith(" ms for 1,000 documents, and `budget` allows 100 ms")
