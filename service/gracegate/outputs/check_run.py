"""The check run: its conclusion, its title, its summary page and its annotations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gracegate.model import (
    CHECK_ACTIONS,
    GITHUB_ANNOTATION_BYTES,
    GITHUB_SUMMARY_BYTES,
    GITHUB_TITLE_BYTES,
    ConfigPreview,
    Finding,
    FixedFinding,
    PolicyState,
    Problem,
    Report,
)
from gracegate.outputs.comment_text import finding_line, fix_blocks, related_line, related_table, rule_link
from gracegate.outputs.markdown import Section, code, code_block, details, page, printable, prose, size
from gracegate.outputs.phrasing import (
    SEVERITY_MARKS,
    enumeration,
    finding_text,
    location,
    next_step,
    object_count,
    object_name,
    plural,
    sentence,
    sort_findings,
    step_actions,
    tally,
)

Conclusion = Literal["success", "neutral", "failure", "cancelled"]
Commenting = Literal["possible", "locked", "refused"]
"""Whether GitHub takes comments on the pull request. `locked`: its conversation is."""
FixButton = Literal["none", "button", "fork"]
"""Whether a button can commit the suggestions. `fork`: it could, but the branch is in a fork."""

_NOTE = "> **Apply fixes:** "
_FORK = "No button applies the suggestions, because the branch is in a fork: commit them in the comments."
_NOTED_OBJECTS = 10
_LEVELS = {"error": "failure", "warning": "warning", "info": "notice"}
# Problems that are worth a note and block nothing.
_NOTES = frozenset({"elsewhere", "other_revision", "stand_in", "waiver"})
# A mistake in .gracegate.yaml, at the tip of the base branch or in the pull request.
_CONFIG_PROBLEMS = frozenset({"config", "proposed_config"})
_COMMENTING_NOTES: Mapping[Commenting, str] = {
    "possible": "",
    "locked": "The findings are not commented on their lines, because the conversation of this pull request is locked.",
    "refused": "GitHub refused comments on this pull request, so not every finding is commented on its line.",
}


@dataclass(frozen=True, slots=True)
class CommentState:
    """Which findings (ids) are said in comments: the `planned` ones without those whose comment is `missing`."""

    commenting: Commenting = "possible"
    planned: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()

    def has_comment(self, finding: Finding) -> bool:
        return finding.id in self.planned and finding.id not in self.missing


@dataclass(frozen=True, slots=True)
class CheckOutput:
    """The output of a check run. Annotations have GitHub's keys; GitHub takes them in batches of 50. So have `actions`,
    the buttons."""

    conclusion: Conclusion
    title: str
    summary: str
    annotations: tuple[Mapping[str, object], ...]
    actions: tuple[Mapping[str, str], ...] = ()


RECHECK_BUTTON: Mapping[str, str] = {
    "label": "Re-check",
    "description": "Review this commit again",
    "identifier": CHECK_ACTIONS.recheck,
}
FIX_BUTTON: Mapping[str, str] = {
    "label": "Apply fixes",
    "description": "Commit all suggestions to the branch",
    "identifier": CHECK_ACTIONS.apply_fixes,
}
"""GitHub allows a label 20 characters, a description 40 and an identifier 20."""


def with_note(summary: str, note: str) -> str:
    """The summary of a check with what became of a press of a button above it, in the place of an earlier note."""
    return f"{_NOTE}{prose(note)}\n\n{without_note(summary)}"


def without_note(summary: str) -> str:
    return summary.partition("\n\n")[2] if summary.startswith(_NOTE) else summary


def render(
    report: Report,
    on_incomplete: Literal["failure", "neutral"] = "failure",
    comments: CommentState | None = None,
    fixes: FixButton = "none",
) -> CheckOutput:
    """The check run of a report; `on_incomplete` is what the operator chose for failures of the service.

    What a comment says is only named in the summary and has no annotation. Annotations for missing comments are the
    last ones, so that they can be added to those that the check has already.
    """
    comments = comments or CommentState()
    findings = sort_findings(f for f in report.findings if f.counts and not f.is_note)
    commented = [f for f in findings if comments.has_comment(f)]
    uncommented = [f for f in findings if not comments.has_comment(f)]
    introduced = "Also introduced by this pull request" if commented else "Introduced by this pull request"
    fixes = fixes if report.suggestions else "none"
    openings = (_opening(report, findings), _COMMENTING_NOTES[comments.commenting], _FORK if fixes == "fork" else "")
    sections = [
        Section([" ".join(filter(None, openings))]),
        Section(_rule_changes(report), "New here"),
        Section(_index(commented), "Explained in comments"),
        Section(_items(uncommented), introduced if report.has_base else "Findings"),
        Section(_steps(report), "In safe steps"),
        *_problem_and_note_sections(report),
        Section(_waived_findings(report), "Waived"),
        Section(_config_preview(report), "Preview of the new configuration"),
        _pre_existing_section(report, comments),
        Section(_fixed_findings(report), "Fixed by this pull request"),
    ]
    summary = page(sections, GITHUB_SUMMARY_BYTES, _footer(report))
    problems = [p for p in report.problems if p.file and p.is_manifest]
    annotations = (
        *(_annotation(f) for f in findings if f.id not in comments.planned),
        *map(_problem_annotation, problems),
        *(_annotation(f) for f in findings if f.id in comments.missing),
    )
    actions = (RECHECK_BUTTON, *([FIX_BUTTON] if fixes == "button" else []))
    return CheckOutput(conclusion(report, on_incomplete), _title(report, findings), summary, annotations, actions)


def headline(report: Report) -> tuple[str, str]:
    """The title, and what the verdict means for the author."""
    findings = sort_findings(f for f in report.findings if f.counts and not f.is_note)
    return _title(report, findings), _opening(report, findings)


def conclusion(report: Report, on_incomplete: Literal["failure", "neutral"] = "failure") -> Conclusion:
    """What the check of the report says to GitHub; for `on_incomplete` see `render`."""
    if report.verdict == "pass":
        return "neutral" if report.has_remarks else "success"
    if report.gate == "advise":
        return "neutral"
    is_ours = all(problem.is_service_failure for problem in report.problems if problem.blocks)
    return on_incomplete if report.verdict == "incomplete" and is_ours else "failure"


def is_note_of_problem(problem: Problem) -> bool:
    """Whether a problem is worth a note and blocks nothing."""
    return not problem.is_manifest and problem.code in _NOTES


def render_page(report: Report) -> str:
    """The title and the summary, as one page of Markdown."""
    output = render(report)
    return f"# {output.title}\n\n{output.summary}\n"


def _title(report: Report, findings: Sequence[Finding]) -> str:
    found = f"{tally(findings)} in {plural(object_count(findings), 'workload')}" if findings else ""
    if report.verdict == "incomplete":
        return f"Incomplete: {_cause(report)}{f'; {found}' if found else ''}"
    if found:
        return found
    if _is_without_manifests(report):
        return "No Kubernetes manifests changed" if report.has_base else "No Kubernetes manifests"
    return _no_problems(report)


def _cause(report: Report) -> str:
    """What made the review incomplete, in a few words."""
    mistake = next((p for p in report.problems if p.code in _CONFIG_PROBLEMS), None)
    if mistake is not None:
        return printable(mistake.message, GITHUB_TITLE_BYTES // 2)
    unread = {p.file for p in report.problems if p.blocks and p.file}
    return f"{plural(len(unread), 'file')} could not be read" if unread else "the rules were not all evaluated"


def _is_without_manifests(report: Report) -> bool:
    return report.verdict == "pass" and report.totals.documents == 0 and not report.has_remarks


def _no_problems(report: Report) -> str:
    return f"No {'new ' if report.has_base else ''}problems in {plural(report.totals.workloads, 'workload')}"


def _opening(report: Report, findings: Sequence[Finding]) -> str:
    """What the verdict means for the author, in one or two sentences."""
    if report.verdict == "fail":
        workloads = plural(object_count(f for f in findings if f.severity != "info"), "workload")
        opening = f"After this change, rollouts of {workloads} can drop requests."
    elif report.verdict == "incomplete":
        opening = "This check cannot pass: not everything was evaluated. The reasons are listed below."
    elif _is_without_manifests(report):
        return "This pull request changes no Kubernetes manifests."
    else:
        return "Nothing here blocks the merge." if findings or report.has_remarks else f"{_no_problems(report)}."
    return f"{opening} The merge is not blocked: `gate` is `advise` here." if report.gate == "advise" else opening


def _index(findings: Iterable[Finding]) -> list[str]:
    """Each finding in a line that names it."""
    return _bullets(
        f"{SEVERITY_MARKS[f.severity]} {f.title or prose(f.message)}: {code(object_name(f.object, f.container))} "
        f"({code(location(f.file, f.line))}, {rule_link(f)})"
        for f in findings
    )


def _items(findings: Iterable[Finding]) -> list[str]:
    """Each finding with its place and its fix; a fix that several findings share is shown with the first."""
    shown: set[str] = set()
    items = []
    for finding in findings:
        where = f"{code(location(finding.file, finding.line))} {code(object_name(finding.object, finding.container))}"
        lines = "  \n".join(filter(None, [finding_line(finding), where, related_line([finding])]))
        blocks = [block for block in fix_blocks([finding]) if block not in shown]
        shown.update(blocks)
        fix = [details("How to fix it", "\n\n".join(blocks))] if blocks else []
        items.append("\n\n".join(filter(None, [lines, related_table([finding]), *fix])))
    return items


def _rule_changes(report: Report) -> list[str]:
    """The rules that this repository has not met as they are now, so that nobody wonders why it passed before."""
    by_rule = {finding.rule: finding for finding in report.findings if finding.counts}
    return _bullets(
        f"{rule_link(by_rule[one.rule])} is {'new' if one.is_new else 'changed'} since {one.since}"
        f"{f', and a warning until {day}' if (day := by_rule[one.rule].blocks_from) else ''}."
        for one in report.rule_changes
    )


def _steps(report: Report) -> list[str]:
    """Each step with what it does and how; where there are several, what they are for."""
    items = []
    for number, step in enumerate(report.steps, 1):
        actions = " ".join(prose(text) for text in step_actions(report.findings, number))
        files = enumeration(map(code, step.files))
        diff = details(f"Step {number}", code_block(step.diff, "diff")) if step.diff else ""
        items.append("\n\n".join(filter(None, [f"{number}. {actions} ({files})", diff])))
    why = "Each is a change of its own, to be applied when the rollout of the one before it has ended:"
    return [why, *items] if items else []


def _problem_and_note_sections(report: Report) -> Iterable[Section]:
    problems = report.problems
    yield Section(_bullets(_problem_line(p) for p in problems if p.blocks), "Not evaluated")
    yield Section(_bullets(_problem_line(p) for p in problems if p.is_uncovered), "Not covered yet")
    noted = (_problem_line(p) for p in problems if is_note_of_problem(p))
    yield Section(_bullets([*_notes(report), *noted]), "Notes")


def _problem_line(problem: Problem) -> str:
    where = f"{code(location(problem.file, problem.line))}: " if problem.file else ""
    step = next_step(problem)
    return f"{where}{sentence(prose(problem.message))}{f' {prose(step)}' if step else ''}"


def _notes(report: Report) -> list[str]:
    by_rule: dict[str, list[Finding]] = {}
    for finding in sort_findings(f for f in report.findings if f.counts and f.is_note):
        by_rule.setdefault(finding.rule, []).append(finding)
    return [_note(findings) for findings in by_rule.values()]


def _note(findings: Sequence[Finding]) -> str:
    """One line for the findings of one rule."""
    names = [f"{code(object_name(f.object))} ({code(location(f.file, f.line))})" for f in findings[:_NOTED_OBJECTS]]
    more = len(findings) - len(names)
    title = findings[0].title or prose(findings[0].message)
    return f"{title}: {', '.join(names)}{f' and {more:,} more' if more else ''} ({rule_link(findings[0])})"


def _waived_findings(report: Report) -> list[str]:
    return [
        f"- {code(finding.rule)} in {code(object_name(finding.object, finding.container))}: {code(waiver.reason)} "
        f"({code(location(waiver.file, waiver.line))}{f', until {code(waiver.until)}' if waiver.until else ''})"
        for finding in sort_findings(report.findings)
        if (waiver := finding.waiver) is not None
    ]


def _pre_existing_section(report: Report, comments: CommentState) -> Section:
    findings = sort_findings(f for f in report.findings if f.status == "pre-existing" and f.waiver is None)
    items = _index(f for f in findings if comments.has_comment(f))
    items += _items(f for f in findings if not comments.has_comment(f))
    return Section(items, "Pre-existing", f"{tally(findings, ' and ')} that this pull request did not introduce")


def _config_preview(report: Report) -> list[str]:
    preview = report.config_preview
    return [] if preview is None else ["\n\n".join(_preview_paragraphs(preview, report.findings))]


def _preview_paragraphs(preview: ConfigPreview, findings: Iterable[Finding]) -> Iterable[str]:
    config = code(".gracegate.yaml")
    if preview.error is not None:
        yield f"What the {config} of this pull request would change is not known: {prose(preview.error)}."
        return
    outcome = {"fail": "fail", "incomplete": "be incomplete", "pass": "pass", None: "be unknown"}[preview.verdict]
    yield f"This review uses the {config} of the base branch. With the one in this pull request, it would {outcome}."
    by_id = {f.id: f for f in findings}
    silenced = [by_id[i] for i in preview.silenced if i in by_id]
    if silenced:
        yield "\n\n".join(["It would silence:", *_bullets(_finding_name(f) for f in silenced)])


def _fixed_findings(report: Report) -> list[str]:
    return _bullets(_finding_name(f) for f in report.fixed_findings)


def _finding_name(finding: Finding | FixedFinding) -> str:
    return f"{code(finding.rule)} in {code(object_name(finding.object, finding.container))}"


def _bullets(lines: Iterable[str]) -> list[str]:
    """The lines as one list in Markdown, empty without lines."""
    bullets = "\n".join(f"- {line}" for line in lines)
    return [bullets] if bullets else []


def _footer(report: Report) -> str:
    totals, engine = report.totals, report.engine
    counts = (
        plural(number, noun)
        for number, noun in ((totals.workloads, "workload"), (totals.documents, "object"), (totals.files, "file"))
    )
    rules = f"Rules {code(engine.digest[:12])}, evaluated by {code(f'{engine.name} {engine.version}')}."
    own = "".join(f" {_policy_words(one)}" for one in report.policies[1:] if one.state == "active")
    return f"<sub>Checked {', '.join(counts)}. {rules}{own}</sub>"


def _policy_words(policies: PolicyState) -> str:
    commit = f" of {code(policies.commit.removeprefix('sha256:')[:12])}" if policies.commit else ""
    used = f"Policy set {code(policies.name)} {code(policies.digest[:12])}{commit}"
    if not policies.newer_mistake:
        return f"{used}."
    return f"{used}, whose newest version is not used: {code(policies.newer_mistake)}."


def _annotation(finding: Finding) -> Mapping[str, object]:
    diff = finding.fix.diff if finding.fix is not None and finding.fix.diff else None
    return {
        "path": finding.file,
        "start_line": max(1, finding.line),
        "end_line": max(1, finding.line),
        "annotation_level": _LEVELS[finding.severity],
        "message": printable(finding_text(finding), 2_000),
        "title": f"{finding.title} ({finding.rule})" if finding.title else finding.rule,
        **({"raw_details": diff} if diff and size(diff) <= GITHUB_ANNOTATION_BYTES else {}),
    }


def _problem_annotation(problem: Problem) -> Mapping[str, object]:
    return {
        "path": problem.file,
        "start_line": max(1, problem.line),
        "end_line": max(1, problem.line),
        "annotation_level": "notice" if problem.is_uncovered else "failure",
        "message": printable(f"{sentence(problem.message)} {next_step(problem)}", 2_000),
        "title": "not covered" if problem.is_uncovered else "not evaluated",
    }
