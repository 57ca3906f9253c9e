"""An operation on an object that Helm rendered -> the operations on values and templates that may have this effect.

Values come first, those that win before the chart's own, then the template. A value is one that the template reads
beside the place, or one that bears the name of the missing key. Only a new rendering shows whether it is the right one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from gracegate.manifests.contents import has_value, value_at
from gracegate.manifests.fetched import is_fetched
from gracegate.manifests.source_operations import MAX_FIXES, Change, SourceFix, SourceOperation, joined_fixes
from gracegate.manifests.source_places import SourcePlaces
from gracegate.manifests.template_text import control_depths, read_key, values_read
from gracegate.manifests.values_places import Chart, ValuesPlace
from gracegate.model import Document, Operation, Pointer, SourceLine
from gracegate.yaml_edit import minimal_operations

_LINES_BEFORE, _LINES_AFTER = 2, 3
"""How far from its key a template reads a value: in a condition around it, or in the lines below."""

_MAX_TEMPLATE_FIXES = 2
_PREFIXES = ("custom", "")


class _Anchor(NamedTuple):
    """A key of a rendered mapping, and the line of the template that it was made of."""

    mapping: Pointer
    key: str
    line: SourceLine


def template_fixes(
    document: Document, operation: Operation, chart: Chart, places: SourcePlaces, preferred: Collection[str] = ()
) -> tuple[SourceFix, ...]:
    """The fixes to try, the best one first; none where it is not known what the place was made of."""
    parts = minimal_operations(document.object, operation)
    return joined_fixes([_Place(document, part, chart, places, frozenset(preferred)).fixes() for part in parts])


@dataclass(frozen=True, slots=True)
class _Place:
    """The place of an operation in a rendered object."""

    document: Document
    operation: Operation
    chart: Chart
    places: SourcePlaces
    preferred: frozenset[str]

    def fixes(self) -> list[SourceFix]:
        anchors = [*self._anchors()]
        if not anchors:
            return []
        own = [anchor for anchor in anchors if not is_fetched(anchor.line.path)]
        in_templates = [*self._in_templates(own)][:_MAX_TEMPLATE_FIXES] if own else []
        in_values = [*self._in_values(anchors[0])]
        return [*in_values[: MAX_FIXES - len(in_templates)], *in_templates]

    def _anchors(self) -> Iterator[_Anchor]:
        """The keys whose lines are certain, of the nearest mapping around the place that has any; the one that is in
        the fewest conditions first."""
        path = self.operation.path
        for length in range(len(path) - 1, -1, -1):
            mapping = value_at(self.document.object, path[:length])
            found = [
                _Anchor(path[:length], key, line)
                for key in (mapping if isinstance(mapping, dict) else ())
                if (line := self._line((*path[:length], key))) is not None and self._is_key(line, key)
            ]
            if found:
                yield from sorted(found, key=lambda anchor: (anchor.key != path[length], self._depth(anchor.line)))
                return

    def _line(self, pointer: Pointer) -> SourceLine | None:
        return None if self.document.rendered is None else self.document.rendered.lines.get(pointer)

    def _is_key(self, line: SourceLine, key: str) -> bool:
        found = read_key(self._text(line))
        return found is not None and found.key == key

    def _text(self, line: SourceLine) -> str:
        lines = self.places.lines(line.path)
        return lines[line.line - 1] if line.line <= len(lines) else ""

    def _depth(self, line: SourceLine) -> int:
        return control_depths(self.places.lines(line.path)[: line.line])[-1]

    def _in_templates(self, anchors: Sequence[_Anchor]) -> Iterator[SourceFix]:
        path, operation = self.operation.path, self.operation
        if isinstance(path[-1], int):
            # An item of texts or numbers, each on a line of its own.
            line = self._line(path)
            if operation.op == "replace" and line is not None:
                own = replace(operation, path=(0,))
                yield self._fix([SourceOperation(line.path, 0, own, line.line)], anchors[0])
            return
        for anchor in anchors:
            rest = path[len(anchor.mapping) :]
            is_there = has_value(self.document.object, (*anchor.mapping, rest[0]))
            if not is_there and isinstance(rest[0], str) and operation.op != "remove":
                added = Operation("add", rest[:1], _nested(rest[1:], operation.value))
                yield self._fix([SourceOperation(anchor.line.path, 0, added, anchor.line.line)], anchor)
            elif is_there and rest == (anchor.key,):
                own = replace(operation, op="remove" if operation.op == "remove" else "replace", path=rest)
                yield self._fix([SourceOperation(anchor.line.path, 0, own, anchor.line.line)], anchor)

    def _in_values(self, anchor: _Anchor) -> Iterator[SourceFix]:
        names = dict.fromkeys((*self._names_beside(anchor), *self._names_of_key(anchor)))
        for name, rest in names:
            for values in self.chart.places_of(anchor.line.path, name):
                if (step := self._step(values, rest)) is not None:
                    yield self._fix([step], anchor)

    def _step(self, values: ValuesPlace, rest: Pointer) -> SourceOperation | None:
        origin = values.origin
        pointer = origin.pointer + rest
        is_there = self.places.has(origin, rest)
        if self.operation.op == "remove":
            if not is_there:
                return None
            operation = Operation("remove", pointer)
        elif not is_there and not values.is_last and origin.path not in self.preferred:
            return None
        else:
            operation = Operation("replace" if is_there else "add", pointer, self.operation.value)
        return SourceOperation(origin.path, origin.number, operation)

    def _names_beside(self, anchor: _Anchor) -> Iterator[tuple[Pointer, Pointer]]:
        """The values that are read near a key on the way to the place, each with the way on from it."""
        path = self.operation.path
        if anchor.key != path[len(anchor.mapping)]:
            return
        lines, number = self.places.lines(anchor.line.path), anchor.line.line
        below = path[len(anchor.mapping) + 1 :]
        near = [
            *lines[number - 1 : number + _LINES_AFTER],
            *reversed(lines[max(number - 1 - _LINES_BEFORE, 0) : number - 1]),
        ]
        for name in values_read("\n".join(near)):
            yield name, below

    def _names_of_key(self, anchor: _Anchor) -> Iterator[tuple[Pointer, Pointer]]:
        """The values that bear the name of a missing key, those that the template of the object reads first."""
        rest = self.operation.path[len(anchor.mapping) :]
        if not isinstance(rest[0], str) or has_value(self.document.object, (*anchor.mapping, rest[0])):
            return
        key = rest[0].lower()
        templates = [anchor.line.path, *(path for path in self.chart.templates if path != anchor.line.path)]
        read = dict.fromkeys(name for path in templates for name in values_read(self.places.text(path)))
        for prefix in _PREFIXES:
            for name in read:
                last = str(name[-1]).lower().removesuffix("hooks")
                if last == prefix + key or (not prefix and last.endswith(key) and last != f"custom{key}"):
                    yield name, rest[1:]

    def _fix(self, steps: Iterable[SourceOperation], anchor: _Anchor) -> SourceFix:
        rest = self.operation.path[len(anchor.mapping) :]
        return SourceFix(tuple(steps), (Change(anchor.line, replace(self.operation, path=rest)),))


def _nested(path: Pointer, value: Any) -> Any:
    for segment in reversed(path):
        value = {segment: value}
    return value
