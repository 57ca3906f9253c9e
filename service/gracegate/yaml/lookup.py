"""Pointers to nodes: the path from a document's root, as far as it exists."""

from __future__ import annotations

from typing import NamedTuple

from gracegate.model import Pointer
from gracegate.yaml.nodes import MappingNode, Node, SequenceNode, resolve_alias
from gracegate.yaml.values import key_name, merge_sources


class PathStep(NamedTuple):
    """One node on the path. `key` is set for a mapping's entry; `is_merged` if only `<<` brings the entry in."""

    node: Node
    key: Node | None = None
    is_merged: bool = False


def lookup_path(root: Node, pointer: Pointer) -> tuple[PathStep, ...]:
    """The steps from the root, which is the first one; fewer than the pointer has where it leads to nothing."""
    steps = [PathStep(root)]
    for segment in pointer:
        node = resolve_alias(steps[-1].node)
        step = None
        if isinstance(node, MappingNode):
            step = _find_entry(node, segment)
        elif isinstance(node, SequenceNode) and isinstance(segment, int) and 0 <= segment < len(node.items):
            step = PathStep(node.items[segment])
        if step is None:
            break
        steps.append(step)
    return tuple(steps)


def _find_entry(node: MappingNode, segment: str | int) -> PathStep | None:
    """The last entry with that key, because the last one counts; else the entry that `<<` brings in."""
    for key, child in reversed(node.pairs):
        if key_name(key) == segment:
            return PathStep(child, key)
    for source in merge_sources(node):
        step = _find_entry(source, segment)
        if step is not None:
            return step._replace(is_merged=True)
    return None
