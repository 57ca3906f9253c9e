"""The groups of merge queues, by the branches that GitHub keeps of them."""

from __future__ import annotations

import pytest

from gracegate.errors import Refused
from gracegate.github_app import RepositoryClient, merge_groups
from gracegate.github_app.merge_groups import QueuedGroup
from tests.github_app.conftest import SHOP, Scenario

QUEUE = "gh-readonly-queue"
BASE = "1" * 40


def test_no_queue(repo: RepositoryClient) -> None:
    assert merge_groups.list_queued(repo) == []


def test_the_groups_of_all_queues(scenario: Scenario, repo: RepositoryClient) -> None:
    # No more fit on a page, and the last of these names is none that GitHub gives.
    names = [f"main/pr-{number}-{BASE}" for number in range(1, 32)] + [f"release/1.x/pr-7-{BASE}", "main/something"]
    for name in names:
        scenario.fake.move_branch(SHOP, f"{QUEUE}/{name}", scenario.head)
    groups = merge_groups.list_queued(repo)
    assert len(groups) == 32
    assert groups[-1] == QueuedGroup(
        head_sha=scenario.head,
        head_ref=f"refs/heads/{QUEUE}/release/1.x/pr-7-{BASE}",
        base_sha=BASE,
        base_ref="refs/heads/release/1.x",
    )


def test_a_repository_without_commits_has_none(scenario: Scenario) -> None:
    empty = scenario.fake.create_repository("shop/empty")
    with scenario.client.repository(scenario.installation, empty.id, "shop/empty") as repo:
        assert merge_groups.list_queued(repo) == []


def test_a_refusal_is_no_empty_queue(scenario: Scenario, repo: RepositoryClient) -> None:
    scenario.fake.fault("GET", "/git/matching-refs/", status=422, body='{"message": "no"}')
    with pytest.raises(Refused):
        merge_groups.list_queued(repo)
