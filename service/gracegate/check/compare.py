"""Base against head: what a change introduced, worsened, left as it was, and fixed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from gracegate.check.matches import Identity, Match, value_at
from gracegate.check.subjects import is_rolling
from gracegate.model import (
    CONTAINER_LISTS,
    SEVERITY_ORDER,
    WORKLOAD_KINDS,
    Document,
    DocumentKey,
    FileDiff,
    ObjectRef,
    Status,
)

_InFile = tuple[str, ObjectRef]

_TAG = re.compile(r"(:[^/:@]*)?(@.*)?$", re.DOTALL)

Renames = Mapping[_InFile, ObjectRef]
"""From an object of a head's file (path and object) to the object's former name, at base."""

ContainerRenames = Mapping[_InFile, Mapping[str, str]]
"""From an object of a head's file to the former names of its containers, by their names at head."""


@dataclass(frozen=True, slots=True)
class Holders:
    """The holders of the documents of both sides.

    Of `unknown` roots nobody knows what they held at base, `new` ones were not there. The base's files in `rooted` are
    read by roots, whether they are rendered or not.
    """

    base: frozenset[str] = frozenset()
    head: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    new: frozenset[str] = frozenset()
    rooted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Changes:
    """What is the same under another name, and what is where. `moved` maps a path at head to its path at base.

    `removed` are the objects of the base's files that the head's no longer have, under any name.
    """

    renames: Renames
    containers: ContainerRenames
    moved: Mapping[str, str]
    copies: frozenset[DocumentKey]
    removed: frozenset[_InFile]
    holders: Holders = field(default_factory=Holders)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`statuses` has the status of each head match by id; `fixed` are the base's matches that the head lacks.

    `inherited` are the ids of what a new root has introduced and what it was made of had before, elsewhere.
    """

    statuses: Mapping[str, Status]
    fixed: tuple[Match, ...]
    inherited: frozenset[str] = frozenset()


def compare(
    base: Sequence[Match],
    head: Sequence[Match],
    changes: Changes,
) -> Comparison:
    """Pairs the head's matches with the base's by identity.

    A match in a copy is no news if the original has it too, nor is one in a root that is unknown at base. Of an object
    that stood in several files, one that is removed has fixed nothing that another one still has.
    """
    renames, containers, holders = changes.renames, changes.containers, changes.holders
    former, left = _pair(base, head, changes)
    elsewhere = _in_other_holders(left, [m for m in head if m.id not in former], holders)
    left = [match for match in left if match not in elsewhere.values()]
    former = {**former, **elsewhere}
    originals = _originals([m for m in head if m.id not in former and m.document.key in changes.copies], base)
    statuses: dict[str, Status] = {
        match.id: "pre-existing"
        if match.document.holder in holders.unknown
        else _status(former.get(match.id) or originals.get(match.id), match)
        for match in head
    }
    at_base = {match.source_identity for match in base}
    inherited = {
        m.id
        for m in head
        if m.document.rendered is not None and _is_new(m, holders.base) and m.source_identity in at_base
    }
    still_there = {match.source_identity for match in head}
    still_there.update(replace(_former_identity(match, renames, containers), root="") for match in head)
    left = [m for m in left if _in_file(m) not in changes.removed or m.source_identity not in still_there]
    fixed = tuple(sorted(left, key=lambda m: (m.document.path, m.id)))
    return Comparison(statuses, fixed, frozenset(id_ for id_ in inherited if statuses[id_] == "introduced"))


def to_trace_at_base(base: Sequence[Match], head: Sequence[Match], changes: Changes) -> Sequence[Match]:
    """The base's matches of which `compare` asks what their objects were made of: those that the head has not in the
    same object, and those that may say the same as one of the head in a new root."""
    inherited = {
        _in_any_object(m) for m in head if m.document.rendered is not None and _is_new(m, changes.holders.base)
    }
    _, left = _pair(base, head, changes)
    unpaired = {match.id for match in left}
    return [match for match in base if match.id in unpaired or _in_any_object(match) in inherited]


def _in_any_object(match: Match) -> Hashable:
    """What matches of one source have in common, whatever their objects are called."""
    return match.identity.rule, match.identity.object.kind, match.identity.path


class Former(Protocol):
    """What a match of the head is paired with: one of the base, or what a baseline knows of one."""

    @property
    def id(self) -> str: ...

    @property
    def identity(self) -> Identity: ...

    @property
    def holder(self) -> str: ...


_Former = TypeVar("_Former", bound=Former)


def pair_without_renames(
    base: Iterable[_Former], head: Sequence[Match]
) -> tuple[Mapping[str, _Former], Sequence[_Former]]:
    """For the head's matches, by id, those of the base in objects and containers of the same names, and those that are
    left."""
    return _pair(base, head, Changes({}, {}, {}, frozenset(), frozenset()))


def _pair(
    base: Iterable[_Former], head: Sequence[Match], changes: Changes
) -> tuple[Mapping[str, _Former], Sequence[_Former]]:
    """For the head's matches, by id, those of the base in the same object, and the base's that are left."""
    renames, containers, moved = changes.renames, changes.containers, changes.moved
    unpaired: dict[Identity, list[_Former]] = defaultdict(list)
    for one in base:
        unpaired[one.identity].append(one)
    former: dict[str, _Former] = {}
    # Two passes, so that of several candidates the one with the same path is taken.
    for needs_same_path in (True, False):
        for match in head:
            path = moved.get(match.holder, match.holder)
            candidates = [] if match.id in former else _candidates(match, unpaired, renames, containers)
            pair = next((c for c in candidates if not needs_same_path or c.holder == path), None)
            if pair is not None:
                unpaired[pair.identity].remove(pair)
                former[match.id] = pair
    left = [one for those in unpaired.values() for one in those]
    at_other_places = _at_other_places(left, [m for m in head if m.id not in former], renames, containers)
    paired = {match.id for match in at_other_places.values()}
    return former | at_other_places, [one for one in left if one.id not in paired]


def _at_other_places(
    base: Iterable[_Former], head: Iterable[Match], renames: Renames, containers: ContainerRenames
) -> dict[str, _Former]:
    """For matches of the head, by id, those of the base on a field where theirs is on what lacks it, or vice versa."""
    by_object: dict[object, list[_Former]] = defaultdict(list)
    for one in base:
        by_object[one.identity.rule, one.identity.object, one.identity.root].append(one)
    found: dict[str, _Former] = {}
    for match in head:
        identity = _former_identity(match, renames, containers)
        of_object = by_object[identity.rule, identity.object, identity.root]
        for former in of_object:
            shorter, longer = sorted((identity.path, former.identity.path), key=len)
            if longer[:-1] == shorter:
                found[match.id] = former
                of_object.remove(former)
                break
    return found


def _in_other_holders(base: Iterable[Match], head: Iterable[Match], holders: Holders) -> dict[str, Match]:
    """For matches of the head, by id, what they were at base, before their file was rendered, or their root was moved.

    Several roots may have come of one file.
    """
    by_source: dict[Identity, list[Match]] = defaultdict(list)
    for match in base:
        by_source[match.source_identity].append(match)
    found: dict[str, Match] = {}
    for match in head:
        for former in by_source[match.source_identity]:
            is_rendered = match.document.rendered is not None or former.document.rendered is not None
            is_elsewhere = match.document.holder in holders.new and former.document.holder in holders.rooted
            if is_rendered and not is_elsewhere and (_is_new(match, holders.base) or _is_new(former, holders.head)):
                found.setdefault(match.id, former)
    return found


def _is_new(match: Match, holders: Collection[str]) -> bool:
    """Whether the other side, whose holders these are, has nothing of what holds the match."""
    return match.document.holder not in holders


def _originals(head: Sequence[Match], base: Iterable[Match]) -> Mapping[str, Match]:
    """For each match in a copy, by id, the one in an object at base that is the same in all."""
    wanted = {match.identity for match in head}
    by_identity: dict[Identity, list[Match]] = defaultdict(list)
    for match in base:
        if match.identity in wanted:
            by_identity[match.identity].append(match)
    return {
        match.id: original
        for match in head
        for original in by_identity[match.identity]
        if original.document.object == match.document.object
    }


def regressions(
    base: Sequence[Match], head: Iterable[Match], base_documents: Iterable[Document], renames: Renames
) -> frozenset[str]:
    """The ids of the head's matches whose object was at base with another value, without a match of the rule."""
    found_before = {(match.violation.rule, match.document.ref) for match in base}
    objects: dict[ObjectRef, list[Document]] = defaultdict(list)
    for document in base_documents:
        objects[document.ref].append(document)

    def is_regression(match: Match) -> bool:
        pointer = match.violation.pointer
        ref = renames.get((match.document.holder, match.document.ref), match.document.ref)
        former = [] if (match.violation.rule, ref) in found_before else objects[ref]
        value = value_at(match.document.object, pointer)
        return bool(former) and all(value_at(document.object, pointer) != value for document in former)

    return frozenset(match.id for match in head if is_regression(match))


def improvements(
    base: Iterable[Match], head: Iterable[Match], renames: Renames, lesser_than: Mapping[str, str]
) -> frozenset[str]:
    """The ids of the head's matches whose object had a match of the rule that theirs is `lesser_than`."""
    found_before = {(match.violation.rule, match.document.ref) for match in base}
    return frozenset(
        match.id
        for match in head
        if (greater := lesser_than.get(match.violation.rule)) is not None
        and (greater, renames.get(_in_file(match), match.document.ref)) in found_before
    )


def _candidates(
    match: Match, unpaired: Mapping[Identity, list[_Former]], renames: Renames, containers: ContainerRenames
) -> list[_Former]:
    former = _former_identity(match, renames, containers)
    return [candidate for one in dict.fromkeys((former, match.identity)) for candidate in unpaired.get(one, ())]


def _former_identity(match: Match, renames: Renames, containers: ContainerRenames) -> Identity:
    """The identity that a match of the head would have had at base."""
    place = _in_file(match)
    return match.identity.renamed(renames.get(place, match.identity.object), containers.get(place, {}))


def _in_file(match: Match) -> _InFile:
    return match.document.holder, match.document.ref


def _status(base: Match | None, head: Match) -> Status:
    if base is None:
        return "introduced"
    has_higher_level = SEVERITY_ORDER[head.violation.level] > SEVERITY_ORDER[base.violation.level]
    old, new = base.violation.measure, head.violation.measure
    return "worsened" if has_higher_level or (old is not None and new is not None and new > old) else "pre-existing"


def object_renames(base: Sequence[Document], head: Sequence[Document], moved: Mapping[str, str]) -> Renames:
    """Head objects that are an object of the base's file, or of what its root renders to, under another name.

    Among those added and removed, two are the same if they differ in the namespace alone, else if they were rendered of
    the same place, else if they are the only ones of a kind, else if they are workloads that differ in the kind alone.
    """
    removed = {(d.holder, d.ref) for d in base}
    head_paths = {(moved.get(d.holder, d.holder), d.ref): d.holder for d in head}
    added = head_paths.keys() - removed
    removed -= head_paths.keys()
    renames: dict[_InFile, ObjectRef] = {}
    births = _births(base, {}) | _births(head, moved)
    for common_key in (_key_without_namespace, births.get, _key_without_name, _key_without_kind):
        new, old = _unique_by_key(added, common_key), _unique_by_key(removed, common_key)
        for key in new.keys() & old.keys():
            renames[head_paths[new[key]], new[key][1]] = old[key][1]
            added.remove(new[key])
            removed.remove(old[key])
    return renames


def removed_objects(
    base: Iterable[Document], head: Iterable[Document], renames: Renames, moved: Mapping[str, str]
) -> frozenset[_InFile]:
    """The objects of the base's files that the head's no longer have, under any name."""
    kept = {(moved.get(d.holder, d.holder), renames.get((d.holder, d.ref), d.ref)) for d in head}
    return frozenset((d.holder, d.ref) for d in base) - kept


def copied_documents(
    base: Iterable[Document], head: Iterable[Document], moved: Mapping[str, str]
) -> frozenset[DocumentKey]:
    """Those of the head that are new in their file and were in another one at base, as for one more cluster."""
    known: dict[ObjectRef, list[Document]] = defaultdict(list)
    for document in base:
        known[document.ref].append(document)
    return frozenset(
        d.key
        for d in head
        if any(other.object == d.object for other in known[d.ref])
        and all(other.holder != moved.get(d.holder, d.holder) for other in known[d.ref])
    )


def container_renames(
    base: Iterable[Document], head: Iterable[Document], renames: Renames, moved: Mapping[str, str]
) -> ContainerRenames:
    """Containers of workloads of the head that are one of the base's under another name.

    Among the containers added to and removed from a list, two are the same if they are the only ones with their image,
    whatever its tag, and their ports, else the only ones with their image.
    """
    former = {(d.holder, d.ref): d for d in base}
    found: dict[_InFile, Mapping[str, str]] = {}
    for document in head:
        ref = renames.get((document.holder, document.ref), document.ref)
        before = former.get((moved.get(document.holder, document.holder), ref))
        if before is not None and (names := _container_names(before, document)):
            found[document.holder, document.ref] = names
    return found


def _container_names(base: Document, head: Document) -> Mapping[str, str]:
    names: dict[str, str] = {}
    for listed in CONTAINER_LISTS:
        old, new = _containers(base, listed), _containers(head, listed)
        added, removed = new.keys() - old.keys(), old.keys() - new.keys()
        for key_of in (_image_and_ports, _image):
            by_key = _only_ones(removed, old, key_of)
            for key, name in _only_ones(added, new, key_of).items():
                if key in by_key and key[0]:
                    names[name] = by_key[key]
            added, removed = added - names.keys(), removed - set(names.values())
    return names


def _containers(document: Document, listed: str) -> Mapping[str, Mapping[str, object]]:
    """The containers of a workload's list by name."""
    kind = WORKLOAD_KINDS.get(document.ref.kind)
    containers = None if kind is None else value_at(document.object, (*kind.pod_spec, listed))
    mappings = [c for c in containers if isinstance(c, Mapping)] if isinstance(containers, list) else []
    return {name: c for c in mappings if isinstance(name := c.get("name"), str)}


def _only_ones(
    names: Iterable[str], containers: Mapping[str, Mapping[str, object]], key_of: Callable[..., tuple[str, ...]]
) -> Mapping[tuple[str, ...], str]:
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in names:
        groups[key_of(containers[name])].append(name)
    return {key: group[0] for key, group in groups.items() if len(group) == 1}


def _image(container: Mapping[str, object]) -> tuple[str, ...]:
    image = container.get("image")
    return (_TAG.sub("", image),) if isinstance(image, str) else ("",)


def _image_and_ports(container: Mapping[str, object]) -> tuple[str, ...]:
    ports = container.get("ports")
    numbers = [value_at(port, ("containerPort",)) for port in ports] if isinstance(ports, list) else []
    return (*_image(container), *sorted(map(str, numbers)))


def _births(documents: Iterable[Document], moved: Mapping[str, str]) -> dict[_InFile, object]:
    """What rendered objects were made of: a kustomization may give all of them another name."""
    return {
        (moved.get(d.holder, d.holder), d.ref): (d.ref.kind, moved.get(d.path, d.path), d.number, d.pointer)
        for d in documents
        if d.rendered is not None
    }


def _unique_by_key(objects: Iterable[_InFile], key_of: Callable[[_InFile], object]) -> dict[object, _InFile]:
    """The objects that no other one of their file shares the key with; an object without a key is left out."""
    groups: dict[object, list[_InFile]] = defaultdict(list)
    for place in objects:
        if (key := key_of(place)) is not None:
            groups[place[0], key].append(place)
    return {key: group[0] for key, group in groups.items() if len(group) == 1}


def _key_without_namespace(place: _InFile) -> object:
    ref = place[1]
    return ref.group, ref.kind, ref.name


def _key_without_name(place: _InFile) -> object:
    ref = place[1]
    return ref.group, ref.kind


def _key_without_kind(place: _InFile) -> object:
    ref = place[1]
    return (ref.namespace, ref.name) if is_rolling(ref.kind) else None


def moved_paths(diff: Iterable[FileDiff]) -> dict[str, str]:
    """The path at base of each renamed file, by its path at head."""
    return {d.path: d.previous_path for d in diff if d.previous_path is not None and d.change == "renamed"}
