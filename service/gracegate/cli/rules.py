"""`gracegate rules`: what is checked, and why."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import click

from gracegate.check import Explained, explain, joined, waiving
from gracegate.cli.request import engine, rule_id
from gracegate.cli.terminal import progress, say
from gracegate.model import Rule
from gracegate.policy import load_builtin

_FIXES = {
    "safe": "can be fixed safely",
    "assumes": "can be fixed under an assumption",
    "text": "comes with advice",
    "none": "has to be fixed by hand",
}


@click.command("rules")
@click.argument("rule", metavar="[ID]", required=False)
def command(rule: str | None) -> int:
    """List the rules, or explain one with an example of what it finds and how it is mended."""
    catalog = load_builtin()
    if rule is None:
        say("\n\n".join(_group(name, rules) for name, rules in _groups(catalog.rules.values())) + "\n")
        return 0
    asked = catalog.rules[rule_id(rule, catalog)]
    with progress("Fixing the example"), engine(None, catalog) as (identity, evaluate):
        explained = explain(asked, catalog, identity, evaluate)
    say(page(explained))
    return 0


def _groups(rules: Iterable[Rule]) -> Iterable[tuple[str, list[Rule]]]:
    ordered = sorted(rules, key=lambda rule: (rule.group, rule.id))
    return ((name, list(members)) for name, members in groupby(ordered, key=lambda rule: rule.group))


def _group(name: str, rules: list[Rule]) -> str:
    width = max(len(rule.id) for rule in rules)
    lines = (f"  {rule.id:{width}}  {rule.severity:7}  {rule.title}" for rule in rules)
    return "\n".join([name, *lines])


def page(explained: Explained) -> str:
    """Everything about one rule."""
    rule, finding, fix = explained.rule, explained.finding, explained.finding.fix
    day = f", a warning before {rule.effective_on}" if rule.effective_on else ""
    parts = [
        f"{rule.id}: {rule.title}\n{rule.severity}{day}, {_FIXES[rule.fix]}",
        rule.description.strip(),
        *_section("Former names", rule.aliases),
        *_section("An example of what it finds", _lines(rule.example)),
        *_section("What is said of it", [finding.message]),
        *_section("The example after the fix", _lines(explained.after)),
        *_section("This is right if", _lines(fix.assumption if fix else None)),
        *_section("What to do", _lines(fix.advice if fix else None)),
        *_section("Parameters", (f"{p.name} ({p.default}): {joined(p.description)}" for p in rule.parameters)),
        *_section("Exceptions", [*map(joined, rule.exceptions), waiving(rule)]),
        *_section("Read more", rule.links),
    ]
    return "\n\n".join(parts) + "\n"


def _section(title: str, lines: Iterable[str]) -> list[str]:
    body = [f"  {line}".rstrip() for line in lines]
    return ["\n".join([f"{title}:", *body])] if body else []


def _lines(text: str | None) -> list[str]:
    return [] if text is None else text.rstrip().split("\n")
