"""The nodes of a YAML or JSON document, with their spans.

`start` and `end` are offsets into the text that was parsed; `end` is after the last character of the node. A block
collection ends with its last scalar: comments and blank lines after it are not part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gracegate.yaml.lines import LineIndex


class ScalarNode(NamedTuple):
    """`text` is the content without quotes and folding; `style` is "", "'", '"', "|" or ">"."""

    start: int
    end: int
    text: str
    style: str
    tag: str | None = None
    anchor: str | None = None


class AliasNode(NamedTuple):
    """`*name`; `target` is the node with the anchor `&name`."""

    start: int
    end: int
    name: str
    target: Node


class SequenceNode(NamedTuple):
    """`body` is the offset of the first dash in block style, or the offset after the bracket in flow style."""

    start: int
    end: int
    items: tuple[Node, ...]
    is_flow: bool
    body: int
    tag: str | None = None
    anchor: str | None = None


class MappingNode(NamedTuple):
    """`body` is the offset of the first key in block style, or the offset after the brace in flow style."""

    start: int
    end: int
    pairs: tuple[tuple[Node, Node], ...]
    is_flow: bool
    body: int
    tag: str | None = None
    anchor: str | None = None


Node = ScalarNode | AliasNode | SequenceNode | MappingNode


class YamlDocument(NamedTuple):
    """One YAML document; offsets and lines count within `text`, which starts on line `first_line` of its file."""

    text: str
    root: Node
    lines: LineIndex
    first_line: int


def resolve_alias(node: Node) -> Node:
    """The node itself, or the target of an alias."""
    return node.target if isinstance(node, AliasNode) else node


def descendants(root: Node) -> Iterator[Node]:
    """The node and all nodes below it, in no particular order. Aliases are not followed."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, SequenceNode):
            pending.extend(node.items)
        elif isinstance(node, MappingNode):
            pending.extend(part for pair in node.pairs for part in pair)
