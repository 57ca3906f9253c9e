"""The parser of gracegate-policies.yaml, which describes a policy set."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from gracegate.repo_config.values import Value, read_all, read_root

POLICIES_FILE = "gracegate-policies.yaml"
"""At the top of a policy set; it may be missing."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")


FOREIGN_TOOLS = ("conftest", "gatekeeper")
"""The tools whose policies a set may have in folders of their own."""


@dataclass(frozen=True, slots=True)
class ForeignEntry:
    """A folder of policies for another tool; `namespaces` are the packages that conftest would be asked for."""

    tool: str
    path: str
    namespaces: tuple[str, ...] = ("main",)


@dataclass(frozen=True, slots=True)
class PoliciesFile:
    """What a policy set says of itself: its `name`, "" for that of its folder, and the `contract` it is written for.

    `foreign` are the folders in it that hold policies for other tools.
    """

    name: str = ""
    contract: int = 1
    foreign: tuple[ForeignEntry, ...] = ()


def parse_policies_file(text: str, file: str = POLICIES_FILE) -> PoliciesFile:
    """The description in `text`. Raises ConfigError with all mistakes."""
    root = read_root(text, file)
    if root is None:
        return PoliciesFile()
    readers = {"name": _name, "contract": _contract, "foreign": _foreign}

    def read(entry: tuple[str, Value]) -> tuple[str, Any]:
        return entry[0], readers[entry[0]](entry[1])

    return PoliciesFile(**dict(read_all(read, root.mapping(readers).items())))


def _name(value: Value) -> str:
    name = value.text()
    if not _NAME.fullmatch(name) or name == "gracegate":
        value.fail(f"`{name}` is no name of a policy set: use lower-case letters, digits, `-` and `.`")
    return name


def _contract(value: Value) -> int:
    number = value.to_python()
    if not isinstance(number, int) or isinstance(number, bool):
        value.fail("`contract` is a number such as `1`")
    return number


def _foreign(value: Value) -> tuple[ForeignEntry, ...]:
    return tuple(read_all(_foreign_entry, value.items()))


def _foreign_entry(value: Value) -> ForeignEntry:
    entry = value.mapping(("kind", "path", "namespaces"))
    for key in ("kind", "path"):
        if key not in entry:
            value.fail(f"an entry of `foreign` needs `{key}`")
    tool, path = entry["kind"].choice(FOREIGN_TOOLS), entry["path"].text()
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts:
        entry["path"].fail(f"`{path}` is not a folder inside this policy set")
    if "namespaces" not in entry:
        return ForeignEntry(tool, "/".join(parts))
    if tool != "conftest":
        entry["namespaces"].fail("`namespaces` is for conftest alone")
    return ForeignEntry(tool, "/".join(parts), tuple(read_all(Value.text, entry["namespaces"].items())))
