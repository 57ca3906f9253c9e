"""A bad rule that an operator's set gets: reviews find what they found before, and name the bad one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.policy.sets.bad_rules import BadRule, each_bad_rule
from tests.policy.sets.policy_sets import GOOD, write
from tests.review.conftest import SHOP, Stage, is_current, policy_sets
from tests.shop import WITHOUT_DRAIN


@each_bad_rule
def test_a_bad_rule_costs_nothing_else(stage: Stage, opa: Path, tmp_path: Path, bad: BadRule) -> None:
    folder = write(tmp_path / "acme", GOOD)
    sets = policy_sets(tmp_path / "policies-data", str(folder))
    own = replace(stage, reviewer=replace(stage.reviewer, policies=sets))
    assert [one.mistakes for one in sets.current()] == [()]
    write(folder, bad.files)
    outcome = own.reviewer.review(own.run(own.open_pull_request({"web.yaml": WITHOUT_DRAIN})), is_current)
    (run,) = own.fake.world.check_runs.values()
    assert outcome.verdict == "fail"
    # One comment has what the built-in rule and the good rule of the set find in the container.
    (text,) = [comment.body for comment in own.fake.pull(SHOP, 1).comments]
    assert "it has no preStop drain" in text
    assert "Container `web` has no memory limit." in text
    assert bad.said in (run.summary or "")
