"""The reader of .gracegate.yaml: which keys there are and what each may hold."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, cast

from gracegate.errors import ConfigError
from gracegate.model import EXPOSURES, Parameter, Rule, Severity
from gracegate.repo_config.config import ConfigWaiver, RepoConfig, RuleConfig
from gracegate.repo_config.values import Value, nearest
from gracegate.yaml import Node, ScalarNode, YamlError, duplicate_keys, parse_yaml, resolve_alias

CONFIG_FILE = ".gracegate.yaml"

T = TypeVar("T")

_SEVERITIES = ("error", "warning", "info", "off")
_SCOPES = ("path", "kind", "namespace", "name", "container")
_VERSION = re.compile(r"v?1\.([0-9]{1,3})(?:\.[0-9]+)?")


def parse_repo_config(text: str, rules: Mapping[str, Rule], file: str = CONFIG_FILE) -> RepoConfig:
    """The configuration that `text` writes down; `rules` are the known ones by id. Raises ConfigError with the line."""
    try:
        root = parse_yaml(text)
        _no_duplicates(text, root, file)
        if root is None or (isinstance(root, ScalarNode) and not root.text):
            return RepoConfig()
        return _config(Value(text, file, root, "the file"), rules)
    except YamlError as error:
        raise ConfigError(f"this is not YAML: {error.message}", file=file, line=error.line) from error


def _no_duplicates(text: str, root: Node | None, file: str) -> None:
    for duplicate in duplicate_keys(root) if root is not None else ():
        line = text.count("\n", 0, duplicate.offset) + 1
        raise ConfigError(f"the key `{duplicate.key}` stands here a second time", file=file, line=line)


def _config(root: Value, rules: Mapping[str, Rule]) -> RepoConfig:
    # One reader per key, so that the keys of the file and the fields of RepoConfig are seen side by side.
    readers: dict[str, tuple[str, Callable[[Value], Any]]] = {
        "gate": ("gate", lambda value: value.choice(("enforce", "advise"))),
        "profile": ("profile", lambda value: value.choice(("baseline", "recommended", "strict"))),
        "comments": ("comments", lambda value: value.choice(("introduced", "touched"))),
        "exclude": ("exclude", lambda value: tuple(_glob(item) for item in value.items())),
        "rules": ("rules", lambda value: _rules(value, rules)),
        "waivers": ("waivers", lambda value: tuple(_waiver(item, rules) for item in value.items())),
        "annotation_waivers": ("annotation_waivers", Value.flag),
        "min_kubernetes_version": ("min_minor", _minor),
        "drain_seconds": ("drain_seconds", lambda value: _each(value.mapping(EXPOSURES), Value.seconds)),
        "app_drain_seconds": ("app_drain_seconds", Value.seconds),
    }
    entries = root.mapping(readers)
    return RepoConfig(**{readers[key][0]: readers[key][1](value) for key, value in entries.items()})


def _each(entries: Mapping[str, Value], read: Callable[[Value], T]) -> dict[str, T]:
    return {key: read(value) for key, value in entries.items()}


def _minor(value: Value) -> int:
    match = _VERSION.fullmatch(value.written())
    if match is None:
        value.wrong(f"{value.name} is not a Kubernetes version, write it as `1.30`")
    return int(match[1])


def _rules(value: Value, rules: Mapping[str, Rule]) -> dict[str, RuleConfig]:
    configured: dict[str, RuleConfig] = {}
    for key, entry in value.mapping().items():
        rule = _rule(entry, key, rules)
        if rule.id in configured:
            entry.wrong(f"the rule `{rule.id}` is configured already, under another of its names")
        configured[rule.id] = _rule_config(entry, rule)
    return configured


def _rule(value: Value, name: str, rules: Mapping[str, Rule]) -> Rule:
    """The rule of an id or of a former id."""
    known = {alias: rule for rule in rules.values() for alias in (*rule.aliases, rule.id)}
    if name not in known:
        value.wrong(f"unknown rule `{name}`{nearest(name, sorted(known))}")
    return known[name]


def _rule_config(value: Value, rule: Rule) -> RuleConfig:
    if isinstance(resolve_alias(value.node), ScalarNode):
        return RuleConfig(_severity(value))
    entries = value.mapping(("severity", "params", "effective_on"))
    parameters = {parameter.name: parameter for parameter in rule.parameters}
    params = entries["params"].mapping(parameters) if "params" in entries else {}
    return RuleConfig(
        severity=_severity(entries["severity"]) if "severity" in entries else None,
        params={name: _param(param, parameters[name]) for name, param in params.items()},
        effective_on=_date(entries["effective_on"]) if "effective_on" in entries else None,
    )


def _severity(value: Value) -> Severity | Literal["off"]:
    return cast("Severity | Literal['off']", value.choice(_SEVERITIES))


def _param(value: Value, parameter: Parameter) -> Any:
    given = value.plain()
    if _kind(given) != _kind(parameter.default):
        value.wrong(f"{value.name} is {_kind(given)}, it needs {_kind(parameter.default)} as in `{parameter.default}`")
    return given


def _kind(value: Any) -> str:
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true or false"),
        ((int, float), "a number"),
        (str, "a text"),
        ((list, tuple), "a list"),
        (Mapping, "a mapping"),
    )
    return next((name for types, name in kinds if isinstance(value, types)), "empty")


def _waiver(value: Value, rules: Mapping[str, Rule]) -> ConfigWaiver:
    entries = value.mapping(("rules", *_SCOPES, "reason", "until"))
    for key, why in (("rules", "which rules it waives"), ("reason", "why it is there")):
        if key not in entries:
            value.wrong(f"this waiver does not say {why}: give it `{key}`")
    waived = [_rule(item, item.written(), rules).id for item in entries["rules"].items()]
    if not waived:
        entries["rules"].wrong("this waiver names no rule")
    return ConfigWaiver(
        rules=tuple(waived),
        reason=entries["reason"].written(),
        line=value.line,
        until=_date(entries["until"]) if "until" in entries else None,
        **{scope: entries[scope].written() for scope in _SCOPES if scope in entries},
    )


def _date(value: Value) -> dt.date:
    try:
        return dt.date.fromisoformat(value.written())
    except ValueError:
        value.wrong(f"{value.name} is not a date, write it as `2026-12-31`")


def _glob(value: Value) -> str:
    pattern = value.written()
    if not pattern.strip("!/"):
        value.wrong(f"`{pattern}` is not a pattern of paths")
    return pattern
