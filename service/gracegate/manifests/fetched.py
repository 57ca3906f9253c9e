"""Commits of other repositories and artifacts of registries that were fetched for a tree: where their files stand."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from gracegate.manifests.discovery import directory
from gracegate.manifests.kustomize import GENERATORS, Kustomization, Reference
from gracegate.model import Operation, PinnedSource, SourceFile, Tree
from gracegate.yaml_edit import apply_operation

Fetched = Mapping[PinnedSource, Tree]
"""What was fetched, by its source."""

# git takes no file of this name, so no tree has anything in such a directory.
_FOLDER = ".git/"


def fetched_folder(source: PinnedSource) -> str:
    """Where the files of a source stand."""
    place = source.url.partition("://")[2].removesuffix(".git").replace(":", "_")
    return f"{_FOLDER}{place}@{source.revision.replace(':', '-')}"


def is_fetched(path: str) -> bool:
    """Whether a file or directory is one that was fetched."""
    return path.startswith(_FOLDER)


def is_complete(tree: Tree) -> bool:
    """Whether a source was fetched, apart from single files of it."""
    return all(problem.file for problem in tree.problems)


def is_here(source: PinnedSource | None, fetched: Fetched) -> bool:
    """Whether a source, None for one that is not pinned, was fetched, apart from single files of it."""
    return source is not None and source in fetched and is_complete(fetched[source])


def fetched_files(fetched: Fetched) -> Iterator[SourceFile]:
    """The files of all sources, at the paths where they stand."""
    for source, tree in fetched.items():
        folder = fetched_folder(source)
        yield from (replace(file, path=f"{folder}/{path}") for path, file in tree.files.items())


def artifacts_of(fetched: Fetched) -> Fetched:
    """Those of what was fetched that are of registries: charts, and what GitOps controllers apply of its own."""
    return {source: tree for source, tree in fetched.items() if source.is_artifact}


def follow_references(kustomization: Kustomization, fetched: Fetched) -> Kustomization:
    """The kustomization with the paths of what its references name and was fetched."""
    if not fetched:
        return kustomization
    return replace(kustomization, references=tuple(_follow(one, fetched) for one in kustomization.references))


def names_fetched(kustomization: Kustomization) -> bool:
    """Whether anything that it names was fetched."""
    return any(reference.remote is not None and reference.path for reference in kustomization.references)


def with_fetched_paths(kustomization: Kustomization, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The content with the paths of what was fetched in the place of its addresses."""
    for reference in kustomization.references:
        if reference.remote is not None and reference.path:
            relative = posixpath.relpath(reference.path, directory(kustomization.path) or ".")
            content = apply_operation(content, Operation("replace", reference.pointer, relative))
    return content


def _follow(reference: Reference, fetched: Fetched) -> Reference:
    commit = None if reference.remote is None or reference.key in GENERATORS else reference.remote.pinned
    if reference.remote is None or commit is None or not is_here(commit, fetched):
        return reference
    path = posixpath.normpath(posixpath.join(fetched_folder(commit), reference.remote.path))
    return reference._replace(path=path) if path.startswith(fetched_folder(commit)) else reference
