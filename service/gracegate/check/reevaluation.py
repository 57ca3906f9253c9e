"""The head as it would be with edited files: what the rules find then, and the proof that roots render as intended."""

from __future__ import annotations

from collections.abc import Collection as Paths
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gracegate.check.rendered import RenderedTree, judge_rendered, trace_all
from gracegate.check.trees import ComparedTrees, EvaluatedTree, SubjectDocuments, evaluate_tree, render_context
from gracegate.manifests import (
    Change,
    Collection,
    RenderContext,
    RenderedRoot,
    intended_operations,
    read_manifest,
    render_roots,
    why_not_proved,
)
from gracegate.model import NoSuggestion, Render, Root, SourceFile


@dataclass(frozen=True, slots=True)
class Refuted:
    """Why an edit does not do what it is meant to do."""

    reason: NoSuggestion


class Reevaluation:
    """Evaluates the head with edits. What has been rendered of the head as it is stays for the next ones."""

    def __init__(self, trees: ComparedTrees, render: Render) -> None:
        self._trees = trees
        self._context = render_context(trees.request, render)
        self._tree = trees.head.tree

    def of(self, texts: Mapping[str, str], changes: Sequence[Change]) -> EvaluatedTree | Refuted:
        """The head with other texts for some of its files; all that roots which read these files render to is what it
        was, but for `changes`."""
        head = self._trees.head
        edited, readers = self._edited(texts)
        before = _with_readers(self._tree, readers, self._context)
        if before is None:
            return Refuted("not_proved")
        self._tree = before
        after = render_roots(edited.components, filter(edited.components.has, readers), self._context)
        for root in {root for root in readers & before.roots.keys() if not before.roots[root].is_unavailable}:
            reason = _why_not_as_intended(before.roots[root], after.get(root), changes, self._context)
            if reason is not None:
                return Refuted(reason)
        tree = self._with_roots(edited, after)
        # What was there before the change is the same, whatever is edited.
        reported = SubjectDocuments(self._trees.subject_indexes(tree.collection.documents), self._trees.former)
        return evaluate_tree(self._trees.request, tree, reported, None, head.failed)

    def edited_tree(self, texts: Mapping[str, str]) -> RenderedTree:
        """The head with texts of which all changes have been verified."""
        edited, readers = self._edited(texts)
        return self._with_roots(
            edited, render_roots(edited.components, filter(edited.components.has, readers), self._context)
        )

    def _edited(self, texts: Mapping[str, str]) -> tuple[Collection, Paths[Root]]:
        """The files with these texts, and the roots that read them before or now."""
        files = self._trees.head.tree.files
        edited = _edited(files, texts, self._trees)
        return edited, {root for one in (files, edited) for root in _readers(one, texts)}

    def _with_roots(self, edited: Collection, rendered: Mapping[Root, RenderedRoot]) -> RenderedTree:
        tree = self._trees.head.tree
        roots = {root: rendered.get(root, before) for root, before in tree.roots.items()}
        return judge_rendered(edited, roots, tree.judged)


def _edited(files: Collection, texts: Mapping[str, str], trees: ComparedTrees) -> Collection:
    manifests = dict(files.manifests)
    sources = {path: SourceFile(path, text.encode("utf-8", "surrogatepass")) for path, text in texts.items()}
    for path in texts.keys() & manifests.keys():
        manifest = manifests[path]
        manifests[path] = read_manifest(sources[path], manifest.component, files.limits, manifest.listing)
    head, cache, components = trees.request.head, trees.request.cache, files.components
    if any(map(components.is_configuration, texts)):
        edited = replace(head, files={**head.files, **sources})
        components = components.of_edited(edited, texts.keys(), cache.components, cache.renderings.values)
    else:
        components = replace(components, files={**components.files, **sources})
    documents = tuple(document for manifest in manifests.values() for document in manifest.documents)
    return replace(files, manifests=manifests, documents=documents, components=components)


def _readers(files: Collection, paths: Paths[str]) -> Iterable[Root]:
    """The roots that read one of the files and make something else than what these have."""
    components = files.components
    return (root for path in paths for root in components.roots_of(path) if not components.is_plain(root))


def _with_readers(tree: RenderedTree, readers: Paths[Root], context: RenderContext) -> RenderedTree | None:
    """The tree with all roots that read an edited file, rendered and traced; None if one of them cannot be."""
    components = tree.files.components
    missing = [root for root in readers if root not in tree.roots and components.has(root)]
    if any(components.missing_parts(root) for root in missing):
        return None
    rendered = {**tree.roots, **render_roots(components, missing, context)}
    # Where nothing is rendered, files are judged as they are.
    wanted = [root for root in readers if root in rendered and not rendered[root].is_unavailable]
    if any(rendered[root].problem is not None for root in wanted):
        return None
    return trace_all(replace(tree, roots=rendered), wanted, context)


def _why_not_as_intended(
    before: RenderedRoot, after: RenderedRoot | None, changes: Sequence[Change], context: RenderContext
) -> NoSuggestion | None:
    if after is None or after.problem is not None:
        return "would_change_more"
    intended = {
        rendered.number: [*intended_operations(rendered, changes)]
        for document in before.documents
        if (rendered := document.rendered) is not None
    }
    return why_not_proved(before.text, after.text, intended, context.limits)
