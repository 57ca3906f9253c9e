"""Ways to take an entry or an item away; comments around it stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gracegate.yaml import MappingNode, Node, SequenceNode
from gracegate.yaml_edit import layout, replacements
from gracegate.yaml_edit.splices import Splice
from gracegate.yaml_edit.targets import EditPlan, EditTarget


def node(place: EditTarget) -> Iterator[EditPlan]:
    """Removes the entry or item at `place`; the last one leaves an empty collection."""
    parent = place.parent
    if parent is None:
        return
    holder = parent.node
    if isinstance(holder, MappingNode):
        index = next(i for i, (key, _) in enumerate(holder.pairs) if key is place.key)
        starts = [key.start for key, _ in holder.pairs]
        children: Sequence[Node] = [child for _, child in holder.pairs]
    elif isinstance(holder, SequenceNode):
        index = next(i for i, child in enumerate(holder.items) if child is place.steps[-1].node)
        starts = [child.start for child in holder.items] if holder.flow else list(layout.dashes(place.text, holder))
        children = holder.items
    else:
        return
    if len(children) == 1:
        yield from replacements.value(parent, {} if isinstance(holder, MappingNode) else [])
    elif len(starts) == len(children):
        yield _from_flow(starts, children, index) if holder.flow else _from_block(place, starts, children, index)


def _from_flow(starts: Sequence[int], children: Sequence[Node], index: int) -> EditPlan:
    if index + 1 < len(children):
        return EditPlan((Splice(starts[index], starts[index + 1], ""),), starts[index])
    return EditPlan((Splice(children[index - 1].end, children[index].end, ""),), children[index - 1].end)


def _from_block(place: EditTarget, starts: Sequence[int], children: Sequence[Node], index: int) -> EditPlan:
    if place.indent(starts[index]) is None:  # the first one, on the line of an outer dash
        return EditPlan((Splice(starts[index], starts[index + 1], ""),), starts[index])
    start = place.lines.start(starts[index])
    end = place.lines.end(children[index].end)
    if end < len(place.text):
        return EditPlan((Splice(start, end + len(place.newline(end)), ""),), starts[index])
    return EditPlan((Splice(start - len(place.newline(start - 1)), end, ""),), starts[index])
