"""Trees of commits from an API that gives single objects, where git itself is refused.

The objects are written into a bare repository, so everything that reads one works as after a fetch. A review makes at
most MAX_REQUESTS requests, one for each blob that is not here yet; what has been read is kept for the next one.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

from gracegate.errors import GitFailed
from gracegate.git.objects import (
    SUBMODULE,
    PathFilter,
    ReadLimits,
    batches,
    blobs_within,
    list_candidates,
    read_sizes,
    read_trees,
)
from gracegate.git.process import Git, TooLarge
from gracegate.git.repository_cache import prepare_repository
from gracegate.model import Tree, TreeEntry

MAX_REQUESTS = 2_000
"""GitHub gives an installation 5,000 an hour at least, and 900 a minute."""
_DIRECTORY = "040000"
_BATCH = 100


class ObjectApi(Protocol):
    """Objects of one repository by their ids."""

    def read_tree(self, name: str, *, recursive: bool) -> tuple[Sequence[TreeEntry], bool]:
        """The entries of a tree or of a commit's tree, and whether some were left out.

        A recursive list also has the entries of all trees below, and the trees themselves.
        """

    def read_blob(self, sha: str) -> bytes:
        """The content of a blob."""


def tree_ref(commit: str) -> str:
    """What names the tree of a commit, which itself is not in the repository."""
    return f"refs/trees/{commit}"


class TooManyRequests(GitFailed):
    """A review would need more requests than it may make; what it has read is kept."""


@dataclass(slots=True)
class ApiRepository:
    """A bare repository that this job has locked, filled by an API."""

    git: Git
    api: ObjectApi
    _requests: int = 0
    _sizes: dict[str, int] = field(default_factory=dict)
    _trees: dict[str, str] = field(default_factory=dict)

    def fetch_trees(self, commits: Mapping[str, PathFilter], limits: ReadLimits) -> dict[str, Tree]:
        """The candidate files of each commit. Raises TooLarge, TooManyRequests, and what the API raises."""
        prepare_repository(self.git)
        for commit in commits:
            self.git.run("update-ref", tree_ref(commit), self._fetch_tree(commit))
        listings = [list_candidates(self.git, tree_ref(commit), filter_, limits) for commit, filter_ in commits.items()]
        paths = Counter(blob for listing in listings for blob in listing.blobs())
        sizes = {blob: self._sizes[blob] for blob in paths}
        self._fetch_blobs(blobs_within(limits, sizes, paths), sizes)
        return dict(zip(commits, read_trees(self.git, listings, limits, sizes), strict=True))

    def _fetch_tree(self, name: str) -> str:
        """Reads a tree with all below it, unless that was done; the id under which it is in the repository."""
        if name not in self._trees:
            entries, is_truncated = self._read_tree(name, recursive=True)
            shas: dict[str, str] = {}
            if is_truncated:
                entries, is_truncated = self._read_tree(name, recursive=False)
                if is_truncated:
                    raise TooLarge("a directory of the repository has more files than GitHub lists")
                shas = {entry.path: self._fetch_tree(entry.sha) for entry in entries if entry.mode == _DIRECTORY}
            self._trees[name] = self._write_trees(entries, shas)
        return self._trees[name]

    def _read_tree(self, name: str, *, recursive: bool) -> tuple[Sequence[TreeEntry], bool]:
        if self._requests >= MAX_REQUESTS:
            raise TooManyRequests(f"the API needs more than {MAX_REQUESTS:,} requests for the trees alone")
        self._requests += 1
        entries, is_truncated = self.api.read_tree(name, recursive=recursive)
        self._sizes.update((entry.sha, entry.size) for entry in entries)
        return entries, is_truncated

    def _write_trees(self, entries: Iterable[TreeEntry], shas: dict[str, str]) -> str:
        """Writes the trees of a list, the lowest first; the id of the top one. `shas` are those of written trees by
        path: where a name is not UTF-8, the API shows another, and with it the id changes."""
        folders: dict[str, list[TreeEntry]] = {"": []}
        for entry in entries:
            folders.setdefault(posixpath.dirname(entry.path), []).append(entry)
            if entry.mode == _DIRECTORY and entry.path not in shas:
                folders.setdefault(entry.path, [])
        lowest_first = sorted(folders, key=_depth, reverse=True)
        for _, same_depth in groupby(lowest_first, key=_depth):
            paths = list(same_depth)
            listings = (b"".join(_record(entry, shas) for entry in folders[path]) for path in paths)
            written = self.git.run("mktree", "-z", "--missing", "--batch", stdin=b"\0".join(listings) + b"\0")
            shas.update(zip(paths, written.decode().split(), strict=True))
        return shas[""]

    def _fetch_blobs(self, blobs: Sequence[str], sizes: Mapping[str, int]) -> None:
        """Reads the blobs that are not here. Whatever ends this, those that were read are kept."""
        missing = self._missing(blobs)
        may_read = max(0, MAX_REQUESTS - self._requests)
        for batch in batches(sizes, missing[:may_read], _BATCH):
            contents: list[bytes] = []
            try:
                contents.extend(self.api.read_blob(sha) for sha in batch)
            finally:
                stream = b"".join(b"blob\ndata %d\n%s\n" % (len(content), content) for content in contents)
                self.git.run("fast-import", "--quiet", stdin=stream)
        if len(missing) > may_read:
            raise TooManyRequests(f"the API needs {len(missing):,} requests, of which a review makes {may_read:,}")
        if wrong := self._missing(missing):
            raise GitFailed(f"the API gave another content than that of {wrong[0]}")

    def _missing(self, blobs: Sequence[str]) -> list[str]:
        present = read_sizes(self.git, blobs)
        return [blob for blob in blobs if blob not in present]


def _record(entry: TreeEntry, shas: Mapping[str, str]) -> bytes:
    """An entry as git's mktree reads it."""
    kind = {_DIRECTORY: "tree", SUBMODULE: "commit"}.get(entry.mode, "blob")
    sha = shas.get(entry.path, entry.sha) if kind == "tree" else entry.sha
    return f"{entry.mode} {kind} {sha}\t{posixpath.basename(entry.path)}\0".encode()


def _depth(path: str) -> int:
    return path.count("/") + 1 if path else 0
