"""What kustomize and Helm read of a repository beside the files whose names say that they may be manifests."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from gracegate.manifests.components import Components
from gracegate.manifests.discovery import is_documentation
from gracegate.manifests.fetched import fetched_folder
from gracegate.manifests.remote import ArtifactReference, RemoteReference
from gracegate.model import PinnedSource, RenderSources, Root


def unread_inputs(components: Components, paths: Collection[str] | None, others: Collection[str]) -> frozenset[str]:
    """Those of the files `others`, which a tree does not hold, that roots are rendered from which read one of `paths`
    (None: all roots): the data of generators, files with unusual names, and all of a chart."""
    roots = frozenset(_rendered(components, paths)) if others else frozenset()
    named = frozenset().union(*map(components.files_of, roots))
    folders = tuple(frozenset().union(*map(components.folders_of, roots)))
    return frozenset(
        path for path in others if path in named or (path.startswith(folders) and not is_documentation(path))
    )


def unread_sources(
    components: Components, paths: Collection[str] | None, sources: RenderSources
) -> dict[PinnedSource, frozenset[str]]:
    """What roots which read one of `paths` (None: all) need from elsewhere: pinned sources that `sources` allow and
    nobody has fetched yet, and of those that were fetched the files which were not read."""
    roots = [*_rendered(components, paths)] if sources.patterns else []
    parts = frozenset().union(*map(components.missing_parts, roots))
    pinned = {part.pinned for part in parts if isinstance(part, RemoteReference | ArtifactReference)}
    fetched = components.kustomizations.fetched
    wanted = {one: frozenset[str]() for one in pinned if one is not None and one not in fetched and sources.allow(one)}
    named = frozenset().union(*map(components.files_of, roots))
    for source, tree in fetched.items():
        folder = f"{fetched_folder(source)}/"
        inside = {path.removeprefix(folder) for path in named if path.startswith(folder)}
        if files := inside & tree.others:
            wanted[source] = frozenset(files)
    return wanted


def missing_inputs(components: Components, paths: Collection[str] | None) -> frozenset[str]:
    """The files and directories that a tree does not hold and roots name which read one of `paths` (None: all)."""
    named = frozenset().union(*map(components.files_of, _rendered(components, paths)))
    return named - components.files.keys()


def chart_folders(components: Components) -> frozenset[str]:
    """The directories, each with a slash at its end, of which roots may read any file."""
    return frozenset().union(*map(components.folders_of, _rendered(components, None)))


def _rendered(components: Components, paths: Collection[str] | None) -> Iterator[Root]:
    reached = components.roots if paths is None else {root for path in paths for root in components.roots_of(path)}
    return (root for root in reached if not components.is_plain(root))
