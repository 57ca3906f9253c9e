"""Changes between two states of a repository: candidates only, with the hunks of the head's side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gracegate.git.hunks import hunks_by_path
from gracegate.git.objects import PathFilter
from gracegate.git.process import Git
from gracegate.model import ChangeKind, FileDiff, Hunk

_KINDS: dict[str, ChangeKind] = {"A": "added", "C": "added", "D": "removed", "R": "renamed"}
# The same diff as GitHub's, whatever the user's configuration is, and no program of the repository runs.
_AS_GITHUB = (
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-relative",
    "--ignore-submodules=all",
)
_PATCH = (
    "--unified=3",
    "--inter-hunk-context=0",
    "--text",
    "--diff-algorithm=myers",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)
_MAX_COMMAND_LINE = 500_000


@dataclass(frozen=True, slots=True)
class _Record:
    status: str
    paths: tuple[str, ...]


def read_diff(git: Git, revisions: Sequence[str], is_candidate: PathFilter) -> list[FileDiff]:
    """Changes between two commits, or between one commit and the work tree.

    git first compares trees alone, and then looks for renames and hunks among the candidates. So a large repository
    costs what its manifests cost, and blobs of other files may be missing.
    """
    without_renames = _records(
        git.run("diff", "--raw", "-z", "--no-renames", *_AS_GITHUB, "--end-of-options", *revisions, "--")
    )
    candidates = sorted({path for record in without_renames for path in record.paths if is_candidate(path)})
    if not candidates:
        return []
    paths = candidates if sum(map(len, candidates)) < _MAX_COMMAND_LINE else []
    scope = (*_AS_GITHUB, "--find-renames", "--end-of-options", *revisions, "--", *paths)
    records = _records(git.run("diff", "--raw", "-z", *scope))
    patch = git.run("-c", "core.quotePath=true", "diff", *_PATCH, *scope)
    hunks = hunks_by_path(patch.decode(errors="surrogateescape"))
    return [_file_diff(record, hunks.get(record.paths[-1], ())) for record in records if is_candidate(record.paths[-1])]


def _records(output: bytes) -> list[_Record]:
    fields = iter(output.decode(errors="surrogateescape").split("\0")[:-1])
    records: list[_Record] = []
    for header in fields:
        status = header.rsplit(" ", 1)[1][0]
        records.append(_Record(status, tuple(next(fields) for _ in range(2 if status in "RC" else 1))))
    return records


def _file_diff(record: _Record, hunks: tuple[Hunk, ...]) -> FileDiff:
    previous = record.paths[0] if record.status == "R" else None
    return FileDiff(record.paths[-1], _KINDS.get(record.status, "modified"), previous, hunks)
