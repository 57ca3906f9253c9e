"""JSON patch operations on one YAML document -> the smallest edit of its lines, verified before it is handed out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from gracegate.model import Hunk, Limits, NoSuggestion, Operation, Pointer
from gracegate.yaml import (
    LineIndex,
    MappingNode,
    Node,
    SequenceNode,
    YamlDocument,
    YamlError,
    alias_targets,
    holds_anchor,
    is_shared,
    is_template,
    json_value,
    lookup_path,
    parse_yaml,
)
from gracegate.yaml_edit import insertions, removals, replacements
from gracegate.yaml_edit.patches import EditRefused, canonical, patched, smaller
from gracegate.yaml_edit.splices import EditedText, LineEdit, line_edits
from gracegate.yaml_edit.targets import EditPlan, EditTarget


class EditedDocument(NamedTuple):
    """One YAML document after its edit: the whole new text, and the lines of the file that changed, in order."""

    text: str
    edits: tuple[LineEdit, ...]


def edit_document(
    document: YamlDocument,
    operations: Sequence[Operation],
    preferred: Sequence[Hunk] = (),
    limits: Limits | None = None,
) -> EditedDocument:
    """Makes all operations one after the other, additions inside `preferred` lines of the file where that is possible.

    Paths start at the document's root. Afterwards the document holds what it held, changed by the operations and
    nothing else; otherwise raises EditRefused.
    """
    if is_template(document.text, document.root):
        raise EditRefused("templated")
    editor = _Editor(document, limits or Limits(), tuple(preferred))
    edited = editor.edited(operations)
    return EditedDocument(edited.text, tuple(editor.line_edits(edited)))


def apply_edits(text: str, edits: Iterable[LineEdit]) -> str:
    """The text with those lines replaced; edits that do not overlap, in any order."""
    lines = text.split("\n")
    for each in sorted(edits, reverse=True):
        lines[each.start_line - 1 : each.end_line] = each.lines
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _State:
    """A text under edit, the tree it parses to, and the value it was verified to hold."""

    edited: EditedText
    root: Node
    value: Any


@dataclass(frozen=True, slots=True)
class _Editor:
    """One YAML document under edit."""

    document: YamlDocument
    limits: Limits
    preferred: tuple[Hunk, ...]

    def edited(self, operations: Sequence[Operation]) -> EditedText:
        """The text after all operations, which are relative to the YAML document."""
        text, root = self.document.text, self.document.root
        state = _State(EditedText.of(text), root, json_value(text, root))
        for operation in operations:
            state = self._step(state, operation)
        return state.edited

    def line_edits(self, edited: EditedText) -> Iterator[LineEdit]:
        before = self.document.first_line - 1
        for each in line_edits(self.document.text, edited, self._is_preferred):
            yield LineEdit(each.start_line + before, each.end_line + before, each.lines)

    def _step(self, state: _State, operation: Operation) -> _State:
        parts = smaller(state.value, operation)
        if parts == (operation,):
            return self._verified(state, operation)
        try:
            for part in parts:
                state = self._verified(state, part)
        except EditRefused:
            return self._verified(state, replace(operation, op="replace"))
        return state

    def _verified(self, state: _State, operation: Operation) -> _State:
        """The first plan whose text parses to exactly the intended value."""
        expected = patched(state.value, operation)
        wanted = canonical(expected)
        reason: NoSuggestion = "unsupported_layout"
        for plan in self._ranked(state, plans(state.edited.text, state.root, operation)):
            edited = state.edited.spliced(plan.splices)
            read = _parsed(edited.text, self.limits)
            if read is None:
                continue
            root, value = read
            if canonical(value) == wanted:
                return _State(edited, root, expected)
            reason = "would_change_more"
        raise EditRefused("shared_anchor" if holds_anchor(state.root, operation.path) else reason)

    def _ranked(self, state: _State, found: Iterable[EditPlan]) -> list[EditPlan]:
        """Plans inside preferred lines or nearest to them first; the end of a file without a final newline last."""
        text = state.edited.text
        lines = LineIndex(text)

        def rank(plan: EditPlan) -> tuple[bool, int]:
            at_end = lines.end(plan.anchor) == len(text)
            line = state.edited.original_line(lines.line(plan.anchor))
            # What goes between two lines can be shown on either of them.
            distance = self._distance(line)
            return (at_end, distance if plan.rewrites else min(distance, self._distance(line + 1)))

        return sorted(found, key=rank)

    def _is_preferred(self, line: int) -> bool:
        return bool(self.preferred) and not self._distance(line)

    def _distance(self, line: int) -> int:
        """How many lines lie between a line and the nearest preferred one; 0 where all are as good."""
        in_file = line + self.document.first_line - 1
        return min((max(h.start - in_file, in_file - h.end, 0) for h in self.preferred), default=0)


def _parsed(text: str, limits: Limits) -> tuple[Node, Any] | None:
    try:
        root = parse_yaml(text, limits)
        return None if root is None else (root, json_value(text, root))
    except YamlError:
        return None


def plans(text: str, root: Node, operation: Operation) -> Iterator[EditPlan]:
    """Ways to make one operation, none of them proved. Raises EditRefused where other places would change with it."""
    steps = lookup_path(root, operation.path)
    missing = operation.path[len(steps) - 1 :]
    used = alias_targets(root)
    overrides = not missing and steps[-1].merged and operation.op != "remove"
    own = steps[:-1] if overrides else steps
    if is_shared(own, used):
        raise EditRefused("shared_anchor")
    if any(step.merged for step in own):
        raise EditRefused("merge_key")
    place = EditTarget(text, LineIndex(text), own)
    if overrides:
        return _under(place, operation.path[-1], operation.value)
    if operation.op == "remove":
        return removals.node(place) if not missing else iter(())
    return _additions(place, operation, missing)


def _additions(place: EditTarget, operation: Operation, missing: Pointer) -> Iterator[EditPlan]:
    if missing:
        return _under(place, missing[0], _nested(missing[1:], operation.value))
    holder = place.parent.node if place.parent is not None else None
    if operation.op == "add" and place.parent is not None and isinstance(holder, SequenceNode):
        return insertions.item(place.parent, holder, int(operation.path[-1]), operation.value)
    return replacements.value(place, operation.value)


def _under(place: EditTarget, segment: str | int, value: Any) -> Iterator[EditPlan]:
    """Adds to an existing collection, or makes one of an empty or missing value."""
    node = place.node
    if isinstance(node, MappingNode) and node.pairs and isinstance(segment, str):
        return insertions.entry(place, node, segment, value)
    if isinstance(node, SequenceNode) and node.items:
        return insertions.item(place, node, len(node.items), value)
    return replacements.value(place, _wrapped(segment, value))


def _nested(path: Pointer, value: Any) -> Any:
    for segment in reversed(path):
        value = _wrapped(segment, value)
    return value


def _wrapped(segment: str | int, value: Any) -> Any:
    return {segment: value} if isinstance(segment, str) and segment != "-" else [value]
