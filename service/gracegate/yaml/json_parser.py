"""JSON that the YAML parser rejects -> the same nodes."""

from __future__ import annotations

import json
import re

from gracegate.model import Limits
from gracegate.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_TOKEN = re.compile(
    r"[ \t\r\n]*(?:(?P<punctuation>[][{}:,])"
    r'|(?P<string>"(?:[^"\\\x00-\x1f]++|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*+")'
    r"|(?P<word>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null))"
)
_START = re.compile(r"\ufeff?(?:---[ \t\r]*\n)?[ \t\r\n]*[\[{]")
_END = re.compile(r"[ \t\r\n]*(?:\.\.\.[ \t\r\n]*)?\Z")
_PAIR = 2


class _NotJson(Exception):
    """The text is not JSON, or exceeds a limit: the YAML parser's error says more."""


class _OpenCollection:
    """An object or array that is not closed yet; `children` of an object are keys and values in turn."""

    def __init__(self, start: int, *, is_object: bool) -> None:
        self.start = start
        self.is_object = is_object
        self.children: list[Node] = []
        self.expects = "value or close"

    def add(self, node: Node) -> None:
        is_key = self.is_object and len(self.children) % _PAIR == 0
        if not self.expects.startswith("value") or (is_key and not (isinstance(node, ScalarNode) and node.style)):
            raise _NotJson
        self.children.append(node)
        self.expects = ":" if is_key else ", or close"

    def add_separator(self, sign: str) -> None:
        if not self.expects.startswith(sign):
            raise _NotJson
        self.expects = "value"

    def close(self, end: int, bracket: str) -> Node:
        if bracket != ("}" if self.is_object else "]") or not self.expects.endswith("close"):
            raise _NotJson
        if not self.is_object:
            return SequenceNode(self.start, end, tuple(self.children), is_flow=True, body=self.start + 1)
        in_turn = iter(self.children)
        return MappingNode(
            self.start, end, tuple(zip(in_turn, in_turn, strict=True)), is_flow=True, body=self.start + 1
        )


def parse_json(text: str, limits: Limits) -> Node | None:
    """The root node of a JSON text; None if it is not JSON or exceeds a limit."""
    start = _START.match(text)
    if start is None:
        return None
    try:
        return _parse(text, start.end() - 1, limits)
    except _NotJson:
        return None


def _parse(text: str, offset: int, limits: Limits) -> Node:
    opened: list[_OpenCollection] = []
    nodes_left = limits.nodes
    while match := _TOKEN.match(text, offset):
        offset = match.end()
        sign = match["punctuation"]
        if sign in {"{", "["}:
            opened.append(_OpenCollection(offset - 1, is_object=sign == "{"))
            node: Node | None = None
        elif sign in {":", ","}:
            opened[-1].add_separator(sign)
            node = None
        elif sign:
            node = opened.pop().close(offset, sign)
        else:
            node = _scalar(match)
        if node is not None and not opened:
            if not _END.match(text, offset):
                break
            return node
        if node is not None:
            opened[-1].add(node)
            nodes_left -= 1
        if len(opened) > limits.depth or nodes_left < 0:
            break
    raise _NotJson


def _scalar(match: re.Match[str]) -> ScalarNode:
    quoted = match["string"]
    if quoted is not None:
        return ScalarNode(match.start("string"), match.end(), json.loads(quoted), '"')
    return ScalarNode(match.start("word"), match.end(), match["word"], "")
