"""The user's own repository: its revisions, their trees and the changes between them."""

from __future__ import annotations

from pathlib import Path

from gracegate.errors import RepositoryError
from gracegate.git.diff import read_diff
from gracegate.git.objects import DEFAULT_READ_LIMITS, PathFilter, ReadLimits, list_candidates, read_trees
from gracegate.git.process import Git, GitCommandError, local_environment
from gracegate.git.worktree import count_lines, list_untracked
from gracegate.model import ChangeKind, FileDiff, Hunk, Tree

_SECONDS = 120.0


def find_top_level(folder: Path) -> Path:
    """The top of the work tree that holds `folder`; RepositoryError if there is none."""
    try:
        out = _git(folder).run("rev-parse", "--show-toplevel")
    except GitCommandError as error:
        raise RepositoryError(error.stderr, file=str(folder)) from error
    return Path(out.decode(errors="surrogateescape").removesuffix("\n"))


def find_remotes(folder: Path) -> tuple[str, ...]:
    """The addresses of the remotes of the repository that holds `folder`, none where there is no repository."""
    try:
        out = _git(folder).run("config", "--get-regexp", r"^remote\..*\.url$")
    except GitCommandError:
        return ()
    return tuple(line.partition(" ")[2] for line in out.decode(errors="surrogateescape").splitlines())


def resolve_commit(repo: Path, revision: str) -> str:
    """The SHA of the commit that a branch, a tag or an abbreviated SHA means."""
    try:
        out = _git(repo).run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except GitCommandError as error:
        why = error.stderr or f"{revision} is not a revision of this repository"
        raise RepositoryError(why, file=str(repo)) from error
    return out.decode().strip()


def find_merge_base(repo: Path, one: str, other: str) -> str:
    """The SHA of the newest common commit of two commits, which GitHub compares with."""
    try:
        out = _git(repo).run("merge-base", "--end-of-options", one, other)
    except GitCommandError as error:
        why = error.stderr or f"{one} and {other} have no common commit here: is the clone shallow?"
        raise RepositoryError(why, file=str(repo)) from error
    return out.decode().split("\n", 1)[0]


def latest_changes(repo: Path, revision: str, most: int) -> list[tuple[str, str]]:
    """The SHAs before and after each of the latest changes of a branch, the newest first.

    A change is a commit of the branch itself, which is what a pull request became when it was merged or squashed.
    """
    try:
        options = ["--first-parent", "--min-parents=1", f"--max-count={most}", "--format=%P %H"]
        out = _git(repo).run("log", *options, "--end-of-options", revision, "--")
    except GitCommandError as error:
        raise RepositoryError(error.stderr, file=str(repo)) from error
    lines = (line.split() for line in out.decode().splitlines())
    return [(parents[0], head) for *parents, head in lines]


def read_commit_tree(
    repo: Path, commit: str, is_candidate: PathFilter, limits: ReadLimits = DEFAULT_READ_LIMITS
) -> Tree:
    """The candidate files of a commit."""
    git = _git(repo)
    [tree] = read_trees(git, [list_candidates(git, commit, is_candidate, limits)], limits)
    return tree


def read_changes(repo: Path, base: str, head: str | None, is_candidate: PathFilter) -> list[FileDiff]:
    """The changes from `base` to `head`, or to the work tree with its untracked files if `head` is None.

    To see the changes of a branch, pass the merge base as `base`. Paths count from the top of the work tree.
    """
    if head is not None:
        return read_diff(_git(repo), (base, head), is_candidate)
    top = find_top_level(repo)
    git = _git(top)
    changes = {change.path: change for change in read_diff(git, (base,), is_candidate)}
    for path in filter(is_candidate, list_untracked(git)):
        kind: ChangeKind = "modified" if path in changes else "added"
        lines = count_lines(top / path)
        changes[path] = FileDiff(path, kind, None, (Hunk(1, lines),) if lines else ())
    return sorted(changes.values(), key=lambda change: change.path)


def _git(repo: Path) -> Git:
    if not repo.is_dir():
        raise RepositoryError("there is no such directory", file=str(repo))
    return Git(repo, local_environment(), _SECONDS)
