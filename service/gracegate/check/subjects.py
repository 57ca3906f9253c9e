"""Which documents may be reported: those of changed files, and those that a change can reach through a join."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gracegate.manifests import COMPONENT_FILES, directory
from gracegate.model import WORKLOAD_KINDS, Document, DocumentKey, FileDiff


@dataclass(frozen=True, slots=True)
class Scope:
    """The changed paths of both sides, and the directories, components, roots and namespaces that they can reach.

    The reach is wider than the joins themselves (selectors are the rules' knowledge): a document in it is evaluated
    on both sides, and only what differs between the sides is reported, so width costs time and never a wrong finding.
    """

    base_paths: frozenset[str]
    head_paths: frozenset[str]
    directories: frozenset[str]
    components: frozenset[str]
    roots: frozenset[str]
    namespaces: frozenset[str]

    def subject_indexes(self, documents: Sequence[Document], paths: frozenset[str]) -> frozenset[int]:
        """Indexes of the documents in `paths` and of those within reach."""
        # Only those roots are rendered that the change reaches.
        return frozenset(
            i for i, d in enumerate(documents) if d.rendered is not None or d.path in paths or self._reaches(d)
        )

    def _reaches(self, document: Document) -> bool:
        return (
            document.ref.namespace in self.namespaces
            or document.component in self.components
            or document.root in self.roots
            or directory(document.path) in self.directories
        )


def scope_of(diff: Iterable[FileDiff], base: Iterable[Document], head: Iterable[Document]) -> Scope:
    """The scope of a diff; a kustomization or chart that is added or removed reaches all below its directory."""
    changes = list(diff)
    base_paths = frozenset(d.previous_path or d.path for d in changes if d.change != "added")
    head_paths = frozenset(d.path for d in changes if d.change != "removed")
    changed = [d for d in base if d.path in base_paths] + [d for d in head if d.path in head_paths]
    component_files = (p for p in base_paths | head_paths if p.rpartition("/")[2] in COMPONENT_FILES)
    return Scope(
        base_paths,
        head_paths,
        frozenset(directory(d.path) for d in changed),
        frozenset(d.component for d in changed).union(directory(path) for path in component_files),
        frozenset(d.root for d in changed if d.root is not None),
        frozenset(d.ref.namespace for d in changed if d.ref.namespace),
    )


def changed_documents(
    base: Iterable[Document], head: Iterable[Document], paths: frozenset[str], moved: Mapping[str, str]
) -> frozenset[DocumentKey]:
    """The keys of documents in `paths` of the head, and of rendered ones, whose object differs from the base's."""
    base_objects = {(d.holder, d.ref): d.object for d in base}
    return frozenset(
        d.key
        for d in head
        if (d.path in paths or d.rendered is not None)
        and base_objects.get((moved.get(d.holder, d.holder), d.ref)) != d.object
    )


def is_workload(document: Document) -> bool:
    """Whether a document is a workload that rolling updates replace."""
    return is_rolling(document.ref.kind) and not document.is_fragment


def is_rolling(kind: str) -> bool:
    """Whether an update of an object of this kind replaces its Pods."""
    return kind in WORKLOAD_KINDS and WORKLOAD_KINDS[kind].rolls
