"""What a policy set says of itself, and the mistakes that are named in it."""

from __future__ import annotations

import pytest

from gracegate.errors import ConfigError
from gracegate.model import ModeException, Rule
from gracegate.repo_config import PoliciesFile, parse_policies_file
from gracegate.repo_config.policies_file import RuleModes

WHOLE = """\
name: acme
contract: 1
owners: {default: acme/platform, storage: "@acme/storage"}
budget: {rule_ms_per_1000_documents: 250}
rules:
  image-not-pinned: shadow
  quota:
    mode: warn
    where:
    - {repository: "acme/pay-*", mode: block}
    - {path: legacy/, mode: shadow}
  owner-missing:
    where: [{repository: acme/shop, path: "*.yaml", mode: warn}]
"""


def test_nothing() -> None:
    assert parse_policies_file("") == PoliciesFile()
    assert PoliciesFile().settings == ""


def test_every_key() -> None:
    assert parse_policies_file(WHOLE) == PoliciesFile(
        name="acme",
        owners={"default": "acme/platform", "storage": "@acme/storage"},
        budget=250.0,
        rules={
            "image-not-pinned": RuleModes(6, "shadow"),
            "quota": RuleModes(
                8, "warn", (ModeException("block", "acme/pay-*"), ModeException("shadow", path="legacy/"))
            ),
            "owner-missing": RuleModes(13, None, (ModeException("warn", "acme/shop", "*.yaml"),)),
        },
    )


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("rules: {quota: enforce}\n", 1, "`quota` cannot be `enforce`; known: `shadow`, `warn`, `block`"),
        ("rules:\n  quota: {mode: warn, when: x}\n", 2, "unknown key `when`"),
        ("rules:\n  quota:\n    where:\n    - {mode: warn}\n", 4, "an entry of `where` needs `mode`, and"),
        ("rules:\n  quota:\n    where:\n    - {path: x}\n", 4, "an entry of `where` needs `mode`, and"),
        ("budget: 500\n", 1, "mapping"),
        ("budget: {}\n", 1, "`budget` is written as `{rule_ms_per_1000_documents: 500}`"),
        ("budget: {rule_ms_per_1000_documents: -1}\n", 1, "`budget` is written as"),
        ("owners:\n  default: ' '\n", 2, "`default` needs a value"),
        (f"owners:\n  default: {'x' * 101}\n", 2, "an owner is a short text such as `acme/platform`"),
    ],
)
def test_mistakes_are_named_with_their_line(text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_policies_file(text)
    assert raised.value.line == line
    assert message in raised.value.message


def test_what_is_said_here_replaces_what_metadata_says() -> None:
    def rule(id_: str, group: str, **more: object) -> Rule:
        return Rule(id_, group, "", "", "error", "none", (), "", (), **more)  # type: ignore[arg-type]

    modes = (ModeException("warn", "acme/shop", "*.yaml"),)
    assert parse_policies_file(WHOLE).applied(
        [
            rule("image-not-pinned", "acme", owner="acme/images"),
            rule("owner-missing", "storage", mode="shadow"),
            rule("other", "acme", mode="warn"),
        ]
    ) == [
        rule("image-not-pinned", "acme", owner="acme/images", mode="shadow"),
        rule("owner-missing", "storage", owner="@acme/storage", mode="shadow", mode_exceptions=modes),
        rule("other", "acme", owner="acme/platform", mode="warn"),
    ]


def test_the_settings_differ_where_the_rules_do() -> None:
    budget = "budget: {rule_ms_per_1000_documents: 1}"
    texts = ["", budget, "rules: {a: warn}", "rules: {a: shadow}", "rules: {b: warn}", "owners: {default: x}", WHOLE]
    settings = [parse_policies_file(text).settings for text in texts]
    assert len(set(settings)) == len(texts)
    # What is said of the set itself changes no rule.
    assert parse_policies_file("name: acme").settings == ""
    assert (
        parse_policies_file("rules: {b: warn, a: shadow}").settings
        == parse_policies_file("\nrules: {a: shadow, b: warn}").settings
    )
