"""Pull requests: their state, their merge base and the files that they change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Literal
from urllib.parse import quote

from github.File import File
from github.GithubObject import NotSet
from github.PaginatedList import PaginatedList
from github.PullRequest import PullRequest as GitHubPull
from github.Repository import Repository

from gracegate.github_app.client import RepositoryClient
from gracegate.model import ChangeKind, FileDiff, Hunk

_MAX_FILES = 3000
_KINDS: dict[str, ChangeKind] = {"added": "added", "copied": "added", "removed": "removed", "renamed": "renamed"}


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request when it was read; `head_repository` is None if the fork was deleted, and `is_public` says whether
    anybody may read the repository that it is opened in.

    `locked`: only people who may write can comment, and no App. `node_id` is its id in GraphQL.
    """

    number: int
    state: Literal["open", "closed"]
    draft: bool
    locked: bool
    title: str
    author: str
    head_sha: str
    head_ref: str
    head_repository: str | None
    base_sha: str
    base_ref: str
    is_public: bool
    node_id: str

    def is_of(self, full_name: str) -> bool:
        """Whether its branch is in this repository, and not in a fork."""
        return (self.head_repository or "").lower() == full_name.lower()


@dataclass(frozen=True, slots=True)
class ChangedFiles:
    """What GitHub lists as changed; `is_truncated` if there may be more.

    The list does not say which files are symbolic links or submodules; `may_have_links` is False if none can be.
    """

    files: tuple[FileDiff, ...]
    is_truncated: bool
    may_have_links: bool


def read(repo: RepositoryClient, number: int) -> PullRequest:
    """Read a pull request, which may be so new that some of GitHub's servers do not know it yet."""
    return repo.read(lambda repository: _pull_request(repository.get_pull(number)), is_new=True)


def read_base(repo: RepositoryClient, pull: PullRequest) -> tuple[str, str]:
    """Read two SHAs: of the newest common commit of the head and the base branch, where GitHub's diff starts, and of
    the tip of the base branch as it is now."""

    def compare(repository: Repository) -> tuple[str, str]:
        ends = f"{quote(pull.base_ref)}...{pull.head_sha}"
        # Only the first page has the files, with megabytes of patches; every page names these two.
        page = {"page": 2, "per_page": 1}
        _, comparison = repository.requester.requestJsonAndCheck("GET", f"{repository.url}/compare/{ends}", page)
        return str(comparison["merge_base_commit"]["sha"]), str(comparison["base_commit"]["sha"])

    return repo.read(compare, is_new=True)


def list_open(repo: RepositoryClient, base_ref: str = "", limit: int = 100) -> tuple[list[PullRequest], int]:
    """The open pull requests, those into `base_ref` if it is given: at most `limit`, newest first, and how many more
    there are."""

    def list_pulls(repository: Repository) -> tuple[list[PullRequest], int]:
        def find() -> PaginatedList[GitHubPull]:
            return repository.get_pulls(state="open", sort="created", direction="desc", base=base_ref or NotSet)

        pulls = [_pull_request(pull) for pull in islice(find(), limit)]
        # A list that has been read in part counts without its query.
        return pulls, find().totalCount - len(pulls) if len(pulls) == limit else 0

    return repo.read(list_pulls)


def list_files(
    repo: RepositoryClient, pull: PullRequest, hunks_of_patch: Callable[[str], tuple[Hunk, ...]]
) -> ChangedFiles:
    """List the changed files.

    `hunks` is None if GitHub shows no patch: it refuses comments on a line of such a file.
    """

    def read_files(repository: Repository) -> list[tuple[FileDiff, bool]]:
        files = repository.get_pull(pull.number).get_files()
        return [(_file_diff(file, hunks_of_patch), _may_be_link(file)) for file in files]

    files = repo.read(read_files, is_new=True)
    return ChangedFiles(
        tuple(file for file, _ in files), len(files) >= _MAX_FILES, any(may_be_link for _, may_be_link in files)
    )


def _pull_request(pull: GitHubPull) -> PullRequest:
    return PullRequest(
        number=pull.number,
        state="open" if pull.state == "open" else "closed",
        draft=bool(pull.draft),
        locked=bool(pull.locked),
        title=pull.title,
        author=pull.user.login,
        head_sha=pull.head.sha,
        head_ref=pull.head.ref,
        head_repository=pull.head.repo.full_name if pull.head.repo else None,
        base_sha=pull.base.sha,
        base_ref=pull.base.ref,
        is_public=not pull.base.repo.private,
        node_id=pull.node_id,
    )


def _file_diff(file: File, hunks_of_patch: Callable[[str], tuple[Hunk, ...]]) -> FileDiff:
    kind = _KINDS.get(file.status, "modified")
    hunks: tuple[Hunk, ...] | None = None
    if file.patch:
        hunks = hunks_of_patch(file.patch)
    elif kind == "removed" or (kind == "renamed" and file.changes == 0):
        hunks = ()
    return FileDiff(file.filename, kind, file.previous_filename if kind == "renamed" else None, hunks)


def _may_be_link(file: File) -> bool:
    """Whether this may be a symbolic link or a submodule. A link's patch has one line without a newline, a submodule's
    names a commit; without a patch (binary, only moved, diff too large) nothing is known."""
    patch = file.patch or ""
    return not patch or "\n\\ No newline at end of file" in patch or "Subproject commit " in patch
