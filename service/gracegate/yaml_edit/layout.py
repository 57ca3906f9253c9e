"""How the text around a place is laid out: indentation of blocks, spacing of flows, the offset of colons and dashes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gracegate.yaml import LineIndex, MappingNode, Node, ScalarNode, SequenceNode
from gracegate.yaml_edit.formatting import Block, Flow

_TO_DASH = re.compile(r"(?:[ \t]*+(?:#[^\n]*+)?\r?\n)*+[ \t]*+(?=-)")
_TO_COLON = re.compile(r"[ \t\r\n]*:")
_COLON = re.compile(r":[ \t]*")
_COMMA = re.compile(r",[ \t]*")
_TO_COMMA = re.compile(r"[ \t]*,")


class _Measures(NamedTuple):
    step: Counter[int]
    offset: Counter[int]
    gap: Counter[int]


def block_style(scopes: Sequence[Node], lines: LineIndex) -> Block:
    """What most of the first scope that tells does, for each measure; give the nearest scope first."""
    decided: dict[str, int] = {}
    for scope in scopes:
        measures = _measure(scope, lines)
        for name, counter in measures._asdict().items():
            if counter and name not in decided:
                decided[name] = counter.most_common(1)[0][0]
        if len(decided) == len(measures):
            break
    return Block(**decided)


def _measure(scope: Node, lines: LineIndex) -> _Measures:
    measures = _Measures(Counter(), Counter(), Counter())
    waiting: list[Node] = [scope]
    while waiting:
        node = waiting.pop()
        if isinstance(node, SequenceNode) and not node.flow:
            waiting.extend(node.items)
            dash = lines.column(node.body)
            first = node.items[0]
            if lines.line(first.start) == lines.line(node.body) and first.start != first.end:
                measures.gap[lines.column(first.start) - dash - 1] += 1
        elif isinstance(node, MappingNode) and not node.flow:
            _measure_entries(node, lines, measures)
            waiting.extend(child for _, child in node.pairs)
    return measures


def _measure_entries(node: MappingNode, lines: LineIndex, measures: _Measures) -> None:
    column = lines.column(node.body)
    for _, child in node.pairs:
        if isinstance(child, MappingNode) and not child.flow:
            measures.step[lines.column(child.body) - column] += 1
        elif isinstance(child, SequenceNode) and not child.flow:
            measures.offset[lines.column(child.body) - column] += 1


def flow_style(scopes: Sequence[Node], text: str) -> Flow:
    """How the nearest of these flows that has entries writes them; JSON is where keys stand in double quotes."""
    for scope in scopes:
        if isinstance(scope, MappingNode) and scope.flow and scope.pairs:
            return _flow_style(scope, text)
    return Flow(json=False)


def _flow_style(node: MappingNode, text: str) -> Flow:
    key, child = node.pairs[0]
    as_json = isinstance(key, ScalarNode) and key.style == '"'
    colon = _COLON.match(text, key.end)
    tight = as_json and colon is not None and colon.group() == ":"
    if len(node.pairs) > 1 and (comma := _COMMA.match(text, child.end)) and "\n" not in text[child.end : comma.end()]:
        tight_comma = comma.group() == "," and comma.end() == node.pairs[1][0].start
    else:
        tight_comma = tight
    return Flow(as_json, "," if tight_comma else ", ", ":" if tight else ": ")


def after_colon(text: str, key: Node) -> int | None:
    """The offset behind the colon of a key; None where none follows it."""
    match = _TO_COLON.match(text, key.end)
    return None if match is None else match.end()


def dashes(text: str, node: SequenceNode) -> Iterator[int]:
    """The offset of each item's dash in a block."""
    yield node.body
    for item in node.items[:-1]:
        match = _TO_DASH.match(text, item.end)
        if match is None:
            return
        yield match.end()


def indent_of(text: str, lines: LineIndex, offset: int) -> str | None:
    """The white space before `offset` on its line; None where something else stands there."""
    start = lines.start(offset)
    before = text[start:offset].removeprefix("\ufeff")
    return before if not before.strip(" \t") else None


def has_comma(text: str, offset: int) -> bool:
    """True if the next thing behind `offset` is a comma."""
    match = _TO_COMMA.match(text, offset)
    return match is not None
