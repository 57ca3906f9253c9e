"""Ways to take an entry or an item away; comments around it stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gracegate.manifests import layout, nodes, replacements
from gracegate.manifests.drafts import Splice
from gracegate.manifests.nodes import Mapping, Node
from gracegate.manifests.sites import Plan, Site


def node(site: Site) -> Iterator[Plan]:
    """Removes the entry or item at `site`; the last one leaves an empty collection."""
    parent = site.parent
    if parent is None:
        return
    holder = parent.node
    if isinstance(holder, Mapping):
        index = next(i for i, (key, _) in enumerate(holder.pairs) if key is site.key)
        starts = [key.start for key, _ in holder.pairs]
        children: Sequence[Node] = [child for _, child in holder.pairs]
    elif isinstance(holder, nodes.Sequence):
        index = next(i for i, child in enumerate(holder.items) if child is site.steps[-1].node)
        starts = [child.start for child in holder.items] if holder.flow else list(layout.dashes(site.text, holder))
        children = holder.items
    else:
        return
    if len(children) == 1:
        yield from replacements.value(parent, {} if isinstance(holder, Mapping) else [])
    elif len(starts) == len(children):
        yield _from_flow(starts, children, index) if holder.flow else _from_block(site, starts, children, index)


def _from_flow(starts: Sequence[int], children: Sequence[Node], index: int) -> Plan:
    if index + 1 < len(children):
        return Plan((Splice(starts[index], starts[index + 1], ""),), starts[index])
    return Plan((Splice(children[index - 1].end, children[index].end, ""),), children[index - 1].end)


def _from_block(site: Site, starts: Sequence[int], children: Sequence[Node], index: int) -> Plan:
    if site.indent(starts[index]) is None:  # the first one, on the line of an outer dash
        return Plan((Splice(starts[index], starts[index + 1], ""),), starts[index])
    start = site.lines.start(starts[index])
    end = site.lines.end(children[index].end)
    if end < len(site.text):
        return Plan((Splice(start, end + len(site.newline(end)), ""),), starts[index])
    return Plan((Splice(start - len(site.newline(start - 1)), end, ""),), starts[index])
