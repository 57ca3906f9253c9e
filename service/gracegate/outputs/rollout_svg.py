"""Simulated rollouts as one SVG: text stays text, there is no script, and it follows the reader's light or dark mode.

Times are percentages of the width, texts have a size of their own: it reads the same at 360 and at 900 pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape

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
    seconds,
    shutdown_faults,
    shutdown_rows,
    verdict,
)
from gracegate.rollout import Estimate, PhaseKind, PodRow, RolloutEstimate, Simulation, pod_rows, shown_rows

_PODS = 6
_TICKS = 6
_MARGIN = 4.0
"""Percent of the width, on both sides."""
_LOST: tuple[PhaseKind, ...] = ("refused", "error", "reset")
_CALLERS = 26
_BAR = 11
_TOO_LONG = 52
_TOO_LONG_BOLD = 40
"""Characters that fit into a line at 360 pixels, also of the larger and bold text of a verdict."""

_STYLE = """
svg { --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --card: #fff; --ok: #1a7f37; --bad: #cf222e;
  --starting: #b6bfc9; --serving: #2da44e; --terminating: #8bd3a0; --calm: #dafbe1; }
@media (prefers-color-scheme: dark) { svg { --ink: #f0f6fc; --soft: #9198a1; --line: #3d444d; --card: #0d1117;
  --ok: #3fb950; --bad: #f85149; --starting: #656c76; --serving: #2ea043; --terminating: #1b6b33; --calm: #12261e; } }
text { font: 12px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; fill: var(--soft);
  paint-order: stroke; stroke: var(--card); stroke-width: 3px; }
.name { font-size: 16px; font-weight: 600; fill: var(--ink); }
.title { font-size: 14px; font-weight: 600; fill: var(--ink); }
.ok { fill: var(--ok); } .bad { fill: var(--bad); }
.verdict { font-size: 15px; font-weight: 600; }
.pod { fill: var(--ink); } .small { font-size: 11px; }
.card { fill: var(--card); stroke: var(--line); } .grid { stroke: var(--line); }
.deleted { stroke: var(--ink); stroke-width: 2; }
.starting { fill: var(--starting); } .serving { fill: var(--serving); } .terminating { fill: var(--terminating); }
.refused, .error, .reset { fill: var(--bad); } .calm { fill: var(--calm); } .grace { fill: var(--line); }
"""


def render(estimates: Iterable[RolloutEstimate]) -> str:
    """The picture of all rollouts, one below the other."""
    picture = _Picture()
    names = []
    for estimate in estimates:
        names.append(printable(object_name(estimate.rollout.object)))
        _draw_rollout(picture, estimate)
    height = picture.y + 8
    label = escape(f"Rollout of {', '.join(names)}" if names else "No rollout")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="{height}" role="img" aria-label="{label}"'
        f' style="max-width: 900px">\n<title>{label}</title>\n<style>{_STYLE}</style>\n'
        f'<rect class="card" x="0.5" y="0.5" width="99.9%" height="{height - 1}" rx="8"/>\n'
        + "\n".join(picture.parts)
        + "\n</svg>\n"
    )


@dataclass
class _Picture:
    """What is drawn so far, and where the next line of it begins; `y` counts pixels from the top."""

    y: int = 8
    parts: list[str] = field(default_factory=list)

    def text(self, y: float, text: str, style: str = "", x: float = _MARGIN, anchor: str = "start") -> None:
        attributes = f' class="{style}"' if style else ""
        attributes += f' text-anchor="{anchor}"' if anchor != "start" else ""
        self.parts.append(f'<text x="{x:.2f}%" y="{y:g}"{attributes}>{escape(printable(text))}</text>')

    def line(self, text: str, style: str = "", height: int = 17) -> None:
        """A line of text of its own, broken where it is too long for a narrow screen."""
        for part in _broken(text, _TOO_LONG_BOLD if "verdict" in style else _TOO_LONG):
            self.y += height
            self.text(self.y, part, style)

    def bar(self, style: str, time: tuple[float, float], y: float, height: float, end: float) -> None:
        start, stop = (_percent(moment, end) for moment in time)
        width = max(stop - start, 0.3)
        self.parts.append(
            f'<rect class="{style}" x="{start:.2f}%" y="{y:g}" width="{width:.2f}%" height="{height:g}"/>'
        )

    def upright(self, style: str, moment: float, y: float, height: float, end: float) -> None:
        x = _percent(moment, end)
        self.parts.append(f'<line class="{style}" x1="{x:.2f}%" x2="{x:.2f}%" y1="{y:g}" y2="{y + height:g}"/>')


def _draw_rollout(picture: _Picture, estimate: RolloutEstimate) -> None:
    rollout = estimate.rollout
    picture.line(object_name(rollout.object), "name", 22)
    picture.line(location(rollout.file, rollout.line), "small")
    for title, found in panels(estimate):
        picture.y += 10
        picture.line(title, "title", 18)
        if isinstance(found, str):
            picture.line(f"No number, because {found}")
        else:
            _draw_panel(picture, found, estimate.end)
    sentences = assumptions(estimate)
    if sentences:
        _draw_legend(picture)
    for ledger in rollout.shutdowns:
        _draw_shutdown(picture, ledger)
    picture.y += 10
    for sentence in sentences:
        picture.line(sentence, "small", 15)
    picture.y += 14


def _draw_panel(picture: _Picture, estimate: Estimate, end: float) -> None:
    picture.line(verdict(estimate), "verdict ok" if estimate.is_zero else "verdict bad", 19)
    for line in details(estimate):
        picture.line(line)
    picture.y += 8
    simulation = estimate.typical
    rows = pod_rows(simulation)
    shown = shown_rows(rows, _PODS)
    top = picture.y
    below = len(picture.parts)
    _draw_callers(picture, simulation, end)
    for row in shown:
        _draw_row(picture, row, end)
    picture.parts[below:below] = _grid(top, picture.y, end)
    _draw_axis(picture, end)
    if len(rows) > len(shown):
        picture.line(f"and {len(rows) - len(shown)} more pods", "small", 14)


def _draw_callers(picture: _Picture, simulation: Simulation, end: float) -> None:
    """What callers see: red is as high as the share of their requests that is lost."""
    label = lost_label(simulation)
    picture.text(picture.y + 11, "callers", "pod")
    picture.text(picture.y + 11, label or "all answered", "bad" if label else "ok", 100 - _MARGIN, "end")
    y = picture.y + 15
    picture.bar("calm", (0, end), y, _CALLERS, end)
    for start, stop, share in simulation.lost_shares():
        height = max(2.0, round(_CALLERS * share, 1))
        picture.bar("refused", (start, stop), y + _CALLERS - height, height, end)
    picture.y += 15 + _CALLERS + 6


def _draw_row(picture: _Picture, row: PodRow, end: float) -> None:
    lost = ", ".join(f"{PHASES[p.kind]} for {seconds(p.end - p.start)}" for p in row.phases if p.kind in _LOST)
    picture.text(picture.y + 11, row.name, "pod small")
    if lost:
        picture.text(picture.y + 11, lost, "bad small", 100 - _MARGIN, "end")
    y = picture.y + 15
    for phase in row.phases:
        rise = 2 if phase.kind in _LOST else 0
        picture.bar(phase.kind, (phase.start, phase.end), y - rise, _BAR + 2 * rise, end)
    if row.deleted is not None:
        picture.upright("deleted", row.deleted, y - 3, _BAR + 6, end)
    picture.y += 15 + _BAR + 5


def _draw_legend(picture: _Picture) -> None:
    """Two in a row, so that they fit on a narrow screen."""
    entries = [(kind, PHASES[kind]) for kind in PHASES if kind not in _LOST]
    entries += [("refused", "gets requests it cannot answer")]
    picture.y += 8
    for number, (style, words) in enumerate(entries):
        x = _MARGIN + 46 * (number % 2)
        y = picture.y + 16 * (number // 2)
        picture.parts.append(f'<rect class="{style}" x="{x:.2f}%" y="{y + 3}" width="10" height="10"/>')
        picture.parts.append(f'<text class="small" x="{x:.2f}%" dx="15" y="{y + 12}">{words}</text>')
    picture.y += 16 * ((len(entries) + 1) // 2)
    picture.line("An upright line marks when a pod is deleted.", "small", 15)


def _draw_shutdown(picture: _Picture, ledger: ShutdownLedger) -> None:
    rows = [*shutdown_rows(ledger)]
    faults = shutdown_faults(ledger)
    end = max(stop for _, _, stop, _ in rows) or 1
    picture.y += 12
    picture.line(f"Shutdown of a pod of {object_name(ledger.service)}", "title", 18)
    for words in faults or ["The times add up."]:
        picture.line(words, "verdict bad" if faults else "verdict ok")
    picture.y += 8
    top, below = picture.y, len(picture.parts)
    for name, start, stop, time in rows:
        picture.text(picture.y + 11, f"{name}: {stop - start:g} s", "pod small")
        picture.text(picture.y + 11, location(time.file, time.line), "small", 100 - _MARGIN, "end")
        style = "terminating" if time is ledger.traffic else "grace" if time is ledger.grace else "starting"
        picture.bar(style, (start, stop), picture.y + 15, _BAR, end)
        late = max(start, ledger.grace.seconds)
        if stop > late:
            picture.bar("refused", (late, stop), picture.y + 13, _BAR + 4, end)
        picture.y += 15 + _BAR + 5
    picture.parts[below:below] = _grid(top, picture.y, end)
    _draw_axis(picture, end)


def _grid(top: int, bottom: int, end: float) -> list[str]:
    grid = _Picture()
    for tick in _ticks(end):
        grid.upright("grid", tick, top, bottom - top, end)
    return grid.parts


def _draw_axis(picture: _Picture, end: float) -> None:
    for tick in _ticks(end):
        x = _percent(tick, end)
        anchor = "start" if tick == 0 else "end" if x > 92 else "middle"
        picture.text(picture.y + 12, f"{tick} s", "small", x, anchor)
    picture.y += 14


def _ticks(end: float) -> range:
    return range(0, int(end) + 1, axis_step(end, _TICKS))


def _percent(moment: float, end: float) -> float:
    return _MARGIN + min(max(moment, 0.0), end) / end * (100 - 2 * _MARGIN)


def _broken(text: str, limit: int) -> Iterator[str]:
    line = ""
    for word in printable(text).split():
        if line and len(line) + 1 + len(word) > limit:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    yield line
