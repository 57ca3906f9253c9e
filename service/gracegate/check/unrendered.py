"""Problems for what only rendering would show: named, so that a check that says nothing of it does not look clean.

There is one problem for each reason, however many files and roots it has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from gracegate.check.refused import refused_roots
from gracegate.check.trees import ComparedTrees
from gracegate.check.unseen_templates import unseen_templates
from gracegate.manifests import (
    ArtifactReference,
    ChartReference,
    Components,
    MissingPart,
    MissingValues,
    Unrendered,
    broken_changes,
    directory,
    unrendered_changes,
    unrendered_files,
)
from gracegate.model import ARTIFACT_SCHEME, Limits, PinnedSource, Problem, Root

_SHOWN = 3
_MISSING = "missing"
_SETTING = "`GRACEGATE_RENDER_SOURCES` or `--fetch`"
"""What allows commits and artifacts from elsewhere: the service's operator, or the user of the command line."""
_PLURALS = frozenset({"chart values"})
# Which files of no known root are said together.
_RENDERERS: Mapping[str, str] = {
    **dict.fromkeys(("JSON patch", "kustomization", "kustomize configuration", "patch"), "kustomize"),
    **dict.fromkeys(("chart", "chart values", "template"), "helm"),
}


def unrendered_problems(trees: ComparedTrees) -> Iterator[Problem]:
    """What a change makes of objects that nobody has evaluated; of a tree without a base, what all of it makes."""
    request, scope = trees.request, trees.scope
    limits = request.limits or Limits()
    head, base = trees.head.collection.components, None if trees.base is None else trees.base.collection.components
    judged = _JudgedRoots(trees)
    if base is None or scope is None:
        paths = {path for path in request.head.files if trees.is_in_scope(path)}
        yield from _problems_of_tree(judged.without(unrendered_files(head, paths, limits)), head)
        yield from refused_roots(trees, ())
        return
    paths = {p for p in scope.base_paths | scope.head_paths if not request.config.excludes(p)}
    yield from _problems_of_change(judged.without(unrendered_changes(base, head, paths, limits)), (head, base))
    broken_files = set()
    for broken in broken_changes(base.kustomizations, head.kustomizations, paths, limits):
        broken_files.add(broken.path)
        message = f"This kustomization cannot be built: `{broken.name}` in its `{broken.key}` {broken.why}."
        yield Problem(broken.path, broken.line, "build", message)
    yield from refused_roots(trees, broken_files)
    yield from unseen_templates(trees)


class _JudgedRoots:
    """The roots of which nothing is to be said but what their findings say, or what keeps them from being rendered."""

    def __init__(self, trees: ComparedTrees) -> None:
        sides = [tree for tree in (trees.head, trees.base) if tree is not None]
        self._components = [side.collection.components for side in sides]
        self._roots = {root for root, found in trees.head.tree.roots.items() if not found.is_unavailable}
        if trees.base is not None:
            # A root that this change removes was judged as it was; one that lacks something now is not judged.
            head = trees.head.collection.components
            self._roots |= {root for root in trees.base.tree.rendered if not head.has(root)}

    def without(self, changes: Iterable[Unrendered]) -> Iterator[Unrendered]:
        """The changes that reach another root, with those alone, and those of no root."""
        for found in changes:
            left = tuple(root for root in found.roots if not self._is_judged(root))
            if left or not found.roots:
                yield replace(found, roots=left)

    def _is_judged(self, root: Root) -> bool:
        if root in self._roots:
            return True
        of_root = [components for components in self._components if components.has(root)]
        # What has no object that rules read would say nothing.
        return not any(one.missing_parts(root) or one.may_hold_objects(root) for one in of_root)


def _problems_of_change(changes: Iterable[Unrendered], trees: Sequence[Components]) -> Iterator[Problem]:
    missing = _MissingParts(trees)
    by_reason: dict[str, dict[Unrendered, set[Root]]] = defaultdict(dict)
    for found in changes:
        if not found.roots:
            by_reason[found.reason or _RENDERERS.get(found.kind, found.kind)][found] = set()
        for root in found.roots:
            reason = _MISSING if missing.of(root) else root.renderer
            by_reason[reason].setdefault(found, set()).add(root)
    for roots_of in by_reason.values():
        first, *others = roots_of
        roots = sorted(set().union(*roots_of.values()))
        is_its_own_root = not others and [root.directory for root in roots] == [directory(first.path)]
        # What a registry has is named as what is missing.
        here = [root for root in roots if not root.directory.startswith(ARTIFACT_SCHEME)]
        where = f" in {_shown(map(_root_name, here))}" if here and not is_its_own_root else ""
        subject = _subject(first, len({found.path for found in others} - {first.path}))
        yield _problem(
            first.path, f"What {subject}{where} is not evaluated, because {first.reason or missing.cause(roots)}."
        )


def _problems_of_tree(files: Iterable[Unrendered], components: Components) -> Iterator[Problem]:
    missing = _MissingParts([components])
    by_reason: dict[str, list[Unrendered]] = defaultdict(list)
    for found in files:
        by_reason[found.reason or (_MISSING if any(map(missing.of, found.roots)) else found.kind)].append(found)
    for kind, all_found in by_reason.items():
        cause = f"nothing of this kind ({kind}) is rendered"
        if kind == _MISSING:
            cause = missing.cause([root for found in all_found for root in found.roots])
        elif all_found[0].reason:
            cause = kind
        shown = _shown(f"`{found.path}`" for found in all_found)
        yield _problem(all_found[0].path, f"Not evaluated, because {cause}: {shown}.")


class _MissingParts:
    """What roots read and their tree does not have; a root that is gone from the first tree is one of the second."""

    def __init__(self, trees: Sequence[Components]) -> None:
        self._trees = trees
        self._by_root: dict[Root, frozenset[str]] = {}

    def of(self, root: Root) -> frozenset[str]:
        if root not in self._by_root:
            tree = next(tree for tree in self._trees if tree.has(root))
            self._by_root[root] = frozenset(_part_name(part, tree) for part in tree.missing_parts(root))
        return self._by_root[root]

    def cause(self, roots: Sequence[Root]) -> str:
        parts = sorted(frozenset().union(*map(self.of, roots)))
        several = len(roots) > 1
        if not parts:
            return "they are not rendered" if several else "it is not rendered"
        return f"{'they need' if several else 'it needs'} what is not in this repository: {_shown(parts)}"


def _subject(found: Unrendered, others: int) -> str:
    what, verb = found.what, "makes"
    if "`" not in what:
        what = f"these {what}" if what in _PLURALS else f"this {what}"
    if found.keys:
        what = f"{' and '.join(f'`{key}`' for key in found.keys)} of {what}"
        verb = "changes" if len(found.keys) == 1 else "change"
    elif found.kind in _PLURALS:
        verb = "make"
    elif found.kind in {"patch", "template"}:
        verb = "changes"
    if not others:
        return f"{what} {verb}"
    files = "1 other file" if others == 1 else f"{others} other files"
    return f"{what} and {files} {'make' if verb.startswith('make') else 'change'}"


def _part_name(part: MissingPart, components: Components) -> str:
    if isinstance(part, MissingValues):
        return f"values of `{part.name}`"
    if isinstance(part, ChartReference):
        name = f"chart `{' '.join(filter(None, (part.name, part.version)))}`"
        return f"{name} of `{part.repository}`" if part.repository else name
    name, what = (part.url, "digest") if isinstance(part, ArtifactReference) else (part.repository, "commit")
    if part.pinned is not None:
        revision = part.revision.removeprefix("sha256:")[:7]
        return f"`{name}` ({what} `{revision}`, {_why_not(part.pinned, components)})"
    revision = f"`{part.revision}`, " if part.revision else ""
    return f"`{name}` ({revision}not pinned to a {what})"


def _why_not(source: PinnedSource, components: Components) -> str:
    return components.why_not_fetched(source) or f"not in {_SETTING}"


def _root_name(root: Root) -> str:
    name = f"`{root.directory or '.'}`"
    return f"chart {name}" if root.renderer == "helm" else name


def _shown(names: Iterable[str]) -> str:
    """The names as they are read aloud, the first few of many."""
    all_names = [*names]
    if len(all_names) <= _SHOWN:
        return " and ".join(filter(None, (", ".join(all_names[:-1]), *all_names[-1:])))
    return f"{', '.join(all_names[:_SHOWN])} and {len(all_names) - _SHOWN} more"


def _problem(path: str, message: str) -> Problem:
    return Problem(path, 1, "not_rendered", message)
