"""Manifests that no kustomization of their directory lists after a change: nothing applies what is in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gracegate.check.compare import moved_paths
from gracegate.check.trees import ComparedTrees
from gracegate.manifests import directory
from gracegate.model import Document, Problem


def unlisted_problems(trees: ComparedTrees) -> Iterator[Problem]:
    """One for each file that is new, or that a kustomization listed before."""
    if trees.base is None or trees.scope is None:
        return
    moved = moved_paths(trees.request.diff or ())
    before, after = (tree.tree.files.components.kustomizations for tree in (trees.base, trees.head))
    by_path: defaultdict[str, list[Document]] = defaultdict(list)
    for document in trees.head.tree.files.documents:
        if not document.is_fragment:
            by_path[document.path].append(document)
    for path, documents in by_path.items():
        former = moved.get(path, path)
        was_there = former in before.files
        if not after.leaves_out(path) or (was_there and before.leaves_out(former)):
            continue
        kustomization = after.by_directory[directory(path)].path
        names = f"{documents[0].ref.kind} `{documents[0].ref.name}`"
        if len(documents) > 1:
            names += f" and {len(documents) - 1} more"
        effect = "no longer applied, and deleted by a tool that prunes" if was_there else "not applied"
        verb = "are" if len(documents) > 1 else "is"
        yield Problem(path, 1, "not_listed", f"{names} {verb} {effect}: `{kustomization}` does not list the file.")
