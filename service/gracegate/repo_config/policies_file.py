"""The parser of gracegate-policies.yaml, which describes a policy set."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, cast, get_args

from gracegate.model import Mode, ModeException, Rule
from gracegate.repo_config.values import Value, read_all, read_fields, read_root
from gracegate.yaml import ScalarNode, resolve_alias

POLICIES_FILE = "gracegate-policies.yaml"
"""At the top of a policy set; it may be missing."""

DEFAULT_OWNER = "default"
"""The key of the owner of all rules that have no other one."""

_MAX_OWNER = 100
_KIND = re.compile(r"(?:[a-z0-9][a-z0-9.-]*/)?[A-Z][A-Za-z0-9]*")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")


FOREIGN_TOOLS = ("conftest", "gatekeeper")
"""The tools whose policies a set may have in folders of their own."""


@dataclass(frozen=True, slots=True)
class ForeignEntry:
    """A folder of policies for another tool.

    Of conftest's, `namespaces` are the packages that are asked about each object, and `combine` those that are asked
    about all files at once. `data` are files and folders in the set with what they read beside their input, and `kinds`
    the kinds that they read beside those that gracegate does.
    """

    tool: str
    path: str
    namespaces: tuple[str, ...] = ("main",)
    combine: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleModes:
    """The mode of a rule, None for that of its METADATA, and where it has another one; it is set in that `line`."""

    line: int
    mode: Mode | None = None
    exceptions: tuple[ModeException, ...] = ()


@dataclass(frozen=True, slots=True)
class PoliciesFile:
    """What a policy set says of itself: its `name`, "" for that of its folder, and the `contract` it is written for.

    `owners` say whom to ask, by group of rules, and `default` for all others. `rules` have the modes of rules by id,
    and `budget` is how many milliseconds a rule may take for 1,000 documents, None for the usual number. `foreign` are
    the folders in it that hold policies for other tools.
    """

    name: str = ""
    contract: int = 1
    owners: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, RuleModes] = field(default_factory=dict)
    budget: float | None = None
    foreign: tuple[ForeignEntry, ...] = ()

    @property
    def settings(self) -> str:
        """What it says of rules, as text that differs where that does; "" for nothing."""
        modes = {id_: (one.mode, one.exceptions) for id_, one in sorted(self.rules.items())}
        said = (sorted(self.owners.items()), modes, self.budget)
        return repr(said) if any(said) else ""

    def applied(self, rules: Iterable[Rule]) -> list[Rule]:
        """The rules with the owners and the modes that are said here."""
        return [self._applied(rule) for rule in rules]

    def _applied(self, rule: Rule) -> Rule:
        owner = rule.owner or self.owners.get(rule.group) or self.owners.get(DEFAULT_OWNER, "")
        modes = self.rules.get(rule.id)
        if modes is None:
            return replace(rule, owner=owner)
        return replace(rule, owner=owner, mode=modes.mode or rule.mode, mode_exceptions=modes.exceptions)


def parse_policies_file(text: str, file: str = POLICIES_FILE) -> PoliciesFile:
    """The description in `text`. Raises ConfigError with all mistakes."""
    root = read_root(text, file)
    if root is None:
        return PoliciesFile()
    readers: dict[str, Callable[[Value], Any]] = {
        "name": _name,
        "contract": _contract,
        "owners": _owners,
        "rules": _rules,
        "budget": _budget,
        "foreign": _foreign,
    }
    return PoliciesFile(**read_fields(root, readers))


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


def _owners(value: Value) -> dict[str, str]:
    def read(entry: tuple[str, Value]) -> tuple[str, str]:
        owner = entry[1].text().strip()
        if not owner or len(owner) > _MAX_OWNER or not owner.isprintable():
            entry[1].fail(f"an owner is a short text such as `acme/platform`, of at most {_MAX_OWNER} characters")
        return entry[0], owner

    return dict(read_all(read, value.mapping().items()))


def _rules(value: Value) -> dict[str, RuleModes]:
    return dict(read_all(lambda entry: (entry[0], _modes(entry[1])), value.mapping().items()))


def _modes(value: Value) -> RuleModes:
    if isinstance(resolve_alias(value.node), ScalarNode):
        return RuleModes(value.line, _mode(value))
    readers: dict[str, Callable[[Value], Any]] = {
        "mode": _mode,
        "where": lambda where: tuple(read_all(_exception, where.items())),
    }
    found = read_fields(value, readers)
    return RuleModes(value.line, found.get("mode"), found.get("where", ()))


def _exception(value: Value) -> ModeException:
    entry = value.mapping(("mode", "repository", "path"))
    if "mode" not in entry or len(entry) == 1:
        value.fail("an entry of `where` needs `mode`, and `repository`, `path` or both")
    patterns = {key: entry[key].text() for key in ("repository", "path") if key in entry}
    return ModeException(_mode(entry["mode"]), **patterns)


def _mode(value: Value) -> Mode:
    return cast("Mode", value.choice(get_args(Mode)))


def _budget(value: Value) -> float:
    entry = value.mapping(("rule_ms_per_1000_documents",))
    number = next(iter(entry.values())).to_python() if entry else None
    if not isinstance(number, int | float) or isinstance(number, bool) or number <= 0:
        value.fail("`budget` is written as `{rule_ms_per_1000_documents: 500}`")
    return float(number)


def _foreign(value: Value) -> tuple[ForeignEntry, ...]:
    return tuple(read_all(_foreign_entry, value.items()))


def _foreign_entry(value: Value) -> ForeignEntry:
    entry = value.mapping(("kind", "path", *_OF_CONFTEST))
    for key in ("kind", "path"):
        if key not in entry:
            value.fail(f"an entry of `foreign` needs `{key}`")
    tool, path = entry["kind"].choice(FOREIGN_TOOLS), _path(entry["path"])
    lists = {key: entry[key] for key in _OF_CONFTEST if key in entry}
    if tool != "conftest":
        for key, listed in lists.items():
            listed.fail(f"`{key}` is for conftest alone")
    readers = {"data": _path, "kinds": _kind}
    found = {key: tuple(read_all(readers.get(key, Value.text), listed.items())) for key, listed in lists.items()}
    if "combine" in found:
        found.setdefault("namespaces", ())
    return ForeignEntry(tool, path, **found)


_OF_CONFTEST = ("namespaces", "combine", "data", "kinds")


def _path(value: Value) -> str:
    path = value.text()
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts:
        value.fail(f"`{path}` is not inside this policy set")
    return "/".join(parts) or "."


def _kind(value: Value) -> str:
    kind = value.text()
    if not _KIND.fullmatch(kind):
        value.fail(f"`{kind}` is no kind: write it as `NetworkPolicy` or `kafka.strimzi.io/KafkaTopic`")
    return kind
