"""JSON patch operations on one YAML document -> the smallest edit of its lines, verified before it is returned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from gracegate.model import Hunk, Limits, NoSuggestion, Operation
from gracegate.yaml import (
    EmbeddedDocument,
    LineIndex,
    Node,
    YamlDocument,
    YamlError,
    embedded_document,
    is_template,
    json_value,
    parse_yaml,
    variables,
)
from gracegate.yaml_edit.patches import EditRefused, apply_operation, canonical_json, minimal_operations
from gracegate.yaml_edit.plans import edit_plans, has_alias_target
from gracegate.yaml_edit.splices import EditedText, LineEdit, Splice, line_edits
from gracegate.yaml_edit.targets import EditPlan


class EditedDocument(NamedTuple):
    """One YAML document after its edit: its new text, and the lines of the file that changed, in order."""

    text: str
    edits: tuple[LineEdit, ...]


def edit_document(
    document: YamlDocument,
    operations: Sequence[Operation],
    preferred: Sequence[Hunk] = (),
    limits: Limits | None = None,
    *,
    may_hold_templates: bool = False,
) -> EditedDocument:
    """Applies the operations in order and makes additions inside `preferred` lines of the file where possible.

    Paths start at the document's root, and may lead on into YAML in a literal block scalar. Raises EditRefused unless
    the document then has exactly the value that the operations make of its old value, and keeps every variable that it
    had: what stands for one is not known. A document that is a template itself is refused, but for one that
    `may_hold_templates` in its texts and comments.
    """
    if not may_hold_templates and is_template(document.text, document.root):
        raise EditRefused("templated")
    editor = _Editor(document, limits or Limits(), tuple(preferred))
    edited = editor.apply(operations)
    return EditedDocument(edited.text, tuple(editor.line_edits(edited)))


def apply_edits(text: str, edits: Iterable[LineEdit]) -> str:
    """The text with those lines replaced; the edits must not overlap and may be in any order."""
    lines = text.split("\n")
    for edit in sorted(edits, reverse=True):
        lines[edit.start_line - 1 : edit.end_line] = edit.lines
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _State:
    """The text after some operations, its nodes, and its value, which is verified."""

    edited: EditedText
    root: Node
    value: Any


@dataclass(frozen=True, slots=True)
class _Editor:
    document: YamlDocument
    limits: Limits
    preferred: tuple[Hunk, ...]

    def apply(self, operations: Sequence[Operation]) -> EditedText:
        text, root = self.document.text, self.document.root
        state = _State(EditedText.unchanged(text), root, json_value(text, root))
        for operation in operations:
            state = self._apply_one(state, operation)
        if variables(json_value(text, root)) - variables(state.value):
            raise EditRefused("variable")
        return state.edited

    def line_edits(self, edited: EditedText) -> Iterator[LineEdit]:
        """The edits, with lines of the file."""
        lines_before = self.document.first_line - 1
        for edit in line_edits(self.document.text, edited, self._is_preferred):
            yield LineEdit(edit.start_line + lines_before, edit.end_line + lines_before, edit.lines)

    def _apply_one(self, state: _State, operation: Operation) -> _State:
        """Applies an operation by its minimal operations, or in one piece if one of those is refused."""
        try:
            embedded = embedded_document(state.edited.text, state.root, operation.path, self.limits)
        except YamlError:
            raise EditRefused("no_such_path") from None
        if embedded is not None:
            return self._apply_in_scalar(state, embedded, operation)
        parts = minimal_operations(state.value, operation)
        if parts == (operation,):
            return self._apply_first_verified_plan(state, operation)
        try:
            for part in parts:
                state = self._apply_first_verified_plan(state, part)
        except EditRefused:
            return self._apply_first_verified_plan(state, replace(operation, op="replace"))
        return state

    def _apply_in_scalar(self, state: _State, embedded: EmbeddedDocument, operation: Operation) -> _State:
        """Edits the YAML in a block scalar, line by line."""
        line = embedded.document.first_line
        original = state.edited.original_line(line) + self.document.first_line - 1
        inner = replace(operation, path=embedded.pointer)
        edited = edit_document(embedded.document._replace(first_line=original), [inner], self.preferred, self.limits)
        plan = EditPlan(tuple(_block_splices(state.edited.text, embedded, line - original, edited.edits)), 0)
        new_text = Operation("replace", embedded.holder, embedded.scalar(edited.text))
        return self._apply_verified([plan], state, new_text)

    def _apply_first_verified_plan(self, state: _State, operation: Operation) -> _State:
        plans = self._rank(state.edited, edit_plans(state.edited.text, state.root, operation))
        return self._apply_verified(plans, state, operation)

    def _apply_verified(self, plans: Iterable[EditPlan], state: _State, operation: Operation) -> _State:
        """Applies the first plan after which the text parses to exactly the expected value."""
        expected = apply_operation(state.value, operation)
        expected_json = canonical_json(expected)
        reason: NoSuggestion = "unsupported_layout"
        for plan in plans:
            edited = state.edited.apply(plan.splices)
            try:
                root = parse_yaml(edited.text, self.limits)
                value = json_value(edited.text, root)
            except YamlError:
                continue
            if root is None:
                continue
            if canonical_json(value) == expected_json:
                return _State(edited, root, expected)
            reason = "would_change_more"
        raise EditRefused("shared_anchor" if has_alias_target(state.root, operation.path) else reason)

    def _rank(self, edited: EditedText, plans: Iterable[EditPlan]) -> list[EditPlan]:
        """Plans inside or nearest to preferred lines first; the end of a file without a final newline last."""
        lines = LineIndex(edited.text)

        def rank(plan: EditPlan) -> tuple[bool, int]:
            is_at_end = lines.end(plan.offset) == len(edited.text)
            line = edited.original_line(lines.line(plan.offset))
            distance = self._distance_to_preferred(line)
            if not plan.rewrites_line:  # an insertion can be shown on the line before it or on the line after it
                distance = min(distance, self._distance_to_preferred(line + 1))
            return (is_at_end, distance)

        return sorted(plans, key=rank)

    def _is_preferred(self, line: int) -> bool:
        return bool(self.preferred) and not self._distance_to_preferred(line)

    def _distance_to_preferred(self, line: int) -> int:
        """How many lines are between a line and the nearest preferred line; 0 if no lines are preferred."""
        file_line = line + self.document.first_line - 1
        return min((max(h.start - file_line, file_line - h.end, 0) for h in self.preferred), default=0)


def _block_splices(text: str, embedded: EmbeddedDocument, shift: int, edits: Iterable[LineEdit]) -> Iterator[Splice]:
    """Edits of the lines of a block scalar, `shift` lines further down in `text`, as splices of that text."""
    lines = LineIndex(text)
    for edit in edits:
        start = lines.starts[edit.start_line + shift - 1]
        end = lines.end(lines.starts[edit.end_line + shift - 1])
        new_lines = [embedded.indent + line if line else "" for line in edit.lines]
        if new_lines:
            yield Splice(start, end, lines.newline(start).join(new_lines))
        else:
            yield Splice(start, min(end + len(lines.newline(end)), len(text)), "")
