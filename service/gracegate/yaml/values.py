"""What Kubernetes reads in a document: nodes -> the JSON value, with merge keys and aliases resolved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gracegate.yaml.errors import YamlError
from gracegate.yaml.lines import LineIndex
from gracegate.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode, target
from gracegate.yaml.scalars import STRING_TAGS, key_text, plain_key, resolve


@dataclass(frozen=True, slots=True)
class DuplicateKey:
    """A key that stands twice in one mapping; the later one counts."""

    key: str
    offset: int


def json_value(text: str, root: Node | None) -> Any:
    """The JSON value of a node that was parsed from `text`. Raises YamlError for what JSON cannot hold."""
    return None if root is None else _Reader(text).value(root)


def duplicate_keys(root: Node) -> list[DuplicateKey]:
    """Every key that stands again in a mapping, once for each mapping."""
    found: list[DuplicateKey] = []
    waiting: list[Node] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, SequenceNode):
            waiting.extend(node.items)
        elif isinstance(node, MappingNode):
            waiting.extend([child for _, child in node.pairs])
            if len({_content(key) for key, _ in node.pairs}) < len(node.pairs):
                found.extend(_repeated(node))
    return found


def _content(key: Node) -> object:
    scalar = target(key)
    return scalar.text if isinstance(scalar, ScalarNode) else id(scalar)


def _repeated(node: MappingNode) -> Iterator[DuplicateKey]:
    times: Counter[str] = Counter()
    for key, _ in node.pairs:
        name = key_name(key)
        if name is None or is_merge(key):
            continue
        times[name] += 1
        if times[name] == 2:
            yield DuplicateKey(name, key.start)


def key_name(key: Node) -> str | None:
    """A key as the JSON value has it; None if JSON cannot hold it."""
    scalar = target(key)
    if not isinstance(scalar, ScalarNode):
        return None
    return plain_key(scalar.text) if not scalar.style and scalar.tag is None else key_text(_scalar(scalar))


def is_merge(key: Node) -> bool:
    """True for `<<`, which takes over the entries of the mappings it names."""
    return isinstance(key, ScalarNode) and key.text == "<<" and not key.style and key.tag not in STRING_TAGS


def merge_sources(node: MappingNode) -> Iterator[MappingNode]:
    """The mappings that `node` takes over with `<<`, the one that wins first."""
    for key, child in node.pairs:
        if is_merge(key):
            source = target(child)
            sources = source.items if isinstance(source, SequenceNode) else (source,)
            yield from (found for each in sources if isinstance(found := target(each), MappingNode))


def _scalar(node: ScalarNode) -> str | int | float | bool | None:
    if node.tag in STRING_TAGS or (node.style and node.tag is None):
        return node.text
    return resolve(node.text)


class _Reader:
    """Nodes to values; recursive, for the depth is bounded. What an alias stands for is built once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._shared: dict[int, Any] = {}

    def value(self, node: Node) -> Any:
        if isinstance(node, ScalarNode):
            return _scalar(node)
        if isinstance(node, SequenceNode):
            return [self.value(item) for item in node.items]
        if isinstance(node, MappingNode):
            return self._mapping(node)
        shared = id(node.target)
        if shared not in self._shared:
            self._shared[shared] = self.value(node.target)
        return self._shared[shared]

    def _mapping(self, node: MappingNode) -> dict[str, Any]:
        result: dict[str, Any] = {}
        inherits = False
        for key, child in node.pairs:
            if is_merge(key):
                inherits = True
                continue
            name = key_name(key)
            if name is None:
                raise YamlError("syntax", "a key that is no text", LineIndex(self._text).line(key.start))
            result[name] = self.value(child)
        if inherits:
            for source in merge_sources(node):
                for name, inherited in self._mapping(source).items():
                    result.setdefault(name, inherited)
        return result
