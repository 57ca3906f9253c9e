"""Plans to add an entry to a mapping or an item to a list, the most natural one first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gracegate.yaml import MappingNode, ScalarNode, SequenceNode, key_name
from gracegate.yaml_edit import layout
from gracegate.yaml_edit.formatting import (
    block_entry_lines,
    block_item_lines,
    flow_key_text,
    inline_text,
    pretty_json_text,
)
from gracegate.yaml_edit.splices import Splice
from gracegate.yaml_edit.targets import EditPlan, EditTarget

_PROBES = ("readinessProbe", "livenessProbe", "startupProbe", "lifecycle", "ports", "image")
_ROLLOUT = ("strategy", "updateStrategy", "minReadySeconds", "replicas", "selector")
_KEYS_BEFORE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("readinessProbe", "livenessProbe", "startupProbe", "lifecycle"), _PROBES),
    **dict.fromkeys(("strategy", "updateStrategy", "minReadySeconds", "replicas", "progressDeadlineSeconds"), _ROLLOUT),
    "terminationGracePeriodSeconds": ("serviceAccountName", "restartPolicy"),
}
"""The keys after which people write a new key of this name, if one of them is there."""
_LONG_KEYS = ("initContainers", "containers", "template")
"""Keys with so long values that a short key after them would be hard to find."""


def entry_insertions(target: EditTarget, node: MappingNode, key: str, value: Any) -> Iterator[EditPlan]:
    """Adds `key: value` to the target's `node`, a mapping that is not empty."""
    positions = _entry_positions([key_name(k) for k, _ in node.pairs], key)
    if node.is_flow:
        yield from (_flow_insertion(target, node, position, key, value) for position in positions)
        return
    new_lines = block_entry_lines(key, value, target.lines.column(node.body), target.block_style)
    yield from (_block_insertion(target, node, position, new_lines) for position in positions)


def item_insertion(target: EditTarget, node: SequenceNode, index: int, value: Any) -> EditPlan:
    """Adds `value` before item `index`, or at the end, of the target's `node`, a list that is not empty."""
    if node.is_flow:
        return _flow_insertion(target, node, index, None, value)
    new_lines = block_item_lines(value, target.lines.column(node.body), target.block_style)
    return _block_insertion(target, node, index, new_lines)


def _entry_positions(keys: Sequence[str | None], new_key: str) -> list[int]:
    """Where a new key may go, as the number of keys before it, the most natural position first."""
    natural = [keys.index(name) + 1 for name in _KEYS_BEFORE.get(new_key, ()) if name in keys]
    if new_key in _KEYS_BEFORE:
        natural += [keys.index(name) for name in _LONG_KEYS if name in keys]
    return list(dict.fromkeys([*natural, *range(len(keys), -1, -1)]))


def _block_insertion(
    target: EditTarget, node: MappingNode | SequenceNode, position: int, new_lines: list[str]
) -> EditPlan:
    if position > 0:
        end = layout.entries(node)[position - 1][1].end
        return EditPlan((target.insert_below(end, new_lines),), end)
    indent = target.indent(node.body)
    if indent is None:  # the first entry is on the line of an outer dash
        return EditPlan((target.insert_above(node.body, new_lines),), node.body, rewrites_line=True)
    start = node.body - len(indent)
    newline = target.lines.newline(node.body)
    return EditPlan((Splice(start, start, "".join(line + newline for line in new_lines)),), max(start - 1, 0))


def _flow_insertion(
    target: EditTarget, node: MappingNode | SequenceNode, position: int, key: str | None, value: Any
) -> EditPlan:
    style = target.flow_style
    first = layout.entries(node)[0][0].start
    indent = target.own_line_indent(first)
    text = "" if key is None else flow_key_text(key, style)
    if indent is None or not style.is_json:
        text += inline_text(value, style)
    else:
        text += pretty_json_text(value, indent, target.indent_step(indent))
    if indent is not None:
        return _insertion_on_own_line(target, node, position, indent + text)
    if position == 0:
        return EditPlan((Splice(first, first, text + style.comma),), first, rewrites_line=True)
    before = layout.entries(node)[position - 1][1]
    # A key without a value ends with its colon, which needs a space after it.
    space = " " if isinstance(before, ScalarNode) and before.start == before.end else ""
    return EditPlan((Splice(before.end, before.end, space + style.comma + text),), before.end, rewrites_line=True)


def _insertion_on_own_line(target: EditTarget, node: MappingNode | SequenceNode, position: int, text: str) -> EditPlan:
    entries = layout.entries(node)
    newline = target.lines.newline(node.start)
    text = text.replace("\n", newline)
    if position == 0:
        start = target.lines.start(entries[0][0].start)
        return EditPlan((Splice(start, start, f"{text},{newline}"),), max(start - 1, 0))
    end = entries[position - 1][1].end
    line_end = target.lines.end(end)
    if position < len(entries) or layout.is_before_comma(target.text, end):
        return EditPlan((Splice(line_end, line_end, f"{newline}{text},"),), end)
    return EditPlan((Splice(end, end, ","), Splice(line_end, line_end, newline + text)), end, rewrites_line=True)
