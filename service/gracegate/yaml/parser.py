"""Text to nodes with their spans, within limits and without recursion, from the events of ruamel.yaml's C parser.

The loaders that ruamel.yaml offers crash on deeply nested input and do not say where an alias is.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, Literal

from gracegate.errors import ConfigError, InputError
from gracegate.model import Limits
from gracegate.yaml import json_parser
from gracegate.yaml.lines import LineIndex
from gracegate.yaml.nodes import AliasNode, MappingNode, Node, ScalarNode, SequenceNode

_UNEXPECTED_COLON = "found unexpected ':'"
_COLON_IN_SCALAR = re.compile(r"""(?<=[^\s"'\[\]{},]):(?=\S)""")
"""The colons that are part of a plain scalar, as that of `http://a` is, wherever this is one."""
_PRIVATE_USE = range(0xE000, 0xF8FF + 1)

Code = Literal["syntax", "too_large", "too_many_documents", "too_deep", "too_many_nodes", "too_many_aliases"]


class YamlError(InputError):
    """A document cannot be read; `line` counts from 1 within the text that was parsed."""

    def __init__(self, code: Code, message: str, line: int) -> None:
        super().__init__(message, line=line)
        self.code = code


def parse_yaml(text: str, limits: Limits | None = None) -> Node | None:
    """The root node of the one YAML or JSON document in `text`; None if there is none. Raises YamlError."""
    limits = limits or Limits()
    if len(text) > limits.bytes:
        raise YamlError("too_large", f"more than {limits.bytes:,} bytes", 1)
    try:
        return _parse(text, limits)
    except YamlError as error:
        # libyaml rejects some valid JSON: surrogate pairs (\\ud83d\\ude00) and keys of more than 1,024 characters.
        root = json_parser.parse_json(text, limits) if error.code == "syntax" else None
        if root is None:
            raise
        return root


def _parse(text: str, limits: Limits) -> Node | None:
    """As `_Parser` does, also with colons that its libyaml alone rejects, as in `[http://a]`: another character stands
    in for them. Kubernetes reads them as part of the scalar."""
    try:
        return _Parser(text, limits).parse()
    except YamlError as error:
        if error.message != _UNEXPECTED_COLON:
            raise
    stand_in = next((chr(code) for code in _PRIVATE_USE if chr(code) not in text), ":")
    return _Parser(_COLON_IN_SCALAR.sub(stand_in, text), limits, stand_in).parse()


class _OpenCollection:
    """A mapping or sequence whose end has not been parsed yet.

    `children` of a mapping are keys and values in turn. `max_depth` is the depth of the deepest node inside, counted
    from the document's root; `nodes_before` is how many nodes of the document came before it.
    """

    __slots__ = ("anchor", "body", "children", "is_flow", "is_mapping", "max_depth", "nodes_before", "start", "tag")

    def __init__(self, event: Any, shift: int, *, is_mapping: bool, depth: int, nodes_before: int) -> None:
        self.is_mapping = is_mapping
        self.start = event.start_mark.index + shift
        self.body = event.end_mark.index + shift
        self.is_flow: bool = event.flow_style
        self.tag: str | None = event.tag
        self.anchor: str | None = event.anchor
        self.children: list[Node] = []
        self.max_depth = depth
        self.nodes_before = nodes_before

    def close(self, end: int) -> MappingNode | SequenceNode:
        if not self.is_flow and self.children:
            end = self.children[-1].end
        if not self.is_mapping:
            return SequenceNode(self.start, end, tuple(self.children), self.is_flow, self.body, self.tag, self.anchor)
        in_turn = iter(self.children)
        pairs = tuple(zip(in_turn, in_turn, strict=True))
        return MappingNode(self.start, end, pairs, self.is_flow, self.body, self.tag, self.anchor)


@dataclass(frozen=True, slots=True)
class _AnchoredNode:
    """A node that aliases may name; each alias counts as `nodes` more nodes and `height` more levels."""

    node: Node
    nodes: int
    height: int


class _Parser:
    """Turns the events of one document into nodes, within limits. In its scalars `stand_in` is a colon."""

    def __init__(self, text: str, limits: Limits, stand_in: str | None = None) -> None:
        self._text = text
        self._limits = limits
        self._stand_in = stand_in
        self._shift = 1 if text.startswith("\ufeff") else 0  # the C parser does not get the byte order mark
        self._open: list[_OpenCollection] = []
        self._anchors: dict[str, _AnchoredNode | None] = {}  # None while the anchored collection is open
        self._nodes = 0
        self._aliases = 0
        self._roots: list[Node] = []
        self._children = self._roots  # of the innermost open collection

    def parse(self) -> Node | None:
        library = c_parser()
        try:
            self._read_events(library.CParser(self._text[self._shift :]).get_event)
        except library.YAMLError as error:
            raise self._syntax_error(error) from None
        return self._roots[0] if self._roots else None

    def _read_events(self, next_event: Callable[[], Any]) -> None:
        scalar, alias, mapping, sequence, collection_ends, document, stream_end = _event_types()
        documents = 0
        while True:
            event = next_event()
            kind = type(event)
            if kind is scalar:
                self._add_scalar(event)
            elif kind is mapping:
                self._open_collection(event, is_mapping=True)
            elif kind is sequence:
                self._open_collection(event, is_mapping=False)
            elif kind in collection_ends:
                self._close_collection(event)
            elif kind is alias:
                self._add_alias(event)
            elif kind is document:
                documents += 1
                if documents > 1:
                    raise self._error("syntax", "a second document that does not start with a `---` line", event)
            elif kind is stream_end:
                return

    def _add_scalar(self, event: Any) -> None:
        style = event.style
        start = event.start_mark.index + self._shift
        end = event.end_mark.index + self._shift
        if style == "|" or style == ">":  # noqa: PLR1714 - three of four events are scalars
            end = self._block_scalar_end(start, end)
        value = event.value if self._stand_in is None else event.value.replace(self._stand_in, ":")
        node = ScalarNode(start, end, value, style, event.tag, event.anchor)
        self._children.append(node)
        self._count_nodes(1, event)
        if node.anchor is not None:
            self._anchors[node.anchor] = _AnchoredNode(node, 1, 0)

    def _block_scalar_end(self, start: int, end: int) -> int:
        """The C parser's end is after the blank lines, which are part of the scalar only if its header has a `+`."""
        text = self._text
        header = text[start : text.find("\n", start)].partition("#")[0]
        if "+" in header:
            return end - 1 if text[end - 1 : end] == "\n" else end
        return start + len(text[start:end].rstrip())

    def _open_collection(self, event: Any, *, is_mapping: bool) -> None:
        depth = len(self._open) + 1
        if depth > self._limits.depth:
            raise self._error("too_deep", f"nested deeper than {self._limits.depth}", event)
        opened = _OpenCollection(event, self._shift, is_mapping=is_mapping, depth=depth, nodes_before=self._nodes)
        self._count_nodes(1, event)
        if not is_mapping and not opened.is_flow and self._text[opened.body : opened.body + 1] != "-":
            opened.body -= 1  # a sequence at its key's own column is marked after its first dash
        if opened.anchor is not None:
            self._anchors[opened.anchor] = None
        self._open.append(opened)
        self._children = opened.children

    def _close_collection(self, event: Any) -> None:
        closed = self._open.pop()
        node = closed.close(event.end_mark.index + self._shift)
        if closed.anchor is not None:
            nodes = self._nodes - closed.nodes_before
            self._anchors[closed.anchor] = _AnchoredNode(node, nodes, closed.max_depth - len(self._open))
        self._children = self._roots
        if self._open:
            outer = self._open[-1]
            outer.max_depth = max(outer.max_depth, closed.max_depth)
            self._children = outer.children
        self._children.append(node)

    def _add_alias(self, event: Any) -> None:
        self._aliases += 1
        if self._aliases > self._limits.aliases:
            raise self._error("too_many_aliases", f"more than {self._limits.aliases:,} aliases", event)
        name = event.anchor
        anchored = self._anchors.get(name)
        if anchored is None:
            problem = "is inside its own anchor" if name in self._anchors else "has no anchor"
            raise self._error("syntax", f"alias `*{name}` {problem}", event)
        self._count_nodes(anchored.nodes, event)
        if self._open:
            depth = len(self._open) + anchored.height
            if depth > self._limits.depth:
                raise self._error("too_deep", f"nested deeper than {self._limits.depth} with its aliases", event)
            self._open[-1].max_depth = max(self._open[-1].max_depth, depth)
        start, end = event.start_mark.index + self._shift, event.end_mark.index + self._shift
        self._children.append(AliasNode(start, end, name, anchored.node))

    def _count_nodes(self, nodes: int, event: Any) -> None:
        self._nodes += nodes
        if self._nodes > self._limits.nodes:
            raise self._error("too_many_nodes", f"more than {self._limits.nodes:,} nodes", event)

    def _error(self, code: Code, message: str, event: Any) -> YamlError:
        return YamlError(code, message, LineIndex(self._text).line(event.start_mark.index + self._shift))

    def _syntax_error(self, error: Any) -> YamlError:
        mark = getattr(error, "problem_mark", None)
        if mark is not None:
            offset = mark.index
        else:  # a character that YAML forbids: its position is counted in bytes of UTF-8
            position = getattr(error, "position", 0)
            offset = len(self._text[self._shift :].encode()[:position].decode(errors="ignore"))
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
        return YamlError("syntax", str(reason), LineIndex(self._text).line(offset + self._shift))


@cache
def c_parser() -> ModuleType:
    """ruamel.yaml's C parser, imported on first use because the import takes a sixth of a short command's time."""
    for name in ("_ruamel_yaml_clibz", "_ruamel_yaml"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    raise ConfigError("the C parser of ruamel.yaml is missing: pip install 'ruamel.yaml[libyaml]'")


@cache
def _event_types() -> tuple[Any, ...]:
    library = c_parser()
    collection_ends = frozenset({library.MappingEndEvent, library.SequenceEndEvent})
    return (
        library.ScalarEvent,
        library.AliasEvent,
        library.MappingStartEvent,
        library.SequenceStartEvent,
        collection_ends,
        library.DocumentStartEvent,
        library.StreamEndEvent,
    )
