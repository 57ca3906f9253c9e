"""Problems for what only rendering would show: named, so that a check that says nothing of it does not look clean.

There is one problem for each reason, however many files and roots it has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from gracegate.check.trees import ComparedTrees
from gracegate.manifests import (
    ChartReference,
    Kustomizations,
    RemoteReference,
    Unrendered,
    broken_changes,
    directory,
    unrendered_changes,
    unrendered_files,
)
from gracegate.model import Limits, Problem

_SHOWN = 3
_MISSING = "missing"
_PLURALS = frozenset({"chart values"})
# Kinds of files that only kustomize gives a meaning.
_OF_KUSTOMIZE = frozenset({"JSON patch", "kustomization", "kustomize configuration", "patch"})


def unrendered_problems(trees: ComparedTrees) -> Iterator[Problem]:
    """What a change makes of objects that nobody has evaluated; of a tree without a base, what all of it makes."""
    request, scope = trees.request, trees.scope
    limits = request.limits or Limits()
    head, base = trees.head.collection.kustomizations, trees.base_kustomizations
    if base is None or scope is None:
        paths = {path for path in request.head.files if trees.is_in_scope(path)}
        yield from _problems_of_tree(unrendered_files(head, paths, limits), head)
        return
    paths = {p for p in scope.base_paths | scope.head_paths if not request.config.excludes(p)}
    yield from _problems_of_change(unrendered_changes(base, head, paths, limits), (head, base))
    for broken in broken_changes(base, head, paths, limits):
        message = f"This kustomization cannot be built: `{broken.name}` in its `{broken.key}` {broken.why}."
        yield Problem(broken.path, broken.line, "build", message)


def _problems_of_change(changes: Iterable[Unrendered], trees: Sequence[Kustomizations]) -> Iterator[Problem]:
    missing = _MissingParts(trees)
    by_reason: dict[str, dict[Unrendered, set[str]]] = defaultdict(dict)
    for found in changes:
        renderer = "kustomize" if found.roots or found.kind in _OF_KUSTOMIZE else found.kind
        if not found.roots:
            by_reason[renderer][found] = set()
        for root in found.roots:
            reason = _MISSING if missing.of(root) else renderer
            by_reason[reason].setdefault(found, set()).add(root)
    for roots_of in by_reason.values():
        first, *others = roots_of
        roots = sorted(set().union(*roots_of.values()))
        is_its_own_root = not others and roots == [directory(first.path)]
        where = f" in {_shown(map(_root_name, roots))}" if roots and not is_its_own_root else ""
        subject = _subject(first, len({found.path for found in others} - {first.path}))
        yield _problem(first.path, f"What {subject}{where} is not evaluated, because {missing.cause(roots)}.")


def _problems_of_tree(files: Iterable[Unrendered], kustomizations: Kustomizations) -> Iterator[Problem]:
    missing = _MissingParts([kustomizations])
    by_reason: dict[str, list[Unrendered]] = defaultdict(list)
    for found in files:
        by_reason[_MISSING if any(map(missing.of, found.roots)) else found.kind].append(found)
    for kind, all_found in by_reason.items():
        cause = f"nothing of this kind ({kind}) is rendered"
        if kind == _MISSING:
            cause = missing.cause([root for found in all_found for root in found.roots])
        shown = _shown(f"`{found.path}`" for found in all_found)
        yield _problem(all_found[0].path, f"Not evaluated, because {cause}: {shown}.")


class _MissingParts:
    """What roots read and their tree does not have; a root that is gone from the first tree is one of the second."""

    def __init__(self, trees: Sequence[Kustomizations]) -> None:
        self._trees = trees
        self._by_root: dict[str, frozenset[str]] = {}

    def of(self, root: str) -> frozenset[str]:
        if root not in self._by_root:
            closure = next(tree.closure(root) for tree in self._trees if root in tree.by_directory)
            self._by_root[root] = frozenset(map(_repository_name, closure.remotes)).union(
                map(_chart_name, closure.charts)
            )
        return self._by_root[root]

    def cause(self, roots: Sequence[str]) -> str:
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
    elif found.kind == "patch":
        verb = "changes"
    if not others:
        return f"{what} {verb}"
    files = "1 other file" if others == 1 else f"{others} other files"
    return f"{what} and {files} {'make' if verb.startswith('make') else 'change'}"


def _repository_name(remote: RemoteReference) -> str:
    if remote.is_pinned:
        return f"`{remote.repository}` (commit `{remote.revision[:7]}`)"
    revision = f"`{remote.revision}`, " if remote.revision else ""
    return f"`{remote.repository}` ({revision}not pinned to a commit)"


def _chart_name(chart: ChartReference) -> str:
    name = f"chart `{' '.join(filter(None, (chart.name, chart.version)))}`"
    return f"{name} of `{chart.repository}`" if chart.repository else name


def _root_name(root: str) -> str:
    return f"`{root or '.'}`"


def _shown(names: Iterable[str]) -> str:
    """The names as they are read aloud, the first few of many."""
    all_names = [*names]
    if len(all_names) <= _SHOWN:
        return " and ".join(filter(None, (", ".join(all_names[:-1]), *all_names[-1:])))
    return f"{', '.join(all_names[:_SHOWN])} and {len(all_names) - _SHOWN} more"


def _problem(path: str, message: str) -> Problem:
    return Problem(path, 1, "not_rendered", message)
