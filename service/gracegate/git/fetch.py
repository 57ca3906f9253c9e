"""Bare repositories kept between reviews, so that only what is new and needed travels."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gracegate.errors import GitFailed, Gone, RepositoryError
from gracegate.git.changes import changes
from gracegate.git.objects import DEFAULT_BOUNDS, Bounds, Wanted, contents, listing, sizes, tree, within
from gracegate.git.process import Git, GitCommandError, cache_environment, server_environment
from gracegate.git.repository_cache import RepositoryCache, make_ready
from gracegate.model import FileDiff, Tree

_PARTIAL = ("--filter=blob:none", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--quiet")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# A ref can lag the webhook that names its commit by seconds.
_PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0)
_NOT_THERE_YET = re.compile(
    r"not our ref|unadvertised object|couldn't find remote ref|no such remote ref", re.IGNORECASE
)
_NOT_FOR_US = re.compile(
    r"Authentication failed|could not read (?:Username|Password)|repository '.*' not found|returned error: 40[134]"
    r"|does not appear to be a git repository|does not exist",
)


@dataclass(frozen=True, slots=True)
class _Bare:
    """One bare repository: `here` looks at what is there, `there` may ask the server."""

    here: Git
    there: Git

    def missing(self, commits: Sequence[str]) -> list[str]:
        asked = list(dict.fromkeys(commits))
        trees = "".join(f"{sha}^{{tree}}\n" for sha in asked).encode()
        answers = self.here.run("cat-file", "--batch-check=%(objecttype)", stdin=trees).decode().splitlines()
        return [sha for sha, answer in zip(asked, answers, strict=True) if answer != "tree"]

    def fetched(self, *what: str) -> bool:
        """Whether the server gave these commits or refs: True, or False where one of them is not there (yet)."""
        try:
            self._fetch("--depth=1", "origin", *what)
        except GitCommandError as failure:
            if not _NOT_THERE_YET.search(failure.said):
                raise
            return False
        return True

    def have(self, blobs: Sequence[str]) -> dict[str, int]:
        """Sizes of all blobs, after the ones that the cache lacks were fetched in one request."""
        known = sizes(self.here, blobs)
        missing = [blob for blob in blobs if blob not in known]
        if missing:
            self._fetch("--stdin", "origin", stdin="".join(f"{blob}\n" for blob in missing).encode())
            known |= sizes(self.here, missing)
        return known

    def _fetch(self, *arguments: str, stdin: bytes = b"") -> None:
        try:
            self.there.run("-c", "fetch.negotiationAlgorithm=noop", "fetch", *_PARTIAL, *arguments, stdin=stdin)
        except GitCommandError as failure:
            if _NOT_FOR_US.search(failure.said):
                raise Gone(failure.said, status=404) from failure
            raise


class TreeFetcher:
    """Trees of commits by SHA, out of bare caches in `folder`, one per repository.

    `seconds` bounds each call of git and the wait for a repository that another job is using; `size` bounds the
    folder's bytes: the repositories used longest ago go. `environment` is passed on to git (proxies, certificates).
    """

    def __init__(
        self,
        folder: Path,
        *,
        seconds: float = 120.0,
        size: int = 2_000_000_000,
        bounds: Bounds = DEFAULT_BOUNDS,
        environment: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._shelf = RepositoryCache(folder, size, seconds, sleep)
        self._seconds = seconds
        self._bounds = bounds
        self._environment = environment or {}
        self._sleep = sleep

    def fetch_trees(
        self, url: str, token: str | None, commits: Sequence[str], wanted: Wanted, refs: Sequence[str] = ()
    ) -> list[Tree]:
        """The candidate files of each commit.

        `refs` are fetched where the server does not give a commit by its SHA (yet). Raises GitFailed, or Gone where
        the repository is not there for this token.
        """
        _check_names(commits, refs)
        with self._shelf.held(url) as folder:
            bare = _Bare(
                Git(folder, cache_environment(), self._seconds),
                Git(folder, {**self._environment, **server_environment(url, token)}, self._seconds),
            )
            try:
                found = self._take(bare, commits, wanted, refs)
            except GitCommandError:
                # A damaged cache looks like a failing server, and costs one fetch of trees to make anew.
                shutil.rmtree(folder)
                found = self._take(bare, commits, wanted, refs)
        self._shelf.shrink()
        return found

    def changed(self, url: str, base: str, head: str, wanted: Wanted) -> list[FileDiff]:
        """What changed between two commits whose trees were taken before with the same `wanted`."""
        with self._shelf.held(url) as folder:
            if not folder.is_dir():
                raise GitFailed("the cache of this repository was removed meanwhile")
            return changes(Git(folder, cache_environment(), self._seconds), (base, head), wanted)

    def _take(self, bare: _Bare, commits: Sequence[str], wanted: Wanted, refs: Sequence[str]) -> list[Tree]:
        make_ready(bare.here)
        self._bring(bare, commits, refs)
        found = [listing(bare.here, commit, wanted) for commit in commits]
        blobs = sorted({entry.blob for listed in found for entry in listed.entries})
        known = bare.have(blobs)
        data = contents(bare.here, within(self._bounds, known))
        return [tree(listed, known, data) for listed in found]

    def _bring(self, bare: _Bare, commits: Sequence[str], refs: Sequence[str]) -> None:
        for pause in _PAUSES:
            self._sleep(pause)
            missing = bare.missing(commits)
            if not missing or bare.fetched(*missing):
                return
            for one in (*missing, *refs):
                bare.fetched(one)
        missing = bare.missing(commits)
        if missing:
            raise GitFailed(f"the server does not give {', '.join(missing)}")


def _check_names(commits: Sequence[str], refs: Sequence[str]) -> None:
    """A name that git could take for an option is never passed to it."""
    for name in (*commits, *refs):
        if not _COMMIT.fullmatch(name) and not name.startswith("refs/"):
            raise RepositoryError(f"{name} is neither the id of a commit nor a full name of a ref")
