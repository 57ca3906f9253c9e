"""The parser of gracegate-policies.yaml, which describes a policy set."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from gracegate.errors import ConfigError
from gracegate.repo_config.values import Value, read_all, read_root

POLICIES_FILE = "gracegate-policies.yaml"
"""At the top of a policy set; it may be missing."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class PoliciesFile:
    """What a policy set says of itself: its `name`, "" for that of its folder, and the `contract` it is written for."""

    name: str = ""
    contract: int = 1


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


def _foreign(value: Value) -> None:
    raise ConfigError(
        "this gracegate evaluates rules of its own contract only, not yet conftest or Gatekeeper policies: "
        "remove `foreign`",
        file=value.file,
        line=value.line,
    )
