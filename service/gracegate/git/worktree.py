"""Files of a directory as a tree, with a problem for each file left out. Links are not followed."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from gracegate.errors import RepositoryError
from gracegate.git.objects import (
    DEFAULT_READ_LIMITS,
    SUBMODULE,
    Entry,
    Listing,
    PathFilter,
    ReadLimits,
    detour_problems,
    file_problem,
    may_hold_candidates,
    not_followed_problem,
    unread_problem,
)
from gracegate.git.process import Git, local_environment
from gracegate.model import LFS_POINTER_MESSAGE, Problem, SourceFile, Tree

_SKIPPED_DIRECTORIES = {".git", "node_modules"}
_SECONDS = 60.0


def read_paths(
    folder: Path,
    paths: Iterable[str],
    is_candidate: PathFilter = lambda _: True,
    limits: ReadLimits = DEFAULT_READ_LIMITS,
) -> Tree:
    """The files among `paths` (from `folder`), and the candidates in each directory among them.

    A file among `paths` need not be a candidate. Raises RepositoryError for a path that does not exist.
    """
    return _read_tree(folder, dict.fromkeys(_expand(folder, paths, is_candidate)), limits)


def read_work_tree(top: Path, is_candidate: PathFilter, limits: ReadLimits = DEFAULT_READ_LIMITS) -> Tree:
    """The candidates of a work tree as git sees it: tracked and untracked files, without the ignored ones."""
    git = Git(top, local_environment(), _SECONDS)
    modes = dict.fromkeys(list_untracked(git), "") | _tracked_modes(git)
    paths = [path for path in sorted(modes) if is_candidate(path) and os.path.lexists(top / path)]
    tree = _read_tree(top, paths, limits)
    others = [path for path in modes if not is_candidate(path)]
    detours = [path for path in others if may_hold_candidates(path, is_candidate)]
    links = {path: os.fsencode(os.readlink(top / path)) for path in detours if os.path.islink(top / path)}  # noqa: PTH114, PTH115 - faster
    listing = Listing(
        entries=tuple(Entry("", path) for path in paths),
        links=tuple(Entry(path, path) for path in links),
        submodules=tuple(path for path in detours if modes[path] == SUBMODULE),
        problems=(),
    )
    unread = frozenset(path for path in others if path not in links and modes[path] != SUBMODULE)
    return Tree(tree.files, (*tree.problems, *detour_problems(listing, links)), unread)


def _tracked_modes(git: Git) -> dict[str, str]:
    """git's mode of each tracked file by path."""
    output = git.run("ls-files", "-z", "--full-name", "--cached", "--stage").decode(errors="surrogateescape")
    records = (record.partition("\t") for record in output.split("\0")[:-1])
    return {path: fields.partition(" ")[0] for fields, _, path in records}


def list_untracked(git: Git) -> list[str]:
    """Files that git neither tracks nor ignores."""
    output = git.run("ls-files", "-z", "--full-name", "--others", "--exclude-standard")
    return output.decode(errors="surrogateescape").split("\0")[:-1]


def count_lines(path: Path) -> int:
    """How many lines a file has; 0 if it is not a regular file."""
    if path.is_symlink() or not path.is_file():
        return 0
    data = path.read_bytes()
    return data.count(b"\n") + (not data.endswith(b"\n") if data else 0)


def _expand(folder: Path, paths: Iterable[str], is_candidate: PathFilter) -> Iterator[str]:
    for path in paths:
        full = folder / path
        if full.is_dir():
            prefix = os.path.normpath(path)
            yield from _walk(str(full), "" if prefix == "." else f"{Path(prefix).as_posix()}/", is_candidate)
        elif os.path.lexists(full):
            yield Path(os.path.normpath(path)).as_posix()
        else:
            raise RepositoryError("there is no such file or directory", file=path)


def _walk(folder: str, prefix: str, is_candidate: PathFilter) -> Iterator[str]:
    with os.scandir(folder) as unsorted:
        entries = sorted(unsorted, key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in _SKIPPED_DIRECTORIES:
                yield from _walk(entry.path, f"{prefix}{entry.name}/", is_candidate)
        elif is_candidate(prefix + entry.name):
            yield prefix + entry.name


def _read_tree(folder: Path, paths: Iterable[str], limits: ReadLimits) -> Tree:
    files: dict[str, SourceFile] = {}
    problems: list[Problem] = []
    bytes_left = limits.total_bytes
    for path in paths:
        full = os.path.join(folder, path)  # noqa: PTH118 - faster than a Path, for thousands of files
        file = _read_file(full, path, limits, bytes_left)
        if isinstance(file, SourceFile):
            files[path] = file
            bytes_left -= len(file.data)
        elif file is not None:
            problems.append(file)
    return Tree(files, tuple(problems))


def _read_file(full: str, path: str, limits: ReadLimits, bytes_left: int) -> SourceFile | Problem | None:
    """The file, or the problem with it; None for a directory (a submodule in a work tree)."""
    try:
        status = os.lstat(full)
        if stat.S_ISDIR(status.st_mode):
            return None
        if not stat.S_ISREG(status.st_mode):
            kind = "a symbolic link" if stat.S_ISLNK(status.st_mode) else "not a regular file"
            return not_followed_problem(path, kind)
        if status.st_size > min(limits.file_bytes, bytes_left):
            return unread_problem(path, status.st_size, limits)
        with open(full, "rb", buffering=0) as file:  # noqa: PTH123 - a third faster than a Path, for thousands
            data = file.read()
    except OSError as error:
        return file_problem(path, "unreadable", f"The file cannot be read: {error.strerror}.")
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    source = SourceFile(path, data, blob)
    return file_problem(path, "not_followed", LFS_POINTER_MESSAGE) if source.is_lfs_pointer else source
