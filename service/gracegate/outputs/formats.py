"""The table of the formats that `gracegate check --format` offers: an output is its module and its row here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from gracegate.model import Report
from gracegate.outputs import text
from gracegate.outputs.text import TextStyle


@dataclass(frozen=True, slots=True)
class Format:
    """How a report is rendered, and for a reader at a terminal where the format is for one.

    `max_diffs` is up to how many findings the format shows fixes, None for always: more need not be verified.
    `needs_rollouts` is whether it shows rollouts.
    """

    render: Callable[[Report], str]
    render_styled: Callable[[Report, TextStyle], str] | None = None
    max_diffs: int | None = None
    needs_rollouts: bool = False


def _later(module: str, function: str = "render") -> Callable[[Report], str]:
    """A function of a module of this room, which is imported when it is called: one format is used of many."""

    def render(report: Report) -> str:
        rendered: str = getattr(import_module(f"gracegate.outputs.{module}"), function)(report)
        return rendered

    return render


FORMATS: Mapping[str, Format] = {
    "text": Format(text.render, text.render, text.MAX_DIFFS),
    "json": Format(_later("json")),
    "sarif": Format(_later("sarif")),
    "markdown": Format(_later("check_run", "render_page")),
    "github": Format(_later("github"), max_diffs=0),
    "gitlab": Format(_later("gitlab"), max_diffs=0),
    "junit": Format(_later("junit"), max_diffs=0),
    "html": Format(_later("html"), needs_rollouts=True),
}
