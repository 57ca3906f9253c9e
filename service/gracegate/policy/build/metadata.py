"""METADATA of rule files, as OPA parsed it, to Rules; strict, so that a misspelt key never goes unnoticed."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, get_args

from gracegate.errors import RulesError
from gracegate.model import Parameter, Rule, Severity

ROOM = ("data", "gracegate", "rules")

_RULE_FILE = re.compile(r"rules/(?P<group>[a-z_]+)/(?P<name>[a-z0-9_]+)\.rego")
_NAMES: Mapping[type, str] = {str: "text", dict: "map", list: "list"}
_FIXES = ("safe", "assumes", "text", "none")
_KEYS = {
    "METADATA": {"title", "description", "related_resources", "custom", "scope", "schemas"},
    "custom": {"severity", "fix", "parameters", "example", "aliases", "exceptions", "effective_on"},
    "a parameter": {"default", "description"},
    "related_resources": {"ref", "description"},
}


def rules(annotations: Collection[Mapping[str, Any]], modules: Mapping[str, str]) -> list[Rule]:
    """The rules of a set, by group and id; `annotations` is that part of `opa inspect -a -f json`.

    Raises RulesError with file and line for a rule file without METADATA, and for METADATA that is not as it should be.
    """
    packages = {entry["location"]["file"]: entry for entry in annotations if entry["annotations"]["scope"] == "package"}
    found = [_rule(name, text, packages.get(name)) for name, text in modules.items() if name.startswith("rules/")]
    names = [name for rule in found for name in (rule.id, *rule.aliases)]
    if twice := {name for name in names if names.count(name) > 1}:
        raise RulesError(f"more than one rule is called {', '.join(sorted(twice))}")
    return sorted(found, key=lambda rule: (rule.group, rule.id))


def _rule(name: str, text: str, entry: Mapping[str, Any] | None) -> Rule:
    if entry is None:
        raise RulesError("the file has no METADATA above its package", file=name, line=1)
    block = _Block(name, text.splitlines()[: entry["location"]["row"]])
    return block.rule(entry["annotations"], tuple(part["value"] for part in entry["path"]))


@dataclass(frozen=True, slots=True)
class _Block:
    """The METADATA block of one file; `lines` are the file's first ones, up to its package."""

    file: str
    lines: list[str]

    def rule(self, said: Mapping[str, Any], package: tuple[str, ...]) -> Rule:
        group, identity = self._named(package)
        self._only(said, "METADATA")
        custom = self._need(said, "custom", dict)
        self._only(custom, "custom")
        return Rule(
            id=identity,
            group=group,
            title=self._need(said, "title", str).strip(),
            description=self._need(said, "description", str).strip(),
            severity=self._one_of(custom, "severity", get_args(Severity)),
            fix=self._one_of(custom, "fix", _FIXES),
            parameters=self._parameters(self._may(custom, "parameters", {})),
            example=self._need(custom, "example", str),
            links=self._links(self._need(said, "related_resources", list)),
            aliases=tuple(self._may(custom, "aliases", [])),
            exceptions=tuple(str(text).strip() for text in self._may(custom, "exceptions", [])),
            effective_on=self._day(custom, "effective_on"),
        )

    def _named(self, package: tuple[str, ...]) -> tuple[str, str]:
        """Group and id, which the path and the package have to agree on."""
        place = _RULE_FILE.fullmatch(self.file)
        if place is None:
            self._fail("a rule lives in rules/<group>/<rule>.rego, in lower case", "package")
        wanted = (*ROOM, place["group"], place["name"].replace("_", "-"))
        if package != wanted:
            self._fail(f'the package has to be gracegate.rules.{wanted[-2]}["{wanted[-1]}"]', "package")
        return wanted[-2], wanted[-1]

    def _parameters(self, said: Mapping[str, Any]) -> tuple[Parameter, ...]:
        for name in said:
            self._only(self._need(said, name, dict), "a parameter")
        return tuple(
            Parameter(name, self._need(entry, "default", object), self._need(entry, "description", str))
            for name, entry in sorted(said.items())
        )

    def _links(self, said: list[Mapping[str, str]]) -> tuple[str, ...]:
        for link in said:
            self._only(link, "related_resources")
        return tuple(self._need(link, "ref", str) for link in said)

    def _one_of(self, said: Mapping[str, Any], key: str, choices: tuple[str, ...]) -> Any:
        value = self._need(said, key, str)
        if value not in choices:
            self._fail(f"{key} is one of {', '.join(choices)}, not {value}", key)
        return value

    def _day(self, said: Mapping[str, Any], key: str) -> dt.date | None:
        """OPA reads an unquoted date as a moment, and gives it as one."""
        text = self._may(said, key, "").removesuffix("T00:00:00Z")
        try:
            return dt.date.fromisoformat(text) if key in said else None
        except ValueError:
            self._fail(f"`{key}` is not a day, write it as `2027-01-31`", key)

    def _need(self, said: Mapping[str, Any], key: str, kind: type) -> Any:
        if key not in said:
            self._fail(f"METADATA lacks `{key}`", "METADATA")
        if not isinstance(said[key], kind):
            self._fail(f"`{key}` has to be a {_NAMES[kind]}", key)
        return said[key]

    def _may(self, said: Mapping[str, Any], key: str, fallback: Any) -> Any:
        return self._need(said, key, type(fallback)) if key in said else fallback

    def _only(self, said: Mapping[str, Any], place: str) -> None:
        for key in said:
            if key not in _KEYS[place]:
                near = difflib.get_close_matches(key, _KEYS[place], n=1)
                self._fail(f"unknown key `{key}` in {place}" + (f", did you mean `{near[0]}`?" if near else ""), key)

    def _fail(self, message: str, word: str) -> NoReturn:
        """Point at the first line of the block that begins with the word, else at its first one."""
        begins = re.compile(rf"[#\s-]*{re.escape(word)}\b")
        line = next((number for number, text in enumerate(self.lines, 1) if begins.match(text)), 1)
        raise RulesError(message, file=self.file, line=line)
