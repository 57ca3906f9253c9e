"""Commits of other repositories, which manifests name: fetched where that is allowed, without a token of ours."""

from __future__ import annotations

import logging
import re
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

from gracegate.errors import GitFailed, Gone
from gracegate.git.fetch import TreeFetcher
from gracegate.git.objects import PathFilter, ReadLimits
from gracegate.git.process import GitCommandError
from gracegate.model import Problem, RemoteCommit, RenderSources, Tree

LOG = logging.getLogger(__name__)

Wanted = Mapping[RemoteCommit, Collection[str]]
"""Commits, and the paths of files to read of each whatever their names say."""

_MAX_COMMITS = 50
"""Of one call; kustomizations of large repositories need a few of them each."""
_SECONDS = 20.0
"""Of one call of git."""
_ALL_SECONDS = 60.0
_CACHE_BYTES = 500_000_000
_REDIRECT = re.compile(r"returned error: 30\d|redirection")


class SourceFetcher:
    """Fetches the commits that `sources` allow into `folder`, which has nothing else: what a token has fetched must not
    be found by who has none.

    All that it fetches at once has at most `total_bytes`.
    """

    def __init__(
        self,
        folder: Path,
        sources: RenderSources,
        is_candidate: PathFilter,
        total_bytes: int,
        environment: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.sources = sources
        self._is_candidate = is_candidate
        self._total_bytes = total_bytes
        self._clock = clock
        self._new_fetcher: Callable[[int], TreeFetcher] = lambda left: TreeFetcher(
            folder,
            seconds=_SECONDS,
            max_bytes=_CACHE_BYTES,
            limits=ReadLimits(total_bytes=left),
            environment=environment,
        )

    def fetch(self, wanted: Wanted) -> dict[RemoteCommit, Tree]:
        """A tree of each commit; one without files, with a problem of no file, where it was not fetched."""
        fetched: dict[RemoteCommit, Tree] = {}
        left, deadline = self._total_bytes, self._clock() + _ALL_SECONDS
        by_url: defaultdict[str, list[RemoteCommit]] = defaultdict(list)
        for number, commit in enumerate(sorted(wanted)):
            if not self.sources.allow(commit):
                fetched[commit] = _nothing("it is not allowed")
            elif number >= _MAX_COMMITS:
                fetched[commit] = _nothing(f"at most {_MAX_COMMITS} commits are fetched")
            else:
                by_url[commit.url].append(commit)
        for url, commits in by_url.items():
            if self._clock() > deadline:
                trees = dict.fromkeys(commits, _nothing(f"the others took {_ALL_SECONDS:g} s"))
            elif left <= 0:
                trees = dict.fromkeys(commits, _nothing(f"the others have {self._total_bytes // 1_000_000} MB"))
            else:
                trees = self._fetch_repository(url, {commit: wanted[commit] for commit in commits}, left)
            files = {file.blob: len(file.data) for tree in trees.values() for file in tree.files.values()}
            left = max(0, left - sum(files.values()))
            fetched |= trees
        return fetched

    def _fetch_repository(self, url: str, wanted: Wanted, left: int) -> dict[RemoteCommit, Tree]:
        def filter_of(also: Collection[str]) -> PathFilter:
            return lambda path: self._is_candidate(path) or path in also

        filters = {commit.sha: filter_of(also) for commit, also in wanted.items()}
        try:
            trees = self._new_fetcher(left).fetch_trees(url, None, filters)
        except Gone:
            return dict.fromkeys(wanted, _nothing("the server gives no such repository to everybody"))
        except GitCommandError as error:
            # What git prints may name a proxy, and is read by strangers.
            LOG.warning("cannot fetch %s for rendering: %s", url, error)
            redirected = "the server redirects to another address"
            return dict.fromkeys(
                wanted, _nothing(redirected if _REDIRECT.search(error.stderr) else "git could not fetch it")
            )
        except GitFailed as error:
            return dict.fromkeys(wanted, _nothing(str(error)))
        return {commit: _usable(trees[commit.sha], also) for commit, also in wanted.items()}


def _usable(tree: Tree, also: Collection[str]) -> Tree:
    """The tree; where files were asked for, no more of them are."""
    if problem := next((one for one in tree.problems if not one.file), None):
        return _nothing(problem.message.removeprefix("No file was read: ").rstrip("."))
    return replace(tree, others=frozenset()) if also else tree


def _nothing(why: str) -> Tree:
    return Tree({}, (Problem("", 0, "not_fetched", f"not fetched: {why}"),))
