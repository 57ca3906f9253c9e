"""Commits as trees of candidate files: listed by name, read in one batch, what is not followed named."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from gracegate.git.process import Git
from gracegate.model import LFS_POINTER_MESSAGE, Problem, SourceFile, Tree

Wanted = Callable[[str], bool]
"""Whether the file of this path (forward slashes, from the tree's top) is a candidate, by its name alone."""

_SYMLINK = "120000"
_SUBMODULE = "160000"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many bytes one file and all candidate files of a commit may have; what goes over is named, not read."""

    file: int = 20_000_000
    tree: int = 400_000_000


DEFAULT_BOUNDS = Bounds()


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a commit."""

    mode: str
    blob: str
    path: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The candidates of a commit and what is there but is not followed."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]


def listing(git: Git, commit: str, wanted: Wanted) -> Listing:
    """What a commit holds; reads trees only, so blobs that nobody wants may be missing."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    for entry in _entries(git.run("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit)):
        if entry.mode == _SUBMODULE:
            problems.append(not_followed(entry.path, "a submodule"))
        elif not wanted(entry.path):
            continue
        elif entry.mode == _SYMLINK:
            problems.append(not_followed(entry.path, "a symbolic link"))
        elif not _is_utf8(entry.path):
            problems.append(unreadable_name(entry.path))
        else:
            entries.append(entry)
    return Listing(tuple(entries), tuple(problems))


def _entries(out: bytes) -> Iterator[Entry]:
    for record in out.decode(errors="surrogateescape").split("\0")[:-1]:
        facts, _, path = record.partition("\t")
        mode, _, blob = facts.split(" ")
        yield Entry(mode, blob, path)


def sizes(git: Git, blobs: Iterable[str]) -> dict[str, int]:
    """Bytes of each blob that the repository has; the others are left out."""
    out = git.run("cat-file", "--batch-check=%(objectname) %(objectsize)", "--buffer", stdin=_lines(blobs))
    pairs = (line.split(" ") for line in out.decode().splitlines())
    return {blob: int(size) for blob, size in pairs if size != "missing"}


def contents(git: Git, blobs: Collection[str]) -> dict[str, bytes]:
    """The content of blobs that are all there."""
    if not blobs:
        return {}
    out = git.run("cat-file", "--batch=%(objectname) %(objectsize)", "--buffer", stdin=_lines(blobs))
    found: dict[str, bytes] = {}
    start = 0
    while start < len(out):
        end = out.index(b"\n", start)
        blob, size = out[start:end].decode().split(" ")
        found[blob] = out[end + 1 : end + 1 + int(size)]
        start = end + 1 + int(size) + 1
    return found


def within(bounds: Bounds, blobs: Mapping[str, int]) -> set[str]:
    """The blobs to read, smallest first where not all fit."""
    chosen: set[str] = set()
    total = 0
    for blob, size in sorted(blobs.items(), key=lambda item: item[1]):
        total += size
        if size > bounds.file or total > bounds.tree:
            break
        chosen.add(blob)
    return chosen


def tree(found: Listing, known: Collection[str], data: Mapping[str, bytes]) -> Tree:
    """The tree of a listing; `known` are the blobs that the repository has, `data` those that were read."""
    files: dict[str, SourceFile] = {}
    problems = list(found.problems)
    for entry in found.entries:
        content = data.get(entry.blob)
        if content is None:
            problems.append(too_large(entry.path) if entry.blob in known else absent(entry.path))
            continue
        file = SourceFile(entry.path, content, entry.blob)
        if file.is_lfs_pointer:
            problems.append(lfs_pointer(entry.path))
        else:
            files[entry.path] = file
    return Tree(files, tuple(problems))


def is_yaml_name(path: str) -> bool:
    return path.lower().endswith((".yaml", ".yml"))


def not_followed(path: str, what: str) -> Problem:
    return Problem(printable(path), 0, "not_followed", f"This is {what}; it is not followed.", is_yaml_name(path))


def lfs_pointer(path: str) -> Problem:
    return Problem(printable(path), 0, "not_followed", LFS_POINTER_MESSAGE, is_yaml_name(path))


def too_large(path: str) -> Problem:
    return Problem(path, 0, "too_large", "The file is too large to be read.", is_yaml_name(path))


def absent(path: str) -> Problem:
    message = "The file's content is not in this copy of the repository."
    return Problem(path, 0, "unreadable", message, is_yaml_name(path))


def unreadable_name(path: str) -> Problem:
    return Problem(printable(path), 0, "encoding", "The file's name is not UTF-8.", is_yaml_name(path))


def printable(path: str) -> str:
    return path.encode(errors="surrogateescape").decode(errors="replace")


def _is_utf8(path: str) -> bool:
    return printable(path) == path


def _lines(blobs: Iterable[str]) -> bytes:
    return "".join(f"{blob}\n" for blob in blobs).encode()
