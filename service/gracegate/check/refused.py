"""Problems for roots that kustomize or Helm refuses to render, in their own words, and for those beyond a limit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from gracegate.check.trees import ComparedTrees
from gracegate.model import Problem, RenderProblem, Root

_TOOLS = {"kustomize": "kustomize", "helm": "Helm"}
_BEGINNING, _END = 120, 280
"""Characters of a tool's message. kustomize names all places on the way to a file, and then what is wrong there."""


def refused_roots(trees: ComparedTrees, known: Collection[str]) -> Iterator[Problem]:
    """Why roots of the head do not render. What this change broke blocks; what was broken, or lacks values that nobody
    here gives, is named, once for each reason. Of the files in `known` it has been said what is wrong."""
    components = trees.head.collection.components
    old: dict[str, list[Root]] = defaultdict(list)
    for root, rendered in sorted(trees.head.tree.roots.items()):
        problem = rendered.problem
        if problem is None or rendered.is_unavailable or not components.files_of(root).isdisjoint(known):
            continue
        if problem.code != "refused":
            message = f"`{root.name}` was not rendered: {problem.message}."
            yield Problem(_place(root, trees), 1, "render_limit", message)
        elif _is_broken_by_change(root, trees):
            message = f"{_TOOLS[root.renderer]} cannot render `{root.name}` any more: {_quoted(problem)}."
            yield Problem(_place(root, trees), 1, "build", message)
        else:
            old[f"{_TOOLS[root.renderer]} cannot render %s: {_quoted(problem)}."].append(root)
    for message, roots in old.items():
        others = "" if len(roots) == 1 else f" and {len(roots) - 1} more"
        text = message.replace("%s", f"`{roots[0].name}`{others}", 1)
        yield Problem(_place(roots[0], trees), 1, "not_rendered", text)


def _is_broken_by_change(root: Root, trees: ComparedTrees) -> bool:
    """Whether a root rendered before, or is a new kustomization: a new chart may lack values that others give it."""
    if trees.base is None:
        return False
    if trees.base.collection.components.has(root):
        return root in trees.base.tree.rendered
    return root.renderer == "kustomize"


def _place(root: Root, trees: ComparedTrees) -> str:
    """A changed file of a root, else its own one."""
    components = trees.head.collection.components
    own = components.file_of(root)
    changed = components.files_of(root) & (frozenset() if trees.scope is None else trees.scope.head_paths)
    return own if own in changed or not changed else min(changed)


def _quoted(problem: RenderProblem) -> str:
    """The message of a tool, whose text is from files of the pull request, on one line."""
    text = " ".join(problem.message.replace("`", "'").split())
    is_short = len(text) <= _BEGINNING + _END
    return f"`{text if is_short else f'{text[:_BEGINNING]} … {text[-_END:]}'}`"
