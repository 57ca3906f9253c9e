"""Which roots a check renders, and what it sees then in place of the files that these are made of."""

from __future__ import annotations

from collections.abc import Collection as Paths
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gracegate.manifests import (
    Collection,
    Components,
    RenderContext,
    RenderedRoot,
    changed_lines,
    render_trees,
    trace_roots,
)
from gracegate.model import Root, SourceLine
from gracegate.repo_config import RepoConfig


@dataclass(frozen=True, slots=True)
class RenderedTree:
    """A tree in which rendered objects have taken the place of their files.

    `files` is the tree as it was read. `roots` are all that were asked for; the `judged` ones took a place.
    """

    collection: Collection
    files: Collection
    roots: Mapping[Root, RenderedRoot] = field(default_factory=dict)
    judged: frozenset[Root] = frozenset()

    @property
    def rendered(self) -> frozenset[Root]:
        """The roots that render."""
        return frozenset(root for root, found in self.roots.items() if found.problem is None)


def with_rendered_objects(
    collections: Sequence[Collection], paths: Paths[str] | None, config: RepoConfig, context: RenderContext
) -> Sequence[Collection]:
    """The trees as those GitOps objects say that their roots make and a change of the paths (None: all) may need.

    The trees are rendered alike: what one of them cannot render counts in none of them.
    """
    trees = [collection.components for collection in collections]
    makers = {
        root
        for tree in trees
        for root in tree.object_makers(paths)
        if not any(config.excludes(one.file_of(root)) for one in trees if one.has(root))
    }
    rendered = render_collections(collections, makers, context)
    failed = {root for found in rendered for root, one in found.items() if one.problem is not None}
    texts = [{root: one.text for root, one in found.items() if root not in failed} for found in rendered]
    values = context.cache.values
    return [
        replace(one, components=one.components.with_renderings(of_tree, values)) if of_tree else one
        for one, of_tree in zip(collections, texts, strict=True)
    ]


def roots_to_render(trees: Sequence[Components], paths: Paths[str] | None, config: RepoConfig) -> frozenset[Root]:
    """The roots that read one of the paths (None: all roots) in one of the trees, without those that make nothing but
    what their files have, those that have no object of a kind that rules read, and those that are excluded."""
    reached = {
        root
        for tree in trees
        for root in (tree.roots if paths is None else {root for path in paths for root in tree.roots_of(path)})
    }
    # What applies a root may be rendered too.
    reached |= {root for tree in trees for other in trees for root in tree.applied_otherwise(other)}

    def is_to_render(root: Root) -> bool:
        of_root = [tree for tree in trees if tree.has(root)]
        return (
            not all(tree.is_plain(root) for tree in of_root)
            and any(tree.may_hold_objects(root) for tree in of_root)
            and not any(config.excludes(tree.file_of(root)) for tree in of_root)
        )

    return frozenset(filter(is_to_render, reached))


def render_collections(
    collections: Sequence[Collection], roots: Iterable[Root], context: RenderContext
) -> list[dict[Root, RenderedRoot]]:
    """What those of the roots render to that a tree has with all that they need, for each tree."""
    wanted = [*roots]
    trees = [
        (components, [root for root in wanted if components.has(root) and not components.missing_parts(root)])
        for components in (collection.components for collection in collections)
    ]
    return render_trees(trees, context)


def judge_rendered(files: Collection, roots: Mapping[Root, RenderedRoot], judged: Iterable[Root]) -> RenderedTree:
    """The tree with the objects of those `judged` roots that render in place of their files.

    A file stays where a root reads it too that lists it as it is.
    """
    found = [roots[root] for root in sorted(judged) if roots[root].problem is None]
    if not found:
        return RenderedTree(files, files, roots)
    components = files.components
    replaced = set().union(*(components.object_files(rendered.root) for rendered in found))
    replaced = {path for path in replaced if not any(map(components.is_plain, components.roots_of(path)))}
    documents = [d for d in files.documents if d.path not in replaced]
    documents += (document for rendered in found for document in rendered.documents)
    collection = replace(
        files,
        documents=tuple(documents),
        problems=tuple(p for p in files.problems if p.code != "template" or p.file not in replaced),
        unread_files=tuple(file for file in files.unread_files if file.path not in replaced),
    )
    return RenderedTree(collection, files, roots, frozenset(rendered.root for rendered in found))


def trace(tree: RenderedTree, indexes: Iterable[int], context: RenderContext) -> RenderedTree:
    """The tree with what the documents of these indexes, and all others of their roots, were made of. Each document
    keeps its index."""
    documents = tree.collection.documents
    roots = {rendered.root for index in indexes if (rendered := documents[index].rendered) is not None}
    return trace_all(tree, roots, context)


def trace_all(tree: RenderedTree, roots: Iterable[Root], context: RenderContext) -> RenderedTree:
    """The tree with what the objects of these roots, which render, were made of."""
    untraced = [found for root in sorted(roots) if not (found := tree.roots[root]).is_traced]
    if not untraced:
        return tree
    sources = {(d.path, d.number, d.pointer): d for d in tree.files.documents}
    traced = trace_roots(tree.files.components, untraced, sources, context)
    return judge_rendered(tree.files, {**tree.roots, **traced}, tree.judged)


def changed_templates(base: Collection, head: Collection, paths: Paths[str]) -> Mapping[str, frozenset[SourceLine]]:
    """The changed lines of templates by path, where rules may read what they make."""
    before, after = base.components.files, head.components.files
    templates = (path for path in paths if path in after and head.components.charts.is_template(path))
    lines = {path: changed_lines(before.get(path), after[path], head.limits) for path in templates}
    return {path: of_path for path, of_path in lines.items() if of_path}


def roots_of_templates(tree: RenderedTree, paths: Paths[str]) -> frozenset[Root]:
    """The charts that render and have one of these templates."""
    roots = {root for path in paths for root in tree.files.components.roots_of(path) if root.renderer == "helm"}
    return frozenset(roots & tree.rendered)
