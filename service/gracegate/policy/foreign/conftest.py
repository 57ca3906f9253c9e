"""Policies that were written for conftest: which rules they have, by conftest's own conventions. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from gracegate.errors import RulesError
from gracegate.model import Rule, Severity
from gracegate.policy.foreign.questions import ForeignRule

GROUP = "conftest"
ALL_NAMESPACES = "*"
DEFAULT_NAMESPACES = ("main",)

# https://github.com/open-policy-agent/conftest/blob/master/policy/engine.go
_RULE = re.compile(r"(deny|violation|warn)(?:_([a-zA-Z0-9]+(?:_[a-zA-Z0-9]+)*))?")
_LEVELS: Mapping[str, Severity] = {"deny": "error", "violation": "error", "warn": "warning"}


@dataclass(frozen=True, slots=True)
class RegoFile:
    """A Rego file, parsed by OPA with annotations and locations."""

    path: str
    tree: Mapping[str, Any] = field(repr=False)


@dataclass(slots=True)
class _Found:
    """A rule in one file or several, and what METADATA says of it."""

    package: tuple[str, ...]
    name: str
    annotations: list[Mapping[str, Any]] = field(default_factory=list)


def conftest_rules(
    files: Iterable[RegoFile],
    namespaces: Collection[str],
    combined: Collection[str] = (),
    kinds: Sequence[str] = (),
) -> tuple[ForeignRule, ...]:
    """The rules `deny`, `violation` and `warn` of the packages that `namespaces` name, or of all for ALL_NAMESPACES.

    Those of the packages in `combined` are asked about all files at once, and all read the `kinds` beside those that
    their METADATA names. Tests are no policies. Raises RulesError with all mistakes.
    """
    found: dict[tuple[tuple[str, ...], str], _Found] = {}
    exempting: set[tuple[str, ...]] = set()
    mistakes: list[RulesError] = []
    for file in files:
        package = _package(file)
        if file.path.endswith("_test.rego") or not is_named(".".join(package), (*namespaces, *combined)):
            continue
        about_package = [one for one in file.tree.get("annotations", ()) if one.get("scope") == "package"]
        for rule in file.tree.get("rules", ()):
            name = _name(rule)
            if name == "exception":
                exempting.add(package)
            if not _RULE.fullmatch(name):
                continue
            if _is_without_message(rule["head"]):
                message = f"`{name}` is true or nothing, so that it has no message: write `{name} contains msg if`"
                mistakes.append(RulesError(message, file=file.path, line=rule["location"]["row"]))
            of_rule = found.setdefault((package, name), _Found(package, name))
            of_rule.annotations += (*rule.get("annotations", ()), *about_package)
    rules = [
        replace(
            _foreign_rule(one, exempting, kinds),
            is_combined=is_named(".".join(one.package), combined),
        )
        for one in found.values()
    ]
    mistakes += _same_ids(rules)
    if mistakes:
        raise RulesError.of(mistakes)
    return tuple(sorted(rules, key=lambda one: one.rule.id))


def namespaces_of(files: Iterable[RegoFile]) -> list[str]:
    """The packages that hold rules for conftest, sorted, whether or not these can be used."""
    policies = (file for file in files if not file.path.endswith("_test.rego"))
    return sorted({".".join(_package(file)) for file in policies if any(map(_RULE.fullmatch, _names(file)))})


def is_named(package: str, namespaces: Iterable[str]) -> bool:
    """Whether patterns name a package, as conftest reads them."""
    return any(fnmatchcase(package, pattern) for pattern in namespaces)


def combined_packages(files: Iterable[RegoFile], *, certain: bool) -> dict[str, tuple[str, int]]:
    """The packages that can only be asked about all files at once (`conftest --combine`), where `input` is a list of
    objects with `path` and `contents`; each with a file and line that shows it.

    Certain is `input[_]`, while `some file in input` could also look at all values of an object.
    """
    found: dict[str, tuple[str, int]] = {}
    for file in files:
        line = None if file.path.endswith("_test.rego") else _combined_line(file.tree.get("rules", ()), certain)
        if line is not None:
            found.setdefault(".".join(_package(file)), (file.path, line))
    return found


def _combined_line(value: Any, certain: bool) -> int | None:
    """The line of the first reference such as `input[_]` or `input[i].contents`, which no object has."""
    if isinstance(value, list):
        if not certain and (all_of_input := _members(value)) is not None:
            return int(all_of_input["value"][0]["location"]["row"])
        return next((line for item in value if (line := _combined_line(item, certain)) is not None), None)
    if not isinstance(value, dict):
        return None
    parts = value.get("value")
    if value.get("type") == "ref" and isinstance(parts, list) and _is_of_all_files(parts):
        return int(parts[0]["location"]["row"])
    domain = value.get("domain")
    if not certain and isinstance(domain, dict) and _is_input(domain):
        return int(domain["value"][0]["location"]["row"])
    return _combined_line([item for key, item in value.items() if key not in {"location", "annotations"}], certain)


def _members(call: Sequence[Any]) -> Mapping[str, Any] | None:
    """The input in `x in input`, where a call is that."""
    if len(call) < 3 or not all(isinstance(one, dict) for one in call):
        return None
    operator = call[0].get("value")
    names = [part.get("value") for part in operator] if isinstance(operator, list) else []
    is_member = names[:1] == ["internal"] and names[1:] in (["member_2"], ["member_3"])
    return call[-1] if is_member and _is_input(call[-1]) else None


def _is_input(term: Mapping[str, Any]) -> bool:
    parts = term.get("value")
    return isinstance(parts, list) and [part.get("value") for part in parts if isinstance(part, dict)] == ["input"]


def _is_of_all_files(parts: Sequence[Mapping[str, Any]]) -> bool:
    names = [part.get("value") for part in parts]
    if len(parts) < 2 or names[0] != "input" or parts[1]["type"] not in {"var", "number"}:
        return False
    # OPA numbers the variables that are written as `_`.
    is_any = parts[1]["type"] == "var" and str(names[1]).startswith("$")
    return is_any or (len(parts) > 2 and names[2] in {"contents", "path"})


def _package(file: RegoFile) -> tuple[str, ...]:
    """The names below data."""
    return tuple(str(part["value"]) for part in file.tree["package"]["path"][1:])


def _names(file: RegoFile) -> Iterator[str]:
    return (_name(rule) for rule in file.tree.get("rules", ()))


def _name(rule: Mapping[str, Any]) -> str:
    return str(rule["head"]["ref"][0]["value"])


def _is_without_message(head: Mapping[str, Any]) -> bool:
    """Whether it is a rule without a key, whose value is true. conftest refuses it too."""
    value = head.get("value") or {}
    return "key" not in head and len(head["ref"]) == 1 and value.get("value") is True


def _foreign_rule(found: _Found, exempting: Collection[tuple[str, ...]], kinds: Sequence[str]) -> ForeignRule:
    match = _RULE.fullmatch(found.name)
    kind, rest = (match[1], match[2] or "") if match else ("deny", "")
    rule = Rule(
        id=_id((GROUP, *found.package, found.name)),
        group=GROUP,
        title=_first(found.annotations, "title") or f"{'.'.join(found.package)}.{found.name}",
        description=_first(found.annotations, "description"),
        severity=_LEVELS[kind],
        fix="none",
        parameters=(),
        example="",
        links=tuple(dict.fromkeys(_links(found.annotations))),
        kinds=tuple(dict.fromkeys((*_kinds(found.annotations), *kinds))),
    )
    return ForeignRule(rule, found.package, found.name, rest if found.package in exempting else None)


def _id(parts: Sequence[str]) -> str:
    """An id that annotations, configuration and SARIF take: lower case, with dashes inside the parts."""
    return ".".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts)


def _first(annotations: Iterable[Mapping[str, Any]], key: str) -> str:
    return next((" ".join(str(one[key]).split()) for one in annotations if one.get(key)), "")


def _links(annotations: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for one in annotations:
        for link in one.get("related_resources", ()):
            if isinstance(link, Mapping) and isinstance(link.get("ref"), str):
                yield link["ref"]


def _kinds(annotations: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The kinds that konstraint would match: custom.matchers.kinds."""
    for one in annotations:
        custom = one.get("custom")
        matchers = custom.get("matchers") if isinstance(custom, Mapping) else None
        listed = matchers.get("kinds") if isinstance(matchers, Mapping) else None
        for entry in listed if isinstance(listed, list) else ():
            for group in entry.get("apiGroups", ("",)):
                for kind in entry.get("kinds", ()):
                    if kind != "*":
                        yield f"{group}/{kind}" if group and group != "*" else str(kind)


def _same_ids(rules: Iterable[ForeignRule]) -> Iterator[RulesError]:
    by_id: dict[str, ForeignRule] = {}
    for one in rules:
        other = by_id.setdefault(one.rule.id, one)
        if other is not one:
            names = " and ".join(f"{'.'.join(each.package)}.{each.name}" for each in (other, one))
            yield RulesError(f"{names} would both be called `{one.rule.id}`: give one of them another name")
