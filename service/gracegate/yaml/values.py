"""Nodes -> the JSON value that Kubernetes reads, with merge keys and aliases resolved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gracegate.yaml.lines import LineIndex
from gracegate.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode, resolve_alias
from gracegate.yaml.parser import YamlError
from gracegate.yaml.scalars import STRING_TAGS, JsonScalar, key_text, plain_key, plain_value
from gracegate.yaml.variables import YTT, ytt_value


@dataclass(frozen=True, slots=True)
class DuplicateKey:
    """A key that appears again in one mapping, at its second `offset`; the last one counts."""

    key: str
    offset: int


def json_value(text: str, root: Node | None) -> Any:
    """The JSON value of a node that was parsed from `text`. Raises YamlError for what JSON cannot hold.

    A scalar whose value ytt computes is the comment that says how: `#@ data.values.replicas`.
    """
    return None if root is None else _ValueReader(text).value(root)


def duplicate_keys(root: Node) -> list[DuplicateKey]:
    """Every key that appears more than once in a mapping, once for each mapping."""
    found: list[DuplicateKey] = []
    pending: list[Node] = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, SequenceNode):
            pending.extend(node.items)
        elif isinstance(node, MappingNode):
            pending.extend([child for _, child in node.pairs])
            # Comparing the keys' text first is much faster than naming every key of every mapping.
            if len({_key_content(key) for key, _ in node.pairs}) < len(node.pairs):
                found.extend(_duplicates_in(node))
    return found


def _key_content(key: Node) -> object:
    scalar = resolve_alias(key)
    return scalar.text if isinstance(scalar, ScalarNode) else id(scalar)


def _duplicates_in(node: MappingNode) -> Iterator[DuplicateKey]:
    times: Counter[str] = Counter()
    for key, _ in node.pairs:
        name = key_name(key)
        if name is None or is_merge(key):
            continue
        times[name] += 1
        if times[name] == 2:
            yield DuplicateKey(name, key.start)


def key_name(key: Node) -> str | None:
    """A key as it is in the JSON value; None if JSON cannot hold it."""
    scalar = resolve_alias(key)
    if not isinstance(scalar, ScalarNode):
        return None
    return plain_key(scalar.text) if not scalar.style and scalar.tag is None else key_text(_scalar_value(scalar))


def is_merge(key: Node) -> bool:
    """True for `<<`, which merges the entries of other mappings into this one."""
    return isinstance(key, ScalarNode) and key.text == "<<" and not key.style and key.tag not in STRING_TAGS


def merge_sources(node: MappingNode) -> Iterator[MappingNode]:
    """The mappings that `node` merges with `<<`; an entry of an earlier one wins."""
    for key, child in node.pairs:
        if is_merge(key):
            source = resolve_alias(child)
            sources = source.items if isinstance(source, SequenceNode) else (source,)
            yield from (mapping for each in sources if isinstance(mapping := resolve_alias(each), MappingNode))


def _scalar_value(node: ScalarNode) -> JsonScalar:
    if node.tag in STRING_TAGS or (node.style and node.tag is None):
        return node.text
    return plain_value(node.text)


class _ValueReader:
    """Nodes to values; recursive, because the depth is limited. The value of an alias's target is built once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._has_ytt = YTT in text
        self._by_target: dict[int, Any] = {}

    def value(self, node: Node) -> Any:
        if isinstance(node, ScalarNode):
            variable = ytt_value(self._text, node.end) if self._has_ytt and node.style not in {"|", ">"} else None
            return _scalar_value(node) if variable is None else variable
        if isinstance(node, SequenceNode):
            return [self.value(item) for item in node.items]
        if isinstance(node, MappingNode):
            return self._mapping_value(node)
        target = id(node.target)
        if target not in self._by_target:
            self._by_target[target] = self.value(node.target)
        return self._by_target[target]

    def _mapping_value(self, node: MappingNode) -> dict[str, Any]:
        result: dict[str, Any] = {}
        has_merge = False
        for key, child in node.pairs:
            if is_merge(key):
                has_merge = True
                continue
            name = key_name(key)
            if name is None:
                raise YamlError("syntax", "a key that is not text", LineIndex(self._text).line(key.start))
            result[name] = self.value(child)
        if has_merge:
            for source in merge_sources(node):
                for name, value in self._mapping_value(source).items():
                    result.setdefault(name, value)
        return result
