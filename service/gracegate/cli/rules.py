"""`gracegate rules`: the list of rules, and everything about one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import click

from gracegate.check import explain_rule
from gracegate.cli.completion import complete_rule
from gracegate.cli.main import CLEAN, INCOMPLETE
from gracegate.cli.policies import ChosenPolicies, open_policies
from gracegate.cli.request import CheckOptions, chosen_policies, policy_options, rule_id
from gracegate.cli.terminal import progress, write_output
from gracegate.model import Rule, RuleExplanation
from gracegate.outputs import FIX_CLASSES, has_advice, mode_words, step_action, text, waiver_hint


@click.command("rules")
@click.argument("rule", metavar="[ID]", required=False, shell_complete=complete_rule)
@policy_options
def command(rule: str | None, **options: Any) -> int:
    """List the rules, or explain one with an example and its fix."""
    with chosen_policies(CheckOptions(**options)) as chosen:
        click.echo(text.problems(chosen.problems()), err=True, nl=False)
        if rule is None:
            write_output(render_list(chosen.rules.values()) + render_sets(chosen))
        else:
            found = chosen.rules[rule_id(rule, chosen)]
            # Rules for other tools have no example.
            write_output(render_rule(_explain(found.id, chosen)) if found.example else render_foreign_rule(found))
    return INCOMPLETE if chosen.refused else CLEAN


def _explain(rule: str, chosen: ChosenPolicies) -> RuleExplanation:
    with progress("Fixing the example") as shown, open_policies(None, chosen, shown.clock) as policies:
        owner = next(one for one in policies.sets if rule in one.catalog.rules)
        return explain_rule(owner.catalog.rules[rule], owner)


def render_list(rules: Iterable[Rule]) -> str:
    """The rules by group, each in one line."""
    paragraphs = []
    for name, group in groupby(sorted(rules, key=lambda rule: (rule.group, rule.id)), key=lambda rule: rule.group):
        members = list(group)
        width = max(len(rule.id) for rule in members)
        lines = (f"  {rule.id:{width}}  {rule.severity:7}  {rule.title}" for rule in members)
        paragraphs.append("\n".join([name, *lines]))
    return "\n\n".join(paragraphs) + "\n"


def render_sets(chosen: ChosenPolicies) -> str:
    """Where the rules of own sets come from: a paragraph, nothing without own sets."""
    lines = [
        f"  {one.name}: {one.source}{f', {one.commit[:19]}' if one.commit else ''}, rules {one.catalog.digest[:12]}"
        for one in chosen.own
    ]
    return "\n".join(["", "Policy sets:", *lines, ""]) if lines else ""


def render_rule(explanation: RuleExplanation) -> str:
    """Everything about one rule."""
    rule, finding, fix = explanation.rule, explanation.finding, explanation.finding.fix
    parts = [
        *_heading(rule),
        *_section("Former names", rule.aliases),
        *_section("An example of what it finds", _lines(explanation.shown_example)),
        *_section("The message", [finding.message]),
        *_section("The fix of the example", _lines(explanation.shown_fix)),
        *_section("This is right if", _lines(fix.assumption if fix else None)),
        *_section("What to do", _lines(fix.advice if fix and has_advice(finding) else None)),
        *_section("The same change in safe steps", _steps(explanation)),
        *_section("Parameters", (f"{p.name} ({p.default}): {p.description}" for p in rule.parameters)),
        *_section("Exceptions", [*rule.exceptions, waiver_hint(rule)]),
        *_section("Read more", rule.links),
    ]
    return "\n\n".join(parts) + "\n"


def render_foreign_rule(rule: Rule) -> str:
    """What is known of a rule that was written for another tool."""
    parts = [*_heading(rule), *_section("Exceptions", [waiver_hint(rule)]), *_section("Read more", rule.links)]
    return "\n\n".join(parts) + "\n"


def _heading(rule: Rule) -> list[str]:
    day = f", a warning before {rule.effective_on}" if rule.effective_on else ""
    description = [rule.description.strip()] if rule.description else []
    about = [f"{rule.id}: {rule.title}", f"{rule.severity}{day}. Fix: {FIX_CLASSES[rule.fix]}."]
    about += [f"Whom to ask: {rule.owner}."] if rule.owner else []
    about += [f"Mode: {mode}."] if (mode := mode_words(rule)) else []
    return ["\n".join(about), *description]


def _steps(explanation: RuleExplanation) -> Iterator[str]:
    for action in explanation.finding.steps:
        yield f"{action.number}. {step_action(action)}"
        yield from _lines(explanation.shown_steps[action.number - 1] or None)


def _section(title: str, lines: Iterable[str]) -> list[str]:
    body = [f"  {line}".rstrip() for line in lines]
    return ["\n".join([f"{title}:", *body])] if body else []


def _lines(text: str | None) -> list[str]:
    return [] if text is None else text.rstrip().split("\n")
