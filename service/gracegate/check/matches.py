"""Violations with a fingerprint: it stays the same when lines shift, files move and lists are reordered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gracegate.model import CONTAINER_LISTS, WORKLOAD_KINDS, Document, ObjectRef, Pointer, Violation


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes two violations the same one: rule, object, and the path inside it with list items by name."""

    rule: str
    object: ObjectRef
    path: tuple[str, ...]

    def renamed(self, other: ObjectRef, containers: Mapping[str, str]) -> Identity:
        """The same violation of an object, and of containers in it, that had these other names."""
        steps = zip(("", *self.path), self.path, strict=False)
        path = (
            f"[{containers.get(step[1:-1], step[1:-1])}]" if parent in CONTAINER_LISTS and step[:1] == "[" else step
            for parent, step in steps
        )
        return Identity(self.rule, other, tuple(path))


@dataclass(frozen=True, slots=True)
class Match:
    """One violation of one document. `id` is unique among the matches of a tree, also where identities are equal."""

    id: str
    identity: Identity
    document: Document
    violation: Violation
    container: str | None

    @property
    def target(self) -> str:
        """Names what is at fault, in any file: the container, or the object outside its containers."""
        return _target(self.identity.object, self.container)

    @property
    def comment_anchor(self) -> str:
        """The container, or the object outside its containers: the place of one comment, unique in a tree."""
        document = self.document
        parts = (document.path, str(document.number), *map(str, document.pointer), self.container or "")
        return "\x1f".join(parts)


def match_violations(documents: Sequence[Document], violations: Iterable[Violation]) -> tuple[Match, ...]:
    """A match for each violation; violations index into `documents`."""
    pairs = [(violation, documents[violation.document]) for violation in violations]
    pairs.sort(
        key=lambda pair: (pair[1].path, pair[1].number, str(pair[1].pointer), pair[0].rule, str(pair[0].pointer))
    )
    identities: set[Identity] = set()
    counts: dict[str, int] = {}
    matches = []
    for violation, document in pairs:
        identity = Identity(violation.rule, document.ref, path_by_name(document.object, violation.pointer))
        match_id = _id(identity, document.path if identity in identities else "")
        identities.add(identity)
        count = counts[match_id] = counts.get(match_id, 0) + 1
        if count > 1:
            # The same object twice in one file: only the count can tell the two apart.
            match_id = _id(identity, f"{document.path}#{count}")
        container = container_name(document.object, violation.pointer)
        matches.append(Match(match_id, identity, document, violation, container))
    return tuple(matches)


def live_targets(
    documents: Iterable[Document],
    former_refs: Mapping[tuple[str, ObjectRef], ObjectRef],
    former_containers: Mapping[tuple[str, ObjectRef], Mapping[str, str]],
) -> frozenset[str]:
    """The targets that matches of these documents may have, without patches and workloads that run no Pods.

    `former_refs` has the former names of renamed objects, by path and object, and `former_containers` those of renamed
    containers in them: targets under these count too.
    """
    return frozenset(
        _target(ref, container)
        for document in documents
        if not document.is_fragment and value_at(document.object, ("spec", "replicas")) != 0
        for ref in {document.ref, former_refs.get((document.path, document.ref), document.ref)}
        for container in (
            None,
            *_container_names(document),
            *former_containers.get((document.path, document.ref), {}).values(),
        )
    )


def _container_names(document: Document) -> Iterable[str]:
    """As `container_name` gives them."""
    workload = WORKLOAD_KINDS.get(document.ref.kind)
    pod_spec = () if workload is None else workload.pod_spec
    for listed in CONTAINER_LISTS if workload else ():
        containers = value_at(document.object, (*pod_spec, listed))
        for index in range(len(containers) if isinstance(containers, list) else 0):
            yield container_name(document.object, (*pod_spec, listed, index)) or ""


def path_by_name(value: Any, pointer: Pointer) -> tuple[str, ...]:
    """A pointer whose list indexes are replaced by the `name` of the item, where it has one."""
    steps = []
    for step in pointer:
        value = value_at(value, (step,))
        name = value.get("name") if isinstance(step, int) and isinstance(value, Mapping) else None
        steps.append(f"[{name}]" if isinstance(name, str) else str(step))
    return tuple(steps)


def container_name(value: Any, pointer: Pointer) -> str | None:
    """The name of the container that a pointer leads into; its index as text where it has no name."""
    for index, step in enumerate(pointer[1:], start=1):
        if isinstance(step, int) and pointer[index - 1] in CONTAINER_LISTS:
            name = value_at(value, (*pointer[: index + 1], "name"))
            return name if isinstance(name, str) else str(step)
    return None


def value_at(value: Any, pointer: Pointer) -> Any:
    """The value that a pointer leads to, None where there is none."""
    for step in pointer:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list | tuple) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def _id(identity: Identity, path: str) -> str:
    return _digest(identity.rule, *_names(identity.object), path, *identity.path)[:12]


def _target(ref: ObjectRef, container: str | None) -> str:
    return _digest(*_names(ref), *([] if container is None else [container]))[:8]


def _names(ref: ObjectRef) -> tuple[str, ...]:
    return ref.group, ref.kind, ref.namespace, ref.name


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
