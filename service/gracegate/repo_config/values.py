"""Nodes of the file, read strictly: each method returns a value of its type or fails with the line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple, NoReturn, TypeVar

from gracegate.errors import ConfigError
from gracegate.yaml import (
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    YamlError,
    duplicate_keys,
    json_value,
    key_name,
    parse_yaml,
    resolve_alias,
)

Item = TypeVar("Item")
Result = TypeVar("Result")


class Value(NamedTuple):
    """A node with what an error message needs; `name` is what messages call it."""

    source: str
    file: str
    node: Node
    name: str

    @property
    def line(self) -> int:
        return self.source.count("\n", 0, self.node.start) + 1

    def fail(self, message: str) -> NoReturn:
        raise ConfigError(message, file=self.file, line=self.line)

    def child(self, node: Node, name: str) -> Value:
        return Value(self.source, self.file, node, name)

    def to_python(self) -> Any:
        try:
            return json_value(self.source, self.node)
        except YamlError as error:
            raise ConfigError(f"this is not valid YAML: {error.message}", file=self.file, line=error.line) from error

    def mapping(self, known: Collection[str] | None = None) -> dict[str, Value]:
        """The entries by key; a key that is not `known` is an error."""
        node = resolve_alias(self.node)
        if not isinstance(node, MappingNode):
            self.fail(f"{self.name} must be a mapping of keys to values")

        def entry(pair: tuple[Node, Node]) -> tuple[str, Value]:
            key, value = pair
            name = key_name(key) or ""
            if known is not None and name not in known:
                self.child(key, name).fail(f"unknown key `{name}`{nearest(name, known)}")
            return name, self.child(value, f"`{name}`")

        return dict(read_all(entry, node.pairs))

    def items(self) -> list[Value]:
        node = resolve_alias(self.node)
        if not isinstance(node, SequenceNode):
            self.fail(f"{self.name} must be a list, written as `[...]` or with dashes")
        return [self.child(item, f"an item of {self.name}") for item in node.items]

    def text(self) -> str:
        """The text of a scalar: `off` is not a boolean here, and 1.30 is not 1.3."""
        node = resolve_alias(self.node)
        if not isinstance(node, ScalarNode) or not node.text.strip():
            self.fail(f"{self.name} needs a value")
        return node.text.strip()

    def choice(self, known: Collection[str]) -> str:
        text = self.text()
        if text not in known:
            self.fail(f"{self.name} cannot be `{text}`{nearest(text, known)}")
        return text

    def seconds(self) -> int:
        number = self.to_python()
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            self.fail(f"{self.name} must be a number of seconds such as `10`")
        return number

    def flag(self) -> bool:
        value = self.to_python()
        if not isinstance(value, bool):
            self.fail(f"{self.name} must be `true` or `false`")
        return value


def read_root(text: str, file: str) -> Value | None:
    """The content of a file, None where it is empty. Raises ConfigError where it is not plain YAML."""
    try:
        root = parse_yaml(text)
        duplicates = [
            ConfigError(f"key `{one.key}` appears twice", file=file, line=text.count("\n", 0, one.offset) + 1)
            for one in (duplicate_keys(root) if root is not None else ())
        ]
        if duplicates:
            raise ConfigError.of(duplicates)
    except YamlError as error:
        raise ConfigError(f"this is not valid YAML: {error.message}", file=file, line=error.line) from error
    if root is None or (isinstance(root, ScalarNode) and not root.text):
        return None
    return Value(text, file, root, "the file")


def read_all(read: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """What `read` returns for each item. All mistakes are raised as one ConfigError, at the line of the first."""
    results: list[Result] = []
    mistakes: list[ConfigError] = []
    for item in items:
        try:
            results.append(read(item))
        except ConfigError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ConfigError.of(mistakes)
    return results


def read_fields(
    value: Value, readers: Mapping[str, Callable[[Value], Any]], required: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The entries of a mapping by key, as the readers of their keys give them.

    One ConfigError has all mistakes: keys that no reader is for, those that are missing, with what `required` says of
    each, and what the readers say.
    """
    entries = value.mapping()

    def refuse_unknown() -> dict[str, Any]:
        value.mapping(readers)
        return {}

    def refuse_missing(key: str) -> Callable[[], dict[str, Any]]:
        return lambda: {} if key in entries else value.fail((required or {})[key])

    def read(key: str) -> Callable[[], dict[str, Any]]:
        return lambda: {key: readers[key](entries[key])}

    steps = [
        refuse_unknown,
        *map(refuse_missing, required or ()),
        *(read(key) for key in entries if key in readers),
    ]
    return {key: found for one in read_all(lambda step: step(), steps) for key, found in one.items()}


def nearest(name: str, known: Collection[str]) -> str:
    """The end of a message about an unknown name: the nearest known one, else all of them."""
    match = get_close_matches(name, known, n=1)
    if match:
        return f", did you mean `{match[0]}`?"
    return f"; known: {', '.join(f'`{k}`' for k in known)}" if known else "; there are none"
