"""Nodes of the file, read strictly: each reader gives a value of its type or complains with the line."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Any, NamedTuple, NoReturn

from gracegate.errors import ConfigError
from gracegate.yaml import MappingNode, Node, ScalarNode, SequenceNode, json_value, key_name, resolve_alias


class Value(NamedTuple):
    """A node with what is needed to complain about it; `name` is how a message calls it."""

    source: str
    file: str
    node: Node
    name: str

    @property
    def line(self) -> int:
        return self.source.count("\n", 0, self.node.start) + 1

    def wrong(self, message: str) -> NoReturn:
        raise ConfigError(message, file=self.file, line=self.line)

    def child(self, node: Node, name: str) -> Value:
        return Value(self.source, self.file, node, name)

    def plain(self) -> Any:
        return json_value(self.source, self.node)

    def mapping(self, known: Collection[str] | None = None) -> dict[str, Value]:
        """The entries by key; a key that is not `known` is an error."""
        node = resolve_alias(self.node)
        if not isinstance(node, MappingNode):
            self.wrong(f"{self.name} is not a mapping of keys to values")
        entries = {}
        for key, value in node.pairs:
            name = key_name(key) or ""
            if known is not None and name not in known:
                self.child(key, name).wrong(f"unknown key `{name}`{nearest(name, known)}")
            entries[name] = self.child(value, f"`{name}`")
        return entries

    def items(self) -> list[Value]:
        node = resolve_alias(self.node)
        if not isinstance(node, SequenceNode):
            self.wrong(f"{self.name} is not a list: write it as `[...]` or with dashes")
        return [self.child(item, f"an item of {self.name}") for item in node.items]

    def written(self) -> str:
        """A scalar as it is written: `off` is no boolean here, and 1.30 is not 1.3."""
        node = resolve_alias(self.node)
        if not isinstance(node, ScalarNode) or not node.text.strip():
            self.wrong(f"{self.name} needs a value, written as text")
        return node.text.strip()

    def choice(self, known: Collection[str]) -> str:
        text = self.written()
        if text not in known:
            self.wrong(f"{self.name} cannot be `{text}`{nearest(text, known)}")
        return text

    def seconds(self) -> int:
        number = self.plain()
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            self.wrong(f"{self.name} is not a number of seconds, write it as `10`")
        return number

    def flag(self) -> bool:
        value = self.plain()
        if not isinstance(value, bool):
            self.wrong(f"{self.name} is neither `true` nor `false`")
        return value


def nearest(name: str, known: Collection[str]) -> str:
    """The end of a message about a wrong name: the one that was meant, else all there are."""
    match = get_close_matches(name, known, n=1)
    if match:
        return f", did you mean `{match[0]}`?"
    return f"; known: {', '.join(f'`{k}`' for k in known)}" if known else "; there are none"
