"""Base against head: what a change introduced, worsened, left as it was, and fixed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gracegate.check.sightings import Identity, Sighting
from gracegate.model import SEVERITY_ORDER, Document, FileDiff, ObjectRef, Status

Renames = Mapping[tuple[str, ObjectRef], ObjectRef]
"""From an object of a head's file (its path and itself) to what it was called at base."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`statuses` holds each head sighting's status by id; `gone` are the base's sightings that head has no more."""

    statuses: Mapping[str, Status]
    gone: tuple[Sighting, ...]


def compare(
    base: Sequence[Sighting],
    head: Sequence[Sighting],
    renamed: Renames,
    moved: Mapping[str, str],
) -> Comparison:
    """Matches head's sightings with base's by identity, the same path first.

    `moved` maps a path at head to its path at base.
    """
    waiting: dict[Identity, list[Sighting]] = defaultdict(list)
    for sighting in base:
        waiting[sighting.identity].append(sighting)
    pairs = _match(head, waiting, renamed, moved)
    statuses: dict[str, Status] = {
        sighting.id: "introduced" if before is None else _status(before, sighting) for sighting, before in pairs
    }
    gone = [sighting for left in waiting.values() for sighting in left]
    return Comparison(statuses, tuple(sorted(gone, key=lambda s: (s.document.path, s.id))))


def _match(
    head: Iterable[Sighting],
    waiting: Mapping[Identity, list[Sighting]],
    renamed: Renames,
    moved: Mapping[str, str],
) -> list[tuple[Sighting, Sighting | None]]:
    """Takes each match out of `waiting`; two passes, so that a tie goes to the one with the same path."""
    pairs: dict[str, tuple[Sighting, Sighting | None]] = {}
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


def _candidates(sighting: Sighting, waiting: Mapping[Identity, list[Sighting]], renamed: Renames) -> list[Sighting]:
    own = sighting.identity
    former = renamed.get((sighting.document.path, own.object))
    identities = [own] if former is None else [own.of(former), own]
    return [candidate for identity in identities for candidate in waiting.get(identity, ())]


def _status(before: Sighting, after: Sighting) -> Status:
    worse_level = SEVERITY_ORDER[after.violation.level] > SEVERITY_ORDER[before.violation.level]
    old, new = before.violation.measure, after.violation.measure
    return "worsened" if worse_level or (old is not None and new is not None and new > old) else "pre-existing"


def renames(base: Iterable[Document], head: Iterable[Document], moved: Mapping[str, str]) -> Renames:
    """Head objects that are a base object under another name: the only ones of a kind in a file to come and to go."""
    before = _by_file_and_kind(base, {})
    after = _by_file_and_kind(head, moved)
    found = {}
    for place, refs in after.items():
        came = refs.keys() - before.get(place, {}).keys()
        went = before.get(place, {}).keys() - refs.keys()
        if len(came) == len(went) == 1:
            (new,), (old,) = came, went
            found[refs[new], new] = old
    return found


def _by_file_and_kind(
    documents: Iterable[Document], moved: Mapping[str, str]
) -> dict[tuple[str, str, str], dict[ObjectRef, str]]:
    """By the base's path, group and kind: the objects, each with the path that it has on its own side."""
    found: dict[tuple[str, str, str], dict[ObjectRef, str]] = defaultdict(dict)
    for document in documents:
        path = moved.get(document.path, document.path)
        found[path, document.ref.group, document.ref.kind][document.ref] = document.path
    return found


def moved_paths(diff: Iterable[FileDiff]) -> dict[str, str]:
    """Paths at head by which a file of the base goes now, to its path at base."""
    return {d.path: d.previous_path for d in diff if d.previous_path is not None and d.change == "renamed"}
