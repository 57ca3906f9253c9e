"""Commits of other repositories: which are allowed, what comes of them, and why some do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gracegate.model import PinnedSource, RenderSources, Tree
from gracegate.render_sources import SourceFetcher
from tests.git.conftest import Repository, Server

SHA = "0123456789abcdef0123456789abcdef01234567"
FILES = {"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": "a: b\n", "base/a.conf": "c\n"}


def is_yaml(path: str) -> bool:
    return path.endswith(".yaml")


def fetcher(folder: Path, server: Server, total_bytes: int = 1_000_000) -> SourceFetcher:
    return SourceFetcher(folder, RenderSources((f"{server.url}/*",)), is_yaml, total_bytes, {})


def read(tree: Tree) -> tuple[dict[str, str], frozenset[str], list[str]]:
    """The texts of the files, the paths of the others, and what is wrong."""
    texts = {path: file.data.decode() for path, file in tree.files.items()}
    return texts, tree.others, [problem.message for problem in tree.problems]


@pytest.mark.parametrize(
    ("patterns", "url", "is_allowed"),
    [
        ((), "https://github.com/o/r.git", False),
        (("github.com/o/r",), "https://github.com/o/r.git", True),
        (("github.com/a/b", "github.com/o/*"), "https://github.com/o/r.git", True),
        (("github.com/*",), "https://github.com/o/r.git", True),
        (("https://github.com/o/*",), "https://github.com/o/r.git", True),
        (("github.com/o/r",), "https://github.com/o/r2.git", False),
        (("github.com/o/*",), "https://github.com/o2/r.git", False),
        (("github.com/o/*",), "http://github.com/o/r.git", False),
        (("github.com/o/*",), "https://github.com:8443/o/r.git", False),
        (("github.com/o/*",), "https://github.com.evil.example/o/r.git", False),
        (("github.com/o/*",), "https://github.com/o/../p/r.git", False),
        (("github.com/o/*",), "https://github.com/o/%2e%2e/p/r.git", False),
        (("github.com/o/*",), "https://github.com/o/r?a.git", False),
        (("http://127.0.0.1:80/*",), "http://127.0.0.1:80/o/r.git", True),
    ],
)
def test_what_is_allowed(patterns: tuple[str, ...], url: str, is_allowed: bool) -> None:
    assert RenderSources(patterns).allow(PinnedSource(url, SHA)) is is_allowed


def test_nothing_is_fetched_of_nothing(server: Server, tmp_path: Path) -> None:
    assert fetcher(tmp_path / "sources", server).fetch({}) == {}
    assert server.requests == []


def test_a_commit_comes_as_a_tree_and_is_kept(shop: Repository, server: Server, tmp_path: Path) -> None:
    commit = PinnedSource(f"{server.url}/shop.git", shop.commit(FILES))
    texts = {path: FILES[path] for path in ("base/kustomization.yaml", "base/web.yaml")}
    found = fetcher(tmp_path / "sources", server).fetch({commit: ()})
    assert read(found[commit]) == (texts, frozenset({"base/a.conf"}), [])
    rounds = server.requests.count("POST git-upload-pack")
    assert fetcher(tmp_path / "sources", server).fetch({commit: ()}) == found
    assert server.requests.count("POST git-upload-pack") == rounds
    asked = fetcher(tmp_path / "sources", server).fetch({commit: ("base/a.conf",)})
    assert read(asked[commit]) == (FILES, frozenset(), [])


def missing_commit(url: str, _sha: str) -> PinnedSource:
    return PinnedSource(url, SHA)


def missing_repository(url: str, sha: str) -> PinnedSource:
    return PinnedSource(url.replace("shop", "store"), sha)


def disallowed(_url: str, sha: str) -> PinnedSource:
    return PinnedSource("http://127.0.0.1:9/shop.git", sha)


def as_it_is(url: str, sha: str) -> PinnedSource:
    return PinnedSource(url, sha)


@pytest.mark.parametrize(
    ("commit_of", "answer", "total_bytes", "message"),
    [
        (missing_commit, None, 1_000_000, f"not fetched: the server does not give {SHA}"),
        (missing_repository, None, 1_000_000, "not fetched: the server gives no such repository to everybody"),
        (disallowed, None, 1_000_000, "not fetched: it is not allowed"),
        (as_it_is, 302, 1_000_000, "not fetched: the server redirects to another address"),
        (as_it_is, 401, 1_000_000, "not fetched: the server gives no such repository to everybody"),
        (as_it_is, 500, 1_000_000, "not fetched: git could not fetch it"),
        (as_it_is, None, 600, "not fetched: the repository has more than 1 files that may be manifests"),
        (as_it_is, None, 0, "not fetched: the others have 0 MB"),
    ],
)
def test_why_a_commit_is_not_fetched(
    shop: Repository,
    server: Server,
    tmp_path: Path,
    *,
    commit_of: Callable[[str, str], PinnedSource],
    answer: int | None,
    total_bytes: int,
    message: str,
) -> None:
    commit = commit_of(f"{server.url}/shop.git", shop.commit(FILES))
    server.answer = answer
    found = fetcher(tmp_path / "sources", server, total_bytes).fetch({commit: ()})
    assert [*map(read, found.values())] == [({}, frozenset(), [message])]


def test_only_so_many_commits_are_fetched(server: Server, tmp_path: Path) -> None:
    commits = [PinnedSource(f"{server.url}/shop.git", f"{number:040x}") for number in range(51)]
    found = fetcher(tmp_path / "sources", server).fetch(dict.fromkeys(commits, ()))
    assert read(found[commits[50]]) == ({}, frozenset(), ["not fetched: at most 50 commits and artifacts are fetched"])


def test_what_takes_too_long_leaves_no_time_to_the_others(shop: Repository, server: Server, tmp_path: Path) -> None:
    times = iter([0.0, 0.0, 100.0])
    commit = PinnedSource(f"{server.url}/shop.git", shop.commit(FILES))
    later = PinnedSource(f"{server.url}/store.git", SHA)
    sources = RenderSources((f"{server.url}/*",))
    slow = SourceFetcher(tmp_path / "sources", sources, is_yaml, 1_000_000, {}, lambda: next(times))
    found = slow.fetch({commit: (), later: ()})
    assert [*found[commit].files] == ["base/kustomization.yaml", "base/web.yaml"]
    assert read(found[later]) == ({}, frozenset(), ["not fetched: the others took 60 s"])
