"""The impact of a changed policy set on the repositories that the operator lists, beside real reviews with that set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gracegate.store import KnownRepository, repositories
from tests.policy.sets.policy_sets import GOOD, ID, RULE, write
from tests.policy.sets.test_change_review import PASSING_TEST, TEST
from tests.review.conftest import SHOP, Inbox, Stage, is_current, policy_sets
from tests.shop import DEPLOYMENT

LIMITED = DEPLOYMENT.replace("image: registry", "resources: {limits: {memory: 1Gi}}\n          image: registry", 1)
POLICIES = {f"tools/policies/{name}": text for name, text in {**GOOD, TEST: PASSING_TEST}.items()}
OTHER = "shop/secret"
# A rule that also wants limits of the processor, so that it blocks more.
STRICTER = GOOD[RULE].replace("resources.limits.memory", "resources.limits.cpu").replace('"memory"', '"cpu"')
CHANGES = [
    {"a/web.yaml": DEPLOYMENT},
    {"b/web.yaml": LIMITED},
    {"c/web.yaml": LIMITED.replace("memory: 1Gi", "memory: 1Gi, cpu: 1")},
    {"README.md": "# shop\n"},
    {"d/service.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: d}\nspec: {selector: {app: d}}\n"},
]


@pytest.fixture
def stage(stage: Stage, tmp_path: Path) -> Stage:
    """The operator uses the set, lists the repository, and wants to know of it and of a private one."""
    folder = write(tmp_path / "acme", {**GOOD, TEST: PASSING_TEST})
    settings = replace(
        stage.reviewer.settings, policies_allowed=("shop/*",), impact_repositories=(SHOP, OTHER, "shop/unknown")
    )
    stage.fake.world.repositories[stage.repository_id].private = False
    other = stage.fake.create_repository(OTHER, private=True)
    stage.fake.push(OTHER, "main", {"hidden/web.yaml": LIMITED})
    known = {
        stage.repository_id: KnownRepository(SHOP, is_public=True),
        other.id: KnownRepository(OTHER, is_public=False),
    }
    with stage.reviewer.store.transaction() as tx:
        repositories.replace(tx, stage.installation, known)
    base = {**POLICIES, ".gracegate.yaml": "policies: [tools/policies]\n", "web/web.yaml": LIMITED}
    stage.fake.push(SHOP, "main", base)
    sets = policy_sets(tmp_path / "policies-data", str(folder))
    return replace(stage, reviewer=replace(stage.reviewer, settings=settings, policies=sets))


def verdicts(stage: Stage) -> list[str | None]:
    """What reviews of the pull requests say with the policy set that the operator uses now."""
    numbers = range(1, len(CHANGES) + 1)
    runs = (stage.run(n, id=f"r{n}", head_sha=stage.fake.pull(SHOP, n).head_sha) for n in numbers)
    return [stage.reviewer.review(run, is_current).verdict for run in runs]


def test_what_would_be_blocked_is_what_reviews_with_the_new_rule_block(inbox: Inbox, tmp_path: Path) -> None:
    stage = inbox.stage
    for number, files in enumerate(CHANGES):
        stage.fake.push(SHOP, f"change-{number}", files, onto="main")
        stage.fake.open_pull_request(SHOP, f"change-{number}")
    now = verdicts(stage)
    sha = stage.fake.push(SHOP, "change", {f"tools/policies/{RULE}": STRICTER}, onto="main")
    number = stage.fake.open_pull_request(SHOP, "change")
    inbox.deliver_to(number, sha)
    inbox.work()
    (check,) = [run for run in stage.fake.world.check_runs.values() if run.name == "gracegate / policies"]
    write(tmp_path / "acme", {RULE: STRICTER})
    then = verdicts(stage)
    blocked_now, blocked_then = now.count("fail"), then.count("fail")
    assert blocked_now < blocked_then
    impact = f"would block {blocked_then} of 4 recent pull requests (now {blocked_now})"
    assert check.title == f"1 test passes, changed lines without a test; {impact}"
    summary = str(check.summary)
    assert f"| `{ID}` | 0 → 2 (+2 -0) | 2 | 1 → 2 |" in summary
    assert f"`{SHOP}#2` `b/web.yaml:14`" in summary
    assert "What is there is not told here." in summary
    assert "1 repository more could not be read" in summary
    assert "hidden" not in summary
    assert OTHER not in summary
