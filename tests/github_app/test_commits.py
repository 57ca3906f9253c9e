"""Commits on a branch, and what GraphQL answers where GitHub refuses something."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gracegate.errors import GitHubUnavailable, Gone, RateLimited, Refused
from gracegate.github_app import PUSH_PERMISSIONS, RepositoryClient, commits
from tests.github_app.conftest import SHOP, Scenario

MESSAGE = ("Fix it", "Why")
FILES = {"web.yaml": b"fixed\n", "a/b.yaml": b"\xff\n"}


@pytest.fixture
def pusher(scenario: Scenario) -> RepositoryClient:
    scenario.fake.grant("shop", "contents", "write")
    ids = (scenario.installation, scenario.repository_id, SHOP)
    repo = scenario.client.repository(*ids, permissions=PUSH_PERMISSIONS)
    scenario.clients.append(repo)
    return repo


def test_a_commit_is_the_apps_and_moves_the_branch(scenario: Scenario, pusher: RepositoryClient) -> None:
    made = commits.commit_files(pusher, "change", scenario.head, MESSAGE, FILES)
    git = scenario.fake.repository(SHOP).git
    info = git.commit_info(made)
    assert (info.parents, info.author[0], info.message) == ((scenario.head,), "gracegate[bot]", "Fix it\n\nWhy")
    entry = git.entry(made, "a/b.yaml")
    assert entry is not None
    assert git.read(entry.sha) == b"\xff\n"
    assert scenario.fake.pull(SHOP, scenario.number).head_sha == made
    assert commits.read_changes_since(pusher, scenario.head, made, "Fix it") == commits.ChangesSince(
        frozenset(FILES), made
    )
    assert commits.read_changes_since(pusher, scenario.head, made, "Another").own == ""
    assert commits.read_changes_since(pusher, made, scenario.head, "Fix it") == commits.ChangesSince(None, "")


def test_a_branch_that_has_moved_is_left_alone(scenario: Scenario, pusher: RepositoryClient) -> None:
    moved = scenario.fake.push(SHOP, "change", {"README.md": "x\n"})
    with pytest.raises(Refused) as error:
        commits.commit_files(pusher, "change", scenario.head, MESSAGE, FILES)
    assert error.value.status == commits.STALE
    assert scenario.fake.pull(SHOP, scenario.number).head_sha == moved


def test_a_commit_needs_the_permission(scenario: Scenario) -> None:
    assert not scenario.client.may_push(scenario.installation)
    with pytest.raises(Gone, match="not accessible by integration"):
        commits.commit_files(scenario.repository(), "change", scenario.head, MESSAGE, FILES)
    with pytest.raises(Refused, match="not granted"):
        scenario.client.repository(
            scenario.installation, scenario.repository_id, SHOP, permissions=PUSH_PERMISSIONS
        ).read(lambda repository: repository.get_branches().totalCount)
    asked = [one for one in scenario.requests("GET") if "/app/installations/" in one[0]]
    assert len(asked) == 1
    assert not scenario.client.may_push(scenario.installation)
    assert [one for one in scenario.requests("GET") if "/app/installations/" in one[0]] == asked


ERRORS = {
    "NOT_FOUND": Gone,
    "FORBIDDEN": Gone,
    "RATE_LIMITED": RateLimited,
    "UNPROCESSABLE": Refused,
    None: GitHubUnavailable,
}


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_in_an_answer_is_typed_by_what_to_do(
    scenario: Scenario, pusher: RepositoryClient, kind: str | None
) -> None:
    error: dict[str, Any] = {"message": "no"} | ({"type": kind} if kind else {})
    body = json.dumps({"data": None, "errors": [error]})
    scenario.fake.fault("POST", "/graphql$", status=200, body=body, times=-1)
    with pytest.raises(ERRORS[kind], match="GitHub answered: no"):
        commits.commit_files(pusher, "change", scenario.head, MESSAGE, FILES)


@pytest.mark.parametrize("body", ['{"data": null}', "{}", '{"data": {"createCommitOnBranch": {"commit": null}}}'])
def test_an_answer_without_the_commit_is_none(scenario: Scenario, pusher: RepositoryClient, body: str) -> None:
    scenario.fake.fault("POST", "/graphql$", status=200, body=body, times=-1)
    with pytest.raises(GitHubUnavailable):
        commits.commit_files(pusher, "change", scenario.head, MESSAGE, FILES)
