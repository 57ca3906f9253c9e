"""Reviews of pull requests that change the Rego of a policy set: the second check and its comments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.fakegithub.state import CheckRun
from tests.policy.sets.policy_sets import GOOD, RULE
from tests.policy.sets.test_change_review import PASSING_TEST, TEST
from tests.review.conftest import NUMBER, SHOP, Inbox, Stage
from tests.shop import DEPLOYMENT

NAMED = {"gracegate-policies.yaml": "name: acme\n"}
CASE = "cases/memory-limit-missing/bad.yaml"
SYNTAX = GOOD[RULE].replace("some at, container in _unlimited", "at = := 1", 1)


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """The operator lists the repository."""
    settings = replace(stage.reviewer.settings, policies_allowed=("shop/*",))
    return replace(stage, reviewer=replace(stage.reviewer, settings=settings))


def review(inbox: Inbox, base: Mapping[str, str], change: Mapping[str, str]) -> None:
    """Everything that a worker does after a pull request was opened."""
    fake = inbox.stage.fake
    fake.push(SHOP, "main", dict(base))
    sha = fake.push(SHOP, "change", dict(change), onto="main")
    fake.open_pull_request(SHOP, "change")
    inbox.deliver("opened", sha)
    inbox.work()


def push(inbox: Inbox, files: Mapping[str, str]) -> str:
    """The same after another push; the head."""
    sha = inbox.stage.fake.push(SHOP, "change", dict(files))
    inbox.deliver("synchronize", sha)
    inbox.work()
    return sha


def checks(inbox: Inbox) -> dict[str, CheckRun]:
    """The newest check of each name."""
    return {run.name: run for run in inbox.stage.fake.world.check_runs.values()}


def outcomes(inbox: Inbox) -> dict[str, tuple[str | None, str | None]]:
    return {name: (run.conclusion, run.title) for name, run in checks(inbox).items()}


MAIN = {"gracegate": ("success", "No Kubernetes manifests changed")}


def test_without_changed_rego_there_is_no_second_check(inbox: Inbox) -> None:
    review(inbox, {**GOOD, **NAMED}, {"README.md": "# policies\n"})
    assert outcomes(inbox) == MAIN


def test_where_the_base_names_no_policy_set_the_check_says_that_nothing_was_evaluated(inbox: Inbox) -> None:
    review(inbox, {}, {**GOOD, **NAMED})
    assert list(outcomes(inbox)) == ["gracegate"]
    assert "1 Rego file changed, not evaluated" in str(checks(inbox)["gracegate"].summary)


def test_a_syntax_error_fails_on_its_line_and_is_fixed_by_the_next_push(inbox: Inbox) -> None:
    review(inbox, {**GOOD, **NAMED, TEST: PASSING_TEST}, {RULE: SYNTAX})
    assert outcomes(inbox) == {**MAIN, "gracegate / policies": ("failure", "1 mistake")}
    line = SYNTAX.splitlines().index("\tat = := 1") + 1
    ((path, at, text),) = inbox.stage.comments(NUMBER)
    assert (path, at) == (RULE, line)
    assert text.startswith("❌ Error: ")
    assert text.endswith("`policies/mistake`")
    sha = push(inbox, {RULE: GOOD[RULE] + "\n# Rules of ours.\n"})
    assert outcomes(inbox) == {**MAIN, "gracegate / policies": ("success", "1 test passes")}
    ((_, _, text),) = inbox.stage.comments(NUMBER)
    assert text.startswith("✅ ~~")
    assert text.endswith(f"Fixed in {sha[:7]}.")


def test_a_failing_test_is_commented_with_its_values(inbox: Inbox) -> None:
    review(inbox, {**GOOD, **NAMED, TEST: PASSING_TEST}, {TEST: PASSING_TEST.replace("== 1", "== 2")})
    assert outcomes(inbox)["gracegate / policies"] == ("failure", "1 of 1 test fails")
    (comment,) = inbox.stage.fake.pull(SHOP, NUMBER).comments
    assert comment.anchor.path == TEST
    assert "`count(found) == 2` is not true" in comment.body
    assert "1 == 2\nfound = {" in comment.body
    assert "gracegate.dev/ignore" not in comment.body


def test_a_failing_test_is_not_called_fixed_while_the_set_is_refused(inbox: Inbox) -> None:
    failing = PASSING_TEST.replace("== 1", "== 2")
    review(inbox, {**GOOD, **NAMED, TEST: PASSING_TEST}, {TEST: failing})
    push(inbox, {RULE: SYNTAX})
    assert [(path, text[0]) for path, _, text in inbox.stage.comments(NUMBER)] == [(TEST, "❌"), (RULE, "❌")]
    push(inbox, {RULE: GOOD[RULE], TEST: PASSING_TEST})
    assert outcomes(inbox) == {**MAIN, "gracegate / policies": ("success", "No policies changed")}
    assert [(path, text[0]) for path, _, text in inbox.stage.comments(NUMBER)] == [(TEST, "✅"), (RULE, "✅")]


def test_manifests_of_cases_are_no_manifests_of_the_repository(inbox: Inbox) -> None:
    review(inbox, {**GOOD, **NAMED}, {CASE: DEPLOYMENT})
    assert outcomes(inbox) == {**MAIN, "gracegate / policies": ("failure", "1 of 1 test fails")}


def test_changed_lines_without_a_test_are_commented_and_block_nothing(inbox: Inbox) -> None:
    base = {**GOOD, **NAMED, TEST: PASSING_TEST}
    review(inbox, base, {RULE: GOOD[RULE] + '\n_owner := "nobody" if input.cluster == 1\n'})
    run = checks(inbox)["gracegate / policies"]
    assert (run.conclusion, run.title) == ("neutral", "1 test passes, changed lines without a test")
    assert [(path, text) for path, _, text in inbox.stage.comments(NUMBER)] == [
        (RULE, "⚠️ Warning: No test evaluates this line. `policies/untested`")
    ]


def test_a_repository_that_the_operator_has_not_listed_is_neutral_at_most(inbox: Inbox) -> None:
    reviewer = inbox.runner._reviewer
    policies = reviewer.policies  # type: ignore[attr-defined]
    unlisted = replace(policies, settings=replace(policies.settings, policies_allowed=()))
    inbox.runner._reviewer = replace(reviewer, policies=unlisted)  # type: ignore[type-var]
    review(inbox, {**GOOD, **NAMED}, {RULE: SYNTAX})
    run = checks(inbox)["gracegate / policies"]
    assert (run.conclusion, run.title) == ("neutral", "1 mistake")
    assert "`GRACEGATE_POLICIES_ALLOWED` names it" in str(run.summary)


def test_a_slow_rule_is_named(inbox: Inbox) -> None:
    numbers = "numbers.range(1, 30000)"
    slow = f"count([1 | some x in {numbers}; some y in {numbers}; x == y + 40000]) == 0"
    review(inbox, {**GOOD, **NAMED}, {RULE: GOOD[RULE].replace("not container.resources.limits.memory", slow)})
    run = checks(inbox)["gracegate / policies"]
    assert (run.conclusion, run.title) == ("failure", "1 mistake")
    # Which of its limits it meets first depends on the machine.
    assert re.search("took longer than|needs more memory than", inbox.stage.comments(NUMBER)[0][2])


def test_policies_in_a_folder_that_the_base_names(inbox: Inbox) -> None:
    base = {".gracegate.yaml": "policies: [tools/policies]\n"}
    base |= {f"tools/policies/{name}": text for name, text in {**GOOD, **NAMED, TEST: PASSING_TEST}.items()}
    review(inbox, base, {f"tools/policies/{RULE}": SYNTAX})
    assert outcomes(inbox)["gracegate / policies"] == ("failure", "1 mistake")
    ((path, _, _),) = inbox.stage.comments(NUMBER)
    assert path == f"tools/policies/{RULE}"


def test_a_fork_gets_the_same(inbox: Inbox) -> None:
    fake = inbox.stage.fake
    fake.push(SHOP, "main", {**GOOD, **NAMED})
    fork = fake.fork(SHOP, "grace").full_name
    sha = fake.push(fork, "change", {RULE: SYNTAX})
    fake.open_pull_request(SHOP, "change", fork=fork)
    inbox.deliver("opened", sha)
    inbox.work()
    assert outcomes(inbox)["gracegate / policies"] == ("failure", "1 mistake")
