"""The table of the formats that `gracegate check --format` offers: an output is its module and its row here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from gracegate.model import Report
from gracegate.outputs import check_run, github, gitlab, html, json, junit, sarif, text


@dataclass(frozen=True, slots=True)
class Format:
    """How a report is rendered, and with colours where the format has them.

    `max_diffs` is up to how many findings the format shows fixes, None for always: more need not be verified.
    `needs_details` is whether it shows rollouts and excerpts.
    """

    render: Callable[[Report], str]
    render_coloured: Callable[[Report], str] | None = None
    max_diffs: int | None = None
    needs_details: bool = False


FORMATS: Mapping[str, Format] = {
    "text": Format(text.render, partial(text.render, colour=True), text.MAX_DIFFS),
    "json": Format(json.render),
    "sarif": Format(sarif.render),
    "markdown": Format(check_run.render_page),
    "github": Format(github.render, max_diffs=0),
    "gitlab": Format(gitlab.render, max_diffs=0),
    "junit": Format(junit.render, max_diffs=0),
    "html": Format(html.render, needs_details=True),
}
