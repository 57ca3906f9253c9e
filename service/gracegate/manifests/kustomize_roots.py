"""The kustomizations of a tree together: which roots there are, what each reads, and which of them read a file."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from gracegate.manifests.contents import read_values
from gracegate.manifests.discovery import KUSTOMIZATIONS, directory, is_candidate
from gracegate.manifests.fetched import (
    Fetched,
    artifacts_of,
    fetched_files,
    follow_references,
    is_fetched,
    names_fetched,
    with_fetched_paths,
)
from gracegate.manifests.graph import reach
from gracegate.manifests.kustomize import (
    GENERATORS,
    PATCHES,
    RESOURCES,
    ChartReference,
    Kustomization,
    Reference,
    charts_of_generator,
    kustomization_text,
    read_kustomization,
)
from gracegate.manifests.remote import RemoteReference
from gracegate.model import AS_DECLARED, AppliedNamespace, Limits, SourceFile, Tree

Cache = MutableMapping[tuple[str, str], Kustomization | None]
"""Kustomizations by path and blob: base and head share those that they have in common."""

# kustomize takes the first of these that a directory has.
_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_DIRECTORIES_ONLY = frozenset({"bases", "components"})


@dataclass(frozen=True, slots=True)
class Closure:
    """All that a root reads: `directories` with a kustomization; `files`, some of which may be missing; and what the
    tree does not have.
    """

    directories: frozenset[str]
    files: frozenset[str]
    remotes: frozenset[RemoteReference]
    charts: frozenset[ChartReference]


class Placement(NamedTuple):
    """Where objects end up: in the output of which root, and in which namespace. None stands for several."""

    root: str | None
    namespace: AppliedNamespace | None

    def merge(self, other: Placement) -> Placement:
        """The placement of what is placed in both ways."""
        return Placement(
            self.root if self.root == other.root else None,
            self.namespace if self.namespace == other.namespace else None,
        )


@dataclass(frozen=True)
class Kustomizations:
    """The kustomizations of a tree by directory.

    `unread` are the paths of what the tree has and nobody could read: links, submodules, templates of kustomizations.
    Those of `generated` directories no file has: a GitOps controller makes them up. `applied` are directories that one
    applies as they are, each with the namespace that it gives their objects, None for several; and `applied_otherwise`
    are the kustomizations that controllers make of those of their directories, with theirs. `fetched` is what
    was fetched from elsewhere; its files are among the `files`.
    """

    files: Mapping[str, SourceFile]
    by_directory: Mapping[str, Kustomization]
    unread: frozenset[str] = frozenset()
    generated: frozenset[str] = frozenset()
    applied: Mapping[str, AppliedNamespace | None] = field(default_factory=dict)
    applied_otherwise: tuple[tuple[Kustomization, AppliedNamespace], ...] = ()
    fetched: Fetched = field(default_factory=dict)

    @cached_property
    def roots(self) -> tuple[str, ...]:
        """The directories of the kustomizations that are applied as they are.

        These are the ones of which a controller says so, and those that no other one reads and no controller applies
        in its own way; of those in a circle, the first by name.
        """
        otherwise = {directory(kustomization.path) for kustomization, _ in self.applied_otherwise}
        unread = {*self._unread_directories, *(self.applied.keys() & self.by_directory.keys())}
        return tuple(sorted(unread - (otherwise - self.applied.keys())))

    @cached_property
    def _known_roots(self) -> frozenset[str]:
        return frozenset(self.roots)

    @cached_property
    def _unread_directories(self) -> tuple[str, ...]:
        folders = sorted(d for d, k in self.by_directory.items() if not (k.is_component or is_fetched(d)))
        roots = [folder for folder in folders if not self._readers.get(folder)]
        reached = self._directories_from(roots)
        for folder in folders:
            if folder not in reached:
                roots.append(folder)
                reached |= self._directories_from([folder])
        return tuple(sorted(roots))

    def roots_of(self, path: str) -> frozenset[str]:
        """The roots that read a file."""
        readers = reach(self._direct_readers(path), lambda folder: self._readers.get(folder, ()))
        return self._known_roots.intersection(readers)

    def references_to(self, path: str) -> Iterator[tuple[Kustomization, Reference]]:
        """The references that name a file or directory."""
        for folder in self._readers.get(path, ()):
            kustomization = self.by_directory[folder]
            yield from ((kustomization, reference) for reference in kustomization.references if reference.path == path)

    def is_patch(self, path: str) -> bool:
        """Whether a kustomization patches objects with what is in a file."""
        return any(reference.key in PATCHES for _, reference in self.references_to(path))

    def leaves_out(self, path: str) -> bool:
        """Whether the kustomization of a file's directory does not read it, nor does any other one."""
        folder = directory(path)
        return folder in self.by_directory and folder not in self.generated and not any(self._direct_readers(path))

    def closure(self, root: str | Kustomization) -> Closure:
        """All that the kustomization of a directory reads, or one that a controller makes of it."""
        read = self.read_by(root)
        files = {path for k in read for path in _paths(k) if not self._is_directory(path)}
        charts = {chart: self._files_below(chart.directory) for k in read for chart in k.charts}
        return Closure(
            directories=frozenset(directory(k.path) for k in read),
            files=frozenset(files).union((k.path for k in read), *charts.values()),
            remotes=frozenset(r.remote for k in read for r in k.references if r.remote is not None and r.path is None),
            charts=frozenset(chart for chart, files_here in charts.items() if not files_here).union(
                *(self._charts_of_generators.get(path, ()) for k in read for path in _paths(k, {"generators"}))
            ),
        )

    def fetched_texts(self, root: str, replaced: Mapping[str, str], limits: Limits) -> Mapping[str, str]:
        """The texts, by path, of the kustomizations below a directory's that name what was fetched, with its paths in
        the place of the addresses; of those that are `replaced`, in their texts."""
        texts = {}
        for kustomization in self.read_by(root):
            if names_fetched(kustomization):
                text = replaced.get(kustomization.path)
                content = kustomization.content if text is None else (read_values(text, limits) or [{}])[0]
                texts[kustomization.path] = kustomization_text(with_fetched_paths(kustomization, content))
        return texts

    def read_by(self, root: str | Kustomization) -> Sequence[Kustomization]:
        """What the kustomization of a directory reads, or one that a controller makes of it; itself is the first."""
        if not isinstance(root, str):
            return [*self._walk([root])]
        if root not in self._read:
            self._read[root] = [*self._walk([self.by_directory[root]])]
        return self._read[root]

    def object_files(self, root: str | Kustomization) -> frozenset[str]:
        """The files from which the kustomization of a directory takes objects and patches, and no data; itself and
        others among them, in which patches may be written out."""
        read = self.read_by(root)
        data = {path for k in read for path in _paths(k, GENERATORS)}
        objects = {path for k in read for path in _paths(k, RESOURCES | PATCHES) if not self._is_directory(path)}
        return frozenset(objects - data).union(k.path for k in read)

    def placements(self) -> Mapping[str, Placement]:
        """By path of a file of objects, where these end up."""
        by_path: dict[str, Placement] = {}
        by_directory: dict[str, Placement] = {}
        pending = [
            (self.by_directory[root], Placement(root, self.applied.get(root, AS_DECLARED))) for root in self.roots
        ]
        for kustomization, namespace in self.applied_otherwise:
            pending.append((kustomization, Placement(directory(kustomization.path), namespace)))
        while pending:
            kustomization, given = pending.pop()
            folder = directory(kustomization.path)
            merged = by_directory.get(folder, given).merge(given)
            if by_directory.get(folder) == merged and kustomization is self.by_directory.get(folder):
                continue
            by_directory[folder] = merged
            within = self._within(kustomization, merged)
            for path in _paths(kustomization, RESOURCES):
                by_path[path] = by_path.get(path, within).merge(within)
            pending += [(self.by_directory[path], within) for path in _paths(kustomization) if self._is_directory(path)]
        return by_path

    def _within(self, kustomization: Kustomization, placement: Placement) -> Placement:
        """Where the objects of a kustomization end up that is placed there: the outermost namespace decides."""
        namespace = placement.namespace
        if namespace is None or namespace.replaces or not (own := self._own_namespace(kustomization)):
            return placement
        return Placement(placement.root, AppliedNamespace(own, replaces=True))

    def broken_references(self, folder: str, before: Collection[str] = ()) -> Iterator[tuple[Reference, str]]:
        """What certainly keeps the kustomization of a directory from being built, and what is wrong with it.

        `before` are directories that had a kustomization before a change. The files of generators are left out: they
        are often written only after the commit.
        """
        for reference in self.by_directory[folder].references:
            path = reference.path
            if reference.remote is not None or reference.key in GENERATORS:
                continue
            if path is None:
                yield reference, "leads out of the repository"
            elif self._is_directory(path) and folder in self._directories_from([path]):
                yield reference, "leads back to this kustomization"
            elif self._is_missing(reference.key, path, before):
                yield reference, "does not exist"

    @cached_property
    def _charts_of_generators(self) -> Mapping[str, tuple[ChartReference, ...]]:
        """By path of a file that configures a generator, the charts that it inflates, which only helm itself does."""
        paths = {path for k in self.by_directory.values() for path in _paths(k, {"generators"}) if path in self.files}
        return {path: tuple(charts_of_generator(self.files[path], Limits())) for path in paths}

    @cached_property
    def _readers(self) -> Mapping[str, Collection[str]]:
        """By path of a file or directory, the directories of the kustomizations that name it."""
        readers: defaultdict[str, set[str]] = defaultdict(set)
        for folder, kustomization in self.by_directory.items():
            for path in (*_paths(kustomization), *(chart.directory for chart in kustomization.charts)):
                readers[path].add(folder)
        return readers

    def _direct_readers(self, path: str) -> Iterator[str]:
        folder = directory(path)
        if folder in self.by_directory and self.by_directory[folder].path == path:
            yield folder
        yield from self._readers.get(path, ())
        while folder:
            # A chart is read with all that is below it.
            for reader in self._readers.get(folder, ()):
                if any(chart.directory == folder for chart in self.by_directory[reader].charts):
                    yield reader
            folder = directory(folder)

    def _walk(self, roots: Iterable[Kustomization]) -> Iterator[Kustomization]:
        """The kustomizations that some read, themselves among them."""
        own = {directory(root.path): root for root in roots}

        def below(folder: str) -> Iterable[str]:
            if folder in own:
                return self._directories_in(own[folder])
            if folder not in self._below:
                self._below[folder] = self._directories_in(self.by_directory[folder])
            return self._below[folder]

        return (own.get(folder) or self.by_directory[folder] for folder in reach(own, below))

    def _directories_in(self, kustomization: Kustomization) -> tuple[str, ...]:
        """The directories that a kustomization names."""
        return tuple(filter(self._is_directory, _paths(kustomization)))

    @cached_property
    def _read(self) -> dict[str, Sequence[Kustomization]]:
        """What `read_by` has found for directories: it is asked for each file of a root."""
        return {}

    @cached_property
    def _below(self) -> dict[str, tuple[str, ...]]:
        """What `_walk` has found below directories."""
        return {}

    def _own_namespace(self, kustomization: Kustomization) -> str:
        if kustomization.namespace:
            return kustomization.namespace
        components = (self.by_directory.get(path) for path in _paths(kustomization, {"components"}))
        return next((component.namespace for component in components if component and component.namespace), "")

    def _directories_from(self, roots: Iterable[str]) -> set[str]:
        return {directory(k.path) for k in self._walk(self.by_directory[root] for root in roots)}

    def _is_directory(self, path: str) -> bool:
        # kustomize looks for a file first.
        return path in self.by_directory and path not in self.files and path not in self.generated

    def _is_missing(self, key: str, path: str, before: Collection[str]) -> bool:
        if path in self.files or self._is_directory(path) or self._may_be_unread(path):
            return False
        # A tree holds no files but candidates, so a file of another name may be there.
        return key in _DIRECTORIES_ONLY or path in before or is_candidate(path)

    def _may_be_unread(self, path: str) -> bool:
        return any(
            f"{one}/".startswith(f"{other}/")
            for unread in self.unread
            for one, other in ((path, unread), (unread, path))
        )

    @cached_property
    def _sorted_paths(self) -> Sequence[str]:
        return sorted(self.files)

    def _files_below(self, folder: str) -> Sequence[str]:
        start = bisect_left(self._sorted_paths, f"{folder}/")
        return self._sorted_paths[start : bisect_left(self._sorted_paths, f"{folder}0", start)]


def read_kustomizations(tree: Tree, limits: Limits, cache: Cache | None = None) -> Kustomizations:
    """The kustomizations of a tree. A file without a blob id is never taken from the cache."""
    cache = {} if cache is None else cache
    by_directory: dict[str, Kustomization] = {}
    unread = {problem.file for problem in tree.problems if problem.file}
    paths = [path for path in tree.files if path.rpartition("/")[2] in KUSTOMIZATIONS]
    for path in sorted(paths, key=lambda path: _NAMES.index(path.rpartition("/")[2])):
        kustomization = _read_cached(tree.files[path], limits, cache)
        if kustomization is None:
            unread.add(path)
        else:
            by_directory.setdefault(directory(path), follow_references(kustomization, tree.fetched))
    files = {**tree.files, **{file.path: file for file in fetched_files(tree.fetched)}}
    for file in fetched_files(artifacts_of(tree.fetched)):
        folder, _, name = file.path.rpartition("/")
        if name in KUSTOMIZATIONS and file == _kustomization_file(files, folder):
            kustomization = _read_cached(file, limits, cache)
            if kustomization is not None:
                by_directory[folder] = follow_references(kustomization, tree.fetched)
    pending = [*by_directory.values()] if tree.fetched else []
    while pending:
        for folder in filter(is_fetched, _paths(pending.pop())):
            found = _kustomization_file(files, folder)
            if found is not None and folder not in by_directory:
                kustomization = _read_cached(found, limits, cache)
                if kustomization is not None:
                    by_directory[folder] = follow_references(kustomization, tree.fetched)
                    pending.append(by_directory[folder])
    return Kustomizations(files, by_directory, frozenset(unread), fetched=tree.fetched)


def _kustomization_file(files: Mapping[str, SourceFile], folder: str) -> SourceFile | None:
    """The file of the kustomization of a directory."""
    return next((files[path] for name in _NAMES if (path := f"{folder}/{name}") in files), None)


def _read_cached(source: SourceFile, limits: Limits, cache: Cache) -> Kustomization | None:
    key = (source.path, source.blob)
    if not source.blob or key not in cache:
        cache[key] = read_kustomization(source, limits)
    return cache[key]


def _paths(kustomization: Kustomization, keys: Collection[str] | None = None) -> Iterator[str]:
    return (r.path for r in kustomization.references if r.path is not None and (keys is None or r.key in keys))
