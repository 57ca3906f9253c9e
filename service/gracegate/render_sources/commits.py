"""Commits of other repositories, fetched by git without a token of ours."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

from gracegate.errors import GitFailed, Gone
from gracegate.git import GitCommandError, PathFilter, ReadLimits, TreeFetcher
from gracegate.model import PinnedSource, Tree
from gracegate.render_sources.nothing import not_fetched

LOG = logging.getLogger(__name__)

_SECONDS = 20.0
"""Of one call of git."""
_CACHE_BYTES = 500_000_000
_REDIRECT = re.compile(r"returned error: 30\d|redirection")


class CommitFetcher:
    """Fetches commits into `folder`: the files that are candidates, and those that are asked for."""

    def __init__(self, folder: Path, is_candidate: PathFilter, environment: Mapping[str, str]) -> None:
        self._is_candidate = is_candidate
        self._new_fetcher: Callable[[int], TreeFetcher] = lambda left: TreeFetcher(
            folder,
            seconds=_SECONDS,
            max_bytes=_CACHE_BYTES,
            limits=ReadLimits(total_bytes=left),
            environment=environment,
        )

    def fetch(self, url: str, wanted: Mapping[PinnedSource, Collection[str]], left: int) -> dict[PinnedSource, Tree]:
        """The trees of commits of one repository, of at most `left` bytes; see SourceFetcher."""

        def filter_of(also: Collection[str]) -> PathFilter:
            return lambda path: self._is_candidate(path) or path in also

        filters = {commit.revision: filter_of(also) for commit, also in wanted.items()}
        try:
            trees = self._new_fetcher(left).fetch_trees(url, None, filters)
        except Gone:
            return dict.fromkeys(wanted, not_fetched("the server gives no such repository to everybody"))
        except GitCommandError as error:
            # What git prints may name a proxy, and is read by strangers.
            LOG.warning("cannot fetch %s for rendering: %s", url, error)
            redirected = "the server redirects to another address"
            return dict.fromkeys(
                wanted, not_fetched(redirected if _REDIRECT.search(error.stderr) else "git could not fetch it")
            )
        except GitFailed as error:
            return dict.fromkeys(wanted, not_fetched(str(error)))
        return {commit: _usable(trees[commit.revision], also) for commit, also in wanted.items()}


def _usable(tree: Tree, also: Collection[str]) -> Tree:
    """The tree; where files were asked for, no more of them are."""
    if problem := next((one for one in tree.problems if not one.file), None):
        return not_fetched(problem.message.removeprefix("No file was read: ").rstrip("."))
    return replace(tree, others=frozenset()) if also else tree
