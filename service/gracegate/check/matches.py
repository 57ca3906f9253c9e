"""Violations with a name of their own: what stays the same when lines shift, files move and lists are reordered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gracegate.model import Document, ObjectRef, Pointer, Violation

CONTAINER_LISTS = frozenset({"containers", "initContainers", "ephemeralContainers"})


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes two violations the same one: rule, object, and the place inside it with list items by name."""

    rule: str
    object: ObjectRef
    place: tuple[str, ...]

    def of(self, other: ObjectRef) -> Identity:
        """The same violation of another object, for one that was renamed."""
        return Identity(self.rule, other, self.place)


@dataclass(frozen=True, slots=True)
class Match:
    """One violation of one document. `id` is unique in its list; equal identities are told apart by their path."""

    id: str
    identity: Identity
    document: Document
    violation: Violation
    container: str | None

    @property
    def comment_anchor(self) -> str:
        """The container, or the object outside its containers: what one comment speaks about."""
        return comment_anchor(self.document, self.container)


def comment_anchor(document: Document, container: str | None) -> str:
    """Names the place of one comment, unique in a tree."""
    return "\x1f".join((document.path, str(document.number), *map(str, document.pointer), container or ""))


def sightings(documents: Sequence[Document], violations: Iterable[Violation]) -> tuple[Match, ...]:
    """Gives each violation its identity and its id; `violations` index into `documents`."""
    found = [(violation, documents[violation.document]) for violation in violations]
    found.sort(
        key=lambda pair: (pair[1].path, pair[1].number, str(pair[1].pointer), pair[0].rule, str(pair[0].pointer))
    )
    seen: set[Identity] = set()
    named = []
    for violation, document in found:
        place = by_name(document.object, violation.pointer)
        identity = Identity(violation.rule, document.ref, place)
        path = document.path if identity in seen else ""
        seen.add(identity)
        named.append(
            Match(_id(identity, path), identity, document, violation, container_of(document.object, violation.pointer))
        )
    return tuple(_made_unique(named))


def by_name(value: Any, pointer: Pointer) -> tuple[str, ...]:
    """A pointer whose list indexes are replaced by the `name` of the item, where it has one."""
    steps = []
    for step in pointer:
        value = _child(value, step)
        name = value.get("name") if isinstance(step, int) and isinstance(value, Mapping) else None
        steps.append(f"[{name}]" if isinstance(name, str) else str(step))
    return tuple(steps)


def container_of(value: Any, pointer: Pointer) -> str | None:
    """The name of the container that a pointer leads into; its index as text where it has no name."""
    for index, step in enumerate(pointer[1:], start=1):
        if isinstance(step, int) and pointer[index - 1] in CONTAINER_LISTS:
            container = follow(value, pointer[: index + 1])
            name = container.get("name") if isinstance(container, Mapping) else None
            return name if isinstance(name, str) else str(step)
    return None


def follow(value: Any, pointer: Pointer) -> Any:
    """What a pointer leads to, None where it leads nowhere."""
    for step in pointer:
        value = _child(value, step)
    return value


def _child(value: Any, step: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(value, list | tuple) and isinstance(step, int) and 0 <= step < len(value):
        return value[step]
    return None


def _id(identity: Identity, path: str) -> str:
    ref = identity.object
    text = "\x1f".join((identity.rule, ref.group, ref.kind, ref.namespace, ref.name, path, *identity.place))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _made_unique(named: Iterable[Match]) -> Iterable[Match]:
    # The same object twice in one file: the ordinal is all that is left to tell the two apart.
    seen: dict[str, int] = {}
    for sighting in named:
        count = seen[sighting.id] = seen.get(sighting.id, 0) + 1
        if count == 1:
            yield sighting
        else:
            yield Match(
                _id(sighting.identity, f"{sighting.document.path}#{count}"),
                sighting.identity,
                sighting.document,
                sighting.violation,
                sighting.container,
            )
