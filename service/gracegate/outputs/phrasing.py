"""Words that several renderings share: counts, marks, and why a fix could not be suggested."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from gracegate.model import SEVERITY_ORDER, Finding, NoSuggestion, ObjectRef, Problem, Severity

MARKS: dict[Severity, str] = {"error": "❌", "warning": "⚠️", "info": "ℹ️"}  # noqa: RUF001 (the sign that GitHub shows)
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")

# What the finding's own advice or assumption says better, or what is said once for all findings.
_SAID_ELSEWHERE: frozenset[NoSuggestion] = frozenset({"no_fix", "advice_only", "assumes", "pre_existing", "not_tried"})
REASONS: Mapping[NoSuggestion, str] = {
    "no_fix": "Its rule knows no change that would mend it.",
    "advice_only": "Which change is right depends on what the manifests do not tell.",
    "assumes": "The change is right only under an assumption.",
    "pre_existing": "It was there before this change.",
    "not_tried": "There are many findings, and no change was tried.",
    "outside_diff": "GitHub takes suggestions only on lines that the diff shows, and this change is on others.",
    "other_file": "The change belongs to another file than the finding.",
    "crlf": "The file has Windows line ends, which GitHub's suggestions would mix.",
    "no_final_newline": "The file has no newline at its end, where this change would go.",
    "too_long": "The change spans more lines than a suggestion can show well.",
    "overlaps": "The change touches lines that another suggestion replaces.",
    "conflicts": "The change contradicts another one that this object needs.",
    "not_fixed": "The change was tried, and the finding stayed.",
    "new_finding": "The change was tried, and it brought another finding.",
    "shared_anchor": "The lines are shared through a YAML anchor, so the change would reach other places too.",
    "merge_key": "The fields come from a YAML merge key, so the change would reach other places or none.",
    "templated": "The lines are a template, and what they become is not known here.",
    "would_change_more": "No line edit was found that changes this and nothing else in the file.",
    "no_such_path": "What the change would replace does not stand in the file as it is evaluated.",
    "unsupported_layout": "The lines are laid out in a way that cannot be edited safely.",
}
_NEXT_STEPS = {
    "syntax": "Mend the syntax; the next push is evaluated again.",
    "encoding": "Save the file as UTF-8; the next push is evaluated again.",
    "duplicate_key": "Keep one of the two keys; Kubernetes refuses both or takes the last.",
    "too_large": "Split the file, exclude it in .gracegate.yaml, or raise GRACEGATE_MAX_FILE_BYTES.",
    "too_many_documents": "Split the file, exclude it in .gracegate.yaml, or raise GRACEGATE_MAX_DOCUMENTS.",
    "too_deep": "Flatten the file, exclude it in .gracegate.yaml, or raise GRACEGATE_MAX_DEPTH.",
    "too_many_nodes": "Split the file, exclude it in .gracegate.yaml, or raise GRACEGATE_MAX_NODES.",
    "too_many_aliases": "Write the values out, exclude the file in .gracegate.yaml, or raise GRACEGATE_MAX_ALIASES.",
    "not_followed": "Commit the content itself in its place, or exclude the file in .gracegate.yaml.",
    "unreadable": "Make it readable, or exclude it in .gracegate.yaml.",
    "config": "Mend it on the base branch; until then its waivers and exclusions do not count.",
    "engine_unavailable": "Run it again; if it stays, the engine is not running or not where it was said to be.",
    "engine": "Run it again; if it stays, report it with these manifests.",
    "rule_failed": "Turn the rule off in .gracegate.yaml until it is mended, and report it with this manifest.",
}


def reason(code: NoSuggestion | None) -> str:
    """Why there is no suggestion, as a sentence; empty where something else on the page says it."""
    return "" if code is None or code in _SAID_ELSEWHERE else REASONS[code]


def next_step(problem: Problem) -> str:
    """What the author can do about a problem, as a sentence; empty where nobody knows more than the message says."""
    return _NEXT_STEPS.get(problem.code, "")


def sentence(text: str) -> str:
    """A text with a full stop, so that another sentence can follow."""
    return text if not text or text.endswith((".", "!", "?", "…")) else f"{text}."


def remarks(finding: Finding) -> str:
    """What the comparison and the calendar add to a finding's message, as sentences; else empty."""
    if finding.status == "pre-existing":
        return ""
    worse = "It was there before and got worse." if finding.status == "worsened" else ""
    later = f"It blocks from {finding.blocks_from}." if finding.blocks_from else ""
    return " ".join(filter(None, (worse, later)))


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By severity, then as they stand in the files."""
    return tuple(sorted(findings, key=lambda f: (-SEVERITY_ORDER[f.severity], f.file, f.line, f.rule)))


def plural(number: int, noun: str, several: str | None = None) -> str:
    """`1 error`, `2 errors`, `3 infos`."""
    return f"{number:,} {noun if number == 1 else several or noun + 's'}"


def tally(findings: Sequence[Finding], joint: str = ", ") -> str:
    """`2 errors, 1 warning`; empty without findings."""
    counts = Counter(f.severity for f in findings)
    return joint.join(plural(counts[severity], severity) for severity in SEVERITIES if counts[severity])


def objects(findings: Iterable[Finding]) -> int:
    """How many workloads the findings speak about."""
    return len({(f.file, f.object) for f in findings})


def name_of(ref: ObjectRef, container: str | None = None) -> str:
    """`Deployment shop/web, container app`, for people."""
    name = f"{ref.kind} {ref.namespace + '/' if ref.namespace else ''}{ref.name}"
    return name if container is None else f"{name}, container {container}"


def place(file: str, line: int) -> str:
    """`apps/web.yaml:12`; without the line where it is not known."""
    return f"{file}:{line}" if line else file
