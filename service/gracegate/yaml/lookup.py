"""Pointers to nodes: the way from a document's root to a place, as far as it exists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gracegate.model import Pointer
from gracegate.yaml.nodes import AliasNode, MappingNode, Node, SequenceNode, target
from gracegate.yaml.values import key_name, merge_sources


class PathStep(NamedTuple):
    """One node on the way. `key` is set under a mapping; `merged` if only `<<` brought the entry in."""

    node: Node
    key: Node | None = None
    merged: bool = False


def lookup_path(root: Node, pointer: Pointer) -> tuple[PathStep, ...]:
    """The steps from the root on, the root first; shorter than the pointer where it leads to nothing."""
    steps = [PathStep(root)]
    for segment in pointer:
        node = target(steps[-1].node)
        step = None
        if isinstance(node, MappingNode):
            step = _entry(node, segment)
        elif isinstance(node, SequenceNode) and isinstance(segment, int) and 0 <= segment < len(node.items):
            step = PathStep(node.items[segment])
        if step is None:
            break
        steps.append(step)
    return tuple(steps)


def is_shared(steps: tuple[PathStep, ...], used: frozenset[int]) -> bool:
    """True if the last node is part of what an alias names; `used` are the ids of all named nodes."""
    return any(isinstance(step.node, AliasNode) or id(step.node) in used for step in steps)


def alias_targets(root: Node) -> frozenset[int]:
    """The ids of the nodes that aliases of the document stand for."""
    return frozenset(id(node.target) for node in descendants(root) if isinstance(node, AliasNode))


def holds_anchor(root: Node, pointer: Pointer) -> bool:
    """True if aliases name something in what the pointer leads to."""
    steps = lookup_path(root, pointer)
    used = alias_targets(root)
    return len(steps) > len(pointer) and any(id(node) in used for node in descendants(steps[-1].node))


def descendants(root: Node) -> Iterator[Node]:
    """The node and all below it; what an alias stands for comes where it stands itself."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, SequenceNode):
            waiting.extend(node.items)
        elif isinstance(node, MappingNode):
            waiting.extend(part for pair in node.pairs for part in pair)


def _entry(node: MappingNode, segment: str | int) -> PathStep | None:
    """The last entry of that key, for it is the one that counts; else what `<<` takes over."""
    for key, child in reversed(node.pairs):
        if key_name(key) == segment:
            return PathStep(child, key)
    for source in merge_sources(node):
        inherited = _entry(source, segment)
        if inherited is not None:
            return inherited._replace(merged=True)
    return None
