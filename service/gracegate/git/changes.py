"""What changed between two states of a repository, candidates only, with the hunks of the head's side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gracegate.git.hunks import hunks_by_path
from gracegate.git.objects import Wanted
from gracegate.git.process import Git
from gracegate.model import ChangeKind, FileDiff, Hunk

_KINDS: dict[str, ChangeKind] = {"A": "added", "C": "added", "D": "removed", "R": "renamed"}
# The diff is as GitHub makes it, whatever the user's configuration says, and no program of the repository runs.
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
_LONGEST_COMMAND_LINE = 500_000


@dataclass(frozen=True, slots=True)
class _Record:
    status: str
    paths: tuple[str, ...]


def changes(git: Git, revisions: Sequence[str], wanted: Wanted) -> list[FileDiff]:
    """Changes between two commits, or between one commit and the work tree.

    The first look is at trees alone; renames and hunks are then looked for among the candidates, so a large
    repository costs what its manifests cost, and blobs of other files may be missing.
    """
    plain = _records(git.run("diff", "--raw", "-z", "--no-renames", *_AS_GITHUB, "--end-of-options", *revisions, "--"))
    candidates = sorted({path for record in plain for path in record.paths if wanted(path)})
    if not candidates:
        return []
    paths = candidates if sum(map(len, candidates)) < _LONGEST_COMMAND_LINE else []
    scope = (*_AS_GITHUB, "--find-renames", "--end-of-options", *revisions, "--", *paths)
    records = _records(git.run("diff", "--raw", "-z", *scope))
    patch = git.run("-c", "core.quotePath=true", "diff", *_PATCH, *scope)
    hunks = hunks_by_path(patch.decode(errors="surrogateescape"))
    return [_file_diff(record, hunks.get(record.paths[-1], ())) for record in records if wanted(record.paths[-1])]


def _records(out: bytes) -> list[_Record]:
    return list(_parse(iter(out.decode(errors="surrogateescape").split("\0")[:-1])))


def _parse(fields: Iterator[str]) -> Iterable[_Record]:
    for facts in fields:
        status = facts.rsplit(" ", 1)[1][0]
        paths = tuple(next(fields) for _ in range(2 if status in "RC" else 1))
        yield _Record(status, paths)


def _file_diff(record: _Record, hunks: tuple[Hunk, ...]) -> FileDiff:
    previous = record.paths[0] if record.status == "R" else None
    return FileDiff(record.paths[-1], _KINDS.get(record.status, "modified"), previous, hunks)
