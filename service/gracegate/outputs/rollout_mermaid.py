"""Simulated rollouts as Mermaid charts in Markdown, which GitHub draws in comments.

`displayMode: compact` puts what a pod does on one line, and `%s s` counts seconds in any time zone.
"""

from __future__ import annotations

from collections.abc import Iterable

from gracegate.outputs.markdown import code_block, printable
from gracegate.outputs.phrasing import object_name
from gracegate.outputs.rollout_phrasing import PHASES, axis_step, panels, verdict
from gracegate.rollout import Estimate, Phase, PhaseKind, RolloutEstimate, pod_rows, shown_rows

_PODS = 6
_TICKS = 10
_SHORTEST = 0.2
"""Seconds; a shorter bar could not be seen."""
_TAGS: dict[PhaseKind, str] = {
    "starting": "done, ",
    "serving": "active, ",
    "terminating": "",
    "refused": "crit, ",
    "error": "crit, ",
    "reset": "crit, ",
}
_HARMLESS = frozenset(" -./_()")


def render(estimates: Iterable[RolloutEstimate]) -> str:
    """A chart for each rollout as it is and, where suggestions change it, one with them."""
    charts = [
        gantt(found, f"{object_name(estimate.rollout.object)} - {title}", estimate.end)
        for estimate in estimates
        for title, found in panels(estimate)
        if not isinstance(found, str)
    ]
    return "\n".join(f"{chart}\n" for chart in charts)


def gantt(estimate: Estimate, title: str, end: float) -> str:
    """One chart, as a block of Markdown, whose axis may be longer than the rollout: two of them can be compared."""
    lines = [
        "---",
        "displayMode: compact",
        "---",
        "gantt",
        f"    title {_plain(f'{title} - {verdict(estimate)}')}",
        "    dateFormat x",
        "    axisFormat %s s",
        f"    tickInterval {axis_step(end, _TICKS)}second",
        "    todayMarker off",
    ]
    for row in shown_rows(pod_rows(estimate.typical), _PODS):
        lines.append(f"    section {row.name}")
        lines += [_bar(phase) for phase in row.phases if phase.end - phase.start >= _SHORTEST]
    return code_block("\n".join(lines), "mermaid")


def _bar(phase: Phase) -> str:
    name = "still serving" if phase.kind == "terminating" else PHASES[phase.kind]
    return f"    {name} :{_TAGS[phase.kind]}{round(phase.start * 1000)}, {round(phase.end * 1000)}"


def _plain(text: str) -> str:
    """Text as the grammar of a chart can hold it: letters, digits and a few other characters."""
    return " ".join("".join(c if c.isalnum() or c in _HARMLESS else " " for c in printable(text)).split())
