"""METADATA of rule files, as OPA parsed it, to Rules; strict, so that a misspelt key never goes unnoticed."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, get_args

from gracegate.errors import RulesError
from gracegate.model import Mode, Parameter, Rule, Severity
from gracegate.policy.sets.examples import Example, StepError

Annotation = Mapping[str, Any]
"""The METADATA of a package or rule with its path and location, as `opa inspect` writes it."""

ROOM = ("data", "gracegate", "rules")

_RULE_FILE = re.compile(r"rules/(?P<group>[a-z][a-z0-9_]*)/(?P<name>[a-z0-9_]+)\.rego")
_KIND = re.compile(r"(?:[a-z0-9.-]+/)?[A-Z][A-Za-z0-9]*")
_NAMES: Mapping[type, str] = {str: "text", dict: "map", list: "list"}
_FIXES = ("safe", "assumes", "text", "none")
_KEYS = {
    "METADATA": {"title", "description", "related_resources", "custom", "scope", "schemas"},
    "custom": {
        "severity",
        "fix",
        "parameters",
        "before",
        "example",
        "aliases",
        "exceptions",
        "effective_on",
        "kinds",
        "mode",
        "owner",
    },
    "a parameter": {"default", "description", "cluster"},
    "related_resources": {"ref", "description"},
}


def read_rules(annotations: Collection[Annotation], modules: Mapping[str, str], baseline: str = "") -> list[Rule]:
    """The rules of a set, by group and id; `annotations` is that part of `opa inspect -a -f json`.

    `baseline` is the text that the steps of examples change. Raises RulesError with all mistakes, each with its file
    and line: rule files without METADATA, and METADATA that is not as it should be.
    """
    packages = {entry["location"]["file"]: entry for entry in annotations if entry["annotations"]["scope"] == "package"}
    rules: list[Rule] = []
    mistakes: list[RulesError] = []
    for name, text in modules.items():
        if not name.startswith("rules/"):
            continue
        if (entry := packages.get(name)) is None:
            mistakes.append(RulesError("the file has no METADATA above its package", file=name, line=1))
            continue
        try:
            block = _Block(name, text.splitlines()[: entry["location"]["row"]], baseline)
            rules.append(block.read_rule(entry["annotations"], tuple(part["value"] for part in entry["path"])))
        except RulesError as error:
            mistakes += error.mistakes
    names = [name for rule in rules for name in (rule.id, *rule.aliases)]
    if duplicates := {name for name in names if names.count(name) > 1}:
        mistakes.append(RulesError(f"more than one rule is called {', '.join(sorted(duplicates))}"))
    if mistakes:
        raise RulesError.of(mistakes)
    return sorted(rules, key=lambda rule: (rule.group, rule.id))


@dataclass(frozen=True, slots=True)
class _Block:
    """The METADATA block of one file; `lines` are the file's first ones, up to its package."""

    file: str
    lines: list[str]
    baseline: str

    def read_rule(self, found: Mapping[str, Any], package: tuple[str, ...]) -> Rule:
        mistakes: list[RulesError] = []

        def read(part: Callable[[], Any]) -> Any:
            try:
                return part()
            except RulesError as error:
                mistakes.extend(error.mistakes)

        read(lambda: self._reject_unknown(found, "METADATA"))
        custom = read(lambda: self._required(found, "custom", dict)) or {}
        read(lambda: self._reject_unknown(custom, "custom"))
        group, identity = read(lambda: self._names(package)) or ("", "")
        fields = {
            "title": lambda: self._required(found, "title", str).strip(),
            "description": lambda: self._required(found, "description", str).strip(),
            "severity": lambda: self._one_of(custom, "severity", get_args(Severity)),
            "fix": lambda: self._one_of(custom, "fix", _FIXES),
            "parameters": lambda: self._parameters(self._optional(custom, "parameters", {})),
            "before": lambda: self._before(custom),
            "example": lambda: self._example(custom),
            "links": lambda: self._links(self._required(found, "related_resources", list)),
            "aliases": lambda: self._texts(custom, "aliases"),
            "exceptions": lambda: tuple(map(one_line, self._texts(custom, "exceptions"))),
            "effective_on": lambda: self._date(custom, "effective_on"),
            "kinds": lambda: self._kinds(custom),
            "mode": lambda: self._one_of({"mode": "block", **custom}, "mode", get_args(Mode)),
            "owner": lambda: one_line(self._optional(custom, "owner", "")),
        }
        values = {name: read(part) for name, part in fields.items()} if "custom" in found else {}
        if mistakes:
            raise RulesError.of(mistakes)
        return Rule(id=identity, group=group, **values)

    def _names(self, package: tuple[str, ...]) -> tuple[str, str]:
        """Group and id, which the path and the package have to agree on."""
        place = _RULE_FILE.fullmatch(self.file)
        if place is None:
            self._fail("a rule lives in rules/<group>/<rule>.rego, in lower case", "package")
        wanted = (*ROOM, place["group"], place["name"].replace("_", "-"))
        if package != wanted:
            self._fail(f'the package has to be gracegate.rules.{wanted[-2]}["{wanted[-1]}"]', "package")
        return wanted[-2], wanted[-1]

    def _texts(self, custom: Mapping[str, Any], key: str) -> tuple[str, ...]:
        texts = self._optional(custom, key, [])
        if not all(isinstance(text, str) for text in texts):
            self._fail(f"`{key}` has to be a list of texts", key)
        return tuple(texts)

    def _kinds(self, custom: Mapping[str, Any]) -> tuple[str, ...]:
        kinds = self._texts(custom, "kinds")
        for kind in kinds:
            if not _KIND.fullmatch(kind):
                self._fail(f"`{kind}` is no kind: write `Kind`, or `group/Kind` without a version", "kinds")
        return kinds

    def _parameters(self, found: Mapping[str, Any]) -> tuple[Parameter, ...]:
        for name in found:
            self._reject_unknown(self._required(found, name, dict), "a parameter")
        return tuple(
            Parameter(
                name,
                self._required(entry, "default", object),
                one_line(self._required(entry, "description", str)),
                self._optional(entry, "cluster", ""),
            )
            for name, entry in sorted(found.items())
        )

    def _before(self, custom: Mapping[str, Any]) -> str | None:
        """What the example changes, None for a rule that reads one tree."""
        return self._text(custom, "before", self.baseline) if "before" in custom else None

    def _example(self, custom: Mapping[str, Any]) -> str:
        return self._text(custom, "example", self._before(custom) or self.baseline)

    def _text(self, custom: Mapping[str, Any], key: str, unchanged: str) -> str:
        """A whole text, or steps that change `unchanged`."""
        if isinstance(custom.get(key), str):
            return str(custom[key])
        example = Example(unchanged)
        for number, step in enumerate(self._required(custom, key, list)):
            try:
                example.apply(step)
            except StepError as error:
                raise RulesError(
                    f"step {number + 1} of `{key}`: {error}", file=self.file, line=self._step_line(key, number)
                ) from error
        return example.text

    def _step_line(self, key: str, number: int) -> int:
        """The line of a step, from 0: steps are the items with the least indentation below the key."""
        start = next(i for i, text in enumerate(self.lines) if re.match(rf"#\s+{key}:", text))
        dashes = [text.find("- ") if re.match(r"#\s+- ", text) else -1 for text in self.lines[start:]]
        indent = next(column for column in dashes if column >= 0)
        return start + [i for i, column in enumerate(dashes) if column == indent][number] + 1

    def _links(self, found: list[Mapping[str, str]]) -> tuple[str, ...]:
        for link in found:
            self._reject_unknown(link, "related_resources")
        return tuple(self._required(link, "ref", str) for link in found)

    def _one_of(self, found: Mapping[str, Any], key: str, choices: tuple[str, ...]) -> Any:
        value = self._required(found, key, str)
        if value not in choices:
            self._fail(f"{key} is one of {', '.join(choices)}, not {value}", key)
        return value

    def _date(self, found: Mapping[str, Any], key: str) -> dt.date | None:
        """OPA reads an unquoted date as a moment, and gives it as one."""
        text = self._optional(found, key, "").removesuffix("T00:00:00Z")
        try:
            return dt.date.fromisoformat(text) if key in found else None
        except ValueError:
            self._fail(f"`{key}` is not a day, write it as `2027-01-31`", key)

    def _required(self, found: Mapping[str, Any], key: str, kind: type) -> Any:
        if key not in found:
            self._fail(f"METADATA lacks `{key}`", "METADATA")
        if not isinstance(found[key], kind):
            self._fail(f"`{key}` has to be a {_NAMES[kind]}", key)
        return found[key]

    def _optional(self, found: Mapping[str, Any], key: str, fallback: Any) -> Any:
        return self._required(found, key, type(fallback)) if key in found else fallback

    def _reject_unknown(self, found: Mapping[str, Any], place: str) -> None:
        mistakes = []
        for key in found.keys() - _KEYS[place]:
            near = difflib.get_close_matches(key, _KEYS[place], n=1)
            hint = f", did you mean `{near[0]}`?" if near else ""
            mistakes.append(self._mistake(f"unknown key `{key}` in {place}{hint}", key))
        if mistakes:
            raise RulesError.of(sorted(mistakes, key=lambda mistake: mistake.line or 0))

    def _fail(self, message: str, word: str) -> NoReturn:
        raise self._mistake(message, word)

    def _mistake(self, message: str, word: str) -> RulesError:
        """Points at the first line of the block that begins with the word, else at its first one."""
        begins = re.compile(rf"[#\s-]*{re.escape(word)}\b")
        line = next((number for number, text in enumerate(self.lines, 1) if begins.match(text)), 1)
        return RulesError(message, file=self.file, line=line)


def one_line(text: str) -> str:
    """A text that METADATA breaks into lines, as one line."""
    return " ".join(text.split())
