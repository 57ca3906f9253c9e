"""A page per rule, with its example before and after the fix."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from gracegate.check import Explained, explain, joined, waiving
from gracegate.outputs import MARKS, fence, fix_blocks, prose
from gracegate.policy import load_catalog
from gracegate.policy.build.rule_index import FIXES, GENERATED, PAGES
from gracegate.policy.engines import open_engine


def build(folder: Path) -> dict[str, bytes]:
    """The pages by path inside the folder; what was compiled of its rules has to be fresh, else RulesError."""
    rules = load_catalog(folder)
    with open_engine(None, rules) as (engine, evaluate):
        explained = [explain(rule, rules, engine, evaluate) for rule in rules.rules.values()]
    return {f"{PAGES}/{one.rule.id}.md": page(one).encode() for one in explained}


def page(explained: Explained) -> str:
    """Everything about one rule, in Markdown."""
    return "\n\n".join(_parts(explained)) + "\n"


def _parts(explained: Explained) -> Iterator[str]:
    rule = explained.rule
    yield f"{GENERATED}\n\n# {rule.id}\n\n**{rule.title}.**\n\n{rule.description}"
    yield f"Level: {rule.severity}{_day(explained)}. Fix: {FIXES[rule.fix]}."
    if rule.aliases:
        yield f"Also known as {', '.join(f'`{alias}`' for alias in rule.aliases)}."
    yield f"## What it finds\n\n{fence(rule.example.rstrip(), 'yaml')}"
    yield f"> {MARKS[explained.finding.severity]} {prose(explained.finding.message)}"
    yield from _fix(explained)
    if rule.parameters:
        rows = (f"| `{p.name}` | `{json.dumps(p.default)}` | {joined(p.description)} |" for p in rule.parameters)
        yield "\n".join(["## Parameters\n", "| parameter | default | meaning |", "|---|---|---|", *rows])
    yield "\n\n".join(["## Exceptions", *_listed(map(joined, rule.exceptions)), prose(waiving(rule))])
    yield "\n\n".join(["## Read more", *_listed(f"<{link}>" for link in rule.links)])


def _listed(texts: Iterable[str]) -> list[str]:
    items = "\n".join(f"- {text}" for text in texts)
    return [items] if items else []


def _day(explained: Explained) -> str:
    day = explained.rule.effective_on
    return f", a warning before {day}" if day else ""


def _fix(explained: Explained) -> Iterator[str]:
    told = fix_blocks([explained.finding_but_patch])
    if explained.after is not None:
        yield f"## After the fix\n\n{fence(explained.after.rstrip(), 'yaml')}"
    elif told:
        yield "## The fix"
    yield from told
