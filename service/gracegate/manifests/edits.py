"""Operations on documents -> the smallest edit of their file's lines, proved before it is handed out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gracegate.manifests import insertions, removals, replacements, yaml_tree
from gracegate.manifests.documents import Manifest, Parsed, with_chunks
from gracegate.manifests.drafts import Draft, LineEdit, line_edits
from gracegate.manifests.lines import LineIndex, has_final_newline, newline_style
from gracegate.manifests.nodes import Mapping, Node
from gracegate.manifests.nodes import Sequence as SequenceNode
from gracegate.manifests.patches import Refused, canonical, patched, smaller
from gracegate.manifests.sites import Plan, Site
from gracegate.manifests.templates import is_template
from gracegate.manifests.trail import alias_targets, holds_anchor, is_shared, walk
from gracegate.manifests.yaml_tree import Limits, YamlError
from gracegate.model import Document, Hunk, NoSuggestion, Operation, Pointer

__all__ = ["Edited", "LineEdit", "Refused", "apply_edits", "edit", "has_final_newline", "newline_style"]


@dataclass(frozen=True, slots=True)
class Edited:
    """The file as it is after the edit, read again, and the lines that changed, in order and disjoint."""

    manifest: Manifest
    edits: tuple[LineEdit, ...]


def edit(
    manifest: Manifest, operations: Sequence[tuple[Document, Operation]], preferred: Sequence[Hunk] = ()
) -> Edited:
    """Makes all operations one after the other, additions inside `preferred` lines where that is possible.

    Paths are relative to each document's object. Afterwards every document of the file holds what it held, changed
    by the operations and nothing else; otherwise raises Refused.
    """
    texts: dict[int, str] = {}
    edits: list[LineEdit] = []
    for number in sorted({document.number for document, _ in operations}):
        steps = [replace(o, path=d.pointer + o.path) for d, o in operations if d.number == number]
        parsed = manifest.parsed(number)
        if is_template(parsed.text, parsed.root):
            raise Refused("templated")
        chunk = _Chunk(parsed, manifest.limits, tuple(preferred))
        draft = chunk.edited(steps)
        texts[number] = draft.text
        edits.extend(chunk.line_edits(draft))
    edited = with_chunks(manifest, texts)
    if edited is None:
        raise Refused("would_change_more")
    return Edited(edited, tuple(edits))


def apply_edits(text: str, edits: Iterable[LineEdit]) -> str:
    """The text with those lines replaced; edits that do not overlap, in any order."""
    lines = text.split("\n")
    for each in sorted(edits, reverse=True):
        lines[each.start_line - 1 : each.end_line] = each.lines
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _State:
    """A draft, the tree it parses to, and the value it was proved to hold."""

    draft: Draft
    root: Node
    value: Any


@dataclass(frozen=True, slots=True)
class _Chunk:
    """One YAML document under edit."""

    parsed: Parsed
    limits: Limits
    preferred: tuple[Hunk, ...]

    def edited(self, operations: Sequence[Operation]) -> Draft:
        """The text after all operations, which are relative to the YAML document."""
        text, root = self.parsed.text, self.parsed.root
        state = _State(Draft.of(text), root, yaml_tree.value(text, root))
        for operation in operations:
            state = self._step(state, operation)
        return state.draft

    def line_edits(self, draft: Draft) -> Iterator[LineEdit]:
        before = self.parsed.first_line - 1
        for each in line_edits(self.parsed.text, draft, self._is_preferred):
            yield LineEdit(each.start_line + before, each.end_line + before, each.lines)

    def _step(self, state: _State, operation: Operation) -> _State:
        parts = smaller(state.value, operation)
        if parts == (operation,):
            return self._proved(state, operation)
        try:
            for part in parts:
                state = self._proved(state, part)
        except Refused:
            return self._proved(state, replace(operation, op="replace"))
        return state

    def _proved(self, state: _State, operation: Operation) -> _State:
        """The first plan whose text parses to exactly the intended value."""
        expected = patched(state.value, operation)
        wanted = canonical(expected)
        reason: NoSuggestion = "unsupported_layout"
        for plan in self._ranked(state, plans(state.draft.text, state.root, operation)):
            draft = state.draft.spliced(plan.splices)
            read = _parsed(draft.text, self.limits)
            if read is None:
                continue
            root, value = read
            if canonical(value) == wanted:
                return _State(draft, root, expected)
            reason = "would_change_more"
        raise Refused("shared_anchor" if holds_anchor(state.root, operation.path) else reason)

    def _ranked(self, state: _State, found: Iterable[Plan]) -> list[Plan]:
        """Plans inside preferred lines or nearest to them first; the end of a file without a final newline last."""
        text = state.draft.text
        lines = LineIndex(text)

        def rank(plan: Plan) -> tuple[bool, int]:
            at_end = lines.end(plan.anchor) == len(text)
            line = state.draft.original_line(lines.line(plan.anchor))
            # What goes between two lines can be shown on either of them.
            distance = self._distance(line)
            return (at_end, distance if plan.rewrites else min(distance, self._distance(line + 1)))

        return sorted(found, key=rank)

    def _is_preferred(self, line: int) -> bool:
        return bool(self.preferred) and not self._distance(line)

    def _distance(self, line: int) -> int:
        """How many lines lie between a line and the nearest preferred one; 0 where all are as good."""
        in_file = line + self.parsed.first_line - 1
        return min((max(h.start - in_file, in_file - h.end, 0) for h in self.preferred), default=0)


def _parsed(text: str, limits: Limits) -> tuple[Node, Any] | None:
    try:
        root = yaml_tree.parse(text, limits)
        return None if root is None else (root, yaml_tree.value(text, root))
    except YamlError:
        return None


def plans(text: str, root: Node, operation: Operation) -> Iterator[Plan]:
    """Ways to make one operation, none of them proved. Raises Refused where other places would change with it."""
    steps = walk(root, operation.path)
    missing = operation.path[len(steps) - 1 :]
    used = alias_targets(root)
    overrides = not missing and steps[-1].merged and operation.op != "remove"
    own = steps[:-1] if overrides else steps
    if is_shared(own, used):
        raise Refused("shared_anchor")
    if any(step.merged for step in own):
        raise Refused("merge_key")
    site = Site(text, LineIndex(text), own)
    if overrides:
        return _under(site, operation.path[-1], operation.value)
    if operation.op == "remove":
        return removals.node(site) if not missing else iter(())
    return _additions(site, operation, missing)


def _additions(site: Site, operation: Operation, missing: Pointer) -> Iterator[Plan]:
    if missing:
        return _under(site, missing[0], _nested(missing[1:], operation.value))
    holder = site.parent.node if site.parent is not None else None
    if operation.op == "add" and site.parent is not None and isinstance(holder, SequenceNode):
        return insertions.item(site.parent, holder, int(operation.path[-1]), operation.value)
    return replacements.value(site, operation.value)


def _under(site: Site, segment: str | int, value: Any) -> Iterator[Plan]:
    """Adds to an existing collection, or makes one of an empty or missing value."""
    node = site.node
    if isinstance(node, Mapping) and node.pairs and isinstance(segment, str):
        return insertions.entry(site, node, segment, value)
    if isinstance(node, SequenceNode) and node.items:
        return insertions.item(site, node, len(node.items), value)
    return replacements.value(site, _wrapped(segment, value))


def _nested(path: Pointer, value: Any) -> Any:
    for segment in reversed(path):
        value = _wrapped(segment, value)
    return value


def _wrapped(segment: str | int, value: Any) -> Any:
    return {segment: value} if isinstance(segment, str) and segment != "-" else [value]
