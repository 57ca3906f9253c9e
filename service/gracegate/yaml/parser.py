"""Text to nodes with places, within limits and without recursion, from the events of ruamel.yaml's C parser.

The parser's own loaders die on deep input, and hide where an alias stands.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from gracegate.errors import ConfigError
from gracegate.model import Limits
from gracegate.yaml import json_parser
from gracegate.yaml.errors import Code, YamlError
from gracegate.yaml.lines import LineIndex
from gracegate.yaml.nodes import AliasNode, MappingNode, Node, ScalarNode, SequenceNode


def parse_yaml(text: str, limits: Limits | None = None) -> Node | None:
    """The root of the one YAML or JSON document in `text`; None if there is none. Raises YamlError."""
    bounds = limits or Limits()
    if len(text) > bounds.bytes:
        raise YamlError("too_large", f"more than {bounds.bytes:,} bytes", 1)
    try:
        return _Builder(text, bounds).build()
    except YamlError as refused:
        # libyaml refuses some JSON: \\ud83d\\ude00, or a key of more than 1,024 characters.
        root = json_parser.parse_json(text, bounds) if refused.code == "syntax" else None
        if root is None:
            raise
        return root


class _Frame:
    """A collection that is still open. `children` of a mapping are keys and values in turn."""

    __slots__ = ("anchor", "body", "children", "deepest", "first", "flow", "is_mapping", "start", "tag")

    def __init__(self, event: Any, shift: int, *, is_mapping: bool, depth: int, first: int) -> None:
        self.is_mapping = is_mapping
        self.start = event.start_mark.index + shift
        self.body = event.end_mark.index + shift
        self.flow: bool = event.flow_style
        self.tag: str | None = event.tag
        self.anchor: str | None = event.anchor
        self.children: list[Node] = []
        self.deepest = depth
        self.first = first

    def close(self, end: int) -> MappingNode | SequenceNode:
        stop = end if self.flow or not self.children else self.children[-1].end
        if not self.is_mapping:
            return SequenceNode(self.start, stop, tuple(self.children), self.flow, self.body, self.tag, self.anchor)
        turns = iter(self.children)
        pairs = tuple(zip(turns, turns, strict=True))
        return MappingNode(self.start, stop, pairs, self.flow, self.body, self.tag, self.anchor)


@dataclass(frozen=True, slots=True)
class _Anchored:
    """A node that aliases may name, and what each use costs."""

    node: Node
    nodes: int
    height: int


class _Builder:
    """Events of one document to a node, within limits."""

    def __init__(self, text: str, limits: Limits) -> None:
        self._text = text
        self._limits = limits
        self._shift = 1 if text.startswith("\ufeff") else 0  # the parser does not count a byte order mark
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._nodes = 0
        self._aliases = 0
        self._documents = 0
        self._roots: list[Node] = []
        self._children = self._roots  # of the innermost collection that is open

    def build(self) -> Node | None:
        library = c_parser()
        try:
            next_event = library.CParser(self._text[self._shift :]).get_event
            self._read(next_event)
        except library.YAMLError as error:
            raise self._syntax(error) from None
        return self._roots[0] if self._roots else None

    def _read(self, next_event: Callable[[], Any]) -> None:
        scalar, alias, mapping, sequence, closing, document, end = _event_types()
        while True:
            event = next_event()
            kind = type(event)
            if kind is scalar:
                self._scalar(event)
            elif kind is mapping:
                self._open(event, is_mapping=True)
            elif kind is sequence:
                self._open(event, is_mapping=False)
            elif kind in closing:
                self._close(event)
            elif kind is alias:
                self._alias(event)
            elif kind is document:
                self._document(event)
            elif kind is end:
                return

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            raise self._error("syntax", "a second document that no `---` line starts", event)

    def _scalar(self, event: Any) -> None:
        style = event.style
        start = event.start_mark.index + self._shift
        end = event.end_mark.index + self._shift
        if style == "|" or style == ">":  # noqa: PLR1714 - three of four events are scalars
            end = self._block_scalar_end(start, end)
        node = ScalarNode(start, end, event.value, style, event.tag, event.anchor)
        self._children.append(node)
        self._count(1, event)
        if node.anchor is not None:
            self._anchors[node.anchor] = _Anchored(node, 1, 0)

    def _block_scalar_end(self, start: int, end: int) -> int:
        """The parser's end is behind the blank lines, which belong to the text only where `+` keeps them."""
        text = self._text
        header = text[start : text.find("\n", start)].partition("#")[0]
        if "+" in header:
            return end - 1 if text[end - 1 : end] == "\n" else end
        return start + len(text[start:end].rstrip())

    def _open(self, event: Any, *, is_mapping: bool) -> None:
        depth = len(self._frames) + 1
        if depth > self._limits.depth:
            raise self._error("too_deep", f"nested deeper than {self._limits.depth}", event)
        self._count(1, event)
        frame = _Frame(event, self._shift, is_mapping=is_mapping, depth=depth, first=self._nodes)
        if not is_mapping and not frame.flow and self._text[frame.body : frame.body + 1] != "-":
            frame.body -= 1  # a list at its key's own column is marked behind its first dash
        if frame.anchor is not None:
            self._anchors[frame.anchor] = None
        self._frames.append(frame)
        self._children = frame.children

    def _close(self, event: Any) -> None:
        frame = self._frames.pop()
        node = frame.close(event.end_mark.index + self._shift)
        if frame.anchor is not None:
            height = frame.deepest - len(self._frames)
            self._anchors[frame.anchor] = _Anchored(node, self._nodes - frame.first + 1, height)
        self._children = self._roots
        if self._frames:
            outer = self._frames[-1]
            outer.deepest = max(outer.deepest, frame.deepest)
            self._children = outer.children
        self._children.append(node)

    def _alias(self, event: Any) -> None:
        self._aliases += 1
        if self._aliases > self._limits.aliases:
            raise self._error("too_many_aliases", f"more than {self._limits.aliases:,} aliases", event)
        name = event.anchor
        anchored = self._anchors.get(name)
        if anchored is None:
            why = "stands inside itself" if name in self._anchors else "is not defined"
            raise self._error("syntax", f"the anchor of alias `*{name}` {why}", event)
        self._count(anchored.nodes, event)
        self._deepen(anchored.height, event)
        start, end = event.start_mark.index + self._shift, event.end_mark.index + self._shift
        self._children.append(AliasNode(start, end, name, anchored.node))

    def _deepen(self, height: int, event: Any) -> None:
        if not self._frames:
            return
        depth = len(self._frames) + height
        if depth > self._limits.depth:
            raise self._error("too_deep", f"nested deeper than {self._limits.depth} with its aliases", event)
        self._frames[-1].deepest = max(self._frames[-1].deepest, depth)

    def _count(self, nodes: int, event: Any) -> None:
        self._nodes += nodes
        if self._nodes > self._limits.nodes:
            raise self._error("too_many_nodes", f"more than {self._limits.nodes:,} nodes", event)

    def _error(self, code: Code, message: str, event: Any) -> YamlError:
        return YamlError(code, message, LineIndex(self._text).line(event.start_mark.index + self._shift))

    def _syntax(self, error: Any) -> YamlError:
        mark = getattr(error, "problem_mark", None)
        if mark is not None:
            offset = mark.index
        else:  # a character that YAML forbids: the place is counted in UTF-8's bytes
            position = getattr(error, "position", 0)
            offset = len(self._text[self._shift :].encode()[:position].decode(errors="ignore"))
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
        return YamlError("syntax", str(reason), LineIndex(self._text).line(offset + self._shift))


@cache
def c_parser() -> ModuleType:
    """ruamel.yaml's C parser, imported at the first use because that is a sixth of a short command's time."""
    for name in ("_ruamel_yaml_clibz", "_ruamel_yaml"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    raise ConfigError("the C parser of ruamel.yaml is missing: pip install 'ruamel.yaml[libyaml]'")


@cache
def _event_types() -> tuple[Any, ...]:
    library = c_parser()
    closing = frozenset({library.MappingEndEvent, library.SequenceEndEvent})
    return (
        library.ScalarEvent,
        library.AliasEvent,
        library.MappingStartEvent,
        library.SequenceStartEvent,
        closing,
        library.DocumentStartEvent,
        library.StreamEndEvent,
    )
