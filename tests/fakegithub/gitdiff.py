"""Diffs between two commits, as GitHub serves them: files, renames, patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fakegithub.diff import FileChange

if TYPE_CHECKING:
    from tests.fakegithub.gitdir import GitDir

PATCH_LINES = 3_000
PATCH_BYTES = 300_000
"""GitHub leaves `patch` out of larger files; it documents 20,000 lines and 500 KB, users report less."""
STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "T": "changed"}
PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color", "--full-index", "--src-prefix=a/", "--dst-prefix=b/")


@dataclass(frozen=True, slots=True)
class RawChange:
    """A line of `git diff --raw -z`."""

    modes: tuple[str, str]
    blobs: tuple[str, str]
    letter: str
    path: str
    previous_path: str | None = None

    @property
    def blob(self) -> str:
        """The blob that the files API names: the head's, or the one that was removed."""
        return self.blobs[0] if self.letter == "D" else self.blobs[1]

    def files(self) -> set[str]:
        """The blobs of the two sides; a missing side and a submodule have none."""
        return {blob for blob, mode in zip(self.blobs, self.modes, strict=True) if mode[:2] in {"10", "12"}}


def changes(git: GitDir, base: str, head: str) -> list[FileChange]:
    """The changed files by path, renames found. Files whose blobs are not here have no patch."""
    plain = _raw(git, base, head, "--no-renames")
    present = git.sizes(sorted(set().union(*(change.files() for change in plain))))
    lacking = [change for change in plain if change.files() - set(present)]
    exclude = [f":(exclude,literal){change.path}" for change in lacking]
    paths = ["--", ".", *exclude] if exclude else []
    found = _with_patches(git, base, head, paths)
    found += [FileChange(one.path, STATUS[one.letter], one.blob) for one in lacking]
    return sorted(found, key=lambda change: change.path)


def patch_between(git: GitDir, base: str, head: str, path: str) -> str:
    """The patch of one path without context, empty if it did not change."""
    options = ["-p", *PLAIN, "-U0", base, head, "--", path]
    output = git.run("--literal-pathspecs", "diff", *options).decode(errors="replace")
    return _hunks(output) or ""


def _raw(git: GitDir, base: str, head: str, *options: str) -> list[RawChange]:
    output = git.run("diff", "--raw", "-z", "--no-abbrev", *PLAIN, base, head, *options).decode(errors="replace")
    fields = iter(output.split("\0"))
    found = []
    for entry in fields:
        if not entry:
            break
        old_mode, new_mode, old, new, letter = entry.removeprefix(":").split()
        before = next(fields) if letter[0] == "R" else None
        found.append(RawChange((old_mode, new_mode), (old, new), letter[0], next(fields), before))
    return found


def _with_patches(git: GitDir, base: str, head: str, paths: Sequence[str]) -> list[FileChange]:
    output = git.run("diff", "-p", "-M", *PLAIN, "-U3", base, head, *paths).decode(errors="replace")
    sections = iter(("\n" + output).split("\ndiff --git ")[1:])
    made = []
    for change in _raw(git, base, head, "-M", *paths):
        section = next(sections)
        if change.letter == "T":
            # A file that became a symbolic link is two sections, a removal and an addition: no single patch.
            next(sections)
            section = ""
        made.append(_file_change(change, section))
    return made


def _file_change(change: RawChange, section: str) -> FileChange:
    patch = _hunks(section)
    signs = [line[:1] for line in (patch or "").split("\n")]
    too_large = patch is not None and (len(patch) > PATCH_BYTES or len(signs) > PATCH_LINES)
    return FileChange(
        path=change.path,
        status=STATUS[change.letter],
        blob=change.blob,
        additions=signs.count("+"),
        deletions=signs.count("-"),
        previous_path=change.previous_path,
        patch=None if too_large else patch,
    )


def _hunks(section: str) -> str | None:
    """A file's section of a diff from its first hunk on; None if it has none (binary, only moved)."""
    start = ("\n" + section).find("\n@@ ")
    return None if start < 0 else section[start:].removesuffix("\n")
