"""The report for a terminal: each finding at its `file:line:column`, with that line, then the verdict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gracegate.model import Excerpt, Finding, Problem, Report, StepAction
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
"""With more findings than this only their messages are shown: nobody reads a screen full of diffs."""

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


@dataclass(frozen=True, slots=True)
class TextStyle:
    """How a report is shown.

    `is_verbose` shows every line, fix and note, also of many. `shown_path` is what a path is for the reader, who may
    stand elsewhere than where the report's paths begin.
    """

    has_colour: bool = False
    is_verbose: bool = False
    shown_path: Callable[[str], str] = str


PLAIN = TextStyle()


def render(report: Report, style: TextStyle = PLAIN) -> str:
    """The report as text, whose last line is the verdict."""
    findings = sorted((f for f in report.findings if f.counts), key=lambda f: (f.file, f.line, f.rule))
    text = _Text(style, style.is_verbose or len(findings) <= MAX_DIFFS, {(e.file, e.line): e for e in report.excerpts})
    parts = [
        *text.findings(findings),
        *text.problems(report.problems),
        *_hints(report, findings, text),
        verdict(report),
    ]
    return "".join(f"{part}\n" for part in parts)


def verdict(report: Report) -> str:
    """What was found in all, in one line."""
    findings = [finding for finding in report.findings if finding.counts]
    pre_existing = sum(f.status == "pre-existing" and f.waiver is None for f in report.findings)
    waived = sum(f.waiver is not None for f in report.findings)
    others = [plural(pre_existing, "finding") + " already there"] if pre_existing else []
    others += [plural(waived, "finding") + " waived"] if waived else []
    rest = f" ({', '.join(others)})" if others else ""
    new = "new " if report.has_base else ""
    if findings:
        found = f"{tally(findings, ' and ')} in {plural(object_count(findings), 'workload')}"
        words = f"Found {found}{_fix_hint(findings)}{rest}."
    elif report.verdict == "incomplete":
        words = f"No {new}findings{rest}." if others else ""
    elif others:
        words = f"No {new}findings{rest}."
    elif report.totals.workloads:
        words = f"No {new}problems in {plural(report.totals.workloads, 'workload')}."
    elif report.has_base and not report.totals.files:
        words = "No Kubernetes manifests changed."
    else:
        words = f"No Kubernetes workloads in {plural(report.totals.files, 'file')}."
    incomplete = "Not everything was evaluated, so this check cannot pass." if report.verdict == "incomplete" else ""
    return " ".join(filter(None, (words, incomplete)))


def shadows(report: Report, style: TextStyle = PLAIN) -> str:
    """What rules in mode `shadow` find, and which of them failed, a line each; empty where there is nothing to tell."""
    text = _Text(style)
    lines = [text.shadow(finding) for finding in report.shadow_findings if finding.counts]
    lines += [
        f"shadow rule {rule} was not evaluated: {printable(why, _LONG)}"
        for rule, why in sorted(report.shadow_failures.items())
    ]
    return "".join(f"{line}\n" for line in lines)


def problems(found: Iterable[Problem], shown_path: Callable[[str], str] = str) -> str:
    """Problems, a line each; of notes of one kind the first, and how many more there are."""
    return "".join(f"{part}\n" for part in _Text(TextStyle(shown_path=shown_path)).problems(found))


def coloured_diff(diff: str, *, colour: bool) -> str:
    """A unified diff for a terminal; control characters are replaced."""
    return "\n".join(_Text(TextStyle(has_colour=colour)).diff(diff.split("\n")))


def _hints(report: Report, findings: Sequence[Finding], text: _Text) -> Iterable[str]:
    if len(report.steps) > 1:
        yield f"`gracegate steps` prints this change in {len(report.steps)} safe steps."
    if not text.is_detailed:
        yield f"Of {plural(len(findings), 'finding')} only the messages are shown; `--verbose` shows lines and fixes."


def _fix_hint(findings: Sequence[Finding]) -> str:
    verified = sum(f.fix is not None and f.fix.diff is not None for f in findings)
    safe = sum(f.fix is not None and f.fix.fix_class == "safe" for f in findings)
    if verified:
        return f"; `gracegate fix` fixes {verified:,} of them"
    # With many findings no fix is verified until `gracegate fix` runs.
    return f"; `gracegate fix` has a safe fix for {safe:,} of them" if safe and len(findings) > MAX_DIFFS else ""


@dataclass(frozen=True, slots=True)
class _Text:
    """Renders the parts of a report; `is_detailed` is with fixes, and with lines of findings, which `excerpts` has."""

    style: TextStyle
    is_detailed: bool = True
    excerpts: Mapping[tuple[str, int], Excerpt] = field(default_factory=dict)

    def findings(self, findings: Sequence[Finding]) -> Iterable[str]:
        """One part per finding; a line, a rule's advice and a change that fixes several are shown with the first."""
        lines: set[tuple[str, int]] = set()
        advised: set[str] = set()
        diffs: set[str] = set()
        for finding in findings:
            frame = () if (finding.file, finding.line) in lines else self._frame(finding)
            has_help = finding.rule not in advised or self.style.is_verbose
            fix = self._fix(finding, has_help) if self.is_detailed else ()
            yield "\n".join([self._title(finding), *frame, *self._places(finding), *fix])
            lines.add((finding.file, finding.line))
            advised.add(finding.rule)
            diff = finding.fix.diff if finding.fix is not None else None
            if diff is None or not self.is_detailed:
                continue
            if diff in diffs:
                yield "    the change above fixes this too"
            else:
                yield "\n".join(f"    {line}" for line in self.diff(diff.split("\n")[2:]))
            diffs.add(diff)

    def problems(self, found: Iterable[Problem]) -> Iterable[str]:
        """Problems, a line each; of notes of one kind the first, and how many more there are."""
        notes: dict[str, list[Problem]] = defaultdict(list)
        for problem in found:
            if problem.blocks or self.style.is_verbose:
                yield self._problem(problem)
            else:
                notes[problem.code].append(problem)
        for first, *others in notes.values():
            yield self._problem(first)
            if others:
                files = len({first.file, *(one.file for one in others)})
                more = f"{plural(len(others), 'more such note')}, in {plural(files, 'file')} in all"
                yield f"    and {more}; `gracegate check --verbose` lists them"

    def shadow(self, finding: Finding) -> str:
        """A finding of a rule in mode `shadow` in one line."""
        rule = self._paint("dim", f"[{finding.rule}]")
        return f"{self._where(finding)}: {finding.severity} in shadow: {printable(finding.message, _LONG)} {rule}"

    def diff(self, lines: Iterable[str]) -> Iterable[str]:
        """Lines of a unified diff."""
        for line in lines:
            yield self._paint("bold" if line[:3] in {"---", "+++"} else line[:1], self._verbatim(line))

    @staticmethod
    def _verbatim(line: str) -> str:
        shown = line.removesuffix("\r")
        return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in shown)

    def _location(self, file: str, line: int) -> str:
        return printable(location(self.style.shown_path(file), line), _LONG)

    def _where(self, finding: Finding) -> str:
        column = f":{finding.column}" if finding.column else ""
        return self._paint("bold", f"{self._location(finding.file, finding.line)}{column}")

    def _problem(self, problem: Problem) -> str:
        """A problem in one line, with what the reader can do about it."""
        where = f"{self._paint('bold', self._location(problem.file, problem.line))}: " if problem.file else ""
        kind = self._paint("error", "not evaluated") if problem.blocks else self._paint("dim", "note")
        message = printable(problem_text(problem), _LONG)
        return f"{where}{kind}: {message} {self._paint('dim', f'[{problem.code}]')}"

    def _title(self, finding: Finding) -> str:
        possible = " (may not apply)" if finding.confidence == "possible" else ""
        worsened = " (worse than before)" if finding.status == "worsened" else ""
        blocks_later = f" (blocks from {finding.blocks_from})" if finding.blocks_from else ""
        rule = self._paint("dim", f"[{finding.rule}]")
        message = f"{printable(finding.message, _LONG)}{possible}{worsened}{blocks_later}"
        return f"{self._where(finding)}: {self._paint(finding.severity, finding.severity)}: {message} {rule}"

    def _frame(self, finding: Finding) -> Iterable[str]:
        """The line of a finding, and below it a mark from its column on; nothing where it is not known."""
        excerpt = self.excerpts.get((finding.file, finding.line)) if self.is_detailed else None
        if excerpt is None:
            return
        line = self._verbatim(excerpt.lines[finding.line - excerpt.start]).rstrip()
        number = str(finding.line)
        yield f"    {self._paint('dim', f'{number} |')} {line}"
        start = finding.column - 1
        if 0 <= start < len(line):
            before = "".join("\t" if c == "\t" else " " for c in line[:start])
            gutter, mark = " " * len(number), "^" * len(line[start:])
            yield f"    {self._paint('dim', f'{gutter} |')} {before}{self._paint(finding.severity, mark)}"

    def _places(self, finding: Finding) -> Iterable[str]:
        roots = f", rendered in {enumeration(finding.roots)}" if finding.roots else ""
        yield f"    in {printable(f'{object_name(finding.object, finding.container)}{roots}', _LONG)}"
        if not self.is_detailed:
            return
        if names := related_names([finding], self.style.shown_path):
            places = ", ".join(f"{name} ({where})" for name, where in names)
            yield f"    see also {printable(places, _LONG)}"
        for note, where in related_notes([finding], self.style.shown_path):
            yield f"      {printable(f'{note} ({where})', _LONG)}"

    def _fix(self, finding: Finding, has_help: bool) -> Iterable[str]:
        fix = finding.fix
        for action in finding.steps:
            yield f"    {'steps: ' if action is finding.steps[0] else '       '}{action.number}. {self._step(action)}"
        if why := why_no_steps(finding):
            yield f"    no steps: {why}"
        if fix is None:
            return
        if fix.advice and has_advice(finding) and has_help:
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
        return f"{_COLOURS[colour]}{text}\x1b[0m" if self.style.has_colour and colour in _COLOURS else text
