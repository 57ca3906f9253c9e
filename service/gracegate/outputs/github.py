"""The report as commands of a GitHub Actions workflow: each finding is an annotation on its line.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Iterable

from gracegate.model import Finding, Problem, Report
from gracegate.outputs.markdown import printable
from gracegate.outputs.phrasing import finding_text, object_name, problem_text, sort_findings

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}
_LONG = 2_000


def render(report: Report) -> str:
    """A command for each finding that counts, the worst first, as GitHub shows few; then one for each problem."""
    findings = sort_findings(finding for finding in report.findings if finding.counts)
    return "".join(f"{line}\n" for line in _lines(findings, report.problems))


def _lines(findings: Iterable[Finding], problems: Iterable[Problem]) -> Iterable[str]:
    for finding in findings:
        title = f"{finding.title} ({finding.rule})" if finding.title else finding.rule
        name = object_name(finding.object, finding.container)
        message = f"{finding_text(finding)} In {name}."
        yield _command(_COMMANDS[finding.severity], finding.file, finding.line, title, message, finding.column)
    for problem in problems:
        kind, title = ("error", "not evaluated") if problem.blocks else ("notice", "note")
        yield _command(kind, problem.file, problem.line, title, problem_text(problem))


def _command(kind: str, file: str, line: int, title: str, message: str, column: int = 0) -> str:
    place = f"file={_property(file)},line={max(1, line)}," if file else ""
    place += f"col={column}," if column else ""
    return f"::{kind} {place}title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    """One line in which nothing is a command."""
    return printable(text, _LONG).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
