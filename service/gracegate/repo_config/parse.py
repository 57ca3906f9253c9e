"""The parser of .gracegate.yaml: its keys, and what each may contain."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, cast

from gracegate.model import CONFIG_FILE, EXPOSURES, Parameter, Rule, Severity
from gracegate.repo_config.config import ConfigWaiver, RepoConfig, RuleConfig
from gracegate.repo_config.values import Value, nearest, read_all, read_root
from gracegate.yaml import ScalarNode, resolve_alias

_SEVERITIES = ("error", "warning", "info", "off")
_CONDITIONS = ("path", "kind", "namespace", "name", "container")
_VERSION = re.compile(r"v?1\.([0-9]{1,3})(?:\.[0-9]+)?")


IsUnavailable = Callable[[str], bool]
"""Whether a name is that of a rule of a policy set that cannot be used."""


def parse_repo_config(
    text: str, rules: Mapping[str, Rule], file: str = CONFIG_FILE, unavailable: Collection[str] | None = ()
) -> RepoConfig:
    """The configuration in `text`; `rules` are the known ones by id. Raises ConfigError with the line.

    What it says of rules that are `unavailable`, those of policy sets that cannot be used, counts for nothing; None for
    all that are not known.
    """
    root = read_root(text, file)
    if root is None:
        return RepoConfig()
    known = {name for rule in rules.values() for name in (rule.id, *rule.aliases)}
    return _config(root, rules, lambda name: name not in known and (unavailable is None or name in unavailable))


def parse_policy_folders(text: str, file: str = CONFIG_FILE) -> tuple[str, ...]:
    """The folders of policy sets that a configuration names, as it writes them; nothing else of it is looked at.

    Raises ConfigError with the line.
    """
    root = read_root(text, file)
    entries = {} if root is None else root.mapping()
    return _policies(entries["policies"]) if "policies" in entries else ()


def _config(root: Value, rules: Mapping[str, Rule], is_unavailable: IsUnavailable) -> RepoConfig:
    # One reader per key, so that the keys of the file stand beside the fields of RepoConfig.
    readers: dict[str, tuple[str, Callable[[Value], Any]]] = {
        "gate": ("gate", lambda value: value.choice(("enforce", "advise"))),
        "profile": ("profile", lambda value: value.choice(("baseline", "recommended", "strict"))),
        "comments": ("comments", lambda value: value.choice(("introduced", "touched"))),
        "exclude": ("exclude", lambda value: tuple(read_all(_glob, value.items()))),
        "rules": ("rules", lambda value: _rules(value, rules, is_unavailable)),
        "policies": ("policies", _policies),
        "waivers": (
            "waivers",
            lambda value: tuple(read_all(lambda item: _waiver(item, rules, is_unavailable), value.items())),
        ),
        "annotation_waivers": ("annotation_waivers", Value.flag),
        "min_kubernetes_version": ("min_minor", _minor),
        "drain_seconds": ("drain_seconds", _drain_seconds),
        "app_drain_seconds": ("app_drain_seconds", Value.seconds),
    }

    def read(entry: tuple[str, Value]) -> tuple[str, Any]:
        key, value = entry
        name, read_value = readers[key]
        return name, read_value(value)

    def refuse_unknown() -> dict[str, Any]:
        root.mapping(readers)
        return {}

    def read_known() -> dict[str, Any]:
        return dict(read_all(read, [entry for entry in root.mapping().items() if entry[0] in readers]))

    _, fields = read_all(lambda step: step(), (refuse_unknown, read_known))
    return RepoConfig(**fields)


def _policies(value: Value) -> tuple[str, ...]:
    return tuple(read_all(Value.text, value.items()))


def _drain_seconds(value: Value) -> dict[str, int]:
    return {exposure: seconds.seconds() for exposure, seconds in value.mapping(EXPOSURES).items()}


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
    entries = value.mapping(("rules", *_CONDITIONS, "reason", "until"))
    for key in ("rules", "reason"):
        if key not in entries:
            value.fail(f"this waiver has no `{key}`")
    items = entries["rules"].items()
    waived_rules = [_rule(item, item.text(), rules).id for item in items if not is_unavailable(item.text())]
    if not items:
        entries["rules"].fail("this waiver lists no rules")
    return ConfigWaiver(
        rules=tuple(waived_rules),
        reason=entries["reason"].text(),
        line=value.line,
        until=_date(entries["until"]) if "until" in entries else None,
        **{key: entries[key].text() for key in _CONDITIONS if key in entries},
    )


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
