"""The schemas for editors say what the parsers say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from gracegate.errors import ConfigError
from gracegate.policy import Cluster, load_builtin
from gracegate.repo_config import (
    Schema,
    config_schema,
    parse_owner_defaults,
    parse_policies_file,
    parse_repo_config,
    policies_schema,
)
from gracegate.yaml import json_value, parse_yaml

RULES = load_builtin().rules
CONFIG, POLICIES = config_schema(RULES.values()), policies_schema()


def parse_config(text: str) -> object:
    return parse_repo_config(text, RULES)


BOTH = pytest.mark.parametrize(
    ("schema", "parse"), [(CONFIG, parse_config), (POLICIES, parse_policies_file)], ids=["config", "policies"]
)


@BOTH
def test_a_schema_is_one(schema: Schema, parse: Callable[[str], object]) -> None:
    jsonschema.Draft7Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema
    for empty in (None, {}):
        jsonschema.validate(empty, schema)


@BOTH
def test_it_has_the_keys_of_the_file(schema: Schema, parse: Callable[[str], object]) -> None:
    with pytest.raises(ConfigError) as raised:
        parse("no-key-is-like-it: 1")
    known = re.findall(r"`([a-z_]+)`", str(raised.value).partition("known: ")[2])
    assert sorted(known) == sorted(schema["properties"])


@BOTH
def test_its_examples_and_defaults_are_right(schema: Schema, parse: Callable[[str], object]) -> None:
    for key, one in schema["properties"].items():
        assert one["description"].endswith(".")
        assert one["examples"]
        for value in (*one["examples"], *([one["default"]] if "default" in one else [])):
            jsonschema.validate({key: value}, schema)
            parse(json.dumps({key: value}))
    every = {key: one["examples"][0] for key, one in schema["properties"].items()}
    jsonschema.validate(every, schema)
    parse(json.dumps(every))


def test_its_defaults_are_those_of_the_rules() -> None:
    assert CONFIG["properties"]["app_drain_seconds"]["default"] == Cluster().app_drain_seconds
    assert (
        f"1.{Cluster().min_minor} if nothing is said" in CONFIG["properties"]["min_kubernetes_version"]["description"]
    )


@pytest.mark.parametrize(
    ("text", "parse"),
    [
        pytest.param(text, parse, id=text)
        for parse, texts in {
            parse_config: (
                "[]",
                "gate: none",
                "exclude: vendor",
                "rules: {drain-too-long: loud}",
                "rules: {drain-too-long: {params: {most_seconds: long}}}",
                "rules: {drain-too-long: {params: {least_seconds: 1}}}",
                "rules: {drain-too-long: {effective_on: tomorrow}}",
                "rules: {drain-too-long: {level: error}}",
                "waivers: [{rules: [drain-too-long]}]",
                "waivers: [{reason: x}]",
                "waivers: [{rules: [], reason: x}]",
                "waivers: [{rules: [drain-too-long], reason: x, file: y}]",
                "waivers: [{rules: [drain-too-long], reason: x, until: soon}]",
                'annotation_waivers: "yes"',
                'min_kubernetes_version: "2.0"',
                "drain_seconds: {everywhere: 1}",
                "drain_seconds: {cluster: -1}",
                "app_drain_seconds: 1.5",
            ),
            parse_policies_file: (
                "name: Acme",
                "name: gracegate",
                "contract: one",
                "owners: {default: ''}",
                "rules: {x: loud}",
                "rules: {x: {mode: warn, when: y}}",
                "rules: {x: {where: [{mode: warn}]}}",
                "rules: {x: {where: [{path: y}]}}",
                "budget: 500",
                "budget: {rule_ms_per_1000_documents: 0}",
                "foreign: [{kind: rego, path: x}]",
                "foreign: [{kind: conftest}]",
            ),
        }.items()
        for text in texts
    ],
)
def test_both_refuse(text: str, parse: Callable[[str], Any]) -> None:
    with pytest.raises(ConfigError):
        parse(text)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json_value(text, parse_yaml(text)), CONFIG if parse is parse_config else POLICIES)


def test_a_severity_in_an_editor_is_a_word() -> None:
    # YAML 1.2, as editors read it, has no boolean `off`.
    jsonschema.validate({"rules": {"drain-too-long": "off", "rule-of-a-set": "warning"}}, CONFIG)


DEFAULTS = """\
profile: strict
exclude: [vendor/**]
rules: {drain-too-long: warning, single-replica: off}
drain_seconds: {cluster: 5, neg: 60}
"""
OWNERS_RULES = ["drain-too-long", "single-replica"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", ("strict", ("vendor/**",), OWNERS_RULES, [5, 60]), id="nothing"),
        pytest.param("profile: baseline", ("baseline", ("vendor/**",), OWNERS_RULES, [5, 60]), id="a key"),
        pytest.param("exclude: []", ("strict", (), OWNERS_RULES, [5, 60]), id="a list"),
        pytest.param(
            "rules: {strategy-recreate: off}\ndrain_seconds: {cluster: 9}",
            ("strict", ("vendor/**",), [*OWNERS_RULES, "strategy-recreate"], [9, 60]),
            id="one by one",
        ),
    ],
)
def test_what_a_repository_says_counts_more_than_its_owners_defaults(text: str, expected: tuple[object, ...]) -> None:
    defaults = parse_owner_defaults(DEFAULTS, RULES, "acme/.github/.gracegate.yaml")
    config = parse_repo_config(text, RULES, defaults=defaults)
    assert (config.profile, config.exclude, sorted(config.rules), [*config.drain_seconds.values()]) == expected


def test_an_owner_has_no_waivers_and_no_policies() -> None:
    text = "gatee: x\nwaivers: []\npolicies: [x]\n"
    with pytest.raises(ConfigError) as raised:
        parse_owner_defaults(text, RULES, "acme/.github/.gracegate.yaml")
    assert [(one.line, one.message.partition(":")[0]) for one in raised.value.mistakes] == [
        (1, "unknown key `gatee`, did you mean `gate`?"),
        (2, "`waivers` cannot be a default for all repositories"),
        (3, "`policies` cannot be a default for all repositories"),
    ]
