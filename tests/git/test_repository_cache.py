"""Which cached repositories are deleted, and who may read them."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gracegate.git import TreeFetcher
from gracegate.git.repository_cache import RepositoryCache

HOUR = 3600.0
DAY = 24 * HOUR


@pytest.fixture
def cache(tmp_path: Path) -> RepositoryCache:
    return RepositoryCache(tmp_path / "data" / "git", 10**9, 60.0)


def use(cache: RepositoryCache, url: str, ago: float) -> Path:
    """Caches a repository that was used so many seconds ago."""
    with cache.lock(url) as folder:
        (folder / "objects").mkdir(parents=True)
        os.utime(folder, (time.time() - ago,) * 2)
    return folder


@pytest.mark.parametrize(
    ("urls", "ago", "is_kept"),
    [
        (["one"], 13 * DAY, True),
        (["one"], 15 * DAY, False),
        (["other"], 2 * HOUR, False),
        (["other"], HOUR / 2, True),
        ([], 2 * HOUR, False),
        (None, 13 * DAY, True),
        (None, 15 * DAY, False),
    ],
)
def test_what_is_unused_is_deleted(cache: RepositoryCache, urls: list[str] | None, ago: float, is_kept: bool) -> None:
    folder = use(cache, "one", ago)
    assert cache.delete_unused(urls, 14 * DAY) == int(not is_kept)
    assert folder.exists() == is_kept


def test_a_repository_that_is_in_use_stays(cache: RepositoryCache) -> None:
    folder = use(cache, "one", DAY)
    with cache.lock("one"):
        assert cache.delete_unused([], 14 * DAY) == 0
    assert folder.exists()
    assert cache.delete_unused([], 14 * DAY) == 1


def test_what_was_made_of_a_repository_goes_with_it(cache: RepositoryCache) -> None:
    made = [cache.made(url) for url in ("one", "alone")]
    folder = use(cache, "one", 15 * DAY)
    for path in made:
        path.mkdir()
        (path / "file").write_bytes(b"x" * 100)
        os.utime(path, (time.time() - 13 * DAY,) * 2)
    assert cache.delete_unused(["one", "alone"], 14 * DAY) == 0
    assert cache.delete_unused(["one"], 14 * DAY) == 1
    assert [path.exists() for path in (folder, *made)] == [True, True, False]
    assert cache.delete_unused([], 14 * DAY) == 1
    assert [path.exists() for path in (folder, *made)] == [False, False, False]


def test_what_was_made_of_repositories_counts_as_theirs(cache: RepositoryCache) -> None:
    folders = [use(cache, url, ago) for url, ago in (("old", DAY), ("new", 0))]
    cache.made("old").mkdir()
    (cache.made("old") / "file").write_bytes(b"x" * 100)
    os.utime(cache.made("old"), (time.time() - DAY,) * 2)
    replace(cache, max_bytes=100).shrink()
    assert [folder.exists() for folder in folders] == [True, True]
    replace(cache, max_bytes=99).shrink()
    assert [path.exists() for path in (*folders, cache.made("old"))] == [False, True, False]


def test_what_is_added_to_what_was_made_counts(cache: RepositoryCache) -> None:
    cache = replace(cache, max_bytes=150)
    folders = [use(cache, url, ago) for url, ago in (("old", DAY), ("new", 0))]
    made = cache.made("old")
    made.mkdir()
    for name, is_kept in (("one", True), ("two", False)):
        (made / name).write_bytes(b"x" * 100)
        os.utime(made, (time.time() - DAY + len(list(made.iterdir())),) * 2)
        cache.shrink()
        assert [folder.exists() for folder in folders] == [is_kept, True]


def test_nothing_is_cached_yet(cache: RepositoryCache) -> None:
    assert cache.delete_unused([], 14 * DAY) == 0


def test_only_the_user_of_the_service_may_read_it(cache: RepositoryCache) -> None:
    with cache.lock("one"):
        assert [oct(path.stat().st_mode & 0o777) for path in (cache.folder, cache.folder.parent)] == ["0o700"] * 2
    # As earlier versions left it.
    cache.folder.chmod(0o755)
    with cache.lock("one"):
        assert oct(cache.folder.stat().st_mode & 0o777) == "0o700"


def test_the_repository_that_an_api_has_filled_goes_with_that_of_git(cache: RepositoryCache) -> None:
    fetcher = TreeFetcher(cache.folder)
    folders = [use(cache, name, 2 * HOUR) for name in ("url", "url by API")]
    assert (fetcher.delete_unused(["url"], 14 * DAY), fetcher.delete_unused([], 14 * DAY)) == (0, 2)
    assert [folder.exists() for folder in folders] == [False, False]
