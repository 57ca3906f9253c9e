"""Which roots a check renders, and what it sees then in place of the files that these are made of."""

from __future__ import annotations

from collections.abc import Collection as Paths
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gracegate.manifests import Collection, Components, RenderContext, RenderedRoot, render_roots
from gracegate.model import Document, Root
from gracegate.repo_config import RepoConfig


@dataclass(frozen=True, slots=True)
class RenderedTree:
    """A tree in which rendered objects have taken the place of their files.

    `files` is the tree as it was read. `roots` are all that were asked for; those that do not render have a problem,
    and took no place.
    """

    collection: Collection
    files: Collection
    roots: Mapping[Root, RenderedRoot] = field(default_factory=dict)

    @property
    def rendered(self) -> frozenset[Root]:
        """The roots that render."""
        return frozenset(root for root, found in self.roots.items() if found.problem is None)


def roots_to_render(trees: Sequence[Components], paths: Paths[str] | None, config: RepoConfig) -> frozenset[Root]:
    """The roots that read one of the paths (None: all roots) in one of the trees, without those that make nothing but
    what their files have, those that have no object of a kind that rules read, and those that are excluded."""
    reached = {
        root
        for tree in trees
        for root in (tree.roots if paths is None else {root for path in paths for root in tree.roots_of(path)})
    }

    def is_to_render(root: Root) -> bool:
        of_root = [tree for tree in trees if tree.has(root)]
        return (
            not all(tree.is_plain(root) for tree in of_root)
            and any(tree.may_hold_objects(root) for tree in of_root)
            and not any(config.excludes(tree.file_of(root)) for tree in of_root)
        )

    return frozenset(filter(is_to_render, reached))


def render_tree(collection: Collection, roots: Iterable[Root], context: RenderContext) -> dict[Root, RenderedRoot]:
    """What those of the roots render to that the tree has with all that they need."""
    components = collection.components
    sources = {(d.path, d.number, d.pointer): d for d in collection.documents}
    wanted = [root for root in roots if components.has(root) and not components.missing_parts(root)]
    return render_roots(components, wanted, sources, context)


def judge_rendered(collection: Collection, roots: Mapping[Root, RenderedRoot]) -> RenderedTree:
    """The tree with the objects of those roots that render in place of their files.

    A file stays where a root reads it too that lists it as it is.
    """
    found = [rendered for _, rendered in sorted(roots.items()) if rendered.problem is None]
    if not found:
        return RenderedTree(collection, collection, roots)
    components = collection.components
    replaced = set().union(*(components.object_files(rendered.root) for rendered in found))
    replaced = {path for path in replaced if not any(map(components.is_plain, components.roots_of(path)))}
    documents: list[Document] = [d for d in collection.documents if d.path not in replaced]
    documents += (document for rendered in found for document in rendered.documents)
    problems = [p for p in collection.problems if p.code != "template" or p.file not in replaced]
    unread = [file for file in collection.unread_files if file.path not in replaced]
    judged = replace(collection, documents=tuple(documents), problems=tuple(problems), unread_files=tuple(unread))
    return RenderedTree(judged, collection, roots)
