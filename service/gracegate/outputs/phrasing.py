"""Texts that several outputs share: counts, severity marks, and why a fix is not suggested."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from gracegate.model import (
    CONFIG_FILE,
    IGNORE_ANNOTATION,
    IGNORE_REASON_ANNOTATION,
    SEVERITY_ORDER,
    Finding,
    FixClass,
    NoSteps,
    NoSuggestion,
    ObjectRef,
    Problem,
    Rule,
    Severity,
    StepAction,
)

SEVERITY_MARKS: dict[Severity, str] = {
    "error": "❌ Error:",
    "warning": "⚠️ Warning:",
    "info": "ℹ️ Info:",  # noqa: RUF001 (the sign that GitHub shows)
}
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")

# The finding's own advice or assumption says this better, or the page says it once for all findings.
_SHOWN_ELSEWHERE: frozenset[NoSuggestion] = frozenset({"no_fix", "advice_only", "assumes", "pre_existing", "not_tried"})
REASONS: Mapping[NoSuggestion, str] = {
    "no_fix": "This rule has no automatic fix.",
    "advice_only": "The right fix depends on facts that the manifests do not contain.",
    "assumes": "The fix is right only under an assumption.",
    "pre_existing": "The problem was there before this change.",
    "not_tried": "There are too many findings to verify a fix for each.",
    "outside_diff": "The fix is outside this diff, so it is shown as a patch.",
    "other_file": "The fix belongs in another file.",
    "crlf": "The file has Windows line endings, which suggestions on GitHub would mix, so the fix is shown as a patch.",
    "no_final_newline": "The file does not end with a newline, so the fix is shown as a patch.",
    "too_long": "The fix spans too many lines for a suggestion, so it is shown as a patch.",
    "generated": "A program writes this file, so make the change in what it is generated from.",
    "overlaps": "The fix changes lines that another fix changes too.",
    "conflicts": "The fix contradicts another fix for the same object.",
    "not_fixed": "The fix was tried, and the problem remained.",
    "new_finding": "The fix was tried, and it caused another problem.",
    "shared_anchor": "These lines are shared through a YAML anchor, so the fix would change other places too.",
    "merge_key": "These fields come from a YAML merge key, so the fix would change other places or nothing.",
    "unmapped": "It is not certain which lines the fix would have to change.",
    "not_proved": "Something else that reads the file cannot be rendered, so the fix cannot be proved.",
    "templated": "These lines are a template, and what they render to is not known.",
    "variable": "The fix would overwrite a variable, and what that stands for is not known.",
    "would_change_more": "The fix cannot be written without changing other content of the file.",
    "no_such_path": "The field that the fix replaces is not in the file.",
    "unsupported_layout": "These lines are formatted in a way that cannot be edited safely.",
}
NO_STEPS: Mapping[NoSteps, str] = {
    "order_is_no_help": "No order of changes helps: the state that this change ends in is the problem.",
    "no_steps_known": "No safe steps are known for it.",
    "not_written": "Its safe steps cannot be written into these files.",
    "not_safe": "Its steps were tried, and the rules find something else in them.",
    "not_tried": "There are too many findings to try steps for each.",
}
FIX_CLASSES: Mapping[FixClass | Literal["none"], str] = {
    "safe": "a suggestion that can be committed as it is",
    "assumes": "a change to consider, which is right if its assumption holds",
    "text": "advice",
    "none": "none",
}
"""What a rule offers to fix its findings, by the class of the fix."""
# How many names are shown; more are counted.
_ENUMERATED = 5
_NEXT_STEPS = {
    "syntax": "Fix the syntax.",
    "encoding": "Save the file as UTF-8.",
    "duplicate_key": "Remove one: Kubernetes rejects the file or silently uses the last.",
    "too_large": "Split the file, exclude it in .gracegate.yaml, or raise GRACEGATE_MAX_FILE_BYTES.",
    "too_many_documents": "Split the file, exclude it in .gracegate.yaml, or raise GRACEGATE_MAX_DOCUMENTS.",
    "too_deep": "Flatten the file, exclude it in .gracegate.yaml, or raise GRACEGATE_MAX_DEPTH.",
    "too_many_nodes": "Split the file, exclude it in .gracegate.yaml, or raise GRACEGATE_MAX_NODES.",
    "too_many_aliases": "Write the values out, exclude the file in .gracegate.yaml, or raise GRACEGATE_MAX_ALIASES.",
    "too_much": "Raise GRACEGATE_CHECK_MEMORY_MB: the files may take an eighth of it.",
    "not_fetched": "Run the check again: what it has fetched is kept. If you can, let git fetch over HTTPS.",
    "not_rendered": "Look at what it renders to: no rule has seen that.",
    "build": "Correct it, or commit what is missing.",
    "render_limit": "Make it smaller, or exclude its root in .gracegate.yaml.",
    "not_listed": "Add it to `resources`, or delete the file.",
    "not_followed": "Commit the content itself, or exclude the path in .gracegate.yaml.",
    "unreadable": "Make it readable, or exclude it in .gracegate.yaml.",
    "config": "Fix it on the base branch; until then its waivers and exclusions do not apply.",
    "proposed_config": "Fix it in this pull request: with it on the base branch, no review could pass.",
    "engine_unavailable": "Run the check again. If it fails again, OPA is not running or its address is wrong.",
    "engine": "Run the check again. If it fails again, report it with these manifests.",
    "policies_refused": "Correct the policy set; `gracegate check --policies` names all its mistakes.",
    "rego": "Run `gracegate check --policies` with their folder, or `opa test`.",
    "policies_not_used": "Ask the operator to allow them in GRACEGATE_POLICIES_ALLOWED; `gracegate check` uses them.",
    "rule_failed": "Turn the rule off in .gracegate.yaml until it is fixed, and report it with this manifest.",
}


def reason(code: NoSuggestion | None) -> str:
    """Why there is no suggestion, as a sentence; empty where another text on the page says it."""
    return "" if code is None or code in _SHOWN_ELSEWHERE else REASONS[code]


def has_advice(finding: Finding) -> bool:
    """Whether the fix of a finding has advice that its steps do not give."""
    fix = finding.fix
    return fix is not None and fix.advice is not None and (fix.fix_class != "text" or not finding.steps)


def why_no_steps(finding: Finding) -> str:
    """Why steps were tried and are not shown, as a sentence; empty where none were tried."""
    code = finding.no_steps
    return NO_STEPS[code] if code in {"not_safe", "not_written"} else ""


def step_action(action: StepAction) -> str:
    """What a step does about a finding, in a sentence or two: first what has to be done by hand."""
    return action.title if action.by_hand is None else f"By hand, before it: {action.by_hand} Then: {action.title}"


def step_actions(findings: Iterable[Finding], number: int) -> list[str]:
    """What the step of that number, from 1, does about these findings, each text once."""
    texts = (step_action(action) for f in findings for action in f.steps if action.number == number)
    return list(dict.fromkeys(texts))


def next_step(problem: Problem) -> str:
    """What the author can do about a problem, as a sentence; empty where the message is all there is."""
    return _NEXT_STEPS.get(problem.code, "")


def sentence(text: str) -> str:
    """A text that ends with a full stop, so that another sentence can follow."""
    return text if not text or text.endswith((".", "!", "?", "…")) else f"{text}."


def remarks(finding: Finding) -> str:
    """What confidence, the comparison with the base and the rule's date add to a finding's message; may be empty."""
    possible = (
        "This may not apply: it rests on what these manifests do not show." if finding.confidence == "possible" else ""
    )
    if finding.status == "pre-existing":
        return possible
    worse = "It was there before and got worse." if finding.status == "worsened" else ""
    later = f"It blocks from {finding.blocks_from}." if finding.blocks_from else ""
    return " ".join(filter(None, (possible, worse, later)))


def finding_text(finding: Finding) -> str:
    """The message of a finding with its remarks and its steps."""
    steps = " ".join(f"{action.number}. {step_action(action)}" for action in finding.steps)
    return " ".join(filter(None, (finding.message, remarks(finding), f"In safe steps: {steps}" if steps else "")))


def problem_text(problem: Problem) -> str:
    """The message of a problem, and what the author can do about one that blocks."""
    return " ".join(filter(None, (sentence(problem.message), next_step(problem) if problem.blocks else "")))


def sort_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The worst first, then by file and line."""
    return tuple(sorted(findings, key=lambda f: (-SEVERITY_ORDER[f.severity], f.file, f.line, f.rule)))


def plural(number: int, noun: str) -> str:
    """`1 error`, `2 errors`, `3 infos`."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def waiver_hint(rule: Rule) -> str:
    """How to waive the rule, in words; names are in double quotes."""
    return (
        f'Where it does not fit, waive it: with the annotations "{IGNORE_ANNOTATION}: {rule.id}" and'
        f' "{IGNORE_REASON_ANNOTATION}", or among the waivers of "{CONFIG_FILE}".'
    )


def mode_words(rule: Rule) -> str:
    """The mode of a rule, and where it has another one; empty where it blocks everywhere, as most do."""
    if rule.mode == "block" and not rule.mode_exceptions:
        return ""
    exceptions = (
        f"{one.mode} in {' of '.join(filter(None, (one.path, one.repository)))}" for one in rule.mode_exceptions
    )
    return "; ".join((rule.mode, *exceptions))


def enumeration(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`; of many the first few, and how many more there are."""
    shown = [*names]
    if len(shown) > _ENUMERATED:
        shown = [*shown[: _ENUMERATED - 1], f"{len(shown) - _ENUMERATED + 1} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))


def tally(findings: Iterable[Finding], last_joint: str = ", ") -> str:
    """`2 errors, 1 warning`, with `last_joint` before the last of them; empty without findings."""
    counts = Counter(f.severity for f in findings)
    parts = [plural(counts[severity], severity) for severity in SEVERITIES if counts[severity]]
    return last_joint.join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def object_count(findings: Iterable[Finding]) -> int:
    """How many Kubernetes objects have these findings."""
    return len({(f.file, f.object) for f in findings})


def object_name(ref: ObjectRef, container: str | None = None) -> str:
    """`Deployment shop/web, container app`, for people."""
    name = f"{ref.kind} {ref.namespace + '/' if ref.namespace else ''}{ref.name}"
    return name if container is None else f"{name}, container {container}"


def related_names(findings: Iterable[Finding], shown_path: Callable[[str], str] = str) -> list[tuple[str, str]]:
    """The related objects of findings with their places, each once; without those that a note explains."""
    places = (place for finding in findings for place in finding.related if not place.note)
    return list(dict.fromkeys((object_name(p.object), location(shown_path(p.file), p.line)) for p in places))


def related_notes(findings: Iterable[Finding], shown_path: Callable[[str], str] = str) -> list[tuple[str, str]]:
    """What stands at related places of findings, as the numbers of a sum, with these places; each once."""
    places = (place for finding in findings for place in finding.related if place.note)
    return list(dict.fromkeys((p.note, location(shown_path(p.file), p.line)) for p in places))


def location(file: str, line: int) -> str:
    """`apps/web.yaml:12`; without the line where it is not known (0)."""
    return f"{file}:{line}" if line else file
