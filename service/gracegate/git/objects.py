"""Commits as trees of candidate files: listed by name, read in one batch, with a problem for each file left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gracegate.git.process import Git
from gracegate.model import LFS_POINTER_MESSAGE, Problem, SourceFile, Tree

PathFilter = Callable[[str], bool]
"""Whether the file of this path (forward slashes, from the top of the tree) is a candidate, by its name alone."""

_SYMLINK = "120000"
_SUBMODULE = "160000"


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """How many bytes of one file and of all files of a tree are read; larger files become problems."""

    file_bytes: int = 20_000_000
    tree_bytes: int = 400_000_000


DEFAULT_READ_LIMITS = ReadLimits()


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a commit."""

    mode: str
    blob: str
    path: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The candidates of a commit, and the problems of files that are not followed."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]


def list_candidates(git: Git, commit: str, is_candidate: PathFilter) -> Listing:
    """The files of a commit. Reads trees only, so the blobs may be missing."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    for entry in _entries(git.run("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit)):
        if entry.mode == _SUBMODULE:
            problems.append(not_followed_problem(entry.path, "a submodule"))
        elif not is_candidate(entry.path):
            continue
        elif entry.mode == _SYMLINK:
            problems.append(not_followed_problem(entry.path, "a symbolic link"))
        elif _as_utf8(entry.path) != entry.path:
            problems.append(file_problem(entry.path, "encoding", "The file's name is not UTF-8."))
        else:
            entries.append(entry)
    return Listing(tuple(entries), tuple(problems))


def _entries(output: bytes) -> Iterator[Entry]:
    for record in output.decode(errors="surrogateescape").split("\0")[:-1]:
        fields, _, path = record.partition("\t")
        mode, _, blob = fields.split(" ")
        yield Entry(mode, blob, path)


def read_trees(git: Git, listings: Sequence[Listing], limits: ReadLimits) -> list[Tree]:
    """The tree of each listing; `limits.tree_bytes` bounds all of them together."""
    sizes = read_sizes(git, {entry.blob for listing in listings for entry in listing.entries})
    contents = _read_blobs(git, _blobs_within(limits, sizes))
    return [_tree(listing, sizes, contents) for listing in listings]


def read_sizes(git: Git, blobs: Iterable[str]) -> dict[str, int]:
    """The size in bytes of each blob that the repository has."""
    output = git.run("cat-file", "--batch-check=%(objectname) %(objectsize)", "--buffer", stdin=as_lines(blobs))
    pairs = (line.split(" ") for line in output.decode().splitlines())
    return {blob: int(size) for blob, size in pairs if size != "missing"}


def as_lines(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()


def _blobs_within(limits: ReadLimits, sizes: Mapping[str, int]) -> set[str]:
    """The blobs to read: the smallest ones, if not all are within the limits."""
    blobs: set[str] = set()
    total = 0
    for blob, size in sorted(sizes.items(), key=lambda item: item[1]):
        total += size
        if size > limits.file_bytes or total > limits.tree_bytes:
            break
        blobs.add(blob)
    return blobs


def _read_blobs(git: Git, blobs: Collection[str]) -> dict[str, bytes]:
    """The content of blobs that the repository has."""
    if not blobs:
        return {}
    output = git.run("cat-file", "--batch=%(objectname) %(objectsize)", "--buffer", stdin=as_lines(blobs))
    contents: dict[str, bytes] = {}
    start = 0
    while start < len(output):
        end = output.index(b"\n", start)
        blob, size = output[start:end].decode().split(" ")
        contents[blob] = output[end + 1 : end + 1 + int(size)]
        start = end + 1 + int(size) + 1
    return contents


def _tree(listing: Listing, sizes: Collection[str], contents: Mapping[str, bytes]) -> Tree:
    files: dict[str, SourceFile] = {}
    problems = list(listing.problems)
    for entry in listing.entries:
        content = contents.get(entry.blob)
        file = None if content is None else SourceFile(entry.path, content, entry.blob)
        if file is None and entry.blob in sizes:
            problems.append(too_large_problem(entry.path))
        elif file is None:
            message = "The file's content is not in this copy of the repository."
            problems.append(file_problem(entry.path, "unreadable", message))
        elif file.is_lfs_pointer:
            problems.append(file_problem(entry.path, "not_followed", LFS_POINTER_MESSAGE))
        else:
            files[entry.path] = file
    return Tree(files, tuple(problems))


def not_followed_problem(path: str, kind: str) -> Problem:
    return file_problem(path, "not_followed", f"The file was not read: it is {kind}.")


def too_large_problem(path: str) -> Problem:
    return file_problem(path, "too_large", "The file is too large to be read.")


def file_problem(path: str, code: str, message: str) -> Problem:
    return Problem(_as_utf8(path), 0, code, message, path.lower().endswith((".yaml", ".yml")))


def _as_utf8(path: str) -> str:
    """The path, with a replacement character for each byte that is not UTF-8."""
    return path.encode(errors="surrogateescape").decode(errors="replace")
