"""The steps of a change for a terminal: what each one does, and which findings have none."""

from __future__ import annotations

from collections.abc import Iterator

from gracegate.model import Finding, Report
from gracegate.outputs.markdown import printable
from gracegate.outputs.phrasing import NO_STEPS, location, plural, step_actions

_LONG = 2_000


def heading(report: Report, number: int) -> str:
    """What the step of that number, from 1, does, a line for each of its findings."""
    files = plural(len(report.steps[number - 1].files), "file")
    actions = (f"  {printable(text, _LONG)}\n" for text in step_actions(report.findings, number))
    return f"Step {number} of {len(report.steps)}, in {files}:\n{''.join(actions)}"


def unsplit(report: Report) -> str:
    """A line for each finding that is in no step."""
    return "".join(f"{_unsplit_line(finding)}\n" for finding in _unsplit(report))


def has_unsplit(report: Report) -> bool:
    """Whether there is a finding for which no safe order was found, though one may exist."""
    return any(finding.no_steps != "order_is_no_help" for finding in _unsplit(report))


def _unsplit(report: Report) -> Iterator[Finding]:
    return (finding for finding in report.findings if finding.no_steps is not None)


def _unsplit_line(finding: Finding) -> str:
    reason = "" if finding.no_steps is None else NO_STEPS[finding.no_steps]
    where = printable(location(finding.file, finding.line), _LONG)
    return f"{where}: {printable(finding.message, _LONG)} {reason} [{finding.rule}]"
