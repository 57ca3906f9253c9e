"""The check run: its conclusion, its title, its summary page and its annotations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from gracegate.model import (
    GITHUB_ANNOTATION_BYTES,
    GITHUB_SUMMARY_BYTES,
    ConfigPreview,
    Finding,
    Problem,
    Report,
)
from gracegate.outputs.comment_text import RuleLink, change_blocks, finding_line
from gracegate.outputs.markdown import Section, code, details, page, printable, prose, size
from gracegate.outputs.phrasing import (
    name_of,
    next_step,
    objects,
    ordered,
    place,
    plural,
    remarks,
    sentence,
    tally,
)

Conclusion = Literal["success", "neutral", "failure", "cancelled"]

_LEVELS = {"error": "failure", "warning": "warning", "info": "notice"}
# Problems that say something about the review and stop nothing.
_REMARKS = frozenset({"elsewhere", "waiver"})


@dataclass(frozen=True, slots=True)
class CheckOutput:
    """What GitHub is told; the annotations have its keys, the caller sends them in batches of 50."""

    conclusion: Conclusion
    title: str
    summary: str
    annotations: tuple[Mapping[str, object], ...]


def render(
    report: Report, on_incomplete: Literal["failure", "neutral"] = "failure", link: RuleLink | None = None
) -> CheckOutput:
    """The check of a report; `on_incomplete` is the operator's choice of what an incomplete review concludes with."""
    sections = [
        Section([_verdict(report)]),
        *_open_findings(report, link),
        *_problems(report),
        *_waived(report),
        *_proposal(report),
        *_pre_existing(report, link),
        *_fixed(report),
    ]
    summary = page(sections, GITHUB_SUMMARY_BYTES, _footer(report))
    return CheckOutput(_conclusion(report, on_incomplete), _title(report), summary, _annotations(report))


def _conclusion(report: Report, on_incomplete: Literal["failure", "neutral"]) -> Conclusion:
    if report.verdict == "pass":
        return "neutral" if report.has_remarks else "success"
    if report.gate == "advise":
        return "neutral"
    return "failure" if report.verdict == "fail" else on_incomplete


def _title(report: Report) -> str:
    findings = ordered(f for f in report.findings if f.counts)
    found = f"{tally(findings)} in {plural(objects(findings), 'workload')}" if findings else ""
    if report.verdict == "incomplete":
        return f"Incomplete: {_missing(report)}{f'; {found}' if found else ''}"
    if found:
        return found
    if _untouched(report):
        return "No Kubernetes manifests changed" if report.has_base else "No Kubernetes manifests"
    new = "new " if report.has_base else ""
    return f"No {new}findings in {plural(report.totals.workloads, 'workload')}"


def _untouched(report: Report) -> bool:
    return report.verdict == "pass" and report.totals.documents == 0 and not report.has_remarks


def _missing(report: Report) -> str:
    files = {p.file for p in report.problems if p.blocks and p.file}
    if files:
        return f"{plural(len(files), 'file')} could not be read"
    return "the rules were not all evaluated"


def _verdict(report: Report) -> str:
    said = {
        "fail": "This pull request makes rolling updates drop requests, in a way that it did not before.",
        "incomplete": "Not everything was evaluated, so this check cannot pass. What is missing is named below.",
        "pass": "Nothing here blocks the merge.",
    }[report.verdict]
    if _untouched(report):
        said = "This pull request changes no Kubernetes manifests."
    elif report.verdict == "pass" and not any(f.counts for f in report.findings) and not report.has_remarks:
        said = "No rule found anything that this pull request makes worse."
    advises = report.gate == "advise" and report.verdict != "pass"
    return f"{said} The gate of this repository only advises, so nothing is blocked." if advises else said


def _open_findings(report: Report, link: RuleLink | None) -> Iterable[Section]:
    findings = ordered(f for f in report.findings if f.counts)
    if findings:
        worse = "What this pull request introduces" if report.has_base else "What was found"
        yield Section(_items(findings, link), worse)


def _items(findings: Iterable[Finding], link: RuleLink | None) -> list[str]:
    """Each finding with what to do about it; what several share stands with the first."""
    said: set[str] = set()
    items = []
    for finding in findings:
        where = f"{code(place(finding.file, finding.line))} {code(name_of(finding.object, finding.container))}"
        blocks = [block for block in change_blocks([finding]) if block not in said]
        said.update(blocks)
        change = [details("What to change", "\n\n".join(blocks))] if blocks else []
        items.append("\n\n".join([f"{finding_line(finding, link)}  \n{where}", *change]))
    return items


def _problems(report: Report) -> Iterable[Section]:
    covered = [p for p in report.problems if p.is_uncovered]
    remarks = [p for p in report.problems if not p.is_manifest and p.code in _REMARKS]
    for title, problems in (
        ("What was not evaluated", [p for p in report.problems if p.blocks]),
        ("Not covered yet", covered),
        ("Worth knowing", remarks),
    ):
        if problems:
            yield Section(["\n".join(f"- {_problem(problem)}" for problem in problems)], title)


def _problem(problem: Problem) -> str:
    where = f"{code(place(problem.file, problem.line))}: " if problem.file else ""
    step = next_step(problem)
    return f"{where}{sentence(prose(problem.message))}{f' {prose(step)}' if step else ''}"


def _waived(report: Report) -> Iterable[Section]:
    lines = [
        f"- {code(finding.rule)} of {code(name_of(finding.object, finding.container))}: {code(waiver.reason)} "
        f"({code(place(waiver.file, waiver.line))}{f', until {code(waiver.until)}' if waiver.until else ''})"
        for finding in ordered(report.findings)
        if (waiver := finding.waiver) is not None
    ]
    if lines:
        yield Section(lines, "Waived")


def _pre_existing(report: Report, link: RuleLink | None) -> Iterable[Section]:
    findings = ordered(f for f in report.findings if f.status == "pre-existing" and f.waiver is None)
    if findings:
        words = f"{tally(findings, ' and ')} that this pull request did not bring"
        yield Section(_items(findings, link), "Already there", words)


def _proposal(report: Report) -> Iterable[Section]:
    if report.config_preview is not None:
        text = "\n\n".join(_dry_run(report.config_preview, {f.id: f for f in report.findings}))
        yield Section([text], "The configuration that this pull request proposes")


def _dry_run(proposal: ConfigPreview, findings: Mapping[str, Finding]) -> Iterable[str]:
    if proposal.error is not None:
        yield f"Its {code('.gracegate.yaml')} is wrong and would fail every review: {prose(proposal.error)}"
        return
    outcome = {"fail": "fail", "incomplete": "be incomplete", "pass": "pass", None: "be unknown"}[proposal.verdict]
    yield (
        f"It is shown and not applied: until the merge, the base branch's {code('.gracegate.yaml')} counts. "
        f"With it this review would {outcome}."
    )
    silenced = [findings[i] for i in proposal.silenced if i in findings]
    if silenced:
        names = "\n".join(f"- {code(f.rule)} of {code(name_of(f.object, f.container))}" for f in silenced)
        yield f"It would silence:\n\n{names}"


def _fixed(report: Report) -> Iterable[Section]:
    if report.fixed_findings:
        names = "\n".join(f"- {code(f.rule)} of {code(name_of(f.object, f.container))}" for f in report.fixed_findings)
        yield Section([names], "Fixed by this pull request")


def _footer(report: Report) -> str:
    checked, engine = report.totals, report.engine
    looked = ", ".join(
        (
            plural(checked.workloads, "workload"),
            plural(checked.documents, "object"),
            plural(checked.files, "file"),
        )
    )
    rules = f"Rules {code(engine.digest[:12])}, evaluated by {code(f'{engine.name} {engine.version}')}."
    return f"<sub>Looked at {looked}. {rules}</sub>"


def _annotations(report: Report) -> tuple[Mapping[str, object], ...]:
    problems = [p for p in report.problems if p.file and p.is_manifest]
    return (*map(_annotation, ordered(f for f in report.findings if f.counts)), *map(_problem_annotation, problems))


def _annotation(finding: Finding) -> Mapping[str, object]:
    details = finding.fix.diff if finding.fix is not None and finding.fix.diff else None
    shown = {"raw_details": details} if details and size(details) <= GITHUB_ANNOTATION_BYTES else {}
    return {
        "path": finding.file,
        "start_line": max(1, finding.line),
        "end_line": max(1, finding.line),
        "annotation_level": _LEVELS[finding.severity],
        "message": printable(" ".join(filter(None, (finding.message, remarks(finding)))), 2_000),
        "title": finding.rule,
        **shown,
    }


def _problem_annotation(problem: Problem) -> Mapping[str, object]:
    step = next_step(problem)
    return {
        "path": problem.file,
        "start_line": max(1, problem.line),
        "end_line": max(1, problem.line),
        "annotation_level": "notice" if problem.is_uncovered else "failure",
        "message": printable(f"{sentence(problem.message)} {step}", 2_000),
        "title": "not covered" if problem.is_uncovered else "not evaluated",
    }
