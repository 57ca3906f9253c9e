"""`gracegate rules`: what is checked, and why."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import click

from gracegate.cli.request import rule_id
from gracegate.cli.terminal import say
from gracegate.model import Rule
from gracegate.policy.catalog import load_builtin

_FIXES = {
    "safe": "can be fixed safely",
    "assumes": "can be fixed under an assumption",
    "text": "comes with advice",
    "none": "has to be fixed by hand",
}


@click.command("rules")
@click.argument("rule", metavar="[ID]", required=False)
def command(rule: str | None) -> int:
    """List the rules, or explain one with an example of what it finds."""
    catalog = load_builtin()
    if rule is None:
        say("\n\n".join(_group(name, rules) for name, rules in _groups(catalog.rules.values())) + "\n")
    else:
        say(page(catalog.rules[rule_id(rule, catalog)]))
    return 0


def _groups(rules: Iterable[Rule]) -> Iterable[tuple[str, list[Rule]]]:
    ordered = sorted(rules, key=lambda rule: (rule.group, rule.id))
    return ((name, list(members)) for name, members in groupby(ordered, key=lambda rule: rule.group))


def _group(name: str, rules: list[Rule]) -> str:
    width = max(len(rule.id) for rule in rules)
    lines = (f"  {rule.id:{width}}  {rule.severity:7}  {rule.title}" for rule in rules)
    return "\n".join([name, *lines])


def page(rule: Rule) -> str:
    """Everything about one rule."""
    parts = [
        f"{rule.id}: {rule.title}\n{rule.severity}, {_FIXES[rule.fix]}",
        rule.description.strip(),
        *_section("Parameters", (f"{p.name} ({p.default}): {p.description.strip()}" for p in rule.parameters)),
        *_section("Former names", rule.aliases),
        *_section("An example of what it finds", rule.example.rstrip().split("\n")),
        *_section("Read more", rule.links),
    ]
    return "\n\n".join(parts) + "\n"


def _section(title: str, lines: Iterable[str]) -> list[str]:
    body = [f"  {line}".rstrip() for line in lines]
    return ["\n".join([f"{title}:", *body])] if body else []
