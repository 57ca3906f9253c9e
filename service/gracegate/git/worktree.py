"""Files of a directory as a tree: nothing outside of it is followed, nothing is skipped without a word."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from gracegate.errors import RepositoryError
from gracegate.git import objects
from gracegate.git.objects import DEFAULT_BOUNDS, Bounds, Wanted
from gracegate.git.process import Git, local_environment
from gracegate.model import Problem, SourceFile, Tree

_NOT_ENTERED = {".git", "node_modules"}
_SECONDS = 60.0


def working_tree(
    folder: Path, paths: Iterable[str], wanted: Wanted = lambda _: True, bounds: Bounds = DEFAULT_BOUNDS
) -> Tree:
    """The files named by `paths` (from `folder`), and the candidates below each directory that is named.

    A file that is named counts whether it is wanted or not. Raises RepositoryError for a path that is not there.
    """
    return _tree(folder, dict.fromkeys(_expanded(folder, paths, wanted)), bounds)


def uncommitted_tree(top: Path, wanted: Wanted, bounds: Bounds = DEFAULT_BOUNDS) -> Tree:
    """The candidates of a work tree as git sees it: tracked and untracked files, without the ignored ones."""
    git = Git(top, local_environment(), _SECONDS)
    tracked = git.run("ls-files", "-z", "--cached", "--full-name")
    paths = sorted({*_paths(tracked), *untracked(git)})
    return _tree(top, [path for path in paths if wanted(path) and os.path.lexists(top / path)], bounds)


def untracked(git: Git) -> list[str]:
    """Files that git neither tracks nor ignores."""
    return _paths(git.run("ls-files", "-z", "--others", "--exclude-standard", "--full-name"))


def lines_of(path: Path) -> int:
    """How many lines a file has; 0 where it is no plain file."""
    if path.is_symlink() or not path.is_file():
        return 0
    data = path.read_bytes()
    return data.count(b"\n") + (not data.endswith(b"\n") if data else 0)


def _paths(out: bytes) -> list[str]:
    return out.decode(errors="surrogateescape").split("\0")[:-1]


def _expanded(folder: Path, paths: Iterable[str], wanted: Wanted) -> Iterator[str]:
    for path in paths:
        full = folder / path
        if full.is_dir():
            prefix = os.path.normpath(path)
            yield from _below(str(full), "" if prefix == "." else f"{Path(prefix).as_posix()}/", wanted)
        elif os.path.lexists(full):
            yield Path(os.path.normpath(path)).as_posix()
        else:
            raise RepositoryError("there is no such file or directory", file=path)


def _below(folder: str, prefix: str, wanted: Wanted) -> Iterator[str]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in _NOT_ENTERED:
                yield from _below(entry.path, f"{prefix}{entry.name}/", wanted)
        elif wanted(prefix + entry.name):
            yield prefix + entry.name


def _tree(folder: Path, paths: Iterable[str], bounds: Bounds) -> Tree:
    files: dict[str, SourceFile] = {}
    problems: list[Problem] = []
    room = bounds.tree
    for path in paths:
        taken = _take(os.path.join(folder, path), path, min(bounds.file, room))  # noqa: PTH118 - thousands of them
        if isinstance(taken, SourceFile):
            files[path] = taken
            room -= len(taken.data)
        elif taken is not None:
            problems.append(taken)
    return Tree(files, tuple(problems))


def _take(full: str, path: str, most: int) -> SourceFile | Problem | None:
    """The file, or why it is not taken; None for a directory (a submodule's place in a work tree)."""
    try:
        facts = os.lstat(full)
        if stat.S_ISDIR(facts.st_mode):
            return None
        if not stat.S_ISREG(facts.st_mode):
            return objects.not_followed(path, "a symbolic link" if stat.S_ISLNK(facts.st_mode) else "no plain file")
        if facts.st_size > most:
            return objects.too_large(path)
        with open(full, "rb", buffering=0) as file:  # noqa: PTH123 - a third faster than a Path, for thousands
            data = file.read()
    except OSError as failure:
        return Problem(
            path, 0, "unreadable", f"The file cannot be read: {failure.strerror}.", objects.is_yaml_name(path)
        )
    source = SourceFile(path, data, _blob_id(data))
    return objects.lfs_pointer(path) if source.is_lfs_pointer else source


def _blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
