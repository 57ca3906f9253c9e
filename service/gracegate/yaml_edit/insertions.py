"""Ways to add an entry to a mapping or an item to a list, the most natural one first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gracegate.yaml import MappingNode, Node, ScalarNode, SequenceNode, key_name
from gracegate.yaml_edit import layout
from gracegate.yaml_edit.formatting import Flow, block_entry, block_item, flow_entry, inline, pretty_json, scalar
from gracegate.yaml_edit.splices import Splice
from gracegate.yaml_edit.targets import EditPlan, EditTarget

_PROBES = ("readinessProbe", "livenessProbe", "startupProbe", "lifecycle", "ports", "image")
_ROLLOUT = ("strategy", "updateStrategy", "minReadySeconds", "replicas", "selector")
_FOLLOWS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("readinessProbe", "livenessProbe", "startupProbe", "lifecycle"), _PROBES),
    **dict.fromkeys(("strategy", "updateStrategy", "minReadySeconds", "replicas", "progressDeadlineSeconds"), _ROLLOUT),
    "terminationGracePeriodSeconds": ("serviceAccountName", "restartPolicy"),
}
"""The keys that people put a new key behind, if there are any."""
_LONG = ("initContainers", "containers", "template")
"""What the other keys of a specification would be hard to find behind."""


def entry(place: EditTarget, node: MappingNode, key: str, value: Any) -> Iterator[EditPlan]:
    """Adds `key: value` to `node`, the mapping at `place`, which has entries."""
    places = gaps([key_name(k) for k, _ in node.pairs], key)
    if node.flow:
        yield from (_flow_entry(place, node, gap, key, value) for gap in places)
        return
    block = block_entry(key, value, place.lines.column(node.body), place.block_style)
    children = [child for _, child in node.pairs]
    yield from (_block(place, node.body, children[:gap], block) for gap in places)


def item(place: EditTarget, node: SequenceNode, index: int, value: Any) -> Iterator[EditPlan]:
    """Puts `value` before item `index` of `node`, the list at `place`; an `index` behind all items appends."""
    if node.flow:
        yield _flow_item(place, node, index, value)
        return
    block = block_item(value, place.lines.column(node.body), place.block_style)
    yield _block(place, node.body, node.items[:index], block)


def gaps(keys: Sequence[str | None], new: str) -> list[int]:
    """Where a new key may go, as the number of keys before it, the most natural place first."""
    natural = [keys.index(name) + 1 for name in _FOLLOWS.get(new, ()) if name in keys]
    if new in _FOLLOWS:
        natural += [keys.index(name) for name in _LONG if name in keys]
    return list(dict.fromkeys([*natural, *range(len(keys), -1, -1)]))


def _block(place: EditTarget, body: int, before: Sequence[Node], block: list[str]) -> EditPlan:
    """Puts lines behind the last of `before`, or where the collection's body starts."""
    if before:
        return EditPlan((place.below(before[-1].end, block),), before[-1].end)
    indent = place.indent(body)
    if indent is None:  # behind the dash of an item
        return EditPlan((place.above(body, block),), body, rewrites=True)
    start = body - len(indent)
    newline = place.newline(body)
    return EditPlan((Splice(start, start, "".join(line + newline for line in block)),), max(start - 1, 0))


def _flow_entry(place: EditTarget, node: MappingNode, gap: int, key: str, value: Any) -> EditPlan:
    style = place.flow_style
    indent = _own_line_indent(place, node, [k for k, _ in node.pairs])
    children: list[Node] = [child for _, child in node.pairs]
    if indent is not None:
        text = _pretty_entry(place, node, indent, key, value, style)
        return _on_own_line(place, node, children, gap, indent, text)
    starts = [k.start for k, _ in node.pairs]
    return _between(starts, children, gap, flow_entry(key, value, style), style)


def _flow_item(place: EditTarget, node: SequenceNode, index: int, value: Any) -> EditPlan:
    style = place.flow_style
    indent = _own_line_indent(place, node, node.items)
    if indent is None:
        return _between([n.start for n in node.items], node.items, index, inline(value, style), style)
    text = pretty_json(value, indent, unit(place, node, indent)) if style.json else inline(value, style)
    return _on_own_line(place, node, node.items, index, indent, text)


def _own_line_indent(place: EditTarget, node: MappingNode | SequenceNode, starts: Sequence[Node]) -> str | None:
    """The indentation of a flow's entries where the first one starts a line."""
    if place.lines.line(node.start) == place.lines.line(starts[0].start):
        return None
    return place.indent(starts[0].start)


def _pretty_entry(place: EditTarget, node: MappingNode, indent: str, key: str, value: Any, style: Flow) -> str:
    if not style.json:
        return flow_entry(key, value, style)
    return scalar(key, quoted=True) + style.colon + pretty_json(value, indent, unit(place, node, indent))


def unit(place: EditTarget, node: MappingNode | SequenceNode, indent: str) -> str:
    """What one level of a pretty-printed flow is indented by."""
    line = place.text[place.lines.start(node.start) : node.start]
    outer = line[: len(line) - len(line.lstrip(" \t"))]
    return indent.removeprefix(outer) or "  "


def _on_own_line(
    place: EditTarget, node: MappingNode | SequenceNode, children: Sequence[Node], gap: int, indent: str, text: str
) -> EditPlan:
    newline = place.newline(node.start)
    lines = indent + text.replace("\n", newline)
    if gap == 0:
        first = place.lines.start(node.pairs[0][0].start if isinstance(node, MappingNode) else node.items[0].start)
        return EditPlan((Splice(first, first, f"{lines},{newline}"),), max(first - 1, 0))
    end = children[gap - 1].end
    behind = place.lines.end(end)
    if gap < len(children) or layout.has_comma(place.text, end):
        return EditPlan((Splice(behind, behind, f"{newline}{lines},"),), end)
    return EditPlan((Splice(end, end, ","), Splice(behind, behind, newline + lines)), end, rewrites=True)


def _between(starts: Sequence[int], children: Sequence[Node], gap: int, text: str, style: Flow) -> EditPlan:
    if gap == 0:
        return EditPlan((Splice(starts[0], starts[0], text + style.comma),), starts[0], rewrites=True)
    end = children[gap - 1].end
    # A key without a value ends with its colon, which needs a space behind it.
    space = " " if isinstance(children[gap - 1], ScalarNode) and children[gap - 1].start == end else ""
    return EditPlan((Splice(end, end, space + style.comma + text),), end, rewrites=True)
