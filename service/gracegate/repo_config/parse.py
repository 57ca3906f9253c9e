"""The parser of .gracegate.yaml: its keys, and what each may contain."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Literal, cast

from gracegate.errors import ConfigError
from gracegate.model import CONFIG_FILE, EXPOSURES, Parameter, Rule, Severity
from gracegate.repo_config.config import ConfigWaiver, RepoConfig, RuleConfig
from gracegate.repo_config.values import Value, nearest, read_all, read_fields, read_root
from gracegate.yaml import ScalarNode, resolve_alias

_SEVERITIES = ("error", "warning", "info", "off")
_CONDITIONS = ("path", "kind", "namespace", "name", "container")
_VERSION = re.compile(r"v?1\.([0-9]{1,3})(?:\.[0-9]+)?")


DEFAULT_CONFIG = RepoConfig()
"""What counts where no file says anything."""

_REPOSITORY_KEYS = frozenset({"policies", "waivers"})
"""The keys that only a repository has: a waiver is of lines of it, and the operator chooses what all evaluate."""

IsUnavailable = Callable[[str], bool]
"""Whether a name is that of a rule of a policy set that cannot be used."""


def parse_repo_config(
    text: str,
    rules: Mapping[str, Rule],
    file: str = CONFIG_FILE,
    unavailable: Collection[str] | None = (),
    defaults: RepoConfig = DEFAULT_CONFIG,
) -> RepoConfig:
    """The configuration in `text`; `rules` are the known ones by id. Raises ConfigError with the lines.

    What it says of rules that are `unavailable`, those of policy sets that cannot be used, counts for nothing; None for
    all that are not known. A key that it does not have is as in the `defaults`; its `rules` and `drain_seconds` are
    added to these, one by one.
    """
    root = read_root(text, file)
    if root is None:
        return defaults
    known = {name for rule in rules.values() for name in (rule.id, *rule.aliases)}
    fields = _fields(root, rules, lambda name: name not in known and (unavailable is None or name in unavailable))
    for name in ("rules", "drain_seconds"):
        if name in fields:
            fields[name] = {**getattr(defaults, name), **fields[name]}
    return replace(defaults, **fields)


def parse_owner_defaults(
    text: str, rules: Mapping[str, Rule], file: str, unavailable: Collection[str] | None = ()
) -> RepoConfig:
    """What the owner of repositories wants where these say nothing. Raises ConfigError with the lines, as for what only
    a repository can say."""
    root = read_root(text, file)
    entries = {} if root is None else root.mapping()
    message = "`{}` cannot be a default for all repositories: write it into those that it is for"
    mistakes = [
        ConfigError(message.format(key), file=file, line=value.line)
        for key, value in entries.items()
        if key in _REPOSITORY_KEYS
    ]
    config = DEFAULT_CONFIG
    try:
        config = parse_repo_config(text, rules, file, unavailable)
    except ConfigError as error:
        mistakes += error.mistakes
    if mistakes:
        raise ConfigError.of(sorted(mistakes, key=lambda mistake: mistake.line or 0))
    return config


def parse_policy_folders(text: str, file: str = CONFIG_FILE) -> tuple[str, ...]:
    """The folders of policy sets that a configuration names, as it writes them; nothing else of it is looked at.

    Raises ConfigError with the line.
    """
    root = read_root(text, file)
    entries = {} if root is None else root.mapping()
    return _policies(entries["policies"]) if "policies" in entries else ()


def _fields(root: Value, rules: Mapping[str, Rule], is_unavailable: IsUnavailable) -> dict[str, Any]:
    """The fields of RepoConfig that the file sets."""
    readers: dict[str, Callable[[Value], Any]] = {
        "gate": lambda value: value.choice(("enforce", "advise")),
        "profile": lambda value: value.choice(("baseline", "recommended", "strict")),
        "comments": lambda value: value.choice(("introduced", "touched")),
        "exclude": lambda value: tuple(read_all(_glob, value.items())),
        "rules": lambda value: _rules(value, rules, is_unavailable),
        "policies": _policies,
        "waivers": lambda value: tuple(read_all(lambda item: _waiver(item, rules, is_unavailable), value.items())),
        "annotation_waivers": Value.flag,
        "min_kubernetes_version": _minor,
        "drain_seconds": lambda value: read_fields(value, dict.fromkeys(EXPOSURES, Value.seconds)),
        "app_drain_seconds": Value.seconds,
    }
    fields = read_fields(root, readers)
    return {_FIELDS.get(key, key): value for key, value in fields.items()}


_FIELDS = {"min_kubernetes_version": "min_minor"}
"""The fields of RepoConfig that are not called as their keys."""


def _policies(value: Value) -> tuple[str, ...]:
    return tuple(read_all(Value.text, value.items()))


def _minor(value: Value) -> int:
    match = _VERSION.fullmatch(value.text())
    if match is None:
        value.fail(f"{value.name} is not a Kubernetes version, write it as `1.30`")
    return int(match[1])


def _rules(value: Value, rules: Mapping[str, Rule], is_unavailable: IsUnavailable) -> dict[str, RuleConfig]:
    configs: dict[str, RuleConfig] = {}

    def read(named: tuple[str, Value]) -> None:
        key, entry = named
        rule = _rule(entry, key, rules)
        if rule.id in configs:
            entry.fail(f"rule `{rule.id}` is configured twice, once under a former id")
        configs[rule.id] = _rule_config(entry, rule)

    read_all(read, [entry for entry in value.mapping().items() if not is_unavailable(entry[0])])
    return configs


def _rule(value: Value, name: str, rules: Mapping[str, Rule]) -> Rule:
    """The rule with this id or former id."""
    known = {alias: rule for rule in rules.values() for alias in (*rule.aliases, rule.id)}
    if name not in known:
        value.fail(f"unknown rule `{name}`{nearest(name, sorted(known))}")
    return known[name]


def _rule_config(value: Value, rule: Rule) -> RuleConfig:
    if isinstance(resolve_alias(value.node), ScalarNode):
        return RuleConfig(_severity(value))
    parameters = {parameter.name: parameter for parameter in rule.parameters}
    readers: dict[str, Callable[[Value], Any]] = {
        "severity": _severity,
        "params": lambda params: read_fields(
            params, {name: partial(_param, parameter=parameter) for name, parameter in parameters.items()}
        ),
        "effective_on": _date,
    }
    return RuleConfig(**read_fields(value, readers))


def _severity(value: Value) -> Severity | Literal["off"]:
    return cast("Severity | Literal['off']", value.choice(_SEVERITIES))


def _param(value: Value, parameter: Parameter) -> Any:
    param, default = value.to_python(), parameter.default
    if _kind(param) != _kind(default):
        value.fail(f"{value.name} is {_kind(param)}, but must be {_kind(default)} such as `{default}`")
    return param


def _kind(value: Any) -> str:
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true or false"),
        ((int, float), "a number"),
        (str, "a string"),
        ((list, tuple), "a list"),
        (Mapping, "a mapping"),
    )
    return next((name for types, name in kinds if isinstance(value, types)), "empty")


def _waiver(value: Value, rules: Mapping[str, Rule], is_unavailable: IsUnavailable) -> ConfigWaiver:
    def waived_rules(listed: Value) -> tuple[str, ...]:
        items = listed.items()
        if not items:
            listed.fail("this waiver lists no rules")
        known = (item for item in items if not is_unavailable(item.text()))
        return tuple(read_all(lambda item: _rule(item, item.text(), rules).id, known))

    readers: dict[str, Callable[[Value], Any]] = {
        "rules": waived_rules,
        **dict.fromkeys(_CONDITIONS, Value.text),
        "reason": Value.text,
        "until": _date,
    }
    missing = {key: f"this waiver has no `{key}`" for key in ("rules", "reason")}
    return ConfigWaiver(line=value.line, **read_fields(value, readers, missing))


def _date(value: Value) -> dt.date:
    try:
        return dt.date.fromisoformat(value.text())
    except ValueError:
        value.fail(f"{value.name} is not a date, write it as `2026-12-31`")


def _glob(value: Value) -> str:
    pattern = value.text()
    if not pattern.strip("!/"):
        value.fail(f"`{pattern}` is not a path pattern")
    return pattern
