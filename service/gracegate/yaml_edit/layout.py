"""How the text around an edit is laid out: indentation of blocks, spacing of flows, offsets of colons and dashes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gracegate.yaml import LineIndex, MappingNode, Node, ScalarNode, SequenceNode
from gracegate.yaml_edit.formatting import BlockStyle, FlowStyle

_TO_DASH = re.compile(r"(?:[ \t]*+(?:#[^\n]*+)?\r?\n)*+[ \t]*+(?=-)")
_TO_COLON = re.compile(r"[ \t\r\n]*:")
_COLON = re.compile(r":[ \t]*")
_COMMA = re.compile(r",[ \t]*")
_TO_COMMA = re.compile(r"[ \t]*,")


class _Measures(NamedTuple):
    """How often each number of columns occurs, for each field of BlockStyle."""

    step: Counter[int]
    offset: Counter[int]
    gap: Counter[int]


def block_style(scopes: Sequence[Node], lines: LineIndex) -> BlockStyle:
    """The most frequent style in the first scope that shows any, decided for each field; the nearest scope first."""
    decided: dict[str, int] = {}
    for scope in scopes:
        measures = _measure(scope, lines)
        for name, counter in measures._asdict().items():
            if counter and name not in decided:
                decided[name] = counter.most_common(1)[0][0]
        if len(decided) == len(measures):
            break
    return BlockStyle(**decided)


def _measure(scope: Node, lines: LineIndex) -> _Measures:
    measures = _Measures(Counter(), Counter(), Counter())
    pending: list[Node] = [scope]
    while pending:
        node = pending.pop()
        if isinstance(node, SequenceNode) and not node.is_flow:
            pending.extend(node.items)
            first = node.items[0]
            if lines.line(first.start) == lines.line(node.body) and first.start != first.end:
                measures.gap[lines.column(first.start) - lines.column(node.body) - 1] += 1
        elif isinstance(node, MappingNode) and not node.is_flow:
            column = lines.column(node.body)
            for _, child in node.pairs:
                pending.append(child)
                if isinstance(child, MappingNode) and not child.is_flow:
                    measures.step[lines.column(child.body) - column] += 1
                elif isinstance(child, SequenceNode) and not child.is_flow:
                    measures.offset[lines.column(child.body) - column] += 1
    return measures


def flow_style(scopes: Sequence[Node], text: str) -> FlowStyle:
    """The style of the first mapping in braces that has entries; it is JSON if its first key has double quotes."""
    for scope in scopes:
        if isinstance(scope, MappingNode) and scope.is_flow and scope.pairs:
            return _flow_style(scope, text)
    return FlowStyle(is_json=False)


def _flow_style(node: MappingNode, text: str) -> FlowStyle:
    key, child = node.pairs[0]
    is_json = isinstance(key, ScalarNode) and key.style == '"'
    colon = _COLON.match(text, key.end)
    is_colon_tight = is_json and colon is not None and colon.group() == ":"
    is_comma_tight = is_colon_tight
    comma = _COMMA.match(text, child.end) if len(node.pairs) > 1 else None
    if comma and "\n" not in text[child.end : comma.end()]:
        is_comma_tight = comma.group() == "," and comma.end() == node.pairs[1][0].start
    return FlowStyle(is_json, "," if is_comma_tight else ", ", ":" if is_colon_tight else ": ")


def colon_end(text: str, key: Node) -> int | None:
    """The offset after the colon of a key; None if no colon follows it."""
    match = _TO_COLON.match(text, key.end)
    return None if match is None else match.end()


def dash_offsets(text: str, node: SequenceNode) -> Iterator[int]:
    """The offset of each item's dash in a block; ends early where a dash is not found."""
    yield node.body
    for item in node.items[:-1]:
        match = _TO_DASH.match(text, item.end)
        if match is None:
            return
        yield match.end()


def is_before_comma(text: str, offset: int) -> bool:
    """True if a comma follows `offset` on its line."""
    return _TO_COMMA.match(text, offset) is not None


def entries(node: MappingNode | SequenceNode) -> Sequence[tuple[Node, Node]]:
    """The first and the last node of each entry: key and value in a mapping, the item as both in a list."""
    return node.pairs if isinstance(node, MappingNode) else [(item, item) for item in node.items]
