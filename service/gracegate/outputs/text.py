"""The report for a terminal: each finding at its `file:line`, then one line with the totals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gracegate.model import Finding, Problem, Report, StepAction
from gracegate.outputs.markdown import printable
from gracegate.outputs.phrasing import (
    enumeration,
    has_advice,
    location,
    object_count,
    object_name,
    plural,
    problem_text,
    reason,
    related_names,
    related_notes,
    step_action,
    tally,
    why_no_steps,
)

MAX_DIFFS = 10
"""With more findings than this only their lines are shown: nobody reads a screen full of diffs."""

_COLOURS = {
    "error": "\x1b[1;31m",
    "warning": "\x1b[1;33m",
    "info": "\x1b[1;36m",
    "bold": "\x1b[1m",
    "dim": "\x1b[2m",
    "+": "\x1b[32m",
    "-": "\x1b[31m",
    "@": "\x1b[36m",
}
_LONG = 2_000


def render(report: Report, *, colour: bool = False) -> str:
    """The report as text, whose last line says what was found in all."""
    text = _Text(colour)
    findings = sorted((f for f in report.findings if f.counts), key=lambda f: (f.file, f.line, f.rule))
    parts = [*text.findings(findings), *map(text.problem, report.problems), *_summary(report, findings)]
    return "".join(f"{part}\n" for part in parts)


def shadows(report: Report, *, colour: bool = False) -> str:
    """What rules in mode `shadow` find, and which of them failed, a line each; empty where there is nothing to tell."""
    text = _Text(colour)
    lines = [text.shadow(finding) for finding in report.shadow_findings if finding.counts]
    lines += [
        f"shadow rule {rule} was not evaluated: {printable(why, _LONG)}"
        for rule, why in sorted(report.shadow_failures.items())
    ]
    return "".join(f"{line}\n" for line in lines)


def problems(found: Iterable[Problem], *, colour: bool = False) -> str:
    """Problems, a line each."""
    return "".join(f"{_Text(colour).problem(problem)}\n" for problem in found)


def coloured_diff(diff: str, *, colour: bool) -> str:
    """A unified diff for a terminal; control characters are replaced."""
    return "\n".join(_Text(colour).diff(diff.split("\n")))


def _summary(report: Report, findings: Sequence[Finding]) -> Iterable[str]:
    pre_existing = sum(f.status == "pre-existing" and f.waiver is None for f in report.findings)
    waived = sum(f.waiver is not None for f in report.findings)
    others = [plural(pre_existing, "finding") + " already there"] if pre_existing else []
    others += [plural(waived, "finding") + " waived"] if waived else []
    rest = f" ({', '.join(others)})" if others else ""
    if findings:
        found = f"{tally(findings, ' and ')} in {plural(object_count(findings), 'workload')}"
        yield f"Found {found}{_fix_hint(findings)}{rest}."
    elif others:
        yield f"No {'new ' if report.has_base else ''}findings{rest}."
    elif report.totals.workloads and report.verdict != "incomplete":
        yield f"No {'new ' if report.has_base else ''}problems in {plural(report.totals.workloads, 'workload')}."
    elif not report.totals.workloads and not report.problems:
        what = "changed files" if report.has_base else plural(report.totals.files, "file")
        yield f"No Kubernetes workloads in {what}."
    if len(report.steps) > 1:
        yield f"`gracegate steps` prints this change in {len(report.steps)} safe steps."
    if report.verdict == "incomplete":
        yield "Not everything was evaluated, so this check cannot pass."


def _fix_hint(findings: Sequence[Finding]) -> str:
    verified = sum(f.fix is not None and f.fix.diff is not None for f in findings)
    safe = sum(f.fix is not None and f.fix.fix_class == "safe" for f in findings)
    if verified:
        return f"; `gracegate fix` fixes {verified:,} of them"
    # With many findings no fix is verified until `gracegate fix` runs.
    return f"; `gracegate fix` has a safe fix for {safe:,} of them" if safe and len(findings) > MAX_DIFFS else ""


@dataclass(frozen=True, slots=True)
class _Text:
    """Renders the parts of a report, with colours or without."""

    colour: bool

    def findings(self, findings: Sequence[Finding]) -> Iterable[str]:
        """One part per finding; a change that fixes several is shown with the first."""
        shown: set[str] = set()
        for finding in findings:
            yield "\n".join([*self._title(finding), *self._fix(finding)])
            diff = finding.fix.diff if finding.fix is not None else None
            if diff is None or len(findings) > MAX_DIFFS:
                continue
            if diff in shown:
                yield "    the change above fixes this too"
            else:
                yield "\n".join(f"    {line}" for line in self.diff(diff.split("\n")[2:]))
            shown.add(diff)

    def problem(self, problem: Problem) -> str:
        """A problem in one line, with what the reader can do about it."""
        where = (
            self._paint("bold", printable(location(problem.file, problem.line), _LONG)) + ": " if problem.file else ""
        )
        kind = self._paint("error", "not evaluated") if problem.blocks else self._paint("dim", "note")
        message = printable(problem_text(problem), _LONG)
        return f"{where}{kind}: {message} {self._paint('dim', f'[{problem.code}]')}"

    def shadow(self, finding: Finding) -> str:
        """A finding of a rule in mode `shadow` in one line."""
        where = self._paint("bold", printable(location(finding.file, finding.line), _LONG))
        rule = self._paint("dim", f"[{finding.rule}]")
        return f"{where}: {finding.severity} in shadow: {printable(finding.message, _LONG)} {rule}"

    def diff(self, lines: Iterable[str]) -> Iterable[str]:
        """Lines of a unified diff."""
        for line in lines:
            yield self._paint("bold" if line[:3] in {"---", "+++"} else line[:1], self._verbatim(line))

    @staticmethod
    def _verbatim(line: str) -> str:
        return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in line)

    def _title(self, finding: Finding) -> Iterable[str]:
        where = self._paint("bold", printable(location(finding.file, finding.line), _LONG))
        possible = " (may not apply)" if finding.confidence == "possible" else ""
        worsened = " (worse than before)" if finding.status == "worsened" else ""
        blocks_later = f" (blocks from {finding.blocks_from})" if finding.blocks_from else ""
        rule = self._paint("dim", f"[{finding.rule}]")
        severity = self._paint(finding.severity, finding.severity)
        yield f"{where}: {severity}: {printable(finding.message, _LONG)}{possible}{worsened}{blocks_later} {rule}"
        roots = f", rendered in {enumeration(finding.roots)}" if finding.roots else ""
        yield f"    in {printable(f'{object_name(finding.object, finding.container)}{roots}', _LONG)}"
        if names := related_names([finding]):
            places = ", ".join(f"{name} ({where})" for name, where in names)
            yield f"    see also {printable(places, _LONG)}"
        for note, where in related_notes([finding]):
            yield f"      {printable(f'{note} ({where})', _LONG)}"

    def _fix(self, finding: Finding) -> Iterable[str]:
        fix = finding.fix
        for action in finding.steps:
            yield f"    {'steps: ' if action is finding.steps[0] else '       '}{action.number}. {self._step(action)}"
        if why := why_no_steps(finding):
            yield f"    no steps: {why}"
        if fix is None:
            return
        if fix.advice and has_advice(finding):
            words, *manifest = fix.advice.splitlines()
            yield f"    help: {printable(words, _LONG)}"
            yield from (f"      {self._verbatim(line)}" for line in manifest)
        if fix.assumption:
            yield f"    right if: {printable(fix.assumption, _LONG)}"
        if not fix.diff and reason(finding.no_suggestion):
            yield f"    no fix: {reason(finding.no_suggestion)}"

    @staticmethod
    def _step(action: StepAction) -> str:
        return printable(step_action(action), _LONG)

    def _paint(self, colour: str, text: str) -> str:
        return f"{_COLOURS[colour]}{text}\x1b[0m" if self.colour and colour in _COLOURS else text
