"""Trees of commits from a git server. Bare repositories are kept, so that only new objects travel."""

from __future__ import annotations

import logging
import re
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gracegate.errors import GitFailed, Gone, GracegateError, RepositoryError
from gracegate.git.by_api import ApiRepository, ObjectApi, TooManyRequests, tree_ref
from gracegate.git.diff import read_diff
from gracegate.git.objects import (
    DEFAULT_READ_LIMITS,
    PathFilter,
    ReadLimits,
    as_lines,
    list_candidates,
    read_sizes,
    read_trees,
)
from gracegate.git.process import FetchTooLarge, Git, GitCommandError, TooLarge, cache_environment, server_environment
from gracegate.git.repository_cache import RepositoryCache, prepare_repository
from gracegate.model import FileDiff, Problem, Tree

LOG = logging.getLogger(__name__)

_PARTIAL = ("--filter=blob:none", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--quiet")
# git needs 9 s for the ids of 100,000 blobs before it even connects, and 0.1 s for those of 10,000.
_BLOBS_AT_ONCE = 10_000
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# Seconds before each attempt. A ref can be seconds behind the webhook that names its commit; without any, the first
# answer stands.
_PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0)
# git fails alike at the next attempt.
_LASTING = (Gone, FetchTooLarge)
_COMMIT_MISSING = re.compile(
    r"not our ref|unadvertised object|couldn't find remote ref|no such remote ref", re.IGNORECASE
)
_NO_ACCESS = re.compile(
    r"Authentication failed|could not read (?:Username|Password)|repository '.*' not found|returned error: 40[134]"
    r"|does not appear to be a git repository|does not exist",
)


class TreeFetcher:
    """Fetches trees of commits by SHA into bare repositories in `folder`, one per URL.

    `seconds` bounds each call of git and the wait for a repository that another job is using. Above `max_bytes` of
    the folder, the repositories that were used longest ago are deleted. git gets `environment` (proxies, certificates).
    """

    def __init__(
        self,
        folder: Path,
        *,
        seconds: float = 120.0,
        max_bytes: int = 2_000_000_000,
        limits: ReadLimits = DEFAULT_READ_LIMITS,
        environment: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._cache = RepositoryCache(folder, max_bytes, seconds, sleep)
        self._seconds = seconds
        self._limits = limits
        self._environment = environment or {}
        self._sleep = sleep
        self._refused: set[str] = set()

    def fetch_trees(
        self,
        url: str,
        token: str | None,
        commits: Mapping[str, PathFilter],
        refs: Sequence[str] = (),
        *,
        api: ObjectApi | None = None,
        api_after_failure: bool = False,
    ) -> dict[str, Tree]:
        """The candidate files of each commit, by its SHA; each has a filter of its own.

        `refs` are fetched if the server does not give a commit by its SHA (yet). Where git is refused or gets all
        files, the objects come from `api`, with `api_after_failure` also where git fails. A repository beyond the
        limits gives trees without files and a problem. Raises GitFailed, or Gone if the repository does not exist for
        this token, and what the API raises.
        """
        for name in (*commits, *refs):
            # git could take another name for an option.
            if not _COMMIT.fullmatch(name) and not name.startswith("refs/"):
                raise RepositoryError(f"{name} is neither the id of a commit nor a full name of a ref")
        try:
            trees = self._fetch_by_git(url, token, commits, refs)
        except TooLarge as error:
            trees = _nothing_read(commits, "too_much", f"No file was read: {error}.")
        except (Gone, GitFailed) as error:
            if api is None or not (api_after_failure or isinstance(error, _LASTING)):
                raise
            self._log_refusal(url, error)
            trees = self._fetch_by_api(url, api, commits, error)
        self._cache.shrink()
        return trees

    def find_commit(self, url: str, token: str | None, ref: str) -> str:
        """The commit that the server has for a commit's id, a full name of a ref, a tag or else a branch.

        Raises RepositoryError if there is none, GitFailed, or Gone if the repository does not exist for this token.
        """
        if _COMMIT.fullmatch(ref):
            return ref
        names = [ref] if ref.startswith("refs/") else [f"refs/tags/{ref}", f"refs/heads/{ref}"]
        # What an annotated tag points to comes as another name.
        names = [peeled for name in names for peeled in (f"{name}^{{}}", name)]
        with self._cache.lock(url) as folder:
            prepare_repository(Git(folder, cache_environment(), self._seconds))
            online = Git(folder, {**self._environment, **server_environment(url, token)}, self._seconds)
            try:
                lines = online.run("ls-remote", "--end-of-options", "origin", *names).decode().splitlines()
            except GitCommandError as error:
                if _NO_ACCESS.search(error.stderr):
                    raise Gone(error.stderr, status=404) from error
                raise
        found = {name: commit for commit, _, name in (line.partition("\t") for line in lines)}
        commit = next((found[name] for name in names if name in found), None)
        if commit is None:
            raise RepositoryError(f"the repository has no branch or tag `{ref}`")
        return commit

    def _fetch_by_git(
        self, url: str, token: str | None, commits: Mapping[str, PathFilter], refs: Sequence[str]
    ) -> dict[str, Tree]:
        with self._cache.lock(url) as folder:
            offline = Git(folder, cache_environment(), self._seconds)
            environment = {**self._environment, **server_environment(url, token)}
            online = Git(folder, environment, self._seconds, max_file=self._cache.max_bytes // 2)
            repository = _Repository(offline, online, self._sleep)
            try:
                return repository.fetch_trees(commits, refs, self._limits)
            except GitCommandError:
                # A damaged repository fails like a server that does. Fetching it again costs little.
                shutil.rmtree(folder)
                return repository.fetch_trees(commits, refs, self._limits)

    def _fetch_by_api(
        self, url: str, api: ObjectApi, commits: Mapping[str, PathFilter], refusal: GracegateError
    ) -> dict[str, Tree]:
        with self._cache.lock(_by_api(url)) as folder:
            repository = ApiRepository(Git(folder, cache_environment(), self._seconds), api)
            try:
                return repository.fetch_trees(commits, self._limits)
            except TooLarge as error:
                return _nothing_read(commits, "too_much", f"No file was read: {error}.")
            except TooManyRequests as error:
                if not isinstance(refusal, _LASTING):
                    # git may work again at the next attempt.
                    raise refusal from error
                return _nothing_read(commits, "not_fetched", f"No file was read, because git cannot fetch: {error}.")

    def _log_refusal(self, url: str, refusal: GracegateError) -> None:
        if url not in self._refused:
            self._refused.add(url)
            LOG.warning("git cannot fetch %s, so its files come by GitHub's API: %s", url, refusal)

    def made(self, url: str) -> Path:
        """See RepositoryCache.made."""
        return self._cache.made(url)

    def delete_unused(self, urls: Collection[str] | None, seconds: float) -> int:
        """See RepositoryCache.delete_unused."""
        names = None if urls is None else [*urls, *map(_by_api, urls)]
        return self._cache.delete_unused(names, seconds)

    def read_diff(self, url: str, base: str, head: str, is_candidate: PathFilter) -> list[FileDiff]:
        """The changes between two commits whose trees were fetched before with the same `is_candidate`; no hunks."""
        for name, revisions in ((url, (base, head)), (_by_api(url), (tree_ref(base), tree_ref(head)))):
            with self._cache.lock(name) as folder:
                git = Git(folder, cache_environment(), self._seconds)
                if folder.is_dir() and _has_trees(git, revisions):
                    # The API's repository lacks files beyond the limits, in which git would look for renames.
                    return read_diff(git, revisions, is_candidate, with_hunks=False, exact_renames=name != url)
        raise GitFailed("the cached repository was deleted before its changes were read")


def _by_api(url: str) -> str:
    """What the repository is called that an API has filled: git finds no commits in it."""
    return f"{url} by API"


def _has_trees(git: Git, revisions: Iterable[str]) -> bool:
    names = as_lines(f"{revision}^{{tree}}" for revision in revisions)
    types = git.run("cat-file", "--batch-check=%(objecttype)", stdin=names).decode().splitlines()
    return all(kind == "tree" for kind in types)


def _nothing_read(commits: Iterable[str], code: str, message: str) -> dict[str, Tree]:
    return dict.fromkeys(commits, Tree({}, (Problem("", 0, code, message),)))


@dataclass(frozen=True, slots=True)
class _Repository:
    """A bare repository that this job has locked. `offline` never uses the network, `online` may ask the server."""

    offline: Git
    online: Git
    sleep: Callable[[float], None]

    def fetch_trees(
        self, commits: Mapping[str, PathFilter], refs: Sequence[str], limits: ReadLimits
    ) -> dict[str, Tree]:
        prepare_repository(self.offline)
        self._fetch_commits(list(commits), refs)
        listings = [list_candidates(self.offline, commit, filter_, limits) for commit, filter_ in commits.items()]
        blobs = {blob for listing in listings for blob in listing.blobs()}
        missing = sorted(blobs - read_sizes(self.offline, blobs).keys())
        for start in range(0, len(missing), _BLOBS_AT_ONCE):
            self._fetch("--stdin", "origin", stdin=as_lines(missing[start : start + _BLOBS_AT_ONCE]))
        return dict(zip(commits, read_trees(self.offline, listings, limits), strict=True))

    def _fetch_commits(self, commits: Sequence[str], refs: Sequence[str]) -> None:
        for pause in _PAUSES if refs else _PAUSES[:1]:
            self.sleep(pause)
            missing = self._missing_commits(commits)
            if not missing or self._try_fetch(*missing):
                return
            for name in (*missing, *refs):
                self._try_fetch(name)
        missing = self._missing_commits(commits)
        if missing:
            raise GitFailed(f"the server does not give {', '.join(missing)}")

    def _missing_commits(self, commits: Sequence[str]) -> list[str]:
        trees = as_lines(f"{sha}^{{tree}}" for sha in commits)
        types = self.offline.run("cat-file", "--batch-check=%(objecttype)", stdin=trees).decode().splitlines()
        return [sha for sha, kind in zip(commits, types, strict=True) if kind != "tree"]

    def _try_fetch(self, *names: str) -> bool:
        """Fetch commits or refs; False if the server does not have one of them (yet)."""
        try:
            self._fetch("--depth=1", "origin", *names)
        except GitCommandError as error:
            if not _COMMIT_MISSING.search(error.stderr):
                raise
            return False
        return True

    def _fetch(self, *arguments: str, stdin: bytes = b"") -> None:
        try:
            self.online.run("-c", "fetch.negotiationAlgorithm=noop", "fetch", *_PARTIAL, *arguments, stdin=stdin)
        except GitCommandError as error:
            if _NO_ACCESS.search(error.stderr):
                raise Gone(error.stderr, status=404) from error
            raise
