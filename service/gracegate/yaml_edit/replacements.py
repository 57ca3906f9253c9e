"""Plans to replace a value; the comments around it stay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gracegate.yaml import MappingNode, Node, ScalarNode, SequenceNode
from gracegate.yaml_edit import layout
from gracegate.yaml_edit.formatting import (
    block_lines,
    block_value_lines,
    inline_text,
    is_inline,
    pretty_json_text,
    scalar_text,
)
from gracegate.yaml_edit.splices import Splice
from gracegate.yaml_edit.targets import EditPlan, EditTarget


def value_replacements(target: EditTarget, value: Any) -> Iterator[EditPlan]:
    """Replaces the target's node by `value`; none for the document's root."""
    node, parent = target.steps[-1].node, target.parent
    if parent is None:
        return
    if target.is_in_flow:
        yield _flow_replacement(target, parent, node, value)
    elif is_inline(value):
        yield _inline_replacement(target, node, value)
    elif target.key is None:
        yield _item_replacement(target, parent, node, value)
    else:
        yield from _entry_replacements(target, parent, node, value)


def _flow_replacement(target: EditTarget, parent: EditTarget, node: Node, value: Any) -> EditPlan:
    style = target.flow_style
    indent = parent.own_line_indent(node.start if target.key is None else target.key.start)
    if indent is None or not style.is_json:
        return _node_replacement(node, inline_text(value, style))
    text = pretty_json_text(value, indent, parent.indent_step(indent))
    return _node_replacement(node, text.replace("\n", target.lines.newline(node.start)))


def _node_replacement(node: Node, text: str) -> EditPlan:
    # An empty value starts directly after its colon or dash, which needs a space after it.
    space = " " if node.start == node.end else ""
    return EditPlan((Splice(node.start, node.end, space + text),), node.start)


def _inline_replacement(target: EditTarget, node: Node, value: Any) -> EditPlan:
    text = _text_in_quotes_of(node, value)
    colon_end = _colon_end_above_block(target, node)
    if colon_end is None:
        return _node_replacement(node, text)
    block = Splice(target.lines.end(colon_end), target.lines.end(node.end), "")
    return EditPlan((Splice(colon_end, colon_end, f" {text}"), block), colon_end)


def _colon_end_above_block(target: EditTarget, node: Node) -> int | None:
    """The offset after the key's colon where `node` is a block that starts on a line below it."""
    if target.key is None or not isinstance(node, MappingNode | SequenceNode) or node.is_flow:
        return None
    colon_end = layout.colon_end(target.text, target.key)
    if colon_end is None or target.lines.line(colon_end) == target.lines.line(node.start):
        return None
    return colon_end


def _text_in_quotes_of(node: Node, value: Any) -> str:
    """A scalar; a string that replaces a quoted one keeps the quotes."""
    if isinstance(node, ScalarNode) and isinstance(value, str):
        if node.style == '"':
            return scalar_text(value, quoted=True)
        if node.style == "'" and value.isascii() and value.isprintable():
            return "'" + value.replace("'", "''") + "'"
    return scalar_text(value)


def _entry_replacements(target: EditTarget, parent: EditTarget, node: Node, value: Any) -> Iterator[EditPlan]:
    """Replaces the value of a mapping's entry by a block."""
    if target.key is None:
        return
    new_lines = block_value_lines(value, target.lines.column(target.key.start), parent.block_style)
    if _colon_end_above_block(target, node) is not None:
        text = target.lines.newline(node.start).join(new_lines)
        yield EditPlan((Splice(target.lines.start(node.start), target.lines.end(node.end), text),), node.start)
    elif (colon_end := layout.colon_end(target.text, target.key)) is not None:
        yield EditPlan((Splice(colon_end, node.end, ""), target.insert_below(node.end, new_lines)), colon_end)


def _item_replacement(target: EditTarget, parent: EditTarget, node: Node, value: Any) -> EditPlan:
    """Replaces an item of a list by a block."""
    style = parent.block_style
    gap = " " * style.gap if node.start == node.end else ""
    new_lines = block_lines(value, target.lines.column(node.start) + len(gap), style)
    text = target.lines.newline(node.start).join(new_lines).lstrip(" ")
    return EditPlan((Splice(node.start, node.end, gap + text),), node.start)
