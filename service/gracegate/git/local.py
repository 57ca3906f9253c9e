"""The repository that the user is in: its revisions, their trees and what changed between them."""

from __future__ import annotations

from pathlib import Path

from gracegate.errors import RepositoryError
from gracegate.git.changes import changes
from gracegate.git.objects import DEFAULT_BOUNDS, Bounds, Wanted, contents, listing, sizes, tree, within
from gracegate.git.process import Git, GitCommandError, local_environment
from gracegate.git.worktree import lines_of, untracked
from gracegate.model import ChangeKind, FileDiff, Hunk, Tree

_SECONDS = 120.0


def top_level(folder: Path) -> Path:
    """The top of the work tree that holds `folder`; RepositoryError where there is none."""
    try:
        out = _git(folder).run("rev-parse", "--show-toplevel")
    except GitCommandError as failure:
        raise RepositoryError(failure.said, file=str(folder)) from failure
    return Path(out.decode(errors="surrogateescape").removesuffix("\n"))


def resolve(repo: Path, revision: str) -> str:
    """The commit that a name, a tag or an abbreviation means."""
    try:
        out = _git(repo).run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except GitCommandError as failure:
        why = failure.said or f"{revision} is not a revision of this repository"
        raise RepositoryError(why, file=str(repo)) from failure
    return out.decode().strip()


def merge_base(repo: Path, one: str, other: str) -> str:
    """Where two commits parted, as GitHub compares them."""
    try:
        out = _git(repo).run("merge-base", "--end-of-options", one, other)
    except GitCommandError as failure:
        why = failure.said or f"{one} and {other} have no common commit here: is the clone shallow?"
        raise RepositoryError(why, file=str(repo)) from failure
    return out.decode().split("\n", 1)[0]


def revision_tree(repo: Path, commit: str, wanted: Wanted, bounds: Bounds = DEFAULT_BOUNDS) -> Tree:
    """The candidate files of a commit."""
    git = _git(repo)
    found = listing(git, commit, wanted)
    known = sizes(git, {entry.blob for entry in found.entries})
    return tree(found, known, contents(git, within(bounds, known)))


def changed(repo: Path, base: str, head: str | None, wanted: Wanted) -> list[FileDiff]:
    """What changed from `base` to `head`, or to the work tree with its untracked files where `head` is None.

    `base` is taken as it is: to see what a branch did, pass the merge base. Paths count from the top of the work tree.
    """
    git = _git(repo)
    if head is not None:
        return changes(git, (base, head), wanted)
    top = top_level(repo)
    found = {change.path: change for change in changes(_git(top), (base,), wanted)}
    for path in untracked(_git(top)):
        if wanted(path):
            kind: ChangeKind = "modified" if path in found else "added"
            count = lines_of(top / path)
            found[path] = FileDiff(path, kind, None, (Hunk(1, count),) if count else ())
    return sorted(found.values(), key=lambda change: change.path)


def _git(repo: Path) -> Git:
    if not repo.is_dir():
        raise RepositoryError("there is no such directory", file=str(repo))
    return Git(repo, local_environment(), _SECONDS)
