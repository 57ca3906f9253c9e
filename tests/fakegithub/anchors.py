"""Which lines of a pull request's diff a comment may point to, and GitHub's words for the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakegithub.diff import FileChange, PatchLine, Side, patch_lines
from tests.fakegithub.state import Anchor, PullRequest

THREAD = "Pull request review thread"


@dataclass(frozen=True, slots=True)
class Placed:
    """An accepted place in the diff: its `diff_hunk`, and its position below the first hunk header."""

    anchor: Anchor
    diff_hunk: str
    position: int | None


class Unplaceable(Exception):
    """Why a comment cannot be put there: pairs of the thread's field and GitHub's text."""

    def __init__(self, *reasons: tuple[str, str]) -> None:
        super().__init__(reasons)
        self.reasons = reasons

    def sentence(self) -> str:
        """All of them in one text, as reviews answer."""
        texts = [f"{THREAD} {text}" for _, text in self.reasons]
        return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])}{',' * (len(texts) > 2)} and {texts[-1]}"


NOT_IN_DIFF = (("line", "line must be part of the diff"), ("diff_hunk", "diff hunk can't be blank"))
NOT_SAME_HUNK = ("start_line", "start line must be part of the same hunk as the line.")


def place(pull: PullRequest, sent: Mapping[str, Any]) -> Placed:
    """Where the comment goes. Raises Unplaceable."""
    change = pull.change(sent["path"])
    if change is None:
        raise Unplaceable(("path", "path is invalid"), ("diff_hunk", "diff hunk can't be blank"))
    if sent.get("subject_type") == "file":
        return Placed(Anchor(change.path), "", None)
    if "line" not in sent and "position" in sent:
        return _by_position(change, sent["position"])
    return _by_line(change, _anchor(sent))


def _anchor(sent: Mapping[str, Any]) -> Anchor:
    side = sent.get("side", "RIGHT")
    if side not in {"LEFT", "RIGHT"}:
        raise Unplaceable(("side", "side is invalid"))
    start = sent.get("start_line")
    start_side = sent.get("start_side", side) if start is not None else None
    return Anchor(sent["path"], side, sent.get("line"), start, start_side)


def _by_position(change: FileChange, position: int) -> Placed:
    lines = {one.position: one for one in patch_lines(change.patch or "")}
    found = lines.get(position)
    if found is None or found.sign == "@":
        raise Unplaceable(("position", "position is invalid"), ("diff_hunk", "diff hunk can't be blank"))
    side: Side = "LEFT" if found.sign == "-" else "RIGHT"
    return Placed(Anchor(change.path, side, found.number(side)), change.excerpt(found), position)


def _by_line(change: FileChange, anchor: Anchor) -> Placed:
    if anchor.line is None:
        raise Unplaceable(("line", "line can't be blank"), ("diff_hunk", "diff hunk can't be blank"))
    if anchor.start_line is not None and anchor.start_line >= anchor.line and anchor.start_side == anchor.side:
        raise Unplaceable(("start_line", "start line must precede the end line."))
    last = change.find(anchor.side, anchor.line)
    if last is None:
        reasons = list(NOT_IN_DIFF)
        raise Unplaceable(*reasons[:1], *([NOT_SAME_HUNK] if anchor.start_line is not None else []), *reasons[1:])
    _check_start(change, anchor, last)
    return Placed(anchor, change.excerpt(last), last.position)


def _check_start(change: FileChange, anchor: Anchor, last: PatchLine) -> None:
    if anchor.start_line is None:
        return
    first = change.find(anchor.start_side or anchor.side, anchor.start_line)
    if first is None or first.hunk != last.hunk:
        raise Unplaceable(NOT_SAME_HUNK)
