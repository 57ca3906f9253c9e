"""The trees of a pull request, fetched from a GitHub with the token that is meant for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gracegate.errors import Gone
from gracegate.git import TreeFetcher, hunks_of_patch, read_changes
from gracegate.github_app import RepositoryClient, pull_requests
from tests.github_app.conftest import SHOP, Scenario, lines


def is_yaml(path: str) -> bool:
    return path.endswith(".yaml")


def test_base_and_head(scenario: Scenario, repo: RepositoryClient, tmp_path: Path) -> None:
    pull = pull_requests.read(repo, scenario.number)
    base, _ = pull_requests.read_base(repo, pull)
    token = scenario.client.git_token(scenario.installation, scenario.repository_id)
    fetcher, url = TreeFetcher(tmp_path / "cache"), f"{scenario.fake.git_url}/{SHOP}.git"
    commits = dict.fromkeys([base, pull.head_sha], is_yaml)
    before, after = fetcher.fetch_trees(url, token, commits, [f"refs/pull/{pull.number}/head"]).values()
    assert sorted(before.files) == ["gone.yaml", "old.yaml", "web.yaml"]
    assert sorted(after.files) == ["moved.yaml", "new.yaml", "web.yaml"]
    assert after.files["web.yaml"].data.decode() == lines(10, 30)


def test_git_and_github_report_the_same_changes(scenario: Scenario, repo: RepositoryClient, tmp_path: Path) -> None:
    pull = pull_requests.read(repo, scenario.number)
    base, _ = pull_requests.read_base(repo, pull)
    token = scenario.client.git_token(scenario.installation, scenario.repository_id)
    fetcher, url = TreeFetcher(tmp_path / "cache"), f"{scenario.fake.git_url}/{SHOP}.git"
    fetcher.fetch_trees(url, token, dict.fromkeys([base, pull.head_sha], is_yaml))
    files = sorted(pull_requests.list_files(repo, pull, hunks_of_patch).files, key=lambda one: one.path)
    assert read_changes(scenario.fake.repository(SHOP).git.path, base, pull.head_sha, is_yaml) == files
    assert fetcher.read_diff(url, base, pull.head_sha, is_yaml) == [replace(file, hunks=None) for file in files]


def test_the_head_of_a_fork(scenario: Scenario, repo: RepositoryClient, tmp_path: Path) -> None:
    fake = scenario.fake
    fake.fork(SHOP, "eve")
    head = fake.push("eve/web", "topic", {"web.yaml": lines(1)}, onto="main")
    number = fake.open_pull_request(SHOP, "topic", fork="eve/web")
    token = scenario.client.git_token(scenario.installation, scenario.repository_id)
    url = f"{fake.git_url}/{SHOP}.git"
    fetcher = TreeFetcher(tmp_path / "cache")
    trees = fetcher.fetch_trees(url, token, {head: is_yaml}, [f"refs/pull/{number}/head"])
    assert trees[head].files["web.yaml"].data.decode() == lines(1)


def test_a_token_for_another_repository(scenario: Scenario, tmp_path: Path) -> None:
    other = scenario.fake.create_repository("shop/other")
    token = scenario.client.git_token(scenario.installation, other.id)
    with pytest.raises(Gone):
        TreeFetcher(tmp_path / "cache").fetch_trees(
            f"{scenario.fake.git_url}/{SHOP}.git", token, {scenario.head: is_yaml}
        )
