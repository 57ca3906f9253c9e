"""What gracegate answers to a command in a comment, in GitHub's Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from gracegate.model import CONFIG_FILE, IGNORE_ANNOTATION, IGNORE_REASON_ANNOTATION, Finding, Rule
from gracegate.outputs.markdown import code, code_block, details, prose
from gracegate.outputs.phrasing import FIX_CLASSES, enumeration, location, mode_words, plural, sort_findings


def refusal(reason: str) -> str:
    """Why a command was not done; `reason` is a sentence that says what to do."""
    return prose(reason)


def rule_explanation(rule: Rule, rule_url: str | None = None) -> str:
    """What a rule finds, why that is a problem, and how to disagree."""
    name = code(rule.id)
    day = f" From {rule.effective_on} it blocks; until then it is a warning." if rule.effective_on else ""
    mode = f" Its mode is {prose(words)}." if (words := mode_words(rule)) else ""
    parts = [
        f"**{f'[{name}]({rule_url})' if rule_url else name}**: {prose(rule.title)}",
        prose(" ".join(rule.description.split())),
        f"Severity: {rule.severity}.{day}{mode} Its fix: {FIX_CLASSES[rule.fix]}.",
        *([f"Whom to ask: {code(rule.owner.removeprefix('@'))}"] if rule.owner else []),
        *([details("An example of what it finds", code_block(rule.example.rstrip(), "yaml"))] if rule.example else []),
        details("How to waive it", "\n\n".join(_how_to_waive(rule))),
    ]
    return "\n\n".join(filter(None, parts))


def _how_to_waive(rule: Rule) -> list[str]:
    annotations = f"{IGNORE_ANNOTATION}: {rule.id}\n{IGNORE_REASON_ANNOTATION}: <why that is fine>"
    return [
        *(f"Right where: {prose(one)}" for one in rule.exceptions),
        "With annotations of the object:",
        code_block(annotations, "yaml"),
        f"Or in {code(CONFIG_FILE)} on the base branch; {code(f'/gracegate waive {rule.id} …')} writes that for you.",
    ]


def waiver_proposal(rule: str, findings: Sequence[Finding], snippet: str, branch: str, *, has_waivers: bool) -> str:
    """The waiver to copy, what it covers, and where it belongs."""
    places = enumeration(code(location(one.file, one.line)) for one in sort_findings(findings))
    covered = f"This waives {plural(len(findings), 'finding')} of {code(rule)} ({places}) and nothing else"
    where = f"{code(CONFIG_FILE)} on {code(branch)}"
    place = f"Put it into the list {code('waivers')} of {where}" if has_waivers else f"Add it to {where}"
    return f"{covered}: it has been tried. {place}; until then nothing changes.\n\n{code_block(snippet, 'yaml')}"
