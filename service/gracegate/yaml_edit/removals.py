"""Plans to remove an entry or an item; the comments around it stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gracegate.yaml import MappingNode, SequenceNode
from gracegate.yaml_edit import layout
from gracegate.yaml_edit.replacements import value_replacements
from gracegate.yaml_edit.splices import Splice
from gracegate.yaml_edit.targets import EditPlan, EditTarget


def removals(target: EditTarget) -> Iterator[EditPlan]:
    """Removes the target's entry or item; an empty collection stays where it was the only one."""
    parent = target.parent
    collection = None if parent is None else parent.node
    if parent is None or not isinstance(collection, MappingNode | SequenceNode):
        return
    entries = layout.entries(collection)
    index = next(i for i, (_, node) in enumerate(entries) if node is target.steps[-1].node)
    starts = [first.start for first, _ in entries]
    if isinstance(collection, SequenceNode) and not collection.is_flow:
        starts = list(layout.dash_offsets(target.text, collection))
    if len(entries) == 1:
        yield from value_replacements(parent, {} if isinstance(collection, MappingNode) else [])
    elif len(starts) == len(entries):
        ends = [last.end for _, last in entries]
        yield _flow_removal(starts, ends, index) if collection.is_flow else _block_removal(target, starts, ends, index)


def _flow_removal(starts: Sequence[int], ends: Sequence[int], index: int) -> EditPlan:
    if index + 1 < len(starts):
        return EditPlan((Splice(starts[index], starts[index + 1], ""),), starts[index])
    return EditPlan((Splice(ends[index - 1], ends[index], ""),), ends[index - 1])


def _block_removal(target: EditTarget, starts: Sequence[int], ends: Sequence[int], index: int) -> EditPlan:
    if target.indent(starts[index]) is None:  # the first one, on the line of an outer dash
        return EditPlan((Splice(starts[index], starts[index + 1], ""),), starts[index])
    lines = target.lines
    start, end = lines.start(starts[index]), lines.end(ends[index])
    if end < len(target.text):
        return EditPlan((Splice(start, end + len(lines.newline(end)), ""),), starts[index])
    return EditPlan((Splice(start - len(lines.newline(start - 1)), end, ""),), starts[index])
