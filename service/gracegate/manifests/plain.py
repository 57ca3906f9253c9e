"""The documents of a tree from its files as they are, without rendering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from gracegate.manifests.components import ComponentCache, Components, read_components
from gracegate.manifests.discovery import component_finder, directory, is_candidate
from gracegate.manifests.documents import Manifest, read_manifest
from gracegate.manifests.listings import UNLISTED, Listing, read_listings
from gracegate.manifests.render_cache import RenderCache
from gracegate.manifests.source_places import SourcePlaces
from gracegate.model import Document, Limits, Problem, Repository, SourceFile, Tree


@dataclass(frozen=True, slots=True)
class ReadCache:
    """What has been read and rendered, by all that it is made of: base and head share what is the same."""

    manifests: dict[tuple[object, ...], Manifest] = field(default_factory=dict)
    components: ComponentCache = field(default_factory=ComponentCache)
    renderings: RenderCache = field(default_factory=RenderCache)


@dataclass(frozen=True, slots=True)
class UnreadFile:
    """A file that could not be read and may contain a Service."""

    path: str
    directory: str
    component: str


@dataclass(frozen=True)
class Collection:
    """The manifests of a tree and what they contain, in the order of paths."""

    manifests: Mapping[str, Manifest]
    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]
    unread_files: tuple[UnreadFile, ...]
    components: Components
    limits: Limits

    @cached_property
    def places(self) -> SourcePlaces:
        """The lines of the files."""
        return SourcePlaces(self.components.files, self.limits)


def collect_documents(
    tree: Tree,
    cache: ReadCache | None = None,
    limits: Limits | None = None,
    repository: Repository | None = None,
) -> Collection:
    """Reads every candidate file of a tree, which is of `repository`, as far as that is known.

    A file without a blob id is never taken from the cache.
    """
    cache = ReadCache() if cache is None else cache
    limits = limits or Limits()
    paths = sorted(path for path in tree.files if is_candidate(path))
    # A submodule or a link is no file of its directory, and what it leads to is not known, or in the tree anyway.
    missing = sorted({problem.file for problem in tree.problems if problem.is_manifest and is_candidate(problem.file)})
    find_component = component_finder([*paths, *missing])
    components = read_components(tree, limits, cache.components, repository)
    listings = read_listings(components.kustomizations)
    manifests = {}
    for path in paths:
        listing = listings.get(path, UNLISTED)
        manifests[path] = _read_cached(tree.files[path], find_component(path), cache.manifests, limits, listing)
    unread = (*missing, *(path for path, manifest in manifests.items() if manifest.may_contain_service))
    return Collection(
        manifests=manifests,
        documents=tuple(document for manifest in manifests.values() for document in manifest.documents),
        problems=(*tree.problems, *(problem for manifest in manifests.values() for problem in manifest.problems)),
        unread_files=tuple(UnreadFile(path, directory(path), find_component(path)) for path in unread),
        components=components,
        limits=limits,
    )


def _read_cached(
    source: SourceFile,
    component: str,
    cache: dict[tuple[object, ...], Manifest],
    limits: Limits,
    listing: Listing,
) -> Manifest:
    key = (source.path, source.blob, component, listing)
    if not source.blob or key not in cache:
        cache[key] = read_manifest(source, component, limits, listing)
    return cache[key]
