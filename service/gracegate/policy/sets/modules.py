"""The Rego files of a policy set as syntax trees: their packages, what they define, and what they refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Path = tuple[str, ...]
"""Names from `data` or `input` on, as far as they are constants."""


class Reference(NamedTuple):
    """What an expression refers to, and the line of it, from 1. `is_constant` is False where a variable follows."""

    path: Path
    line: int
    is_constant: bool


class Call(NamedTuple):
    """A call of the function `name`, a builtin or a path from `data` on, with its operands as OPA writes them."""

    name: str
    operands: list[Any]
    line: int


@dataclass(frozen=True)
class Module:
    """A Rego file, parsed. `row` is the line of its package, and `names` are the rules and functions in it."""

    file: str
    package: Path
    row: int
    names: frozenset[str]
    annotations: tuple[Mapping[str, Any], ...]
    imports: tuple[Reference, ...]
    references: tuple[Reference, ...] = field(repr=False)
    calls: tuple[Call, ...] = field(repr=False)

    @property
    def is_test(self) -> bool:
        """Whether it holds tests, which are no part of what is evaluated."""
        return self.file.endswith("_test.rego")


def read_module(file: str, tree: Mapping[str, Any]) -> Module:
    """A module of the tree that `opa parse` gives."""
    package = tuple(str(part["value"]) for part in tree["package"]["path"])
    imports = [(_alias(one), _reference(one["path"], {})) for one in tree.get("imports", ())]
    aliases = {alias: found.path for alias, found in imports if found is not None and found.path[0] != "rego"}
    rules = tree.get("rules", [])
    return Module(
        file,
        package,
        tree["package"]["location"]["row"],
        frozenset(str(rule["head"]["ref"][0]["value"]) for rule in rules),
        tuple(tree.get("annotations", ())),
        tuple(found for _, found in imports if found is not None),
        tuple(found for term in _terms(rules) if (found := _reference(term, aliases)) is not None),
        tuple(_calls(rules, aliases)),
    )


def _alias(imported: Mapping[str, Any]) -> str:
    return str(imported.get("alias") or imported["path"]["value"][-1]["value"])


def _reference(term: Mapping[str, Any], aliases: Mapping[str, Path]) -> Reference | None:
    """What a reference leads to, None for one that begins with a variable."""
    parts = term["value"] if term.get("type") == "ref" else [term]
    head = str(parts[0]["value"])
    start = aliases.get(head, (head,) if head in {"data", "input", "rego"} else ())
    if not start:
        return None
    path = [*start]
    for part in parts[1:]:
        if part["type"] != "string":
            return Reference(tuple(path), term["location"]["row"], is_constant=False)
        path.append(str(part["value"]))
    return Reference(tuple(path), term["location"]["row"], is_constant=True)


def _terms(value: Any) -> Iterator[Mapping[str, Any]]:
    """All references and variables in a part of the tree."""
    if isinstance(value, list):
        for item in value:
            yield from _terms(item)
    elif isinstance(value, dict):
        if value.get("type") in {"ref", "var"}:
            yield value
        for key, item in value.items():
            # The first part of a reference is no variable of its own, and the name of a rule refers to nothing.
            if key == "value" and value.get("type") == "ref":
                yield from _terms(item[1:])
            elif key not in {"location", "annotations"} and not (key == "ref" and "name" in value):
                yield from _terms(item)


def _calls(value: Any, aliases: Mapping[str, Path]) -> Iterator[Call]:
    if isinstance(value, list):
        for item in value:
            yield from _calls(item, aliases)
    elif isinstance(value, dict):
        terms = value.get("terms") if isinstance(value.get("terms"), list) else None
        if value.get("type") == "call":
            terms = value["value"]
        if terms and terms[0].get("type") == "ref":
            yield Call(_function(terms[0], aliases), terms[1:], terms[0]["location"]["row"])
        for key, item in value.items():
            if key not in {"location", "annotations"}:
                yield from _calls(item, aliases)


def _function(operator: Mapping[str, Any], aliases: Mapping[str, Path]) -> str:
    parts = [str(part["value"]) for part in operator["value"]]
    return ".".join((*aliases.get(parts[0], (parts[0],)), *parts[1:]))
