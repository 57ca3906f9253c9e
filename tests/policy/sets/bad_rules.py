"""Six bad rules, each in a set beside a good one, as tests of the command line and of the App have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tests.policy.sets.policy_sets import GOOD, ID, RULE
from tests.policy.sets.test_isolation import NESTED, bad_rule

_CONDITION = "\tnot container.resources.limits.memory\n"


@dataclass(frozen=True)
class BadRule:
    """The file of a bad rule, and what is said of it. One that `is_refused` shows before it is evaluated, so that its
    whole set is refused; of another one, only the rule is left out."""

    file: str
    text: str
    said: str
    is_refused: bool = True

    @property
    def files(self) -> Mapping[str, str]:
        return {self.file: self.text}


def _rule(name: str, change: tuple[str, str] = ("", "")) -> str:
    return GOOD[RULE].replace(ID, name).replace(*change)


BAD = "rules/acme/bad_rule.rego"
BAD_RULES: Mapping[str, BadRule] = {
    "two nested numbers.range": BadRule(
        BAD, bad_rule('\tcount(_products) == 0\n\tmessage := "x"\n', NESTED), "bad-rule: ", is_refused=False
    ),
    "http.send": BadRule(
        BAD,
        _rule("bad-rule", (_CONDITION, f'{_CONDITION}\thttp.send({{"method": "GET", "url": "http://127.0.0.1:1"}})\n')),
        f"{BAD}:37: http.send is not among the builtins that rules may use",
    ),
    "a syntax error": BadRule(BAD, f"{_rule('bad-rule')}\nmsg = := 1\n", f"{BAD}:40: unexpected assign token"),
    "silent": BadRule(BAD, _rule("bad-rule", (_CONDITION, f"{_CONDITION}\t1 == 2\n")), f"{BAD}:13: "),
    "an id that is taken": BadRule(
        "rules/acme/single_replica.rego",
        _rule("single-replica"),
        "rules/acme/single_replica.rego:1: a built-in rule is called `single-replica`",
    ),
    "wrong shapes": BadRule(
        BAD,
        bad_rule('\tmessage := "x"\n', message='message, "level": "fatal"'),
        "bad-rule: its violation is malformed: 'fatal' is not a level",
        is_refused=False,
    ),
}

each_bad_rule = pytest.mark.parametrize("bad", [pytest.param(one, id=name) for name, one in BAD_RULES.items()])
