"""Commits as trees of candidate files: listed by name, read in one batch, with a problem for each file left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gracegate.git.process import Git, TooLarge
from gracegate.model import LFS_POINTER_MESSAGE, Problem, SourceFile, Tree

PathFilter = Callable[[str], bool]
"""Whether the file of this path (forward slashes, from the top of the tree) is a candidate, by its name alone."""

SYMLINK = "120000"
SUBMODULE = "160000"
_RECORD = re.compile(rb"(\d+) \w+ ([0-9a-f]+)\t([^\0]*)\0")
_PATH_BYTES = 512
"""About what the records of one file take, beside its content and however little that is."""
# What an API shows for bytes that are not UTF-8.
_REPLACEMENT = "\ufffd"
_BATCH_BYTES = 16_000_000
_MAX_STEPS = 100


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """How many bytes of one file are read, and of all files that are read together; others become problems.

    A content that several files or trees share counts once, and each path with `_PATH_BYTES`.
    """

    file_bytes: int = 20_000_000
    total_bytes: int = 400_000_000

    @property
    def files(self) -> int:
        """How many files there may be."""
        return self.total_bytes // _PATH_BYTES


DEFAULT_READ_LIMITS = ReadLimits()


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a commit."""

    blob: str
    path: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The candidates of a commit, the symbolic links and submodules that may lead to others, and the problems of
    candidates that are not followed. The content of a link is its target. `others` are the paths of all other files, as
    long as these are not too many."""

    entries: tuple[Entry, ...]
    links: tuple[Entry, ...]
    submodules: tuple[str, ...]
    problems: tuple[Problem, ...]
    others: frozenset[str] = frozenset()

    def blobs(self) -> Iterator[str]:
        """What has to be read; a blob comes once for each of its paths."""
        return (entry.blob for entry in (*self.entries, *self.links))


def list_candidates(git: Git, commit: str, is_candidate: PathFilter, limits: ReadLimits) -> Listing:
    """The files of a commit. Reads trees only, so the blobs may be missing. Raises TooLarge."""
    entries: list[Entry] = []
    links: list[Entry] = []
    submodules: list[str] = []
    problems: list[Problem] = []
    others: list[str] = []
    for mode, blob, path in _records(git.run("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit)):
        if mode in {SYMLINK, SUBMODULE} and not is_candidate(path):
            if not may_hold_candidates(path, is_candidate):
                continue
            if mode == SYMLINK:
                links.append(Entry(blob, path))
            else:
                submodules.append(path)
        elif not is_candidate(path):
            if len(others) < limits.files and as_utf8(path) == path:
                others.append(path)
            continue
        elif mode == SUBMODULE:
            submodules.append(path)
        elif mode == SYMLINK:
            problems.append(not_followed_problem(path, "a symbolic link"))
        elif as_utf8(path) != path or _REPLACEMENT in path:
            problems.append(file_problem(path, "encoding", "The file's name is not UTF-8."))
        else:
            entries.append(Entry(blob, path))
        if len(entries) + len(links) + len(submodules) + len(problems) > limits.files:
            raise TooLarge(f"the repository has more than {limits.files:,} files that may be manifests")
    return Listing(tuple(entries), tuple(links), tuple(submodules), tuple(problems), frozenset(others))


def may_hold_candidates(path: str, is_candidate: PathFilter) -> bool:
    """Whether there could be a candidate below this path if it were a directory."""
    return is_candidate(f"{path}/manifest.yaml")


def _records(output: bytes) -> Iterator[tuple[str, str, str]]:
    """Mode, id and path of each entry."""
    for record in _RECORD.finditer(output):
        mode, blob, path = record.groups()
        yield mode.decode(), blob.decode(), path.decode(errors="surrogateescape")


def read_trees(
    git: Git, listings: Sequence[Listing], limits: ReadLimits, sizes: Mapping[str, int] | None = None
) -> list[Tree]:
    """The tree of each listing; `limits.total_bytes` bounds all of them together.

    `sizes` are those of all blobs where the repository has only the blobs within the limits.
    """
    paths = Counter(blob for listing in listings for blob in listing.blobs())
    sizes = read_sizes(git, paths) if sizes is None else sizes
    contents = _read_blobs(git, sizes, blobs_within(limits, sizes, paths))
    return [_tree(listing, sizes, contents, limits) for listing in listings]


def read_sizes(git: Git, blobs: Iterable[str]) -> dict[str, int]:
    """The size in bytes of each blob that the repository has."""
    output = git.run("cat-file", "--batch-check=%(objectname) %(objectsize)", "--buffer", stdin=as_lines(blobs))
    pairs = (line.split(" ") for line in output.decode().splitlines())
    return {blob: int(size) for blob, size in pairs if size != "missing"}


def as_lines(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()


def blobs_within(limits: ReadLimits, sizes: Mapping[str, int], paths: Mapping[str, int]) -> list[str]:
    """The blobs to read: the smallest ones, if not all are within the limits. `paths` counts the files of each."""
    blobs: list[str] = []
    total = sum(paths.values()) * _PATH_BYTES
    for blob, size in sorted(sizes.items(), key=lambda item: item[1]):
        total += size
        if size > limits.file_bytes or total > limits.total_bytes:
            break
        blobs.append(blob)
    return blobs


def _read_blobs(git: Git, sizes: Mapping[str, int], blobs: Iterable[str]) -> dict[str, bytes]:
    """The content of blobs that the repository has."""
    contents: dict[str, bytes] = {}
    for batch in batches(sizes, blobs):
        output = git.run("cat-file", "--batch=%(objectname) %(objectsize)", "--buffer", stdin=as_lines(batch))
        start = 0
        while start < len(output):
            end = output.index(b"\n", start)
            blob, size = output[start:end].decode().split(" ")
            contents[blob] = output[end + 1 : end + 1 + int(size)]
            start = end + 1 + int(size) + 1
    return contents


def batches(sizes: Mapping[str, int], blobs: Iterable[str], most: int = 10_000) -> Iterator[list[str]]:
    """Parts of at most so many blobs, so that only one part is in memory once more for git."""
    batch: list[str] = []
    total = 0
    for blob in blobs:
        batch.append(blob)
        total += sizes[blob]
        if total > _BATCH_BYTES or len(batch) == most:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch


def _tree(listing: Listing, sizes: Mapping[str, int], contents: Mapping[str, bytes], limits: ReadLimits) -> Tree:
    files: dict[str, SourceFile] = {}
    problems = [*listing.problems, *detour_problems(listing, contents)]
    for entry in listing.entries:
        content = contents.get(entry.blob)
        file = None if content is None else SourceFile(entry.path, content, entry.blob)
        if file is None and entry.blob not in sizes:
            message = "The file's content is not in this copy of the repository."
            problems.append(file_problem(entry.path, "unreadable", message))
        elif file is None:
            problems.append(unread_problem(entry.path, sizes[entry.blob], limits))
        elif file.is_lfs_pointer:
            problems.append(file_problem(entry.path, "not_followed", LFS_POINTER_MESSAGE))
        else:
            files[entry.path] = file
    return Tree(files, tuple(problems), listing.others)


def detour_problems(listing: Listing, contents: Mapping[str, bytes]) -> Iterator[Problem]:
    """A problem for each submodule, and for each link that leads to candidates or into a submodule."""
    for path in listing.submodules:
        message = "The submodule was not read: its files are in another repository."
        yield Problem(as_utf8(path), 0, "not_followed", message)
    if not listing.links:
        return
    targets = {link.path: contents.get(link.blob, b"").decode(errors="surrogateescape") for link in listing.links}
    known = {entry.path for entry in listing.entries} | {problem.file for problem in listing.problems}
    places = {*known, *listing.submodules}.union(*map(_folders, known))
    for path, target in targets.items():
        place = _follow(path, targets)
        if place is not None and (place in places or not _folders(place).isdisjoint(listing.submodules)):
            message = f"The symbolic link was not followed: it leads to manifests, at `{as_utf8(target)}`."
            yield Problem(as_utf8(path), 0, "not_followed", message)


def _folders(path: str) -> set[str]:
    """All directories above a path, "" for the top one."""
    return {"", *(path[:at] for at, letter in enumerate(path) if letter == "/")}


def _follow(path: str, targets: Mapping[str, str]) -> str | None:
    """The path that a link leads to through other links, None if that is outside of the tree or too far."""
    ahead = path.split("/")[::-1]
    place = ""
    for _ in range(_MAX_STEPS):
        if not ahead:
            return place
        part = ahead.pop()
        if part == "..":
            if not place:
                return None
            place = place.rpartition("/")[0]
        elif part not in {"", "."}:
            place = f"{place}/{part}" if place else part
        if place in targets:
            if targets[place].startswith("/"):
                return None
            ahead += targets[place].split("/")[::-1]
            place = place.rpartition("/")[0]
    return None


def not_followed_problem(path: str, kind: str) -> Problem:
    return file_problem(path, "not_followed", f"The file was not read: it is {kind}.")


def unread_problem(path: str, size: int, limits: ReadLimits) -> Problem:
    """For a file that the limits leave out."""
    if size > limits.file_bytes:
        return file_problem(path, "too_large", "The file is too large to be read.")
    message = f"The file was not read: together, the manifests are larger than {limits.total_bytes // 1_000_000} MB."
    return file_problem(path, "too_much", message)


def file_problem(path: str, code: str, message: str) -> Problem:
    return Problem(as_utf8(path), 0, code, message, not path.lower().endswith(".json"))


def as_utf8(path: str) -> str:
    """The path, with a replacement character for each byte that is not UTF-8."""
    return path.encode(errors="surrogateescape").decode(errors="replace")
