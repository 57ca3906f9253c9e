"""Policies for conftest and Gatekeeper in a set: what is read of a folder, and what keeps it from being used."""

from __future__ import annotations

from pathlib import Path

import pytest

from gracegate.errors import ConfigError, RulesError
from gracegate.policy import load_catalog
from gracegate.policy.sets import load_foreign, read_policy_folder
from gracegate.repo_config import POLICIES_FILE
from tests.policy.sets.policy_sets import FOREIGN, write

RULES = {"conftest.main.deny": "error", "gatekeeper.enough-replicas": "warning"}


def entry(text: str) -> dict[str, str]:
    return {"gracegate-policies.yaml": f"foreign:\n- {{{text}}}\n"}


CONFTEST = entry("kind: conftest, path: policy")
GATEKEEPER = entry("kind: gatekeeper, path: gk")
INLINE_SCHEMA = """\
# METADATA
# schemas:
# - input: {$ref: 'file:///etc/passwd'}
package main

deny[x] { x := input.kind }
"""


def test_each_folder_is_a_catalogue_of_its_own(tmp_path: Path, opa: Path) -> None:
    policies = read_policy_folder(write(tmp_path / "set", FOREIGN))
    assert (policies.name, policies.modules, policies.mistakes) == ("others", {}, ())
    built = [load_foreign(one, lambda: opa, tmp_path / "cache", policies.described) for one in policies.foreign]
    assert {rule.id: rule.severity for one in built for rule in one.rules.values()} == RULES
    assert all(one.needs_opa for one in built)

    def none() -> Path:
        raise AssertionError("it was built before")

    assert [load_foreign(one, none, tmp_path / "cache", policies.described) for one in policies.foreign] == built
    assert [load_catalog(one.folder) for one in built] == built


def test_modes_and_owners_are_those_of_the_set(tmp_path: Path, opa: Path) -> None:
    said = "owners: {default: acme/others}\nrules: {conftest.main.deny: shadow}\n"
    files = FOREIGN | {POLICIES_FILE: FOREIGN[POLICIES_FILE] + said}
    policies = read_policy_folder(write(tmp_path / "set", files))
    built = [load_foreign(one, lambda: opa, tmp_path / "cache", policies.described) for one in policies.foreign]
    assert [(rule.id, rule.mode, rule.owner) for one in built for rule in one.rules.values()] == [
        ("conftest.main.deny", "shadow", "acme/others"),
        ("gatekeeper.enough-replicas", "block", "acme/others"),
    ]


@pytest.mark.parametrize("name", ["conftest.main.allow", "quota"])
def test_a_mode_of_no_rule_is_a_mistake(tmp_path: Path, opa: Path, name: str) -> None:
    files = FOREIGN | {POLICIES_FILE: FOREIGN[POLICIES_FILE] + f"rules: {{{name}: shadow}}\n"}
    policies = read_policy_folder(write(tmp_path / "set", files))
    mistakes = [*policies.mistakes]
    if not mistakes:
        with pytest.raises(RulesError) as raised:
            load_foreign(policies.foreign[0], lambda: opa, tmp_path / "cache", policies.described)
        mistakes = [*raised.value.mistakes]
    assert [one.message for one in mistakes] == [f"`rules` names `{name}`, which is no rule of this set"]


def test_mistakes_in_packages_that_are_not_asked_do_not_matter(tmp_path: Path, opa: Path) -> None:
    other = {"policy/other.rego": "package other\n\ndeny if input.kind\n"}
    policies = read_policy_folder(write(tmp_path / "set", FOREIGN | CONFTEST | other))
    assert [*load_foreign(policies.foreign[0], lambda: opa, tmp_path / "cache", policies.described).rules] == [
        "conftest.main.deny"
    ]


@pytest.mark.parametrize(
    ("files", "mistakes"),
    [
        pytest.param(CONFTEST, [(None, "there are no files for conftest in policy: they end with .rego")], id="none"),
        pytest.param(
            GATEKEEPER, [(None, "there are no files for gatekeeper in gk: they end with .yaml or .yml")], id="no YAML"
        ),
        pytest.param(
            CONFTEST | {"policy/a.rego": "package other\n\ndeny[x] { x := 1 }\n"},
            [(None, "there are no rules deny, violation or warn in `namespaces` (main); packages with such: other")],
            id="another package",
        ),
        pytest.param(
            CONFTEST | {"policy/a.rego": "package main\n\ndeny[x] { x := \n", "policy/b.rego": "package\n"},
            [("policy/a.rego", None), ("policy/b.rego", None)],
            id="syntax errors",
        ),
        pytest.param(
            CONFTEST | {"policy/a.rego": "package main\n\ndeny[x] { x := http.send({}) }\n"},
            [
                (
                    "policy/a.rego",
                    (
                        "http.send is not among the builtins that rules may use: "
                        "a check has no network: put what the rule needs into data/"
                    ),
                )
            ],
            id="the network",
        ),
        pytest.param(
            CONFTEST | {"policy/a.rego": INLINE_SCHEMA},
            [
                (
                    "policy/a.rego",
                    "a schema has to be named as `schema.input`: OPA would read what an inline one refers to",
                )
            ],
            id="a schema elsewhere",
        ),
        pytest.param(
            CONFTEST | {"policy/a.rego": "package main\n\ndeny[x] { x := nothing }\n"},
            [("policy/a.rego", "var nothing is unsafe")],
            id="it does not compile",
        ),
        pytest.param(
            entry("kind: conftest, path: policy, data: [policy, none]")
            | {"policy/a.rego": "package main\n\ndeny[x] { x := data.a }\n", "policy/a.yaml": "- 1\n"},
            [
                (None, "there is no YAML or JSON in `data: none`"),
                ("policy/a.yaml", "the data cannot be used: a file of data has to be a mapping"),
            ],
            id="data that is none",
        ),
        pytest.param(
            entry("kind: conftest, path: policy, data: [policy/a.yaml]")
            | {"policy/a.rego": "package main\n\ndeny[x] { x := data.a }\n", "policy/a.yaml": "system: {x: 1}\n"},
            [("data", "data cannot have the name `system`, which gracegate or OPA uses")],
            id="data with a name of OPA",
        ),
        pytest.param(
            entry("kind: conftest, path: policy, data: [policy/a.yaml]")
            | {"policy/a.rego": "package main\n\ndeny[x] { x := data.a }\n", "policy/a.yaml": "main: {deny: 1}\n"},
            [("policy/a.rego", None)],
            id="data in the place of a package",
        ),
        pytest.param(
            GATEKEEPER | {"gk/a.yaml": "kind: [\n"}, [("gk/a.yaml", "this is not valid YAML")], id="broken YAML"
        ),
        pytest.param(
            GATEKEEPER | {"gk/a.yaml": FOREIGN["gk/constraint.yaml"]},
            [(None, "no constraint in gk can be evaluated in a pull request")],
            id="no template",
        ),
    ],
)
def test_mistakes(tmp_path: Path, opa: Path, files: dict[str, str], mistakes: list[tuple[str | None, str]]) -> None:
    policies = read_policy_folder(write(tmp_path / "set", files))
    found = list(policies.mistakes)
    if not found:
        with pytest.raises(RulesError) as refused:
            load_foreign(policies.foreign[0], lambda: opa, tmp_path / "cache", policies.described)
        found = list(refused.value.mistakes)
    assert len(found) == len(mistakes)
    for mistake, (file, message) in zip(found, mistakes, strict=True):
        assert mistake.file == (file or "gracegate-policies.yaml")
        assert message is None or message in mistake.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: conftest", "an entry of `foreign` needs `path`"),
        ("kind: conftest, path: ../up", "`../up` is not inside this policy set"),
        ("kind: conftest, path: /etc", "`/etc` is not inside this policy set"),
        ("kind: gatekeeper, path: gk, namespaces: [a]", "`namespaces` is for conftest alone"),
        ("kind: gatekeeper, path: gk, combine: [a]", "`combine` is for conftest alone"),
        ("kind: conftest, path: a, data: [../up]", "`../up` is not inside this policy set"),
        ("kind: conftest, path: a, kinds: [network policy]", "`network policy` is no kind: write it as"),
        ("kind: conftest, path: a, rego: v0", "unknown key `rego`; known: `kind`, `path`, `namespaces`, `combine`"),
    ],
)
def test_wrong_entries(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_policy_folder(write(tmp_path / "set", entry(text)))
    assert refused.value.message.startswith(message)
