"""The table of the formats that `gracegate check --format` offers: an output is its module and its row here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gracegate.model import Report
from gracegate.outputs import check_run, github, gitlab, html, json, junit, sarif, text
from gracegate.outputs.text import TextStyle
from gracegate.records import dataclass


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


FORMATS: Mapping[str, Format] = {
    "text": Format(text.render, text.render, text.MAX_DIFFS),
    "json": Format(json.render),
    "sarif": Format(sarif.render),
    "markdown": Format(check_run.render_page),
    "github": Format(github.render, max_diffs=0),
    "gitlab": Format(gitlab.render, max_diffs=0),
    "junit": Format(junit.render, max_diffs=0),
    "html": Format(html.render, needs_rollouts=True),
}
