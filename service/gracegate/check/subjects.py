"""Which documents may be reported: those of changed files, and those that a change can reach through a join."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from gracegate.manifests import COMPONENT_FILES, directory
from gracegate.model import Document, DocumentKey, FileDiff


@dataclass(frozen=True, slots=True)
class Scope:
    """The changed paths of both sides, and the directories, components and namespaces that they can reach.

    The reach is wider than the joins themselves (selectors are the rules' knowledge): a document in it is evaluated
    on both sides, and only what differs between the sides is reported, so width costs time and never a wrong finding.
    """

    base_paths: frozenset[str]
    head_paths: frozenset[str]
    directories: frozenset[str]
    components: frozenset[str]
    namespaces: frozenset[str]

    def subjects(self, documents: Sequence[Document], *, base: bool) -> frozenset[int]:
        """Indexes of the documents to evaluate on one side."""
        paths = self.base_paths if base else self.head_paths
        return frozenset(i for i, d in enumerate(documents) if d.path in paths or self._reaches(d))

    def _reaches(self, document: Document) -> bool:
        return (
            document.ref.namespace in self.namespaces
            or document.component in self.components
            or directory(document.path) in self.directories
        )


def scope(diff: Iterable[FileDiff], base: Iterable[Document], head: Iterable[Document]) -> Scope:
    """The scope of a diff; a kustomization or chart that comes or goes reaches all below its directory."""
    changes = list(diff)
    base_paths = frozenset(d.previous_path or d.path for d in changes if d.change != "added")
    head_paths = frozenset(d.path for d in changes if d.change != "removed")
    touched = [d for d in base if d.path in base_paths] + [d for d in head if d.path in head_paths]
    component_files = (p for p in base_paths | head_paths if PurePosixPath(p).name in COMPONENT_FILES)
    return Scope(
        base_paths,
        head_paths,
        frozenset(directory(d.path) for d in touched),
        frozenset(d.component for d in touched).union(directory(path) for path in component_files),
        frozenset(d.ref.namespace for d in touched if d.ref.namespace),
    )


def touched_objects(
    base: Iterable[Document], head: Iterable[Document], paths: frozenset[str], moved: Mapping[str, str]
) -> frozenset[DocumentKey]:
    """The head documents of changed files whose object differs from the base's."""
    before = {(d.path, d.ref): d.object for d in base}
    return frozenset(
        d.key for d in head if d.path in paths and before.get((moved.get(d.path, d.path), d.ref)) != d.object
    )
