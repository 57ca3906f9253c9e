"""The page of a rule, in Markdown: for GitHub, and for the pages that the service shows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from gracegate.model import Rule, RuleExplanation
from gracegate.outputs import rollout_svg
from gracegate.outputs.comment_text import fix_blocks
from gracegate.outputs.markdown import code_block, prose
from gracegate.outputs.phrasing import FIX_CLASSES, SEVERITY_MARKS, mode_words, waiver_hint
from gracegate.outputs.rollout_phrasing import outage
from gracegate.rollout import RolloutEstimate, estimate_rollout


def rule_page_files(explanation: RuleExplanation, remarks: Sequence[str] = (), head: str = "") -> dict[str, bytes]:
    """The page and the picture of its rollout, where there is one, by their names.

    `remarks` are further paragraphs about the rule, and `head` is a comment above the title.
    """
    rule = explanation.rule.id
    estimates = [one for one in map(estimate_rollout, explanation.rollouts) if one.improvement is not None]
    parts = _parts(explanation, remarks, estimates)
    page = "\n\n".join([*([head] if head else []), f"# {rule}", *parts]) + "\n"
    files = {f"{rule}.md": page.encode()}
    if estimates:
        files[f"{rule}.svg"] = rollout_svg.render(estimates).encode()
    return files


def foreign_rule_page(rule: Rule) -> bytes:
    """The page of a rule that was written for another tool: it has no example."""
    about = [f"**{rule.title}.**", rule.description.strip()]
    parts = [f"# {rule.id}", *filter(None, about), *_facts(rule), *_exceptions(rule), *_links(rule)]
    return ("\n\n".join(parts) + "\n").encode()


def _parts(explanation: RuleExplanation, remarks: Sequence[str], estimates: Sequence[RolloutEstimate]) -> Iterator[str]:
    rule, finding = explanation.rule, explanation.finding
    yield f"**{rule.title}.**\n\n{rule.description}"
    yield from _facts(rule)
    yield from remarks
    if rule.aliases:
        yield f"Also known as {', '.join(f'`{alias}`' for alias in rule.aliases)}."
    language = "yaml" if rule.before is None else "diff"
    yield f"## What it finds\n\n{code_block(explanation.shown_example.rstrip(), language)}"
    yield f"> {SEVERITY_MARKS[finding.severity]} {prose(finding.message)}"
    fix = fix_blocks([explanation.finding_without_patch])
    if explanation.shown_fix is not None:
        yield "## The fix\n\nIt was applied to the example, and the rules were evaluated again: the finding is gone."
        yield code_block(explanation.shown_fix.rstrip(), "diff")
    elif fix:
        yield "## The fix"
    yield from fix
    for number, diff in enumerate(explanation.shown_steps, 1):
        if diff:
            yield f"Step {number}:\n\n{code_block(diff, 'diff')}"
    yield from _pictures(rule, estimates)
    if rule.parameters:
        rows = (f"| `{p.name}` | `{json.dumps(p.default)}` | {p.description} |" for p in rule.parameters)
        yield "\n".join(["## Parameters\n", "| parameter | default | meaning |", "|---|---|---|", *rows])
    yield from _exceptions(rule)
    yield from _links(rule)


def _facts(rule: Rule) -> Iterator[str]:
    day = f", a warning before {rule.effective_on}" if rule.effective_on else ""
    yield f"Level: {rule.severity}{day}. Fix: {FIX_CLASSES[rule.fix]}."
    if mode := mode_words(rule):
        yield f"Mode: {prose(mode)}."
    if rule.owner:
        yield f"Whom to ask: {prose(rule.owner)}."


def _pictures(rule: Rule, estimates: Sequence[RolloutEstimate]) -> Iterator[str]:
    """What a rollout of the example loses, where the fix makes that less."""
    improvements = [one.improvement for one in estimates if one.improvement is not None]
    for before, after in improvements[:1]:
        words = f"A rollout of the example: {outage(before)}. After the fix: {outage(after)}."
        yield f"## The rollout\n\n{words}\n\n![A timeline of the pods, before and after the fix]({rule.id}.svg)"


def _exceptions(rule: Rule) -> Iterator[str]:
    yield "\n\n".join(["## Exceptions", *_bullets(rule.exceptions), prose(waiver_hint(rule))])


def _links(rule: Rule) -> Iterator[str]:
    if rule.links:
        yield "\n\n".join(["## Read more", *_bullets(f"<{link}>" for link in rule.links)])


def _bullets(texts: Iterable[str]) -> list[str]:
    items = "\n".join(f"- {text}" for text in texts)
    return [items] if items else []
