"""Changes between two states of a repository: of candidates, symbolic links and submodules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gracegate.git.hunks import hunks_by_path
from gracegate.git.objects import SUBMODULE, SYMLINK, PathFilter, as_utf8, may_hold_candidates
from gracegate.git.process import Git
from gracegate.model import ChangeKind, FileDiff, Hunk

_KINDS: dict[str, ChangeKind] = {"A": "added", "C": "added", "D": "removed", "R": "renamed"}
# The same diff as GitHub's, whatever the user's configuration is, and no program of the repository runs.
_AS_GITHUB = (
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-relative",
    "--ignore-submodules=dirty",
    "--submodule=short",
)
_PATCH = (
    "--unified=3",
    "--inter-hunk-context=0",
    "--text",
    "--diff-algorithm=myers",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)
_LINK_MODES = frozenset({SYMLINK, SUBMODULE})
_MAX_COMMAND_LINE = 500_000


@dataclass(frozen=True, slots=True)
class _Record:
    status: str
    paths: tuple[str, ...]
    is_link: bool

    def is_relevant(self, is_candidate: PathFilter) -> bool:
        """Whether it is a candidate, or a link or submodule that may lead to others."""
        return any(
            is_candidate(path) or (self.is_link and may_hold_candidates(path, is_candidate)) for path in self.paths
        )


def read_diff(
    git: Git,
    revisions: Sequence[str],
    is_candidate: PathFilter,
    *,
    with_hunks: bool = True,
    exact_renames: bool = False,
) -> list[FileDiff]:
    """Changes between two commits, or between one commit and the work tree, with the hunks of the second one's side.

    git first compares trees alone, and then looks for renames and hunks among the candidates. So a large repository
    costs what its manifests cost, and blobs of other files may be missing.
    """
    without_renames = _records(
        git.run("diff", "--raw", "-z", "--no-renames", *_AS_GITHUB, "--end-of-options", *revisions, "--")
    )
    candidates = sorted(
        {path for record in without_renames for path in record.paths if record.is_relevant(is_candidate)}
    )
    if not candidates:
        return []
    fits = sum(map(len, candidates)) < _MAX_COMMAND_LINE
    # Among all files, git may compare only ids: the content of some may be missing.
    renames = "--find-renames" if fits and not exact_renames else "--find-renames=100%"
    scope = (*_AS_GITHUB, renames, "--end-of-options", *revisions, "--", *(candidates if fits else ()))
    records = [
        record for record in _records(git.run("diff", "--raw", "-z", *scope)) if record.is_relevant(is_candidate)
    ]
    hunks: dict[str, tuple[Hunk, ...]] = {}
    if with_hunks:
        patch = git.run("-c", "core.quotePath=true", "diff", *_PATCH, *scope)
        hunks = hunks_by_path(patch.decode(errors="surrogateescape"))
    unknown = () if with_hunks else None
    return [_file_diff(record, hunks.get(record.paths[-1], unknown)) for record in records]


def _records(output: bytes) -> list[_Record]:
    fields = iter(output.decode(errors="surrogateescape").split("\0")[:-1])
    records: list[_Record] = []
    for header in fields:
        *modes, _, _, letter = header.removeprefix(":").split(" ")
        status = letter[0]
        paths = tuple(next(fields) for _ in range(2 if status in "RC" else 1))
        records.append(_Record(status, paths, not _LINK_MODES.isdisjoint(modes)))
    return records


def _file_diff(record: _Record, hunks: tuple[Hunk, ...] | None) -> FileDiff:
    # As problems name a file whose name is not UTF-8.
    previous = as_utf8(record.paths[0]) if record.status == "R" else None
    return FileDiff(as_utf8(record.paths[-1]), _KINDS.get(record.status, "modified"), previous, hunks)
