"""Which heads of rules `make policies` takes."""

from __future__ import annotations

import pytest

from gracegate.errors import RulesError
from gracegate.policy.sets.rule_heads import check_rule_heads

RULE = "rules/rollout/single_replica.rego"
LIBRARY = "lib/values.rego"
TEXT = """\
# METADATA
# title: fix[at] := {}
package gracegate.rules.rollout["single-replica"]

import data.gracegate.lib.values

violation contains {"at": at, "message": "m"} if some at in _found

fix contains {
	"at": at,
	"patch": [],
} if some at in _found

related contains {"at": at, "places": []} if some at in _found

possible contains at if some at in _found

_found := {{"document": i, "path": []} | some i, _ in input.documents}

_name(i) := values.string(_names[i])
"""


def test_what_a_rule_may_define() -> None:
    check_rule_heads({RULE: TEXT, LIBRARY: "package gracegate.lib.values\n\ndefault x := 1\n\ninteger(v) := v\n"})


@pytest.mark.parametrize(
    ("file", "line", "message"),
    [
        (RULE, "fix[at] := {} if true", "OPA builds the partial object `fix` in quadratic time: write `fix contains"),
        (LIBRARY, "_by_name[name] := i if true", "OPA builds the partial object `_by_name` in quadratic time"),
        (RULE, "fix := {}", "`fix` of a rule is a set: write `fix contains ...`"),
        (
            RULE,
            "confidence contains at if true",
            "main reads violation, fix, related, possible, steps of a rule, not `conf",
        ),
    ],
)
def test_what_is_rejected(file: str, line: str, message: str) -> None:
    with pytest.raises(RulesError) as caught:
        check_rule_heads({file: f"package x\n\n{line}\n"})
    assert str(caught.value).startswith(f"{file}:3: {message}")
