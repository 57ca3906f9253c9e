"""Ways to put another value where one stands, keeping the comments around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gracegate.yaml import MappingNode, Node, ScalarNode, SequenceNode
from gracegate.yaml_edit import insertions, layout
from gracegate.yaml_edit.formatting import (
    block_entries,
    block_items,
    block_value,
    inline,
    is_inline,
    pretty_json,
    scalar,
)
from gracegate.yaml_edit.splices import Splice
from gracegate.yaml_edit.targets import EditPlan, EditTarget


def value(place: EditTarget, new: Any) -> Iterator[EditPlan]:
    """Replaces the node at `place`, which is not the document's root."""
    node = place.steps[-1].node
    if place.parent is None:
        return
    if place.parent.in_flow or _is_flow(place.parent.node):
        yield _in_flow(place, node, new)
    elif is_inline(new):
        yield from _by_inline(place, node, new)
    elif place.key is not None:
        yield from _entry_by_block(place, node, new)
    else:
        yield _item_by_block(place, node, new)


def _is_flow(node: Node) -> bool:
    return isinstance(node, MappingNode | SequenceNode) and node.flow


def _is_block(node: Node) -> bool:
    return isinstance(node, MappingNode | SequenceNode) and not node.flow


def _in_flow(place: EditTarget, node: Node, new: Any) -> EditPlan:
    style = place.flow_style
    parent = place.parent
    text = inline(new, style)
    if style.json and parent is not None and isinstance(parent.node, MappingNode | SequenceNode):
        start = place.key.start if place.key is not None else node.start
        indent = place.indent(start)
        if indent is not None and place.lines.line(parent.node.start) != place.lines.line(start):
            newline = place.newline(node.start)
            unit = insertions.unit(parent, parent.node, indent)
            text = pretty_json(new, indent, unit).replace("\n", newline)
    return EditPlan((Splice(node.start, node.end, _spaced(node, text)),), node.start)


def _spaced(node: Node, text: str) -> str:
    """An empty value starts right behind its colon or dash."""
    return f" {text}" if node.start == node.end else text


def _by_inline(place: EditTarget, node: Node, new: Any) -> Iterator[EditPlan]:
    text = _quoted_alike(node, new)
    if place.key is not None and _is_block(node):
        colon = layout.after_colon(place.text, place.key)
        if colon is not None and place.lines.line(colon) != place.lines.line(node.start):
            rest = Splice(place.lines.end(colon), place.lines.end(node.end), "")
            yield EditPlan((Splice(colon, colon, f" {text}"), rest), colon)
            return
    yield EditPlan((Splice(node.start, node.end, _spaced(node, text)),), node.start)


def _quoted_alike(node: Node, new: Any) -> str:
    """A string in the quotes of the one it replaces."""
    if isinstance(node, ScalarNode) and isinstance(new, str):
        if node.style == '"':
            return scalar(new, quoted=True)
        if node.style == "'" and new.isascii() and new.isprintable():
            return "'" + new.replace("'", "''") + "'"
    return scalar(new)


def _entry_by_block(place: EditTarget, node: Node, new: Any) -> Iterator[EditPlan]:
    if place.key is None or place.parent is None:
        return
    block = block_value(new, place.lines.column(place.key.start), place.parent.block_style)
    colon = layout.after_colon(place.text, place.key)
    if colon is None:
        return
    if _is_block(node) and place.lines.line(colon) != place.lines.line(node.start):
        newline = place.newline(node.start)
        whole = Splice(place.lines.start(node.start), place.lines.end(node.end), newline.join(block))
        yield EditPlan((whole,), node.start)
        return
    yield EditPlan((Splice(colon, node.end, ""), place.below(node.end, block)), colon)


def _item_by_block(place: EditTarget, node: Node, new: Any) -> EditPlan:
    style = place.parent.block_style if place.parent is not None else place.block_style
    gap = " " * style.gap if node.start == node.end else ""
    column = place.lines.column(node.start) + len(gap)
    block = block_entries(new, column, style) if isinstance(new, dict) else block_items(new, column, style)
    text = place.newline(node.start).join(block).lstrip(" ")
    return EditPlan((Splice(node.start, node.end, gap + text),), node.start)
