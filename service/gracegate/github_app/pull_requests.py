"""Pull requests: what they are, where they parted from their base, which files they change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from github.File import File
from github.PullRequest import PullRequest as GitHubPull
from github.Repository import Repository

from gracegate.github_app.client import RepositoryClient
from gracegate.model import ChangeKind, FileDiff, Hunk

_MOST_FILES = 3000
_KINDS: dict[str, ChangeKind] = {"added": "added", "copied": "added", "removed": "removed", "renamed": "renamed"}


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request at the moment of reading; `head_repository` is None where the fork was deleted."""

    number: int
    state: Literal["open", "closed"]
    draft: bool
    title: str
    author: str
    head_sha: str
    head_ref: str
    head_repository: str | None
    base_sha: str
    base_ref: str


def read(repo: RepositoryClient, number: int) -> PullRequest:
    """A pull request, which may be so new that GitHub does not know it everywhere yet."""
    return repo.read(lambda repository: _pull(repository.get_pull(number)), fresh=True)


def open_pulls(repo: RepositoryClient) -> list[PullRequest]:
    """All open pull requests."""
    return repo.read(lambda repository: [_pull(pull) for pull in repository.get_pulls(state="open")])


def open_numbers(repo: RepositoryClient) -> list[int]:
    return [pull.number for pull in open_pulls(repo)]


def merge_base(repo: RepositoryClient, pull: PullRequest) -> str:
    """Where the head parted from the base branch as it is now, which is what GitHub shows the diff against."""

    def compare(repository: Repository) -> str:
        ends = f"{quote(pull.base_ref)}...{pull.head_sha}"
        # Files come on the first page only, with megabytes of patches; all pages name the merge base.
        page = {"page": 2, "per_page": 1}
        _, found = repository.requester.requestJsonAndCheck("GET", f"{repository.url}/compare/{ends}", page)
        return str(found["merge_base_commit"]["sha"])

    return repo.read(compare, fresh=True)


def files(
    repo: RepositoryClient, pull: PullRequest, hunks_of_patch: Callable[[str], tuple[Hunk, ...]]
) -> tuple[list[FileDiff], bool]:
    """The changed files, and whether there are more than GitHub lists.

    `hunks` is None where GitHub shows no patch: a comment on a line of such a file would be refused.
    """
    found = repo.read(
        lambda repository: [_file(one, hunks_of_patch) for one in repository.get_pull(pull.number).get_files()],
        fresh=True,
    )
    return found, len(found) >= _MOST_FILES


def _pull(found: GitHubPull) -> PullRequest:
    return PullRequest(
        number=found.number,
        state="open" if found.state == "open" else "closed",
        draft=bool(found.draft),
        title=found.title,
        author=found.user.login,
        head_sha=found.head.sha,
        head_ref=found.head.ref,
        head_repository=found.head.repo.full_name if found.head.repo else None,
        base_sha=found.base.sha,
        base_ref=found.base.ref,
    )


def _file(found: File, hunks_of_patch: Callable[[str], tuple[Hunk, ...]]) -> FileDiff:
    kind = _KINDS.get(found.status, "modified")
    hunks: tuple[Hunk, ...] | None = None
    if found.patch:
        hunks = hunks_of_patch(found.patch)
    elif kind == "removed" or (kind == "renamed" and found.changes == 0):
        hunks = ()
    return FileDiff(found.filename, kind, found.previous_filename if kind == "renamed" else None, hunks)
