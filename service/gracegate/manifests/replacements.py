"""Ways to put another value where one stands, keeping the comments around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gracegate.manifests import insertions, layout, nodes
from gracegate.manifests.drafts import Splice
from gracegate.manifests.nodes import Mapping, Node, Scalar
from gracegate.manifests.rendering import (
    block_entries,
    block_items,
    block_value,
    inline,
    is_inline,
    pretty_json,
    scalar,
)
from gracegate.manifests.sites import Plan, Site


def value(site: Site, new: Any) -> Iterator[Plan]:
    """Replaces the node at `site`, which is not the document's root."""
    node = site.steps[-1].node
    if site.parent is None:
        return
    if site.parent.in_flow or _is_flow(site.parent.node):
        yield _in_flow(site, node, new)
    elif is_inline(new):
        yield from _by_inline(site, node, new)
    elif site.key is not None:
        yield from _entry_by_block(site, node, new)
    else:
        yield _item_by_block(site, node, new)


def _is_flow(node: Node) -> bool:
    return isinstance(node, Mapping | nodes.Sequence) and node.flow


def _is_block(node: Node) -> bool:
    return isinstance(node, Mapping | nodes.Sequence) and not node.flow


def _in_flow(site: Site, node: Node, new: Any) -> Plan:
    style = site.flow_style
    parent = site.parent
    text = inline(new, style)
    if style.json and parent is not None and isinstance(parent.node, Mapping | nodes.Sequence):
        start = site.key.start if site.key is not None else node.start
        indent = site.indent(start)
        if indent is not None and site.lines.line(parent.node.start) != site.lines.line(start):
            newline = site.newline(node.start)
            unit = insertions.unit(parent, parent.node, indent)
            text = pretty_json(new, indent, unit).replace("\n", newline)
    return Plan((Splice(node.start, node.end, _spaced(node, text)),), node.start)


def _spaced(node: Node, text: str) -> str:
    """An empty value starts right behind its colon or dash."""
    return f" {text}" if node.start == node.end else text


def _by_inline(site: Site, node: Node, new: Any) -> Iterator[Plan]:
    text = _quoted_alike(node, new)
    if site.key is not None and _is_block(node):
        colon = layout.after_colon(site.text, site.key)
        if colon is not None and site.lines.line(colon) != site.lines.line(node.start):
            rest = Splice(site.lines.end(colon), site.lines.end(node.end), "")
            yield Plan((Splice(colon, colon, f" {text}"), rest), colon)
            return
    yield Plan((Splice(node.start, node.end, _spaced(node, text)),), node.start)


def _quoted_alike(node: Node, new: Any) -> str:
    """A string in the quotes of the one it replaces."""
    if isinstance(node, Scalar) and isinstance(new, str):
        if node.style == '"':
            return scalar(new, quoted=True)
        if node.style == "'" and new.isascii() and new.isprintable():
            return "'" + new.replace("'", "''") + "'"
    return scalar(new)


def _entry_by_block(site: Site, node: Node, new: Any) -> Iterator[Plan]:
    if site.key is None or site.parent is None:
        return
    block = block_value(new, site.lines.column(site.key.start), site.parent.block_style)
    colon = layout.after_colon(site.text, site.key)
    if colon is None:
        return
    if _is_block(node) and site.lines.line(colon) != site.lines.line(node.start):
        newline = site.newline(node.start)
        whole = Splice(site.lines.start(node.start), site.lines.end(node.end), newline.join(block))
        yield Plan((whole,), node.start)
        return
    yield Plan((Splice(colon, node.end, ""), site.below(node.end, block)), colon)


def _item_by_block(site: Site, node: Node, new: Any) -> Plan:
    style = site.parent.block_style if site.parent is not None else site.block_style
    gap = " " * style.gap if node.start == node.end else ""
    column = site.lines.column(node.start) + len(gap)
    block = block_entries(new, column, style) if isinstance(new, dict) else block_items(new, column, style)
    text = site.newline(node.start).join(block).lstrip(" ")
    return Plan((Splice(node.start, node.end, gap + text),), node.start)
