"""The trees of a pull request, fetched from a GitHub with the token that is meant for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gracegate.errors import Gone
from gracegate.git import TreeFetcher, hunks_of_patch
from gracegate.github_app import RepositoryClient, pull_requests
from tests.github_app.conftest import SHOP, Setting, lines


def is_yaml(path: str) -> bool:
    return path.endswith(".yaml")


def test_base_and_head(setting: Setting, repo: RepositoryClient, tmp_path: Path) -> None:
    pull = pull_requests.read(repo, setting.number)
    base = pull_requests.read_merge_base(repo, pull)
    token = setting.client.git_token(setting.installation, setting.repository_id)
    fetcher, url = TreeFetcher(tmp_path / "cache"), f"{setting.fake.git_url}/{SHOP}.git"
    before, after = fetcher.fetch_trees(url, token, [base, pull.head_sha], is_yaml, [f"refs/pull/{pull.number}/head"])
    assert sorted(before.files) == ["gone.yaml", "old.yaml", "web.yaml"]
    assert sorted(after.files) == ["moved.yaml", "new.yaml", "web.yaml"]
    assert after.files["web.yaml"].data.decode() == lines(10, 30)


def test_git_and_github_report_the_same_changes(setting: Setting, repo: RepositoryClient, tmp_path: Path) -> None:
    pull = pull_requests.read(repo, setting.number)
    base = pull_requests.read_merge_base(repo, pull)
    token = setting.client.git_token(setting.installation, setting.repository_id)
    fetcher, url = TreeFetcher(tmp_path / "cache"), f"{setting.fake.git_url}/{SHOP}.git"
    fetcher.fetch_trees(url, token, [base, pull.head_sha], is_yaml)
    files, _ = pull_requests.list_files(repo, pull, hunks_of_patch)
    assert fetcher.read_diff(url, base, pull.head_sha, is_yaml) == sorted(files, key=lambda one: one.path)


def test_the_head_of_a_fork(setting: Setting, repo: RepositoryClient, tmp_path: Path) -> None:
    fake = setting.fake
    fake.fork(SHOP, "eve")
    head = fake.push("eve/web", "theirs", {"web.yaml": lines(1)}, onto="main")
    number = fake.open_pull_request(SHOP, "theirs", fork="eve/web")
    token = setting.client.git_token(setting.installation, setting.repository_id)
    url = f"{fake.git_url}/{SHOP}.git"
    [tree] = TreeFetcher(tmp_path / "cache").fetch_trees(url, token, [head], is_yaml, [f"refs/pull/{number}/head"])
    assert tree.files["web.yaml"].data.decode() == lines(1)


def test_a_token_for_another_repository(setting: Setting, tmp_path: Path) -> None:
    other = setting.fake.create_repository("shop/other")
    token = setting.client.git_token(setting.installation, other.id)
    with pytest.raises(Gone):
        TreeFetcher(tmp_path / "cache").fetch_trees(
            f"{setting.fake.git_url}/{SHOP}.git", token, [setting.head], is_yaml
        )
