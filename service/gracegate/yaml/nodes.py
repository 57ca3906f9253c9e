"""What a YAML or JSON document is made of: nodes that know where they stand.

`start` and `end` are offsets into the text that was parsed, `end` behind the last character that belongs to the node:
a block ends with its deepest last scalar, not with the comments and blank lines behind it.
"""

from __future__ import annotations

from typing import NamedTuple

from gracegate.yaml.lines import LineIndex


class ScalarNode(NamedTuple):
    """`text` is the content with quotes and folding taken off; `style` is "", "'", '"', "|" or ">"."""

    start: int
    end: int
    text: str
    style: str
    tag: str | None = None
    anchor: str | None = None


class AliasNode(NamedTuple):
    """`*name`, standing for `target`."""

    start: int
    end: int
    name: str
    target: Node


class SequenceNode(NamedTuple):
    """`body` is the offset of the first dash of a block, or the one behind the bracket of a flow."""

    start: int
    end: int
    items: tuple[Node, ...]
    flow: bool
    body: int
    tag: str | None = None
    anchor: str | None = None


class MappingNode(NamedTuple):
    """`body` is the offset of the first key of a block, or the one behind the brace of a flow."""

    start: int
    end: int
    pairs: tuple[tuple[Node, Node], ...]
    flow: bool
    body: int
    tag: str | None = None
    anchor: str | None = None


Node = ScalarNode | AliasNode | SequenceNode | MappingNode


def target(node: Node) -> Node:
    """The node itself, or the one that an alias stands for."""
    return node.target if isinstance(node, AliasNode) else node


class YamlDocument(NamedTuple):
    """One YAML document; offsets and lines count within `text`, which starts on `first_line` of its file."""

    text: str
    root: Node
    lines: LineIndex
    first_line: int
