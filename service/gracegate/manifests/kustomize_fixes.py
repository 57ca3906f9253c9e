"""An operation on an object that kustomize rendered -> the operations on its sources that may have this effect.

A missing key goes to where the mapping was first made, or to what made it in a file that `preferred` names: both are
right. A value is changed where it was set last. What a patch takes away comes back when the patch no longer does so.
Which objects a JSON patch changes is not told by marks, so that more than one place may have to be tried: only a new
rendering shows whether a fix does what it is for, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

from gracegate.manifests.contents import has_value, text, value_at
from gracegate.manifests.contributors import Contributor, Contributors
from gracegate.manifests.fetched import is_fetched
from gracegate.manifests.source_operations import MAX_FIXES, Change, SourceFix, SourceOperation, joined_fixes
from gracegate.manifests.source_places import SourcePlaces
from gracegate.model import Document, Operation, Origin, Pointer
from gracegate.yaml_edit import minimal_operations

_REPLICAS = "replicas"
_PLAIN_NAME = re.compile(r"[\w.-]*")
_NUMBER = re.compile(r"0|[1-9][0-9]*")


def kustomize_fixes(
    document: Document,
    operation: Operation,
    contributors: Contributors,
    sources: SourcePlaces,
    preferred: Collection[str] = (),
) -> tuple[SourceFix, ...]:
    """The fixes to try, the best one first; none where it is not known what the place was made of."""
    parts = minimal_operations(document.object, operation)
    ways = (_Place.of(document, part, contributors, sources).fixes(frozenset(preferred)) for part in parts)
    return joined_fixes([[*islice(filter(_is_possible, found), MAX_FIXES)] for found in ways])


def _is_possible(fix: SourceFix) -> bool:
    """Whether a fix changes nothing that is in another repository."""
    return not any(is_fetched(operation.path) for operation in fix.operations)


def decisive_place(
    document: Document, pointer: Pointer, contributors: Contributors, sources: SourcePlaces
) -> Origin | None:
    """The place of a source that sets what is at a pointer of a rendered object, or that takes away what is not there;
    None where that is not certain, or where several have made it together."""
    place = _Place.of(document, Operation("replace", pointer), contributors, sources)
    if not place.origins:
        return None
    if not has_value(document.object, pointer):
        return place.taken_away_at()
    value = value_at(document.object, pointer)
    return next((holder.place for holder in place.last_holders() if sources.value_at(holder.place) == value), None)


class _Holder(NamedTuple):
    """A place of a source that holds a value of the object, in a mapping that was made of `made_of`."""

    order: int
    place: Origin
    made_of: Origin


class _Step(NamedTuple):
    """One step of a JSON patch and the pointer that it is about; `is_only` if the patch has no other one."""

    order: int
    place: Origin
    op: str
    pointer: Pointer
    is_only: bool


class _Taking(NamedTuple):
    """A place of a patch that takes away what is at the first `depth` segments of the way from the mapping: a step of a
    JSON patch, or an entry of another one. `is_only` if the patch has no other step."""

    order: int
    place: Origin
    depth: int
    is_step: bool = False
    is_only: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """The place of an operation in a rendered object: `rest` leads on from the mapping that was made of `origins`.

    `origins` are in the order in which they are applied.
    """

    document: Document
    operation: Operation
    mapping: Pointer
    origins: tuple[Origin, ...]
    contributors: Contributors
    sources: SourcePlaces

    @classmethod
    def of(cls, document: Document, operation: Operation, contributors: Contributors, sources: SourcePlaces) -> _Place:
        known = {} if document.rendered is None else document.rendered.origins
        lengths = range(len(operation.path) - 1, -1, -1)
        mapping = next((operation.path[:length] for length in lengths if operation.path[:length] in known), ())
        place = cls(document, operation, mapping, (), contributors, sources)
        return replace(place, origins=contributors.ordered(known.get(mapping, ())))

    @property
    def rest(self) -> Pointer:
        return self.operation.path[len(self.mapping) :]

    def fixes(self, preferred: frozenset[str]) -> Iterator[SourceFix]:
        if not self.origins:
            return
        if not has_value(self.document.object, self.operation.path):
            yield from self._restorations()
            yield from self._additions(preferred)
        elif self.operation.op == "remove":
            yield from self._removals()
        elif self.operation.op == "replace" or isinstance(self.operation.path[-1], str):
            yield from self._replacements()
        else:
            yield from self._additions(preferred)

    def _additions(self, preferred: frozenset[str]) -> Iterator[SourceFix]:
        for origin in sorted(self.origins, key=lambda origin: origin.path not in preferred):
            if self._has_same_lists(origin):
                added = Operation("add", origin.pointer + self.rest, self.operation.value)
                yield self._fix(_on(origin, added), origin)

    def _replacements(self) -> Iterator[SourceFix]:
        for holder in self.last_holders():
            replaced = Operation("replace", holder.place.pointer, self.operation.value)
            yield self._fix(_on(holder.place, replaced), holder.made_of)

    def _removals(self) -> Iterator[SourceFix]:
        holders = [holder for holder in self._holders() if not self._is_value_of_only_step(holder)]
        if not holders:
            return
        if len(holders) > 1 and self._is_strategic(holders[0].place):
            taken_away = Operation("replace", holders[0].place.pointer, None)
            yield self._fix(_on(holders[0].place, taken_away), holders[0].made_of)
        yield self._fix(
            tuple(operation for holder in holders for operation in self._removal_of(holder.place)), holders[-1].made_of
        )

    def _restorations(self) -> Iterator[SourceFix]:
        """What a patch takes away: the patch leaves it as it was, or sets it."""
        for taking in self._takings():
            earlier = self._value_before(taking)
            place, number, pointer = taking.place.path, taking.place.number, taking.place.pointer
            value = _nested(self.rest[taking.depth :], self.operation.value)
            if earlier is not None and (removal := self._removal_of_taking(taking)):
                restored = Operation("add", self.rest[: taking.depth], earlier)
                yield SourceFix(removal, (Change(self.origins[0], restored),))
            steps = [Operation("replace", pointer, _merge_patch(earlier, value))]
            if taking.is_step:
                instead = "add" if earlier is None else "replace"
                steps = [Operation("replace", (*pointer, "op"), instead), Operation("add", (*pointer, "value"), value)]
            yield self._fix(tuple(SourceOperation(place, number, step) for step in steps), self.origins[0])

    def _removal_of(self, place: Origin) -> tuple[SourceOperation]:
        """The removal of a key, or of the whole step of a JSON patch or entry of `replicas` whose value it is."""
        pointer = place.pointer
        is_whole = len(pointer) > 1 and isinstance(pointer[-2], int) and pointer[-1] in {"value", "count"}
        return self._removal_at(place, pointer[:-1] if is_whole else pointer)

    def _removal_of_taking(self, taking: _Taking) -> tuple[SourceOperation, ...]:
        pointer = taking.place.pointer
        if not taking.is_only:
            return _on(taking.place, Operation("remove", pointer))
        # kustomize refuses an empty patch: the whole entry goes where the patch is written out in the kustomization.
        return self._removal_at(taking.place, pointer[:2]) if len(pointer) > 2 else ()

    def _removal_at(self, place: Origin, pointer: Pointer) -> tuple[SourceOperation]:
        """The removal of what is at a pointer; the only entry of a list of a kustomization goes with its key."""
        if len(pointer) == 2 and isinstance(pointer[1], int):
            entries = self.sources.value_at(Origin(place.path, place.number, pointer[:1]))
            pointer = pointer[:1] if isinstance(entries, list) and len(entries) == 1 else pointer
        return _on(place, Operation("remove", pointer))

    def taken_away_at(self) -> Origin | None:
        """The last place that takes away what is not there."""
        return next((taking.place for taking in self._takings()), None)

    def _takings(self) -> list[_Taking]:
        found = [*self._steps_that_remove(), *self._entries_that_remove()]
        return sorted(found, key=lambda taking: -taking.order)

    def _steps_that_remove(self) -> Iterator[_Taking]:
        for step in self._steps():
            depth = len(step.pointer) - len(self.mapping)
            if step.op == "remove" and depth > 0 and self.operation.path[: len(step.pointer)] == step.pointer:
                yield _Taking(step.order, step.place, depth, True, step.is_only)

    def _entries_that_remove(self) -> Iterator[_Taking]:
        for origin in self.origins:
            for depth in range(1, len(self.rest) + 1):
                place = origin.below(self.rest[:depth])
                if self._is_strategic(origin) and self.sources.has(place) and _takes_away(self.sources.value_at(place)):
                    yield _Taking(self.contributors.position(origin), place, depth)

    def _value_before(self, taking: _Taking) -> Any:
        """What those that are applied before a patch make of what it takes away; None if they do not have it."""
        earlier = [o for o in reversed(self.origins) if self.contributors.position(o) < taking.order]
        places = [origin.below(self.rest[: taking.depth]) for origin in earlier]
        return next((self.sources.value_at(place) for place in places if self.sources.has(place)), None)

    def last_holders(self) -> Iterator[_Holder]:
        """The places that may have set the value last, the last one first."""
        for holder in self._holders():
            yield holder
            if holder.place == holder.made_of.below(self.rest):
                return  # marks say so

    def _holders(self) -> list[_Holder]:
        """The places that hold the value, the last one that is applied first."""
        found = [
            _Holder(self.contributors.position(origin), origin.below(self.rest), origin)
            for origin in self.origins
            if self.sources.has(origin.below(self.rest)) and self._has_same_lists(origin)
        ]
        path = self.operation.path
        for step in self._steps():
            below = path[len(step.pointer) :]
            value = step.place.below(("value", *below))
            is_marked = len(step.pointer) <= len(self.mapping)
            if (
                step.op in {"add", "replace"}
                and path == step.pointer + below
                and not is_marked
                and self.sources.has(value)
            ):
                found.append(_Holder(step.order, value, self.origins[0]))
        if path == ("spec", _REPLICAS):
            for order, entry in enumerate(self.contributors.all):
                if entry.pointer[:1] == (_REPLICAS,) and self._is_target(entry):
                    count = Origin(entry.path, 0, (*entry.pointer, "count"))
                    found.append(_Holder(order, count, self.origins[0]))
        return sorted(found, key=lambda holder: -holder.order)

    def _steps(self) -> Iterator[_Step]:
        """The steps of the JSON patches that may change the object."""
        for order, patch in enumerate(self.contributors.all):
            start = Origin(patch.path, 0, patch.pointer)
            if not patch.is_patch or not self._is_target(patch) or not self.sources.has(start):
                continue
            value = self.sources.value_at(start)
            value = self.sources.embedded_value(value) if isinstance(value, str) else value
            for index, step in enumerate(value if isinstance(value, list) else ()):
                if isinstance(step, dict) and isinstance(step.get("path"), str):
                    pointer = _json_pointer(step["path"])
                    yield _Step(order, start.below((index,)), str(step.get("op")), pointer, len(value) == 1)

    def _is_target(self, patch: Contributor) -> bool:
        """False if a patch is certainly of other objects. A name may have got prefixes before it, and after it."""
        kind, name = self.document.ref.kind, self.document.ref.name
        first = self._first_name()
        is_name = first in patch.name and patch.name in name
        return all(
            is_match or not pattern or not _PLAIN_NAME.fullmatch(pattern)
            for pattern, is_match in ((patch.kind, patch.kind == kind), (patch.name, is_name))
        )

    def _first_name(self) -> str:
        """The name that the object had before anything was applied to it, "" if that is not known."""
        known = {} if self.document.rendered is None else self.document.rendered.origins
        objects = self.contributors.ordered(known.get((), ()))
        return text(self.sources.value_at(objects[0], ("metadata", "name"))) if objects else ""

    def _is_strategic(self, place: Origin) -> bool:
        """Whether a place is in a strategic merge patch."""
        contributor = self.contributors.of(place)
        if contributor is None or not contributor.is_patch or contributor.pointer[:1] == (_REPLICAS,):
            return False
        return not isinstance(place.pointer[len(contributor.pointer)], int)

    def _is_value_of_only_step(self, holder: _Holder) -> bool:
        """Whether to remove a value would leave a JSON patch without any step."""
        if holder.place.pointer[-1] != "value":
            return False
        return any(step.is_only and holder.place == step.place.below(("value",)) for step in self._steps())

    def _has_same_lists(self, origin: Origin) -> bool:
        """Whether the lists on the way are as long in the source as in the object, so that an index means the same."""
        for length, segment in enumerate(self.rest):
            if isinstance(segment, int) or segment == "-":
                rendered = value_at(self.document.object, self.mapping + self.rest[:length])
                place = origin.below(self.rest[:length])
                source = self.sources.value_at(place) if self.sources.has(place) else None
                if not isinstance(source, list) or not isinstance(rendered, list) or len(source) != len(rendered):
                    return False
        return True

    def _fix(self, operations: tuple[SourceOperation, ...], made_of: Origin) -> SourceFix:
        return SourceFix(operations, (Change(made_of, replace(self.operation, path=self.rest)),))


def _on(place: Origin, operation: Operation) -> tuple[SourceOperation]:
    return (SourceOperation(place.path, place.number, operation),)


def _json_pointer(text: str) -> Pointer:
    segments = (part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:])
    return tuple(int(segment) if _NUMBER.fullmatch(segment) else segment for segment in segments)


def _takes_away(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and value.get("$patch") == "delete")


def _merge_patch(old: Any, new: Any) -> Any:
    """What a strategic merge patch must set, over `old`, for the value to be `new`: a probe keeps no other handler."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    gone = dict.fromkeys(key for key in old if key not in new)
    return {**{key: _merge_patch(old.get(key), value) for key, value in new.items()}, **gone}


def _nested(path: Pointer, value: Any) -> Any:
    for segment in reversed(path):
        value = {segment: value}
    return value
