"""Simulated rollouts for a terminal: what callers see and, below it, what each pod does from left to right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gracegate.model import ShutdownLedger
from gracegate.outputs.markdown import printable
from gracegate.outputs.phrasing import location, object_name
from gracegate.outputs.rollout_phrasing import (
    PHASES,
    assumptions,
    axis_step,
    details,
    lost_label,
    panels,
    shutdown_faults,
    shutdown_rows,
    verdict,
)
from gracegate.rollout import Estimate, PhaseKind, PodRow, RolloutEstimate, Simulation, pod_rows, shown_rows

_COLUMNS = 50
_NAME = 18
_PODS = 6
_LEVELS = "▁▂▃▄▅▆▇█"
_MARKS: dict[PhaseKind, str] = {
    "starting": "·",
    "serving": "━",
    "terminating": "─",
    "refused": "█",
    "error": "█",
    "reset": "█",
}
_RED, _GREEN, _CYAN, _DIM, _BOLD, _END = "\x1b[1;31m", "\x1b[32m", "\x1b[36m", "\x1b[2m", "\x1b[1m", "\x1b[0m"
_COLOURS: dict[PhaseKind, str] = {
    "starting": _DIM,
    "serving": _GREEN,
    "terminating": _CYAN,
    "refused": _RED,
    "error": _RED,
    "reset": _RED,
}


def render(estimates: Iterable[RolloutEstimate], *, colour: bool = False) -> str:
    """Each rollout with its timelines, its shutdowns and what was assumed."""
    text = _Text(colour)
    return "\n".join("".join(f"{line}\n" for line in text.rollout(estimate)) for estimate in estimates)


class _Text:
    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def rollout(self, estimate: RolloutEstimate) -> Iterable[str]:
        rollout = estimate.rollout
        where = location(printable(rollout.file), rollout.line)
        yield f"{self._in(_BOLD, printable(object_name(rollout.object)))}  {self._in(_DIM, where)}"
        for title, found in panels(estimate):
            yield ""
            if isinstance(found, str):
                yield f"  {title}: no number, because {found}"
            else:
                yield from self._panel(title, found, estimate.end)
        sentences = assumptions(estimate)
        if sentences:
            yield self._indented("", self._legend())
        for ledger in rollout.shutdowns:
            yield ""
            yield from self._shutdown(ledger)
        yield from ("", *(self._in(_DIM, f"  {sentence}") for sentence in sentences)) if sentences else ()

    def _panel(self, title: str, estimate: Estimate, end: float) -> Iterable[str]:
        colour = _GREEN if estimate.is_zero else _RED
        yield f"  {self._in(_BOLD, title)}: {self._in(colour, verdict(estimate))}"
        yield from (f"  {self._in(_DIM, line)}" for line in details(estimate))
        simulation = estimate.typical
        label = lost_label(simulation)
        callers = self._callers(simulation, end)
        yield self._indented("callers", f"{callers} {self._in(_RED if label else _GREEN, label or 'all answered')}")
        rows = pod_rows(simulation)
        shown = shown_rows(rows, _PODS)
        yield from (self._indented(row.name, self._row(row, end)) for row in shown)
        if len(rows) > len(shown):
            yield self._indented("", self._in(_DIM, f"and {len(rows) - len(shown)} more pods"))
        yield self._indented("", self._in(_DIM, _axis(end)))

    def _callers(self, simulation: Simulation, end: float) -> str:
        """A column is as high and red as the largest share that is lost in its time."""
        shares = [0.0] * _COLUMNS
        for start, stop, share in simulation.lost_shares():
            for column in _columns(start, stop, end):
                shares[column] = max(shares[column], share)
        return "".join(
            self._in(_RED, _LEVELS[max(1, round(share * 7))]) if share else self._in(_GREEN, _LEVELS[0])
            for share in shares
        )

    def _row(self, row: PodRow, end: float) -> str:
        """What is lost hides the rest of its column."""
        kinds: list[PhaseKind | None] = [None] * _COLUMNS
        for phase in sorted(row.phases, key=lambda phase: _MARKS[phase.kind] == "█"):
            for column in _columns(phase.start, phase.end, end):
                kinds[column] = phase.kind
        return "".join(" " if kind is None else self._mark(kind) for kind in kinds).rstrip()

    def _mark(self, kind: PhaseKind) -> str:
        return self._in(_COLOURS[kind], _MARKS[kind])

    def _legend(self) -> str:
        shown: Sequence[PhaseKind] = ("starting", "serving", "terminating")
        served = "   ".join(f"{self._mark(kind)} {PHASES[kind]}" for kind in shown)
        return f"{served}   {self._mark('refused')} gets requests that it cannot answer"

    def _shutdown(self, ledger: ShutdownLedger) -> Iterable[str]:
        faults = shutdown_faults(ledger)
        title = f"Shutdown of a pod of {printable(object_name(ledger.service))}"
        colour, words = (_RED, " ".join(faults)) if faults else (_GREEN, "the times add up.")
        yield f"  {self._in(_BOLD, title)}: {self._in(colour, words)}"
        rows = [*shutdown_rows(ledger)]
        end = max(stop for _, _, stop, _ in rows) or 1
        for name, start, stop, time in rows:
            bar = [" "] * _COLUMNS
            for column in _columns(start, stop, end) if stop > start else ():
                bar[column] = "━"
            where = self._in(_DIM, location(printable(time.file), time.line))
            yield self._indented(printable(name, _NAME), f"{''.join(bar)} {stop - start:g} s  {where}")
        yield self._indented("", self._in(_DIM, _axis(end)))

    def _indented(self, name: str, text: str) -> str:
        return f"  {name:>{_NAME}}  {text}"

    def _in(self, code: str, text: str) -> str:
        return f"{code}{text}{_END}" if self._colour else text


def _columns(start: float, stop: float, end: float) -> range:
    """The columns of a time, at least one."""
    first = min(round(start / end * _COLUMNS), _COLUMNS - 1)
    return range(first, max(first + 1, min(round(stop / end * _COLUMNS), _COLUMNS)))


def _axis(end: float) -> str:
    line = [" "] * (_COLUMNS + 12)
    step = axis_step(end, 6)
    for tick in range(0, int(end) + 1, step):
        for offset, character in enumerate(f"{tick} s"):
            line[round(tick / end * _COLUMNS) + offset] = character
    return "".join(line).rstrip()
