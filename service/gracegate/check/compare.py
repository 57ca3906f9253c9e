"""Base against head: what a change introduced, worsened, left as it was, and fixed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gracegate.check.matches import Identity, Match
from gracegate.check.verdict import is_rolling
from gracegate.model import SEVERITY_ORDER, Document, FileDiff, ObjectRef, Status

_InFile = tuple[str, ObjectRef]

Renames = Mapping[tuple[str, ObjectRef], ObjectRef]
"""From an object of a head's file (its path and itself) to what it was called at base."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`statuses` holds each head sighting's status by id; `gone` are the base's sightings that head has no more."""

    statuses: Mapping[str, Status]
    gone: tuple[Match, ...]


def compare(
    base: Sequence[Match],
    head: Sequence[Match],
    renamed: Renames,
    moved: Mapping[str, str],
) -> Comparison:
    """Matches head's sightings with base's by identity, the same path first.

    `moved` maps a path at head to its path at base.
    """
    waiting: dict[Identity, list[Match]] = defaultdict(list)
    for sighting in base:
        waiting[sighting.identity].append(sighting)
    pairs = _match(head, waiting, renamed, moved)
    statuses: dict[str, Status] = {
        sighting.id: "introduced" if before is None else _status(before, sighting) for sighting, before in pairs
    }
    gone = [sighting for left in waiting.values() for sighting in left]
    return Comparison(statuses, tuple(sorted(gone, key=lambda s: (s.document.path, s.id))))


def _match(
    head: Iterable[Match],
    waiting: Mapping[Identity, list[Match]],
    renamed: Renames,
    moved: Mapping[str, str],
) -> list[tuple[Match, Match | None]]:
    """Takes each match out of `waiting`; two passes, so that a tie goes to the one with the same path."""
    pairs: dict[str, tuple[Match, Match | None]] = {}
    for same_path in (True, False):
        for sighting in head:
            if sighting.id in pairs and pairs[sighting.id][1] is not None:
                continue
            candidates = _candidates(sighting, waiting, renamed)
            path = moved.get(sighting.document.path, sighting.document.path)
            before = next((c for c in candidates if not same_path or c.document.path == path), None)
            if before is not None:
                waiting[before.identity].remove(before)
            pairs[sighting.id] = (sighting, before)
    return list(pairs.values())


def _candidates(sighting: Match, waiting: Mapping[Identity, list[Match]], renamed: Renames) -> list[Match]:
    own = sighting.identity
    former = renamed.get((sighting.document.path, own.object))
    identities = [own] if former is None else [own.of(former), own]
    return [candidate for identity in identities for candidate in waiting.get(identity, ())]


def _status(before: Match, after: Match) -> Status:
    worse_level = SEVERITY_ORDER[after.violation.level] > SEVERITY_ORDER[before.violation.level]
    old, new = before.violation.measure, after.violation.measure
    return "worsened" if worse_level or (old is not None and new is not None and new > old) else "pre-existing"


def renames(base: Iterable[Document], head: Iterable[Document], moved: Mapping[str, str]) -> Renames:
    """Head objects that are an object of the base's file under another name.

    Of what came to a file and what went from it, two belong together that differ in their namespace alone, else the
    only ones of a kind, else two workloads that differ in their kind alone.
    """
    went = {(d.path, d.ref) for d in base}
    came = {(moved.get(d.path, d.path), d.ref): d.path for d in head}
    kept = went & came.keys()
    went -= kept
    found: dict[tuple[str, ObjectRef], ObjectRef] = {}
    for alike in (_but_namespace, _but_name, _but_kind):
        new = _only(came.keys() - kept, alike)
        old = _only(went, alike)
        for key in new.keys() & old.keys():
            found[came[new[key]], new[key][1]] = old[key][1]
            kept.add(new[key])
            went.remove(old[key])
    return found


def _only(objects: Iterable[tuple[str, ObjectRef]], alike: Callable[[ObjectRef], object]) -> dict[object, _InFile]:
    """The objects that are alone in their file with what `alike` makes of them; None is like nothing."""
    groups: dict[object, list[_InFile]] = defaultdict(list)
    for path, ref in objects:
        if (key := alike(ref)) is not None:
            groups[path, key].append((path, ref))
    return {key: group[0] for key, group in groups.items() if len(group) == 1}


def _but_namespace(ref: ObjectRef) -> object:
    return ref.group, ref.kind, ref.name


def _but_name(ref: ObjectRef) -> object:
    return ref.group, ref.kind


def _but_kind(ref: ObjectRef) -> object:
    return (ref.namespace, ref.name) if is_rolling(ref.kind) else None


def moved_paths(diff: Iterable[FileDiff]) -> dict[str, str]:
    """Paths at head by which a file of the base goes now, to its path at base."""
    return {d.path: d.previous_path for d in diff if d.previous_path is not None and d.change == "renamed"}
