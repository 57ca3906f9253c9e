"""Violations with a fingerprint: it stays the same when lines shift, files move and lists are reordered."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gracegate.model import CONTAINER_LISTS, WORKLOAD_KINDS, Document, ObjectRef, Pointer, Violation


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes two violations the same one: rule, object, and the path inside it with list items by name.

    `root` is that of a rendered object, as its holder, "" for any other.
    """

    rule: str
    object: ObjectRef
    path: tuple[str, ...]
    root: str = ""

    def renamed(self, other: ObjectRef, containers: Mapping[str, str]) -> Identity:
        """The same violation of an object, and of containers in it, that had these other names."""
        steps = zip(("", *self.path), self.path, strict=False)
        path = (
            f"[{containers.get(step[1:-1], step[1:-1])}]" if parent in CONTAINER_LISTS and step[:1] == "[" else step
            for parent, step in steps
        )
        return Identity(self.rule, other, tuple(path), self.root)


@dataclass(frozen=True, slots=True)
class Match:
    """One violation of one document. `id` is unique among the matches of a tree, also where identities are equal."""

    id: str
    identity: Identity
    document: Document
    violation: Violation
    container: str | None

    @property
    def holder(self) -> str:
        """What the document is seen together with."""
        return self.document.holder

    @property
    def source_identity(self) -> Identity:
        """The identity in the source of a rendered object: the same in all roots that it is rendered in."""
        return Identity(self.identity.rule, self.document.source_ref, self.identity.path)

    @property
    def source(self) -> Hashable:
        """What several matches have in common that say the same of one source."""
        return self.identity.rule, *source_key(self.document), self.identity.path

    @property
    def target(self) -> str:
        """Names what is at fault, in any file: the container, or the object outside its containers."""
        return _target(self.document.source_ref, self.container)

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
    ids = Ids()
    matches = []
    for violation, document in pairs:
        root = "" if document.rendered is None else document.holder
        identity = Identity(violation.rule, document.ref, path_by_name(document.object, violation.pointer), root)
        match_id = ids.next(identity, document.holder)
        container = container_name(document.object, violation.pointer)
        matches.append(Match(match_id, identity, document, violation, container))
    return tuple(matches)


@dataclass(frozen=True, slots=True)
class MatchGroup:
    """Matches that say the same of one source. `id` is unique among the groups of a tree."""

    id: str
    matches: tuple[Match, ...]


def group_matches(matches: Iterable[Match]) -> tuple[MatchGroup, ...]:
    """The matches by what they were made of; a match of what is not rendered keeps its id."""
    groups: dict[Hashable, list[Match]] = {}
    for match in matches:
        groups.setdefault(match.source, []).append(match)
    ids = Ids()
    return tuple(
        MatchGroup(ids.next(members[0].source_identity, members[0].document.path), tuple(members))
        for members in groups.values()
    )


class Ids:
    """Makes ids of identities that are unique, each made once."""

    def __init__(self) -> None:
        self._identities: set[Identity] = set()
        self._counts: dict[str, int] = {}

    def next(self, identity: Identity, holder: str) -> str:
        """An id, which stays the same as long as nothing else has the same identity; then `holder` is part of it."""
        found = _id(identity, holder if identity in self._identities else "")
        self._identities.add(identity)
        count = self._counts[found] = self._counts.get(found, 0) + 1
        # The same object twice in one file: only the count can tell the two apart.
        return found if count == 1 else _id(identity, f"{holder}#{count}")


def source_key(document: Document) -> tuple[Hashable, ...]:
    """What the documents that were made of one object of a file have in common, with that object."""
    return document.path, document.number, document.pointer


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
        for ref in {document.source_ref, former_refs.get((document.holder, document.ref), document.source_ref)}
        for container in (
            None,
            *_container_names(document),
            *former_containers.get((document.holder, document.ref), {}).values(),
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
    return _digest(identity.rule, *_names(identity.object), path, *identity.path, *filter(None, [identity.root]))[:12]


def _target(ref: ObjectRef, container: str | None) -> str:
    return _digest(*_names(ref), *([] if container is None else [container]))[:8]


def _names(ref: ObjectRef) -> tuple[str, ...]:
    return ref.group, ref.kind, ref.namespace, ref.name


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
