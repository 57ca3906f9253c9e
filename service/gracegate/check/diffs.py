"""Unified diffs of edits, drawn from the edits themselves: lines split at \\n alone, as git and GitHub count them."""

from __future__ import annotations

from collections.abc import Sequence

from gracegate.yaml_edit import LineEdit

CONTEXT = 3
NO_NEWLINE = "\n\\ No newline at end of file"


def unified(path: str, text: str, edits: Sequence[LineEdit]) -> str:
    """The unified diff of edits that do not overlap, with three lines of context and lines split at \\n alone."""
    lines = _ended(text.split("\n"))
    hunks: list[list[LineEdit]] = []
    for one in sorted(edits, key=lambda e: e.start_line):
        near = hunks and one.start_line - hunks[-1][-1].end_line <= 2 * CONTEXT
        if near:
            hunks[-1].append(one)
        else:
            hunks.append([one])
    shift, shown = 0, [f"--- a/{path}", f"+++ b/{path}"]
    for hunk in hunks:
        body = _hunk(lines, hunk)
        first = max(1, hunk[0].start_line - CONTEXT)
        old, new = (sum(line[0] in kinds for line in body) for kinds in (" -", " +"))
        shown += [f"@@ -{first},{old} +{first + shift},{new} @@", *body]
        shift += new - old
    return "\n".join(shown)


def _hunk(lines: Sequence[str], edits: Sequence[LineEdit]) -> list[str]:
    body: list[str] = []
    at = max(0, edits[0].start_line - 1 - CONTEXT)
    for one in edits:
        old = lines[one.start_line - 1 : one.end_line]
        new = _ended(one.lines) if old[-1].endswith(NO_NEWLINE) else list(one.lines)
        head = _shared(old, new)
        tail = _shared(old[head:][::-1], new[head:][::-1])
        body += [f" {line}" for line in [*lines[at : one.start_line - 1], *old[:head]]]
        body += [f"-{line}" for line in old[head : len(old) - tail]]
        body += [f"+{line}" for line in new[head : len(new) - tail]]
        body += [f" {line}" for line in old[len(old) - tail :]]
        at = one.end_line
    return body + [f" {line}" for line in lines[at : at + CONTEXT]]


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines two texts begin with in common."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _ended(lines: Sequence[str]) -> list[str]:
    """Without the nothing after the last newline, else with git's remark that there is none."""
    return list(lines[:-1]) if not lines or lines[-1] == "" else [*lines[:-1], lines[-1] + NO_NEWLINE]
