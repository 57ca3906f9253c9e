"""The report of a check as it is stored for its page, with the pictures of its rollouts: they take time to draw."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass, replace
from typing import Any

from gracegate.model import ObjectRef, Report
from gracegate.outputs import Picture, draw_rollouts
from gracegate.review.sandbox import type_adapter

MAX_BYTES = 8 * 1024 * 1024
"""Of the JSON of one report, before it is compressed. One with 500 findings takes about 2 MB."""
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class ReportPage:
    """What the page shows. `left_out` findings were too many to be stored."""

    report: Report
    pictures: tuple[Picture, ...]
    left_out: int


def write_page(report: Report) -> bytes:
    """The content to store: of a report that is too large, as many findings as fit."""
    pictures = [asdict(picture) for picture in draw_rollouts(report.rollouts)]
    kept = len(report.findings)
    while True:
        page = {
            "format": _FORMAT,
            "report": asdict(_shortened(report, kept)),
            "pictures": pictures,
            "left_out": len(report.findings) - kept,
        }
        content = json.dumps(page, separators=(",", ":")).encode()
        if len(content) <= MAX_BYTES:
            return zlib.compress(content)
        kept, pictures = kept // 2, []


def read_page(content: bytes) -> ReportPage | None:
    """What was stored; None where another version of gracegate wrote it in another format."""
    page: dict[str, Any] = json.loads(zlib.decompress(content))
    if page["format"] != _FORMAT:
        return None
    pictures = (Picture(**{**one, "object": ObjectRef(**one["object"])}) for one in page["pictures"])
    return ReportPage(type_adapter(Report).validate_python(page["report"]), tuple(pictures), page["left_out"])


def _shortened(report: Report, kept: int) -> Report:
    """What is shown of the report, with its first findings; without what stands beside them if some are left out."""
    shown = replace(
        report, rollouts=(), suggestions=(), live_targets=(), shadow_findings=(), shadow_failures=dict[str, str]()
    )
    if kept == len(report.findings):
        return shown
    return replace(
        shown,
        findings=report.findings[:kept],
        fixed_findings=report.fixed_findings[:kept],
        problems=report.problems[:kept],
        excerpts=report.excerpts[:kept],
        steps=report.steps if kept else (),
        config_preview=None,
    )
