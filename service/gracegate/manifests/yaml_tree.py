"""One YAML or JSON document: text -> nodes with places -> the JSON value that Kubernetes would read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gracegate.manifests import builder, json_tree
from gracegate.manifests.limits import Limits, YamlError
from gracegate.manifests.lines import LineIndex
from gracegate.manifests.nodes import Alias, Mapping, Node, Scalar, Sequence, target
from gracegate.manifests.scalars import STRING_TAGS, key_text, plain_key, resolve

__all__ = [
    "Alias",
    "Duplicate",
    "Limits",
    "LineIndex",
    "Mapping",
    "Node",
    "Scalar",
    "Sequence",
    "YamlError",
    "duplicates",
    "key_name",
    "parse",
    "target",
    "value",
]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A key that stands twice in one mapping; the later one counts."""

    key: str
    offset: int


def parse(text: str, limits: Limits | None = None) -> Node | None:
    """The root of the one document in `text`; None if there is none. Raises YamlError."""
    bounds = limits or Limits()
    if len(text) > bounds.bytes:
        raise YamlError("too_large", f"more than {bounds.bytes:,} bytes", 1)
    try:
        return builder.build(text, bounds)
    except YamlError as refused:
        # libyaml refuses some JSON: \\ud83d\\ude00, or a key of more than 1,024 characters.
        root = json_tree.parse(text, bounds) if refused.code == "syntax" else None
        if root is None:
            raise
        return root


def value(text: str, root: Node | None) -> Any:
    """The JSON value of a node that was parsed from `text`. Raises YamlError for what JSON cannot hold."""
    return None if root is None else _Reader(text).value(root)


def duplicates(root: Node) -> list[Duplicate]:
    """Every key that stands again in a mapping, once for each mapping."""
    found: list[Duplicate] = []
    waiting: list[Node] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Sequence):
            waiting.extend(node.items)
        elif isinstance(node, Mapping):
            waiting.extend([child for _, child in node.pairs])
            if len({_content(key) for key, _ in node.pairs}) < len(node.pairs):
                found.extend(_repeated(node))
    return found


def _content(key: Node) -> object:
    scalar = target(key)
    return scalar.text if isinstance(scalar, Scalar) else id(scalar)


def _repeated(node: Mapping) -> Iterator[Duplicate]:
    times: Counter[str] = Counter()
    for key, _ in node.pairs:
        name = key_name(key)
        if name is None or is_merge(key):
            continue
        times[name] += 1
        if times[name] == 2:
            yield Duplicate(name, key.start)


def key_name(key: Node) -> str | None:
    """A key as the JSON value has it; None if JSON cannot hold it."""
    scalar = target(key)
    if not isinstance(scalar, Scalar):
        return None
    return plain_key(scalar.text) if not scalar.style and scalar.tag is None else key_text(_scalar(scalar))


def is_merge(key: Node) -> bool:
    """True for `<<`, which takes over the entries of the mappings it names."""
    return isinstance(key, Scalar) and key.text == "<<" and not key.style and key.tag not in STRING_TAGS


def merged(node: Mapping) -> Iterator[Mapping]:
    """The mappings that `node` takes over with `<<`, the one that wins first."""
    for key, child in node.pairs:
        if is_merge(key):
            source = target(child)
            sources = source.items if isinstance(source, Sequence) else (source,)
            yield from (found for each in sources if isinstance(found := target(each), Mapping))


def _scalar(node: Scalar) -> str | int | float | bool | None:
    if node.tag in STRING_TAGS or (node.style and node.tag is None):
        return node.text
    return resolve(node.text)


class _Reader:
    """Nodes to values; recursive, for the depth is bounded. What an alias stands for is built once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._shared: dict[int, Any] = {}

    def value(self, node: Node) -> Any:
        if isinstance(node, Scalar):
            return _scalar(node)
        if isinstance(node, Sequence):
            return [self.value(item) for item in node.items]
        if isinstance(node, Mapping):
            return self._mapping(node)
        shared = id(node.target)
        if shared not in self._shared:
            self._shared[shared] = self.value(node.target)
        return self._shared[shared]

    def _mapping(self, node: Mapping) -> dict[str, Any]:
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
            for source in merged(node):
                for name, inherited in self._mapping(source).items():
                    result.setdefault(name, inherited)
        return result
