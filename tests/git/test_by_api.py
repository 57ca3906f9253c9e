"""Trees by an API are those that git fetches; first where nothing is asked for twice."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gracegate.errors import GitFailed, RateLimited
from gracegate.git import ReadLimits, TreeFetcher, by_api
from gracegate.model import FileDiff, Problem, Tree, TreeEntry
from tests.git.conftest import IDENTITY, Repository, Server

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


def is_yaml(path: str) -> bool:
    return path.endswith(".yaml")


@dataclass
class Api:
    """What GitHub's API answers about a repository, which names at most `most` entries of a tree."""

    shop: Repository
    most: int = 100_000
    trees: list[str] = field(default_factory=list)
    blobs: list[str] = field(default_factory=list)
    fails_after: int = 10**9

    def read_tree(self, name: str, *, recursive: bool) -> tuple[Sequence[TreeEntry], bool]:
        self.trees.append(name)
        records = self._git("ls-tree", "-z", "-l", *(["-r", "-t"] if recursive else []), name).split(b"\0")[:-1]
        entries = []
        for record in records:
            fields, _, path = record.partition(b"\t")
            mode, _, sha, size = fields.decode().split()
            entries.append(TreeEntry(mode, sha, path.decode(errors="replace"), 0 if size == "-" else int(size)))
        return entries[: self.most], len(entries) > self.most

    def read_blob(self, sha: str) -> bytes:
        if len(self.blobs) == self.fails_after:
            raise RateLimited("wait", seconds=60)
        self.blobs.append(sha)
        return self._git("cat-file", "blob", sha)

    def _git(self, *arguments: str) -> bytes:
        done = subprocess.run(["git", *arguments], cwd=self.shop.folder, env=IDENTITY, capture_output=True, check=True)
        return done.stdout


@pytest.fixture
def refused(server: Server) -> str:
    """The URL of a repository that git may not fetch."""
    server.answer = 404
    return f"{server.url}/shop.git"


def fetcher_in(tmp_path: Path, limits: ReadLimits = ReadLimits()) -> TreeFetcher:  # noqa: B008 - frozen
    return TreeFetcher(tmp_path / "cache", limits=limits, sleep=lambda _: None)


def commit_everything(shop: Repository) -> tuple[str, str]:
    """Two commits with all that a tree can have."""
    base = shop.commit({"web.yaml": "a\n", "old.yaml": "x\n" * 50, "apps/api/web.yaml": "b\n", "notes.txt": "c"})
    (shop.folder / "current").symlink_to("apps")
    (shop.folder / "link.yaml").symlink_to("web.yaml")
    (shop.folder / os.fsdecode(b"\xff.yaml")).write_text("d")
    (shop.folder / "old.yaml").rename(shop.folder / "apps" / "new.yaml")
    shop.write({"lfs.yaml": LFS, "ü b\n.yaml": "b\n", "apps/big.yaml": "x" * 200, "web.yaml": "changed\n"})
    shop.git("add", "--all")
    shop.git("update-index", "--add", "--cacheinfo", f"160000,{base},vendor/lib")
    shop.git("commit", "--quiet", "--message", "all kinds")
    return base, shop.git("rev-parse", "HEAD")


@pytest.mark.parametrize("most", [100_000, 13, 9])
def test_it_is_what_git_fetches(shop: Repository, refused: str, tmp_path: Path, most: int) -> None:
    commits = dict.fromkeys(commit_everything(shop), is_yaml)
    base, head = commits
    fetcher = fetcher_in(tmp_path, ReadLimits(file_bytes=199))
    by_git = fetcher.fetch_trees(shop.folder.as_uri(), None, commits)
    assert fetcher.fetch_trees(refused, None, commits, api=Api(shop, most)) == by_git
    assert by_git[head].files["apps/new.yaml"].data == b"x\n" * 50
    diff = fetcher.read_diff(refused, base, head, is_yaml)
    assert diff == fetcher.read_diff(shop.folder.as_uri(), base, head, is_yaml)
    assert FileDiff("apps/new.yaml", "renamed", "old.yaml") in diff


def test_only_new_candidates_are_asked_for(shop: Repository, refused: str, tmp_path: Path) -> None:
    base = shop.commit({"web.yaml": "a\n", "copy.yaml": "a\n", "film.mp4": os.urandom(1000), "big.yaml": "x" * 100})
    fetcher = fetcher_in(tmp_path, ReadLimits(file_bytes=99))
    first, second = Api(shop), Api(shop)
    fetcher.fetch_trees(refused, None, {base: is_yaml}, api=first)
    assert first.blobs == [shop.git("rev-parse", f"{base}:web.yaml")]
    head = shop.commit({"web.yaml": "b\n"})
    fetcher.fetch_trees(refused, None, {base: is_yaml, head: is_yaml}, api=second)
    assert (second.trees, second.blobs) == ([base, head], [shop.git("rev-parse", f"{head}:web.yaml")])


def test_a_tree_that_commits_share_is_read_once(shop: Repository, refused: str, tmp_path: Path) -> None:
    base = shop.commit({f"apps/{number}/web.yaml": f"{number}\n" for number in range(4)})
    head = shop.commit({"apps/0/web.yaml": "b\n"})
    api = Api(shop, most=4)
    fetcher_in(tmp_path).fetch_trees(refused, None, {base: is_yaml, head: is_yaml}, api=api)
    assert len(api.trees) == len(set(api.trees)) + 4


def test_what_was_read_before_a_limit_is_kept(
    shop: Repository, refused: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = shop.commit({f"{number}.yaml": f"{number}\n" for number in range(5)})
    fetcher = fetcher_in(tmp_path)
    limited, first, second = Api(shop, fails_after=2), Api(shop), Api(shop)
    with pytest.raises(RateLimited):
        fetcher.fetch_trees(refused, None, {head: is_yaml}, api=limited)
    monkeypatch.setattr(by_api, "MAX_REQUESTS", 3)
    message = "No file was read, because git cannot fetch: the API needs 3 requests, of which a review makes 2."
    nothing = {head: Tree({}, (Problem("", 0, "not_fetched", message),))}
    assert fetcher.fetch_trees(refused, None, {head: is_yaml}, api=first) == nothing
    trees = fetcher.fetch_trees(refused, None, {head: is_yaml}, api=second)
    assert len(trees[head].files) == 5
    assert [len(api.blobs) for api in (limited, first, second)] == [2, 2, 1]


def test_more_trees_than_a_review_may_ask_for(
    shop: Repository, refused: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_api, "MAX_REQUESTS", 2)
    head = shop.commit({f"apps/{number}/web.yaml": "a\n" for number in range(4)})
    trees = fetcher_in(tmp_path).fetch_trees(refused, None, {head: is_yaml}, api=Api(shop, most=4))
    assert [problem.code for problem in trees[head].problems] == ["not_fetched"]


def test_a_directory_that_the_api_cuts_off_is_a_problem(shop: Repository, refused: str, tmp_path: Path) -> None:
    head = shop.commit({f"{number}.yaml": "a\n" for number in range(4)})
    trees = fetcher_in(tmp_path).fetch_trees(refused, None, {head: is_yaml}, api=Api(shop, most=3))
    assert [problem.code for problem in trees[head].problems] == ["too_much"]


def test_a_server_that_sends_all_files(shop: Repository, server: Server, tmp_path: Path) -> None:
    shop.git("config", "uploadpack.allowFilter", "false")
    head = shop.commit({"web.yaml": "a\n", "film.mp4": os.urandom(300_000)})
    url = f"{server.url}/shop.git"
    fetcher = TreeFetcher(tmp_path / "cache", max_bytes=400_000, sleep=lambda _: None)
    with pytest.raises(GitFailed, match=r"^git fetch needs a file of more than 200,000 bytes$"):
        fetcher.fetch_trees(url, None, {head: is_yaml})
    trees = fetcher.fetch_trees(url, None, {head: is_yaml}, api=Api(shop))
    assert sorted(trees[head].files) == ["web.yaml"]


def test_another_content_than_was_asked_for(
    shop: Repository, refused: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = shop.commit({"web.yaml": "a\n"})
    monkeypatch.setattr(Api, "read_blob", lambda *_: b"b\n")
    with pytest.raises(GitFailed, match="the API gave another content than that of"):
        fetcher_in(tmp_path).fetch_trees(refused, None, {head: is_yaml}, api=Api(shop))


def test_a_git_that_only_fails_is_tried_again_first(shop: Repository, server: Server, tmp_path: Path) -> None:
    server.answer = 503
    head = shop.commit({"web.yaml": "a\n"})
    fetcher, api, url = fetcher_in(tmp_path), Api(shop), f"{server.url}/shop.git"
    with pytest.raises(GitFailed):
        fetcher.fetch_trees(url, None, {head: is_yaml}, api=api)
    assert api.trees == []
    trees = fetcher.fetch_trees(url, None, {head: is_yaml}, api=api, api_after_failure=True)
    assert sorted(trees[head].files) == ["web.yaml"]
