"""Documents of a tree as they stand in its files, without rendering anything."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass

from gracegate.manifests.discovery import component_roots, directory, is_candidate
from gracegate.manifests.documents import Manifest, read_manifest
from gracegate.model import Document, Limits, Problem, SourceFile, Tree

Cache = MutableMapping[tuple[str, str, str], Manifest]
"""Manifests by path, blob and component root: base and head share what they have in common."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that could not be read and may hold a Service."""

    path: str
    directory: str
    root: str


@dataclass(frozen=True, slots=True)
class Collection:
    """All that was found in a tree, in the order of paths."""

    manifests: Mapping[str, Manifest]
    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]
    unread: tuple[Unread, ...]


def collect_documents(tree: Tree, cache: Cache | None = None, limits: Limits | None = None) -> Collection:
    """Reads every candidate file; a file without a blob id is never taken from the cache."""
    paths = sorted(path for path in tree.files if is_candidate(path))
    known = {} if cache is None else cache
    missing = sorted({problem.file for problem in tree.problems if problem.file and problem.is_manifest})
    root_of = component_roots([*paths, *missing])
    manifests = {path: _manifest(tree.files[path], root_of(path), known, limits) for path in paths}
    hiding = [path for path, manifest in manifests.items() if manifest.may_hide_service]
    return Collection(
        manifests=manifests,
        documents=tuple(document for manifest in manifests.values() for document in manifest.documents),
        problems=(*tree.problems, *(problem for manifest in manifests.values() for problem in manifest.problems)),
        unread=tuple(Unread(path, directory(path), root_of(path)) for path in (*missing, *hiding)),
    )


def _manifest(source: SourceFile, root: str, known: Cache, limits: Limits | None) -> Manifest:
    key = (source.path, source.blob, root)
    if not source.blob or key not in known:
        known[key] = read_manifest(source, root, limits)
    return known[key]
