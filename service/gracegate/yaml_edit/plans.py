"""The ways to make one operation on a document, and what aliases and merge keys forbid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gracegate.model import Operation, Pointer
from gracegate.yaml import AliasNode, LineIndex, MappingNode, Node, SequenceNode, descendants, lookup_path
from gracegate.yaml_edit.insertions import entry_insertions, item_insertion
from gracegate.yaml_edit.patches import EditRefused
from gracegate.yaml_edit.removals import removals
from gracegate.yaml_edit.replacements import value_replacements
from gracegate.yaml_edit.targets import EditPlan, EditTarget


def edit_plans(text: str, root: Node, operation: Operation) -> Iterator[EditPlan]:
    """Plans for an operation, not verified. Raises EditRefused if the edit would change other parts of the document."""
    steps = lookup_path(root, operation.path)
    missing = operation.path[len(steps) - 1 :]
    # A value that `<<` brings in is overridden by an entry of the mapping's own.
    is_override = not missing and steps[-1].is_merged and operation.op != "remove"
    own_steps = steps[:-1] if is_override else steps
    targets = _alias_targets(root)
    if any(isinstance(step.node, AliasNode) or id(step.node) in targets for step in own_steps):
        raise EditRefused("shared_anchor")
    if any(step.is_merged for step in own_steps):
        raise EditRefused("merge_key")
    target = EditTarget(text, LineIndex(text), own_steps)
    if is_override:
        return _child_plans(target, operation.path[-1], operation.value)
    if missing:
        if operation.op == "remove":
            return iter(())
        return _child_plans(target, missing[0], _nest(missing[1:], operation.value))
    return _existing_plans(target, operation)


def _existing_plans(target: EditTarget, operation: Operation) -> Iterator[EditPlan]:
    """Plans for a path that exists; to add at the index of a list's item inserts before that item."""
    parent = target.parent
    if operation.op == "remove":
        return removals(target)
    if operation.op == "add" and parent is not None and isinstance(parent.node, SequenceNode):
        return iter((item_insertion(parent, parent.node, int(operation.path[-1]), operation.value),))
    return value_replacements(target, operation.value)


def _child_plans(target: EditTarget, segment: str | int, value: Any) -> Iterator[EditPlan]:
    """Adds a child to the target, which becomes a collection if it is empty or has no value."""
    node = target.node
    if isinstance(node, MappingNode) and node.pairs and isinstance(segment, str):
        return entry_insertions(target, node, segment, value)
    if isinstance(node, SequenceNode) and node.items:
        return iter((item_insertion(target, node, len(node.items), value),))
    return value_replacements(target, _nest((segment,), value))


def _nest(path: Pointer, value: Any) -> Any:
    """The value inside new mappings and lists, so that it is at `path`."""
    for segment in reversed(path):
        value = {segment: value} if isinstance(segment, str) and segment != "-" else [value]
    return value


def has_alias_target(root: Node, pointer: Pointer) -> bool:
    """True if aliases repeat the node at `pointer` or a part of it."""
    steps = lookup_path(root, pointer)
    targets = _alias_targets(root)
    return len(steps) > len(pointer) and any(id(node) in targets for node in descendants(steps[-1].node))


def _alias_targets(root: Node) -> frozenset[int]:
    """The ids of the nodes that the document's aliases repeat."""
    return frozenset(id(node.target) for node in descendants(root) if isinstance(node, AliasNode))
